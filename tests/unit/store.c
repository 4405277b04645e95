/* store.c: opening and refusing, the tick's transaction, room, other processes. Allocations:
 * store_memory.c. Power cuts and failing disks: tests/crash. */
#include "store_test.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define MAP_SMALL (1 << 20)

/* What the store asks of the file system, as a test wants it. */
static long pretended_type = 0xef53;
static uint64_t pretended_free = 1 << 30;
static int pretended_error;

int statfs(const char *path, struct statfs *out)
{
    (void)path;
    *out = (struct statfs){0};
    memcpy(&out->f_type, &(__typeof__(out->f_type)){pretended_type}, sizeof out->f_type);
    return 0;
}

int fstatvfs(int descriptor, struct statvfs *out)
{
    (void)descriptor;
    *out = (struct statvfs){.f_frsize = 1024, .f_blocks = 1 << 30};
    out->f_bavail = (fsblkcnt_t)(pretended_free / 1024);
    errno = pretended_error;
    return pretended_error ? -1 : 0;
}

int statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    return fstatvfs(-1, out);
}

static bool refused(bool read_only, const char *words)
{
    const char *why = NULL;
    struct store *store = open_store(MAP_SMALL, read_only, &why);
    if (store != NULL) {
        store_close(store);
        return false;
    }
    if (strstr(why, words) == NULL)
        fprintf(stderr, "it says: %s\n", why);
    return strstr(why, words) != NULL;
}

static bool file_write(const void *bytes, size_t len)
{
    int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = descriptor >= 0 && write(descriptor, bytes, len) == (ssize_t)len;
    return close(descriptor) == 0 && done;
}

static void test_making(void)
{
    const char *why;
    struct stat entry;
    struct store_use use;
    uint8_t secret[32], zero[32] = {0};

    CHECK(refused(true, "does not exist")); /* a reader makes nothing */
    struct store *store = open_store(MAP_SMALL, false, &why);
    CHECK(store != NULL);
    CHECK(stat(directory, &entry) == 0 && (entry.st_mode & 0777) == 0700);
    CHECK(stat(file, &entry) == 0 && (entry.st_mode & 0777) == 0600);
    memcpy(secret, store_secret(store), sizeof secret);
    CHECK(memcmp(secret, zero, sizeof secret) != 0);
    store_usage(store, &use);
    CHECK(use.schema == 2 && use.map_bytes == MAP_SMALL && use.used_bytes > 0);
    CHECK(use.used_bytes < 10 * 65536 && use.commits == 0);
    store_close(store);
    store = open_store(MAP_SMALL, false, &why);
    CHECK(store != NULL && memcmp(secret, store_secret(store), sizeof secret) == 0);
    store_close(store);
    files_remove();
    CHECK(refused(true, "the server makes it"));
}

static void test_records(void)
{
    const char *why;
    struct span key, value;
    struct store *store = open_store(MAP_SMALL, false, &why);

    CHECK(!store_dirty(store) && store_commit(store) == STORE_OK);
    CHECK(!record_has(store, "b"));
    CHECK(store_next(store, TABLE_ACCOUNTS, SPAN_NONE, &key, &value) == STORE_NONE);
    CHECK(record_put(store, "b", 3) == STORE_OK && record_put(store, "d", 4) == STORE_OK);
    CHECK(store_dirty(store) && record_has(store, "b")); /* seen before the commit */
    CHECK(store_put(store, TABLE_ACCOUNTS, SPAN("b"), SPAN("x"), true) == STORE_EXISTS);
    CHECK(store_next(store, TABLE_ACCOUNTS, SPAN("b"), &key, &value) == STORE_OK);
    CHECK(span_is(key, "d") && value.len == 4);
    store_abort(store);
    CHECK(!store_dirty(store) && !record_has(store, "b"));

    CHECK(record_put(store, "b", 3) == STORE_OK && record_put(store, "d", 0) == STORE_OK);
    CHECK(store_commit(store) == STORE_OK && record_has(store, "d"));
    CHECK(store_next(store, TABLE_ACCOUNTS, SPAN_NONE, &key, &value) == STORE_OK);
    CHECK(span_is(key, "b") && value.len == 3);
    CHECK(store_next(store, TABLE_ACCOUNTS, SPAN("bb"), &key, &value) == STORE_OK);
    CHECK(span_is(key, "d") && value.len == 0 && value.bytes != NULL);
    CHECK(store_next(store, TABLE_ACCOUNTS, SPAN("d"), &key, &value) == STORE_NONE);
    CHECK(store_delete(store, TABLE_ACCOUNTS, SPAN("a")) == STORE_NONE);
    CHECK(store_delete(store, TABLE_ACCOUNTS, SPAN("b")) == STORE_OK);
    CHECK(store_commit(store) == STORE_OK && !record_has(store, "b"));
    store_tick_end(store);
    CHECK(store_probe(store));
    store_close(store);
    files_remove();
}

static void test_refusals(void)
{
    static const struct {
        size_t at;
        uint8_t magic[4];
        const char *words;
    } kinds[] = {
        {12, {0xde, 0xc0, 0xef, 0xbe}, "32-bit little-endian"},
        {12, {0xbe, 0xef, 0xc0, 0xde}, "32-bit big-endian"},
        {16, {0xbe, 0xef, 0xc0, 0xde}, "64-bit big-endian"},
        {40, {0}, "damaged"},
    };
    const char *why;
    char saved[sizeof directory];

    pretended_type = 0x72b6;
    CHECK(refused(false, "jffs2") && refused(true, "jffs2"));
    pretended_type = 0xef53;
    pretended_free = 100 << 10;
    CHECK(refused(false, "is full (100 KB left"));
    pretended_free = 1 << 30;
    CHECK(file_write("", 0) && refused(false, "is empty"));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint8_t bytes[8192] = {0};
        memcpy(bytes + kinds[i].at, kinds[i].magic, 4);
        CHECK(file_write(bytes, sizeof bytes) && refused(false, kinds[i].words));
    }
    files_remove();

    struct store *store = open_store(MAP_SMALL, false, &why);
    CHECK(store_put(store, TABLE_META, SPAN("schema"), span_of("\3\0\0\0\0\0\0", 8), false) ==
          STORE_OK);
    CHECK(store_commit(store) == STORE_OK);
    store_close(store);
    CHECK(refused(false, "newer kith") && refused(true, "newer kith"));
    files_remove();

    MDB_env *env;
    CHECK(mdb_env_create(&env) == 0 && mdb_env_open(env, file, MDB_NOSUBDIR, 0600) == 0);
    mdb_env_close(env);
    CHECK(refused(false, "not one of kith"));
    files_remove();

    memcpy(saved, directory, sizeof saved);
    snprintf(directory, sizeof directory, "%s/no/data", top);
    CHECK(refused(false, "directory above"));
    snprintf(directory, sizeof directory, "/dev/null");
    CHECK(refused(false, "not a directory"));
    memcpy(directory, saved, sizeof saved);
}

static void test_cut_short(void)
{
    const char *why;
    char name[16];
    struct store *store = open_store(16 << 20, false, &why);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "n%d", i);
        CHECK(record_put(store, name, 40000) == STORE_OK && store_commit(store) == STORE_OK);
    }
    store_close(store);
    CHECK(truncate(file, 65536) == 0);
    CHECK(refused(false, "cut short") && refused(true, "cut short"));
    files_remove();
}

/* Runs act in a child, as the user nobody if asked; true if it said so. */
static bool in_child(bool (*act)(void), bool nobody)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(!nobody || setuid(65534) == 0 ? !act() : 2);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool second_refused(void)
{
    char words[64];
    snprintf(words, sizeof words, "another kith (process %ld) already uses", (long)getppid());
    return refused(false, words);
}

static bool reader_reads(void)
{
    const char *why;
    struct store *store = open_store(0, true, &why);
    struct store_use use;
    if (store == NULL || !record_has(store, "safe") || record_has(store, "open") ||
        record_put(store, "mine", 1) != STORE_FAILED || store_has_room(store, 1) ||
        store_probe(store))
        return false;
    store_usage(store, &use);
    store_close(store);
    return use.map_bytes == MAP_SMALL;
}

static bool permission_refused(void)
{
    return refused(false, "no permission") && refused(true, "no permission");
}

static void test_processes(void)
{
    const char *why;
    struct store *store = open_store(MAP_SMALL, false, &why);
    CHECK(record_put(store, "safe", 1) == STORE_OK && store_commit(store) == STORE_OK);
    CHECK(record_put(store, "open", 1) == STORE_OK);
    CHECK(in_child(second_refused, false));
    CHECK(in_child(reader_reads, false));
    CHECK(store_commit(store) == STORE_OK);
    store_close(store);
    CHECK(in_child(permission_refused, geteuid() == 0) || geteuid() != 0);
    files_remove();
}

/* Fills the store as long as it says that there is room; every such write goes well. */
static unsigned fill(struct store *store, size_t value_bytes, unsigned per_commit)
{
    char name[16];
    unsigned count = 0;
    while (store_has_room(store, value_bytes)) {
        snprintf(name, sizeof name, "%08u", count * 7919 % 100000);
        CHECK(record_put(store, name, value_bytes) == STORE_OK);
        if (++count % per_commit == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    CHECK(store_commit(store) == STORE_OK);
    store_tick_end(store);
    return count;
}

static void test_full_map(size_t value_bytes, unsigned per_commit)
{
    const char *why;
    struct span key, value;
    struct store_use use;
    unsigned deleted = 0;
    struct store *store = open_store(MAP_SMALL, false, &why);
    unsigned count = fill(store, value_bytes, per_commit);

    store_usage(store, &use);
    CHECK(count * value_bytes > MAP_SMALL / 4 && use.used_bytes <= MAP_SMALL);
    /* Without asking: refused at the second mark, and the transaction lives on. */
    enum store_outcome outcome = STORE_OK;
    for (unsigned i = 0; i < 10000 && outcome == STORE_OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "more%u", i);
        outcome = record_put(store, name, value_bytes);
        if (outcome == STORE_OK && i % per_commit == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    CHECK(outcome == STORE_FULL && store_commit(store) == STORE_OK);
    /* What is full can be emptied, and filled again. */
    while (store_next(store, TABLE_ACCOUNTS, SPAN_NONE, &key, &value) == STORE_OK) {
        char name[16];
        size_t len = key.len;
        memcpy(name, key.bytes, len);
        CHECK(store_delete(store, TABLE_ACCOUNTS, span_of(name, len)) == STORE_OK);
        if (++deleted % 10 == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    CHECK(store_commit(store) == STORE_OK && deleted >= count * 9 / 10);
    store_tick_end(store);
    unsigned again = fill(store, value_bytes, per_commit);
    CHECK(again * 10 >= count * 8);
    printf("1 MB map, values of %zu bytes: %u records, again %u\n", value_bytes, count, again);
    store_close(store);
    files_remove();
}

/* One tick cannot dirty more pages than the heap has room for. */
static void test_full_tick(void)
{
    const char *why;
    struct heap_use before, after;
    struct store *store = open_store(64 << 20, false, &why);
    for (unsigned round = 0; round < 40; round++) {
        unsigned count = 0;
        heap_usage(&before);
        while (store_has_room(store, 300) && count < 100000) {
            char name[32];
            snprintf(name, sizeof name, "%08x", (count++ * 2654435761u) ^ round * 40503u);
            CHECK(record_put(store, name, 300) == STORE_OK);
        }
        heap_usage(&after);
        CHECK(count > 20 && count < 100000);
        CHECK(after.used - before.used <= STORE_DIRTY_BYTES_MAX);
        CHECK(store_commit(store) == STORE_OK);
    }
    store_close(store);
    files_remove();
}

static void test_low_disk(void)
{
    const char *why;
    struct store *store = open_store(MAP_SMALL, false, &why);
    pretended_free = 1000;
    store_reader_check(store);
    CHECK(!store_has_room(store, 1) && record_put(store, "a", 1) == STORE_FULL);
    CHECK(store_delete(store, TABLE_ACCOUNTS, SPAN("a")) == STORE_NONE);
    pretended_error = EIO; /* does not know: nothing changes */
    store_reader_check(store);
    CHECK(!store_has_room(store, 1));
    pretended_error = 0;
    pretended_free = 1 << 30;
    store_reader_check(store);
    CHECK(store_has_room(store, 1));
    store_close(store);
    files_remove();
}

/* Another process that sits on a snapshot: pages that are freed meanwhile cannot be used again.
 * The store says that it is full before LMDB breaks the transaction; when the process is dead and
 * was looked for, there is room again. */
static void test_pinned(void)
{
    const char *why;
    char byte;
    int ready[2];
    unsigned count = 0;

    struct store *store = open_store(MAP_SMALL, false, &why);
    CHECK(record_put(store, "a", 10) == STORE_OK && store_commit(store) == STORE_OK);
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *reader = open_store(0, true, &why);
        if (reader != NULL && record_has(reader, "a") && write(ready[1], "r", 1) == 1)
            pause();
        _exit(1);
    }
    CHECK(child > 0 && read(ready[0], &byte, 1) == 1);
    while (store_has_room(store, 10) && count < 5000) {
        CHECK(record_put(store, "a", 10) == STORE_OK && store_commit(store) == STORE_OK);
        store_tick_end(store);
        count++;
    }
    CHECK(count > 10 && count < 5000);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    store_reader_check(store);
    CHECK(store_has_room(store, 10));
    for (unsigned i = 0; i < 1000; i++) {
        CHECK(record_put(store, "a", 10) == STORE_OK && store_commit(store) == STORE_OK);
        store_tick_end(store);
    }
    CHECK(store_has_room(store, 10));
    close(ready[0]);
    close(ready[1]);
    store_close(store);
    files_remove();
}

#define BORROWED 40 /* records, of which the first half is safe */

static struct span number_key(char key[8], unsigned number)
{
    return span_of(key, (size_t)snprintf(key, 8, "%05u", number));
}

static bool filled_put(struct store *store, enum store_table table, unsigned number, size_t len)
{
    static char value[20000];
    char key[8];
    memset(value, 'a' + (int)(number % 26), len);
    return store_put(store, table, number_key(key, number), span_of(value, len), false) == STORE_OK;
}

/* What is borrowed from one table stays while another one is written to, short or long, whether it
 * is safe already or not (store.h). */
static void test_borrowed(void)
{
    const char *why;
    char key[8];
    struct span borrowed[BORROWED];
    struct store *store = open_store(MAP_SMALL, false, &why);
    for (unsigned i = 0; i < BORROWED; i++) {
        if (i == BORROWED / 2)
            CHECK(store_commit(store) == STORE_OK);
        CHECK(filled_put(store, TABLE_BODIES, i, i % 5 == 0 ? 10000 : 500));
    }
    for (unsigned i = 0; i < BORROWED; i++)
        CHECK(store_get(store, TABLE_BODIES, number_key(key, i), &borrowed[i]) == STORE_OK);
    for (unsigned i = 0; i < 400; i++)
        CHECK(filled_put(store, TABLE_OFFLINE, i * 7 % 400, 100 + i));
    for (unsigned i = 0; i < 400; i += 3)
        CHECK(store_delete(store, TABLE_OFFLINE, number_key(key, i)) == STORE_OK);
    for (unsigned i = 0; i < BORROWED; i++) {
        bool same = borrowed[i].len == (i % 5 == 0 ? 10000 : 500);
        for (size_t at = 0; at < borrowed[i].len; at++)
            same &= borrowed[i].bytes[at] == (char)('a' + i % 26);
        CHECK(same);
    }
    CHECK(store_commit(store) == STORE_OK);
    store_close(store);
    files_remove();
}

int main(void)
{
    if (!directory_make())
        return 1;
    test_making();
    test_records();
    test_refusals();
    test_cut_short();
    test_processes();
    test_full_map(100, 10);
    test_full_map(3000, 3);
    test_full_map(20000, 1);
    test_full_tick();
    test_low_disk();
    test_pinned();
    test_borrowed();
    directory_remove();
    return test_end();
}
