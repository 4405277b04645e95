/* powercut.c: the power goes at each write and sync of a series of account changes, and while the
 * file is made and brought up to date; each disk that may come of it is opened and judged:
 * nothing acknowledged is lost, nothing half-done is seen (GR-2). Then the same with a disk that
 * fails without losing power. Last the proof that a lying disk would be noticed.
 * Arguments: seed, cuts. */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../sim/disk.h"
#include "../unit/test.h"
#include "store/accounts.h"

enum {
    GROUPS = 14,
    GROUP_ACCOUNTS_MAX = 40,
    IMAGES = 3,
    HISTORY = 64,
    FAULTS = 40,
    MAP_BYTES = 4 << 20
};

/* A group of accounts is always written whole and alike: made_us is its version, 0: deleted. */
struct world {
    uint64_t versions[GROUPS];
};

struct verdict {
    uint64_t images;
    uint64_t unreadable; /* the store did not open */
    uint64_t half;       /* what never was: a group, or a transaction of several, in part */
    uint64_t lost;       /* a state before the last acknowledged one */
    uint64_t ahead;      /* the transaction that was cut off is there whole: allowed */
};

/* The acknowledged states, the last one at [count - 1]. */
struct history {
    struct world worlds[HISTORY];
    unsigned count;
};

static uint64_t random_state;
static char directory[200];
static char arena_bytes[16384];
static struct arena arena;

/* The store says in the log what failed, and here that is the point. */
static void quiet(bool on)
{
    static int spoken = -1;
    if (spoken < 0)
        spoken = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (spoken < 0 || nowhere < 0 || dup2(on ? nowhere : spoken, STDERR_FILENO) < 0) {
        perror("quiet");
        exit(1);
    }
    close(nowhere);
}

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static struct store *open_store(bool read_only, const char **why)
{
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    return store_open(directory, MAP_BYTES, read_only, &arena, why);
}

static struct store *open_quietly(const char **why)
{
    quiet(true);
    struct store *store = open_store(false, why);
    quiet(false);
    return store;
}

/* Most groups are pairs; the last two are long, so that trees split and writes are many. */
static unsigned group_size(unsigned group)
{
    return group + 2 < GROUPS ? 2 : GROUP_ACCOUNTS_MAX;
}

static struct span account_name(unsigned group, unsigned member, char *buffer, size_t size)
{
    int len = snprintf(buffer, size, "group%02u-%0*u", group, 20 + (int)(group * 9), member);
    return span_of(buffer, (size_t)len);
}

static bool group_write(struct store *store, unsigned group, uint64_t version)
{
    char buffer[256];
    struct account account = {.made_us = version, .iterations = 4096};
    memset(account.salt, (int)version, sizeof account.salt);
    for (unsigned i = 0; i < group_size(group); i++) {
        struct span name = account_name(group, i, buffer, sizeof buffer);
        enum store_outcome outcome =
            version == 0 ? account_delete(store, name) : account_put(store, name, &account, true);
        if (outcome != STORE_OK)
            return false;
    }
    return true;
}

/* One transaction: one to three groups get a new version or are deleted. */
static bool change(struct store *store, struct world *world, uint64_t version)
{
    unsigned groups = 1 + (unsigned)(random_next() % 3);
    for (unsigned i = 0; i < groups; i++) {
        unsigned group = (unsigned)(random_next() % GROUPS);
        uint64_t next = random_next() % 4 == 0 ? 0 : version;
        if (world->versions[group] == 0)
            next = version;
        world->versions[group] = next;
        if (!group_write(store, group, next))
            return false;
    }
    return store_commit(store) == STORE_OK;
}

/* What the store holds; false: a group is there in part. */
static bool world_read(struct store *store, struct world *world)
{
    bool whole = true;
    *world = (struct world){{0}};
    for (unsigned group = 0; group < GROUPS; group++) {
        for (unsigned i = 0; i < group_size(group); i++) {
            char buffer[256];
            struct account account = {0};
            enum store_outcome outcome =
                account_get(store, account_name(group, i, buffer, sizeof buffer), &account);
            if (outcome != STORE_OK && outcome != STORE_NONE)
                whole = false;
            uint64_t version = outcome == STORE_OK ? account.made_us : 0;
            if (i == 0)
                world->versions[group] = version;
            else if (world->versions[group] != version)
                whole = false;
        }
    }
    uint64_t count = 0, expected = 0;
    for (unsigned group = 0; group < GROUPS; group++)
        expected += world->versions[group] != 0 ? group_size(group) : 0;
    if (account_count(store, &count) != STORE_OK || count != expected)
        whole = false;
    return whole;
}

static bool world_same(const struct world *a, const struct world *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void history_add(struct history *history, const struct world *world)
{
    if (history->count == HISTORY) {
        memmove(history->worlds, history->worlds + 1, (HISTORY - 1) * sizeof history->worlds[0]);
        history->count--;
    }
    history->worlds[history->count++] = *world;
}

/* Opens what the disk shows and compares it with what was acknowledged and what was cut off. */
static struct store *judge(const struct history *history, const struct world *cut_off,
                           bool read_only, struct verdict *verdict, struct world *seen)
{
    const char *why;
    struct store *store = open_store(read_only, &why);
    verdict->images++;
    if (store == NULL) {
        verdict->unreadable++;
        return NULL;
    }
    bool whole = world_read(store, seen);
    store_tick_end(store);
    if (whole && world_same(seen, &history->worlds[history->count - 1]))
        return store;
    if (whole && world_same(seen, cut_off)) {
        verdict->ahead++;
        return store;
    }
    bool older = false;
    for (unsigned i = 0; i < history->count; i++)
        older = older || (whole && world_same(seen, &history->worlds[i]));
    verdict->lost += older;
    verdict->half += !older;
    return store;
}

/* Changes, cut at each event in turn: what comes of one cut is what the next begins with. */
static struct verdict cuts_run(uint64_t seed, unsigned cuts, enum disk_lie lie)
{
    enum { PERIOD = 23 };
    struct verdict verdict = {0};
    struct history history = {.count = 0};
    struct world cut_off = {{0}}, seen;
    uint64_t version = 0;
    const char *why;
    struct store *store = open_store(false, &why);

    /* The lies begin when the file is well made. */
    for (unsigned i = 0; i < 10 && store != NULL; i++)
        CHECK(change(store, &cut_off, ++version));
    disk_lie(lie);
    quiet(true);
    for (unsigned cut = 0; cut < cuts && store != NULL; cut++) {
        disk_cut_at(1 + cut % PERIOD);
        do {
            history_add(&history, &cut_off);
        } while (change(store, &cut_off, ++version));
        if (!disk_is_cut())
            break;
        store_close(store);
        for (uint64_t i = 1; i < IMAGES; i++) {
            disk_image(seed ^ (cut * 8 + i));
            store = judge(&history, &cut_off, true, &verdict, &seen);
            if (store != NULL)
                store_close(store);
        }
        disk_image(seed ^ cut * 8);
        disk_power_on();
        store = judge(&history, &cut_off, false, &verdict, &seen);
        cut_off = seen;
    }
    if (store != NULL)
        store_close(store);
    quiet(false);
    return verdict;
}

static void files_remove(void)
{
    static const char *const names[] = {"kith.mdb", "kith.mdb-lock", "kith.mdb.new",
                                        "kith.mdb.new-lock", "kith.lock"};
    char path[256];
    disk_unwatch();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
}

static void check_changes(uint64_t seed, unsigned cuts)
{
    files_remove();
    disk_watch(directory);
    struct verdict verdict = cuts_run(seed, cuts, DISK_HONEST);
    printf("%u cuts, %llu disks: %llu unreadable, %llu half, %llu lost, %llu one ahead\n", cuts,
           (unsigned long long)verdict.images, (unsigned long long)verdict.unreadable,
           (unsigned long long)verdict.half, (unsigned long long)verdict.lost,
           (unsigned long long)verdict.ahead);
    CHECK(verdict.images == (uint64_t)cuts * IMAGES);
    CHECK(verdict.unreadable == 0);
    CHECK(verdict.half == 0);
    CHECK(verdict.lost == 0);
    CHECK(verdict.ahead > 0); /* else no cut ever came late in a commit */
}

/* A disk that does not keep its promises must be found out; in a child, since LMDB may crash on
 * what such a disk shows. */
static void check_lie(enum disk_lie lie, uint64_t seed, unsigned cuts)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        files_remove();
        disk_watch(directory);
        struct verdict verdict = cuts_run(seed, cuts, lie);
        printf("a lying disk: %llu unreadable, %llu half, %llu lost\n",
               (unsigned long long)verdict.unreadable, (unsigned long long)verdict.half,
               (unsigned long long)verdict.lost);
        fflush(stdout);
        bool dsync_noticed = verdict.lost > 0 && verdict.half == 0 && verdict.unreadable == 0;
        bool sync_noticed = verdict.lost + verdict.half + verdict.unreadable > 0;
        _exit((lie == DISK_DSYNC_LIES ? dsync_noticed : sync_noticed) ? 0 : 1);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    /* A crash of the reader is a way to notice as well; without lies there was none. */
    CHECK(lie == DISK_SYNC_LIES && WIFSIGNALED(status) ? true
                                                       : WIFEXITED(status) && !WEXITSTATUS(status));
}

/* The file is made: afterwards there is none, or a whole one. */
static void check_making(uint64_t seed)
{
    unsigned n;
    for (n = 1; n < 100; n++) {
        const char *why;
        uint64_t count;
        files_remove();
        disk_watch(directory);
        disk_cut_at(n);
        struct store *store = open_quietly(&why);
        if (store != NULL)
            store_close(store);
        if (!disk_is_cut())
            break;
        CHECK(store == NULL);
        disk_image(seed + n);
        disk_power_on();
        store = open_store(false, &why);
        CHECK(store != NULL);
        if (store == NULL)
            continue;
        CHECK(account_count(store, &count) == STORE_OK && count == 0);
        CHECK(store_has_room(store, 1000));
        store_close(store);
    }
    printf("%u cuts while the file is made\n", n - 1);
    CHECK(n > 4);
}

static void lmdb_require(int error)
{
    if (error != 0) {
        fprintf(stderr, "%s\n", mdb_strerror(error));
        exit(1);
    }
}

/* A file of schema 0, as lmdb itself writes it: account records without flags. */
static void old_file_make(unsigned accounts)
{
    enum { OLD_BYTES = 1 + 8 + 4 + 16 + 40 + 64 };
    char path[256], schema[8] = {0}, secret[32] = {7}, names[2][8] = {"schema", "secret"},
                    record[OLD_BYTES] = {0};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta, table;

    snprintf(path, sizeof path, "%s/kith.mdb", directory);
    lmdb_require(mdb_env_create(&env));
    lmdb_require(mdb_env_set_maxdbs(env, 4));
    lmdb_require(mdb_env_open(env, path, MDB_NOSUBDIR, 0600));
    lmdb_require(mdb_txn_begin(env, NULL, 0, &txn));
    lmdb_require(mdb_dbi_open(txn, "meta", MDB_CREATE, &meta));
    lmdb_require(mdb_dbi_open(txn, "accounts", MDB_CREATE, &table));
    lmdb_require(mdb_put(txn, meta, &(MDB_val){6, names[0]}, &(MDB_val){8, schema}, 0));
    lmdb_require(mdb_put(txn, meta, &(MDB_val){6, names[1]}, &(MDB_val){32, secret}, 0));
    for (unsigned i = 0; i < accounts; i++) {
        char name[32];
        int len = snprintf(name, sizeof name, "old%05u", i);
        record[1] = (char)(i & 0xff);
        record[2] = (char)(i >> 8);
        lmdb_require(
            mdb_put(txn, table, &(MDB_val){(size_t)len, name}, &(MDB_val){OLD_BYTES, record}, 0));
    }
    lmdb_require(mdb_txn_commit(txn));
    mdb_env_close(env);
}

static bool old_accounts_whole(struct store *store, unsigned accounts)
{
    for (unsigned i = 0; i < accounts; i++) {
        char name[32];
        struct account account;
        int len = snprintf(name, sizeof name, "old%05u", i);
        if (account_get(store, span_of(name, (size_t)len), &account) != STORE_OK ||
            account.made_us != i || account.flags != 0)
            return false;
    }
    return true;
}

static void check_upgrade(uint64_t seed)
{
    enum { OLD_ACCOUNTS = 600 };
    unsigned n;
    for (n = 1; n < 200; n++) {
        const char *why;
        struct store_use use;
        files_remove();
        old_file_make(OLD_ACCOUNTS);
        disk_watch(directory);
        disk_cut_at(n);
        struct store *store = open_quietly(&why);
        if (store != NULL) {
            CHECK(!disk_is_cut());
            store_close(store);
            break;
        }
        CHECK(disk_is_cut());
        disk_image(seed + n);
        disk_power_on();
        store = open_store(false, &why);
        CHECK(store != NULL);
        if (store == NULL)
            continue;
        store_usage(store, &use);
        CHECK(use.schema == 1);
        CHECK(old_accounts_whole(store, OLD_ACCOUNTS));
        store_close(store);
    }
    printf("%u cuts while schema 0 is brought up to date\n", n - 1);
    CHECK(n > 3);
}

/* One call fails; the power stays. Then everything is as it was acknowledged. */
static unsigned check_fault(enum disk_call call, int error, bool lasting)
{
    struct world acknowledged = {{0}}, next = {{0}}, seen;
    uint64_t version = 0;
    unsigned failures = 0;
    const char *why;

    files_remove();
    disk_watch(directory);
    struct store *store = open_store(false, &why);
    for (unsigned n = 1; n <= FAULTS && store != NULL; n++) {
        disk_fail(call, n, error, lasting);
        quiet(true);
        do {
            acknowledged = next;
        } while (change(store, &next, ++version));
        bool shut = !store_has_room(store, 10) && !group_write(store, 0, ++version);
        bool reopened = store_reopen(store);
        bool restored = world_read(store, &seen) && world_same(&seen, &acknowledged);
        store_tick_end(store);
        bool probed = lasting && store_probe(store);
        quiet(false);
        CHECK(shut && reopened && restored && !probed);
        failures++;

        disk_fail(call, 0, 0, false);
        CHECK(store_reopen(store));
        CHECK(store_probe(store));
        CHECK(store_has_room(store, 10));
        next = acknowledged;
    }
    CHECK(store != NULL);
    if (store != NULL)
        store_close(store);
    return failures;
}

static void check_faults(void)
{
    unsigned failures = 0;
    failures += check_fault(DISK_WRITE, EIO, false);
    failures += check_fault(DISK_WRITE, ENOSPC, false);
    failures += check_fault(DISK_WRITE, ENOSPC, true);
    failures += check_fault(DISK_WRITE, 0, false);
    failures += check_fault(DISK_SYNC, EIO, false);
    failures += check_fault(DISK_SYNC, EIO, true);
    printf("%u failed commits, each followed by reopening\n", failures);
    CHECK(failures == 6 * FAULTS);
}

static void check_map(void)
{
    const char *why = NULL;
    files_remove();
    disk_watch(directory);
    disk_fail(DISK_MAP, 1, EINVAL, true);
    CHECK(open_store(false, &why) == NULL);
    CHECK(why != NULL && strstr(why, "jffs2") != NULL);
    disk_fail(DISK_MAP, 1, ENOMEM, true);
    CHECK(open_store(false, &why) == NULL);
    CHECK(why != NULL && strstr(why, "map smaller") != NULL);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void stall_count(void *context)
{
    ++*(unsigned *)context;
}

/* What a small change costs: one account of 137 bytes among a thousand. */
static void measure(void)
{
    enum { COMMITS = 200 };
    struct disk_counts before, after;
    struct account account = {.iterations = 4096};
    unsigned stalls = 0;
    const char *why;
    char name[32];

    files_remove();
    disk_watch(directory);
    struct store *store = open_store(false, &why);
    CHECK(store != NULL);
    if (store == NULL)
        return;
    for (unsigned i = 0; i < 1000; i++) {
        int len = snprintf(name, sizeof name, "someone%u", i);
        CHECK(account_put(store, span_of(name, (size_t)len), &account, true) == STORE_OK);
        if (i % 100 == 99)
            CHECK(store_commit(store) == STORE_OK);
    }
    disk_count(&before);
    disk_stall(stall_count, &stalls);
    for (unsigned i = 0; i < COMMITS; i++) {
        int len = snprintf(name, sizeof name, "someone%u", (i * 37) % 1000);
        account.made_us = i;
        CHECK(account_put(store, span_of(name, (size_t)len), &account, true) == STORE_OK);
        CHECK(store_commit(store) == STORE_OK);
    }
    disk_count(&after);
    CHECK(stalls == 2 * COMMITS); /* the flushes of a commit: fdatasync and the meta page */
    store_close(store);
    uint64_t start = now_us();
    store = open_store(false, &why);
    uint64_t spent = now_us() - start;
    CHECK(store != NULL);
    if (store != NULL)
        store_close(store);
    printf("a small commit: %llu bytes in %llu.%02llu writes, 2 flushes; opening: %llu us\n",
           (unsigned long long)((after.bytes - before.bytes) / COMMITS),
           (unsigned long long)((after.calls[DISK_WRITE] - before.calls[DISK_WRITE]) / COMMITS),
           (unsigned long long)((after.calls[DISK_WRITE] - before.calls[DISK_WRITE]) * 100 /
                                COMMITS % 100),
           (unsigned long long)spent);
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    unsigned cuts = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 0) : 2000;

    random_state = seed * 2 + 1;
    const char *above = getenv("TMPDIR");
    if (above == NULL) /* memory is faster, and no part of what is tested */
        above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(directory, sizeof directory, "%s/kith-powercut-XXXXXX", above);
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    uint64_t start = now_us();
    check_changes(seed, cuts);
    check_making(seed);
    check_upgrade(seed);
    check_faults();
    check_map();
    check_lie(DISK_DSYNC_LIES, seed, 100);
    check_lie(DISK_SYNC_LIES, seed, 100);
    measure();
    files_remove();
    CHECK(rmdir(directory) == 0);
    printf("seed %llu, %llu ms\n", (unsigned long long)seed,
           (unsigned long long)(now_us() - start) / 1000);
    return test_end();
}
