/* opening.c: store_open and store_close: the directory, the lock that keeps a second server out,
 * the making of a new file, and a sentence for everything that can be wrong with them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "store/environment.h"

enum { JFFS2_MAGIC = 0x72b6 }; /* linux/magic.h */

static const char no_memory[] = "no memory for the store";

/* What a person can do about an error; %s is the file or directory. */
static const struct {
    int error;
    const char *sentence;
} refusals[] = {
    {EACCES, "no permission for %s: it must belong to the user that kith runs as"},
    {EPERM, "no permission for %s: it must belong to the user that kith runs as"},
    {EROFS, "%s is on a file system that is mounted read-only"},
    {ENOSPC, "the disk of %s is full"},
    {EDQUOT, "the disk quota for %s is used up"},
    {EIO, "the disk of %s fails (input/output error)"},
    {ENOENT, "%s cannot be made: the directory above it does not exist"},
    {ENOTDIR, "%s is not a directory"},
    {EINVAL, "the file system of %s cannot map files as LMDB needs it (jffs2 and some network file "
             "systems cannot); choose a directory on ext4, f2fs, UBIFS or a USB stick"},
    {ENODEV, "the file system of %s cannot map files as LMDB needs it (jffs2 and some network file "
             "systems cannot); choose a directory on ext4, f2fs, UBIFS or a USB stick"},
    {ENOMEM, "no memory or address space to open %s: make the map smaller"},
    {MDB_VERSION_MISMATCH,
     "%s was written by another version of LMDB; dump it there, load it here"},
    {MDB_INVALID, "%s is damaged, or is no store: restore a backup"},
    {MDB_CORRUPTED, "%s is damaged: restore a backup"},
    {ENODATA, "%s is cut short: restore a backup"},
    {MDB_PAGE_NOTFOUND, "%s is damaged: restore a backup"},
    {MDB_READERS_FULL, "too many other programs read %s: end some of them"},
};

/* LMDB's first page differs between kinds of machines: where its magic stands, and in which order
 * its bytes are. */
static const struct {
    size_t at;
    uint8_t magic[4];
    const char *machine;
} kinds[] = {
    {16, {0xde, 0xc0, 0xef, 0xbe}, "64-bit little-endian"},
    {12, {0xde, 0xc0, 0xef, 0xbe}, "32-bit little-endian"},
    {16, {0xbe, 0xef, 0xc0, 0xde}, "64-bit big-endian"},
    {12, {0xbe, 0xef, 0xc0, 0xde}, "32-bit big-endian"},
};

/* "a" and "b" as one string of the arena; NULL: it is full. */
static char *text_joined(struct arena *arena, const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    char *text = arena_take(arena, a_len + b_len + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, a, a_len);
    memcpy(text + a_len, b, b_len + 1);
    return text;
}

const char *opening_sentence(struct arena *arena, int error, const char *file)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].error == error) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            return environment_sentence(arena, refusals[i].sentence, file);
#pragma GCC diagnostic pop
        }
    }
    return environment_sentence(arena, "%s cannot be opened: %s", file, mdb_strerror(error));
}

/* The machine that made a file which LMDB does not know; NULL: none, or one like this. */
static const char *file_machine(const char *file)
{
    uint8_t head[20];
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    ssize_t len = pread(descriptor, head, sizeof head, 0);
    close(descriptor);
    if (len != (ssize_t)sizeof head)
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (memcmp(head + kinds[i].at, kinds[i].magic, 4) == 0)
            return kinds[i].machine;
    }
    return NULL;
}

static const char *open_refusal(struct arena *arena, int error, const char *file)
{
    const char *machine = error == MDB_INVALID ? file_machine(file) : NULL;
    if (machine == NULL)
        return opening_sentence(arena, error, file);
    return environment_sentence(arena,
                                "%s was made on another kind of machine (%s) and cannot be read "
                                "here; dump it there and load the dump here",
                                file, machine);
}

/* Makes the directory if it is missing and asks whether a store can live in it. */
static bool directory_ready(struct store *store, struct arena *arena, const char **why)
{
    struct stat entry;
    struct statfs kind;
    struct statvfs room;

    int error = 0;
    if (!store->read_only && mkdir(store->directory, 0700) != 0 && errno != EEXIST)
        error = errno;
    else if (stat(store->directory, &entry) != 0)
        error = errno;
    else if (!S_ISDIR(entry.st_mode))
        error = ENOTDIR;
    else if (statfs(store->directory, &kind) != 0 || statvfs(store->directory, &room) != 0)
        error = errno;
    if (error != 0) {
        *why = opening_sentence(arena, error, store->directory);
        return false;
    }
    if ((uint32_t)kind.f_type == JFFS2_MAGIC) {
        *why = environment_sentence(arena,
                                    "%s is on jffs2, where LMDB cannot map its file; choose a "
                                    "directory on ext4, f2fs, UBIFS or a USB stick",
                                    store->directory);
        return false;
    }
    uint64_t bytes = (uint64_t)room.f_bavail * room.f_frsize;
    if (!store->read_only && room.f_blocks != 0 && bytes < STORE_DISK_BYTES_MIN) {
        *why = environment_sentence(arena,
                                    "the disk of %s is full (%llu KB left, at least %d KB are "
                                    "needed); make room and start again",
                                    store->directory, (unsigned long long)(bytes / 1024),
                                    STORE_DISK_BYTES_MIN / 1024);
        return false;
    }
    return true;
}

/* One process may write. A record lock, since it is not inherited by children, ends with the
 * process and knows whose it is. */
static bool lock_take(struct store *store, struct arena *arena, const char **why)
{
    struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const char *path = text_joined(arena, store->directory, "/kith.lock");

    if (path == NULL) {
        *why = no_memory;
        return false;
    }
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock < 0) {
        *why = opening_sentence(arena, errno, path);
        return false;
    }
    if (fcntl(store->lock, F_SETLK, &wanted) == 0)
        return true;
    int error = errno;
    if (error != EACCES && error != EAGAIN)
        *why = opening_sentence(arena, error, path);
    else if (fcntl(store->lock, F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK &&
             wanted.l_pid > 0)
        *why =
            environment_sentence(arena, "another kith (process %ld) already uses %s; stop it first",
                                 (long)wanted.l_pid, store->directory);
    else
        *why = environment_sentence(arena, "another kith already uses %s; stop it first",
                                    store->directory);
    close(store->lock);
    store->lock = -1;
    return false;
}

/* A name is safe after a power cut when its directory was synced. */
static int directory_sync(const char *directory)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    int error = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno; /* EINVAL: has no fsync */
    close(descriptor);
    return error;
}

static int file_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
}

/* By a second name, so that there is a file at every moment. */
static bool file_keep(struct making *making, const char *old)
{
    int error = file_remove(old);
    if (error == 0 && link(making->store->file, old) != 0 && errno != ENOENT)
        error = errno;
    if (error != 0)
        making->why = environment_sentence(making->arena,
                                           "%s cannot be kept as %s (%s); move it away yourself, "
                                           "then try again",
                                           making->store->file, old, strerror(error));
    return error == 0;
}

/* LMDB's lock of the file that was replaced goes too: who still reads that one shares it, and what
 * it says of transactions is not true of the new one. */
static int file_replace(const struct store *store, const char *young, const char *lock)
{
    if (rename(young, store->file) != 0)
        return errno;
    int error = file_remove(lock);
    return error != 0 ? error : directory_sync(store->directory);
}

bool making_run(struct making *making)
{
    const char *file = making->store->file;
    const char *young = text_joined(making->arena, file, ".new");
    const char *young_lock = text_joined(making->arena, file, ".new-lock");
    const char *old = text_joined(making->arena, file, ".old");
    const char *lock = text_joined(making->arena, file, "-lock");

    making->why = no_memory;
    if (young == NULL || young_lock == NULL || old == NULL || lock == NULL)
        return false;
    making->why = NULL;
    int error = file_remove(young);
    if (error == 0)
        error = file_remove(young_lock);
    bool filled = error == 0 && making->fill(making, young);
    if (error == 0)
        error = file_remove(young_lock);
    if (error == 0 && filled && (!making->keep_old || file_keep(making, old))) {
        error = file_replace(making->store, young, lock);
        if (error == 0)
            return true;
    }
    (void)file_remove(young); /* else the next making does it */
    if (making->why == NULL)
        making->why = opening_sentence(making->arena, error, file);
    return false;
}

static bool fill_empty(struct making *making, const char *young)
{
    struct store *store = making->store;
    int error = environment_open(store, young);
    if (error == 0) {
        store->writable = true;
        bool made = schema_make(store);
        environment_close(store);
        store->commits = 0;
        if (made)
            return true;
        error = store->error;
    }
    making->why = opening_sentence(making->arena, error, store->file);
    return false;
}

static bool file_make(struct store *store, struct arena *arena, const char **why)
{
    struct making making = {.fill = fill_empty, .store = store, .arena = arena};
    bool made = making_run(&making);
    if (!made)
        *why = making.why;
    return made;
}

/* false: *why says what is wrong with the file, or why it cannot be made. */
static bool file_ready(struct store *store, struct arena *arena, const char **why)
{
    struct stat entry;
    if (stat(store->file, &entry) == 0) {
        if (entry.st_size > 0)
            return true;
        *why = environment_sentence(
            arena, "%s is empty: restore a backup, or remove it to begin anew", store->file);
        return false;
    }
    if (errno != ENOENT) {
        *why = opening_sentence(arena, errno, store->file);
        return false;
    }
    if (store->read_only) {
        *why = environment_sentence(arena, "there is no %s: the server makes it when it starts",
                                    store->file);
        return false;
    }
    return file_make(store, arena, why);
}

static bool file_open(struct store *store, struct arena *arena, const char **why)
{
    int error = environment_open(store, store->file);
    if (error != 0)
        *why = open_refusal(arena, error, store->file);
    return error == 0;
}

static bool opened(struct store *store, struct arena *arena, const char **why)
{
    if (!directory_ready(store, arena, why) ||
        (!store->read_only && !lock_take(store, arena, why)) || !file_ready(store, arena, why) ||
        !file_open(store, arena, why))
        return false;
    store->writable = !store->read_only;
    return schema_check(store, arena, why);
}

/* Paths, and nothing open. NULL: no memory. */
static struct store *store_at(struct span directory, const char *file, struct arena *arena,
                              const char **why)
{
    struct store *store = arena_take(arena, sizeof *store);
    char *path = arena_take(arena, directory.len + 1);

    *why = no_memory;
    if (store == NULL || path == NULL || file == NULL)
        return NULL;
    memcpy(path, directory.bytes, directory.len);
    path[directory.len] = '\0';
    *store = (struct store){.lock = -1, .directory = path, .file = file};
    *why = NULL;
    return store;
}

/* The store of a data directory. */
static struct store *store_in(const char *directory, uint64_t map_bytes, struct arena *arena,
                              const char **why)
{
    const char *file = text_joined(arena, directory, "/kith.mdb");
    struct store *store = store_at(span_string(directory), file, arena, why);
    if (store == NULL)
        return NULL;
    store->map_bytes = map_bytes;
    if (map_bytes <= SIZE_MAX / 2)
        return store;
    *why = "the store's map is too large for this machine";
    return NULL;
}

struct store *opening_claim(const char *directory, uint64_t map_bytes, struct arena *arena,
                            const char **why)
{
    struct store *store = store_in(directory, map_bytes, arena, why);
    if (store == NULL)
        return NULL;
    return directory_ready(store, arena, why) && lock_take(store, arena, why) ? store : NULL;
}

bool opening_look(struct store *store, bool *there, struct arena *arena, const char **why)
{
    *there = access(store->file, F_OK) == 0 || errno != ENOENT;
    return !*there || file_open(store, arena, why);
}

/* A file with any name. */
static struct store *store_of(const char *file, struct arena *arena, const char **why)
{
    const char *slash = strrchr(file, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - file);
    struct span directory = slash == NULL ? SPAN(".") : span_of(file, len == 0 ? 1 : len);
    return store_at(directory, text_joined(arena, file, ""), arena, why);
}

bool making_elsewhere(struct making *making, const char *file, const char **why)
{
    if (access(file, F_OK) == 0 || errno != ENOENT) {
        *why = environment_sentence(making->arena, "%s is there already; give another name", file);
        return false;
    }
    making->store = store_of(file, making->arena, why);
    if (making->store == NULL)
        return false;
    bool made = making_run(making);
    if (!made)
        *why = making->why;
    return made;
}

struct store *opening_rest(const char *file, struct arena *arena, const char **why)
{
    struct store *store = store_of(file, arena, why);
    const char *lock = text_joined(arena, file, "-lock");
    if (store == NULL || lock == NULL) {
        *why = no_memory;
        return NULL;
    }
    store->read_only = store->resting = true;
    if (access(file, F_OK) != 0 && errno == ENOENT)
        *why = environment_sentence(arena, "there is no %s", file);
    else if (access(lock, F_OK) == 0)
        *why = environment_sentence(arena,
                                    "%s is beside %s, so this is the file of a server and no "
                                    "backup; make one of it with `kith backup`",
                                    lock, file);
    else if (file_open(store, arena, why) && schema_read(store, arena, why)) {
        store_tick_end(store);
        return store;
    }
    store_close(store);
    return NULL;
}

static struct store *open_to(struct store *store, struct arena *arena, const char **why)
{
    if (store == NULL)
        return NULL;
    if (opened(store, arena, why)) {
        store_tick_end(store);
        return store;
    }
    must(*why != NULL);
    store_close(store);
    return NULL;
}

struct store *store_open(const char *directory, uint64_t map_bytes, bool read_only,
                         struct arena *arena, const char **why)
{
    struct store *store = store_in(directory, map_bytes, arena, why);
    if (store != NULL)
        store->read_only = read_only;
    return open_to(store, arena, why);
}

struct store *store_open_to_copy(const char *directory, struct arena *arena, const char **why)
{
    struct store *store = store_in(directory, 0, arena, why);
    if (store != NULL)
        store->read_only = store->copying = true;
    return open_to(store, arena, why);
}

void store_close(struct store *store)
{
    environment_close(store);
    if (store->lock >= 0)
        close(store->lock);
    store->lock = -1;
}
