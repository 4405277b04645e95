/* powercut.c: the power goes at each write and sync of a series of account changes, and while the
 * file is made and brought up to date; each disk that may come of it is opened and judged:
 * nothing acknowledged is lost, nothing half-done is seen (GR-2). Last the proof that a disk which
 * lies would be noticed. Arguments: seed, cuts. */
#include <lmdb.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../sim/disk.h"
#include "../unit/test.h"
#include "groups.h"
#include "store/dump.h"

enum {
    IMAGES = 3,   /* disks that are looked at after a cut */
    HISTORY = 64, /* states */
    OPENINGS = 16,
    CUT_PERIOD = 61, /* events, some four commits */
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
    struct groups states[HISTORY];
    unsigned count;
};

static void history_add(struct history *history, const struct groups *groups)
{
    if (history->count == HISTORY) {
        memmove(history->states, history->states + 1, (HISTORY - 1) * sizeof history->states[0]);
        history->count--;
    }
    history->states[history->count++] = *groups;
}

/* Opens what the disk shows and compares it with what was acknowledged and what was cut off. */
static struct store *judge(const struct history *history, const struct groups *cut_off,
                           bool read_only, struct verdict *verdict, struct groups *seen)
{
    const char *why;
    struct store *store = store_open_here(read_only, &why);
    verdict->images++;
    if (store == NULL) {
        verdict->unreadable++;
        return NULL;
    }
    bool whole = groups_read(store, seen);
    store_tick_end(store);
    if (whole && groups_same(seen, &history->states[history->count - 1]))
        return store;
    if (whole && groups_same(seen, cut_off)) {
        verdict->ahead++;
        return store;
    }
    bool older = false;
    for (unsigned i = 0; i < history->count; i++)
        older = older || (whole && groups_same(seen, &history->states[i]));
    verdict->lost += older;
    verdict->half += !older;
    return store;
}

/* Changes, cut at each event in turn: what comes of one cut is what the next begins with. */
static struct verdict cuts_run(uint64_t seed, unsigned cuts, enum disk_lie lie)
{
    struct verdict verdict = {0};
    struct history history = {.count = 0};
    struct groups cut_off = {{0}}, seen;
    uint64_t version = 0;
    const char *why;
    struct store *store = store_open_here(false, &why);

    /* The lies begin when the file is well made. */
    for (unsigned i = 0; i < 10 && store != NULL; i++)
        CHECK(groups_change(store, &cut_off, ++version));
    disk_lie(lie);
    quiet(true);
    for (unsigned cut = 0; cut < cuts && store != NULL; cut++) {
        disk_cut_at(1 + cut % CUT_PERIOD);
        do {
            history_add(&history, &cut_off);
        } while (groups_change(store, &cut_off, ++version));
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
    if (store != NULL) {
        CHECK(lie != DISK_HONEST || groups_sweep(store, &cut_off));
        store_close(store);
    }
    quiet(false);
    return verdict;
}

static void check_changes(uint64_t seed, unsigned cuts)
{
    store_remove();
    disk_watch(store_directory);
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
        store_remove();
        disk_watch(store_directory);
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

/* Opens the store while the power goes at the n-th event, and once more when it is back; *store is
 * what that gave. false: the store was open before the n-th event. */
static bool opening_cut(unsigned n, uint64_t seed, struct store **store)
{
    const char *why;
    disk_watch(store_directory);
    disk_cut_at(n);
    *store = store_open_quietly(&why);
    CHECK((*store == NULL) == disk_is_cut());
    if (*store != NULL) {
        store_close(*store);
        return false;
    }
    disk_image(seed);
    disk_power_on();
    *store = store_open_here(false, &why);
    CHECK(*store != NULL);
    return true;
}

/* The file is made: afterwards there is none, or a whole one. false: it was made before the n-th
 * event. */
static bool making_cut(unsigned n, uint64_t seed)
{
    struct store *store;
    uint64_t count;
    store_remove();
    if (!opening_cut(n, seed, &store))
        return false;
    if (store == NULL)
        return true;
    CHECK(account_count(store, &count) == STORE_OK && count == 0);
    CHECK(store_has_room(store, 1000));
    store_close(store);
    return true;
}

enum { LOADED_ACCOUNTS = 2000, DUMP_BYTES_MAX = 4 << 20 }; /* several transactions */

/* The dump of a store with that many accounts; how long it is. */
static size_t dump_make(char dump[DUMP_BYTES_MAX], struct arena *arena)
{
    const char *why;
    uint64_t records;
    bool put = true;
    store_remove();
    struct store *store = store_open_here(false, &why);
    for (unsigned i = 0; i < LOADED_ACCOUNTS && store != NULL; i++) {
        char name[32];
        struct account account = {.made_us = i};
        int len = snprintf(name, sizeof name, "loaded%06u", i);
        put = put && account_put(store, span_of(name, (size_t)len), &account, false) == STORE_OK &&
              (i % 100 != 99 || store_commit(store) == STORE_OK);
    }
    FILE *out = fmemopen(dump, DUMP_BYTES_MAX, "w");
    bool dumped =
        put && store != NULL && out != NULL && dump_write(store, out, &records, arena, &why);
    CHECK(dumped);
    if (!dumped)
        exit(test_end());
    size_t len = (size_t)ftell(out);
    CHECK(fclose(out) == 0);
    store_close(store);
    return len;
}

/* A dump is loaded: afterwards there is none of it, or all. */
static bool loading_cut(unsigned n, uint64_t seed)
{
    static char dump[DUMP_BYTES_MAX], room[65536];
    static size_t len;
    struct arena arena;
    const char *why;
    uint64_t records, count = 0;

    arena_init(&arena, room, sizeof room);
    if (len == 0)
        len = dump_make(dump, &arena);
    store_remove();
    disk_watch(store_directory);
    disk_cut_at(n);
    FILE *in = fmemopen(dump, len, "r");
    quiet(true);
    bool loaded = dump_load(store_directory, 16 << 20, in, &records, &arena, &why);
    quiet(false);
    CHECK(fclose(in) == 0 && loaded == !disk_is_cut());
    if (!loaded) {
        disk_image(seed);
        disk_power_on();
    }
    struct store *store = store_open_here(false, &why);
    CHECK(store != NULL && account_count(store, &count) == STORE_OK);
    CHECK(count == (loaded ? LOADED_ACCOUNTS : 0));
    if (store != NULL)
        store_close(store);
    return !loaded;
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

    snprintf(path, sizeof path, "%s/kith.mdb", store_directory);
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

static bool upgrade_cut(unsigned n, uint64_t seed)
{
    enum { OLD_ACCOUNTS = 600 };
    struct store *store;
    struct store_use use;
    store_remove();
    old_file_make(OLD_ACCOUNTS);
    if (!opening_cut(n, seed, &store))
        return false;
    if (store == NULL)
        return true;
    store_usage(store, &use);
    CHECK(use.schema == 2);
    CHECK(old_accounts_whole(store, OLD_ACCOUNTS));
    store_close(store);
    return true;
}

/* Cuts at every event of an opening, each with several outcomes. */
static void check_opening(bool (*cut)(unsigned n, uint64_t seed), uint64_t seed, const char *what)
{
    unsigned events = 0;
    for (unsigned repeat = 0; repeat < OPENINGS; repeat++) {
        events = 0;
        while (events < 100 && cut(events + 1, seed ^ (repeat * 100 + events)))
            events++;
    }
    printf("%u cuts %s\n", events * OPENINGS, what);
    CHECK(events >= 3 && events < 100); /* pages, sync, meta page */
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    unsigned cuts = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 0) : 2000;
    uint64_t start = now_us();

    groups_begin(seed);
    check_changes(seed, cuts);
    check_opening(making_cut, seed, "while the file is made");
    check_opening(loading_cut, seed, "while a dump is loaded");
    check_opening(upgrade_cut, seed, "while schema 0 is brought up to date");
    check_lie(DISK_DSYNC_LIES, seed, 100);
    check_lie(DISK_SYNC_LIES, seed, 100);
    CHECK(groups_end());
    printf("seed %llu, %llu ms\n", (unsigned long long)seed,
           (unsigned long long)(now_us() - start) / 1000);
    return test_end();
}
