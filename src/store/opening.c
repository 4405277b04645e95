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

static const char *sentence_of(struct arena *arena, int error, const char *file)
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
        return sentence_of(arena, error, file);
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
        *why = sentence_of(arena, error, store->directory);
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
        *why = sentence_of(arena, errno, path);
        return false;
    }
    if (fcntl(store->lock, F_SETLK, &wanted) == 0)
        return true;
    int error = errno;
    if (error != EACCES && error != EAGAIN)
        *why = sentence_of(arena, error, path);
    else if (fcntl(store->lock, F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK &&
             wanted.l_pid > 0)
        *why = environment_sentence(arena, "another kith (process %ld) already uses %s",
                                    (long)wanted.l_pid, store->directory);
    else
        *why = environment_sentence(arena, "another kith already uses %s", store->directory);
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

/* Makes the file under another name and renames it: LMDB writes the first pages of a new file
 * unsynced, and could not read what a power cut leaves of them. */
static bool file_make(struct store *store, struct arena *arena, const char **why)
{
    const char *young = text_joined(arena, store->file, ".new");
    const char *young_lock = text_joined(arena, store->file, ".new-lock");

    if (young == NULL || young_lock == NULL) {
        *why = no_memory;
        return false;
    }
    int error = file_remove(young);
    if (error == 0)
        error = file_remove(young_lock);
    if (error == 0)
        error = environment_open(store, young);
    if (error == 0) {
        store->writable = true;
        bool made = schema_make(store);
        environment_close(store);
        store->commits = 0;
        if (!made)
            error = store->error;
    }
    if (error == 0 && rename(young, store->file) != 0)
        error = errno;
    if (error == 0)
        error = file_remove(young_lock);
    if (error == 0)
        error = directory_sync(store->directory);
    if (error != 0)
        *why = sentence_of(arena, error, store->file);
    return error == 0;
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
        *why = sentence_of(arena, errno, store->file);
        return false;
    }
    if (store->read_only) {
        *why = environment_sentence(arena, "there is no %s: the server makes it when it starts",
                                    store->file);
        return false;
    }
    return file_make(store, arena, why);
}

/* LMDB maps what the file says it has; reading past its end would kill the process. The pages that
 * one transaction took and gave back may never have been written. */
static bool file_whole(struct store *store, struct arena *arena, const char **why)
{
    struct stat entry;
    MDB_envinfo info;
    int error = mdb_env_info(store->env, &info);
    if (error == 0 && stat(store->file, &entry) != 0)
        error = errno;
    if (error != 0) {
        *why = sentence_of(arena, error, store->file);
        return false;
    }
    uint64_t said = ((uint64_t)info.me_last_pgno + 1) * store->page_bytes;
    if ((uint64_t)entry.st_size + STORE_DIRTY_BYTES_MAX >= said)
        return true;
    *why = environment_sentence(arena, "%s is cut short (%llu of %llu KB): restore a backup",
                                store->file, (unsigned long long)entry.st_size / 1024,
                                (unsigned long long)said / 1024);
    return false;
}

static bool opened(struct store *store, struct arena *arena, const char **why)
{
    if (!directory_ready(store, arena, why) ||
        (!store->read_only && !lock_take(store, arena, why)) || !file_ready(store, arena, why))
        return false;
    int error = environment_open(store, store->file);
    if (error != 0) {
        *why = open_refusal(arena, error, store->file);
        return false;
    }
    store->writable = !store->read_only;
    return file_whole(store, arena, why) && schema_check(store, arena, why);
}

struct store *store_open(const char *directory, uint64_t map_bytes, bool read_only,
                         struct arena *arena, const char **why)
{
    struct store *store = arena_take(arena, sizeof *store);
    const char *path = text_joined(arena, directory, "");
    const char *file = text_joined(arena, directory, "/kith.mdb");

    if (store == NULL || path == NULL || file == NULL) {
        *why = no_memory;
        return NULL;
    }
    *store = (struct store){.lock = -1,
                            .read_only = read_only,
                            .map_bytes = map_bytes,
                            .directory = path,
                            .file = file};
    if (map_bytes > SIZE_MAX / 2) {
        *why = "the store's map is too large for this machine";
        return NULL;
    }
    *why = NULL;
    if (opened(store, arena, why)) {
        store_tick_end(store);
        return store;
    }
    must(*why != NULL);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    environment_close(store);
    if (store->lock >= 0)
        close(store->lock);
    store->lock = -1;
}
