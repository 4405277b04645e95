/* dump.c: a store as text and back, every table, every byte; dumps that are cut off or changed;
 * backups and restoring. Power cuts while loading: tests/crash. */
#include "store/dump.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heap.h"
#include "store/copy.h"

#define MAP_BYTES (16 << 20)
#define HEAP_BYTES (24 << 20)
#define TEXT_BYTES_MAX (TABLE_COUNT * 900000)

static _Alignas(4096) char heap_bytes[HEAP_BYTES];
static char arena_bytes[1 << 20];
static struct arena arena;
static char top[64], here[80], there[80];
static const char *why;
static uint64_t records;

static char text[TEXT_BYTES_MAX], again[TEXT_BYTES_MAX];

static const char *path_of(const char *directory, const char *name)
{
    static char paths[4][160];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void files_remove(const char *directory)
{
    static const char *const names[] = {"kith.mdb", "kith.mdb-lock", "kith.mdb.old", "kith.lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(directory, names[i]));
    rmdir(directory);
}

static struct store *open_at(const char *directory, bool read_only)
{
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    struct store *store = store_open(directory, MAP_BYTES, read_only, &arena, &why);
    CHECK(store != NULL);
    return store;
}

static void put(struct store *store, enum store_table table, struct span key, struct span value)
{
    CHECK(store_put(store, table, key, value, false) == STORE_OK);
    CHECK(store_commit(store) == STORE_OK);
}

static struct span random_bytes(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(rand() >> 8);
    return span_of(bytes, len);
}

/* Records with anything in them, in every table. */
static void store_fill(const char *directory)
{
    static char key[511], value[200000];
    struct store *store = open_at(directory, false);
    for (int table = TABLE_META; table < TABLE_COUNT; table++) {
        put(store, table, random_bytes(key, sizeof key), random_bytes(value, sizeof value));
        put(store, table, SPAN("empty"), SPAN(""));
        put(store, table, SPAN("text"), SPAN("gr\303\274\303\237e <body>\\n\tTAB\r\n \302\205"));
        for (int i = 0; i < 50; i++)
            put(store, table, random_bytes(key, 1 + (size_t)(rand() % 40)),
                random_bytes(value, (size_t)(rand() % 300)));
    }
    for (int byte = 0; byte < 256; byte++)
        put(store, TABLE_ROSTERS, span_of((char[]){'b', (char)byte}, 2),
            span_of((char[]){(char)byte}, 1));
    store_close(store);
}

/* The dump of a store; 0: it failed. */
static size_t dump(const char *directory, char *into)
{
    struct store *store = open_at(directory, true);
    FILE *out = fmemopen(into, TEXT_BYTES_MAX, "w");
    CHECK(out != NULL && dump_write(store, out, &records, &arena, &why));
    long len = ftell(out);
    CHECK(fclose(out) == 0 && len > 0);
    store_close(store);
    return len > 0 ? (size_t)len : 0;
}

static bool load(const char *directory, const char *bytes, size_t len)
{
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    FILE *in = len > 0 ? fmemopen((void *)(uintptr_t)bytes, len, "r") : fopen("/dev/null", "r");
    CHECK(in != NULL);
    bool loaded = dump_load(directory, MAP_BYTES, in, &records, &arena, &why);
    CHECK(fclose(in) == 0);
    return loaded;
}

/* Whether the dump is refused with these words, and nothing is left of it. */
static bool refused(const char *bytes, size_t len, const char *words)
{
    why = "";
    bool loaded = load(there, bytes, len);
    bool clean = access(path_of(there, "kith.mdb"), F_OK) != 0 &&
                 access(path_of(there, "kith.mdb.new"), F_OK) != 0;
    if (!loaded && clean && strstr(why, words) != NULL)
        return true;
    fprintf(stderr, "wanted `%s`, got `%s` (loaded %d, clean %d)\n", words, why, loaded, clean);
    files_remove(there);
    return false;
}

/* Record by record. */
static bool stores_same(void)
{
    struct store *a = open_at(here, true);
    struct arena other;
    static char bytes[65536];
    arena_init(&other, bytes, sizeof bytes);
    struct store *b = store_open(there, MAP_BYTES, true, &other, &why);
    bool same = b != NULL && memcmp(store_secret(a), store_secret(b), 32) == 0;
    uint64_t count = 0;
    for (int table = 0; same && table < TABLE_COUNT; table++) {
        struct span key = SPAN_NONE, key_b = SPAN_NONE, value, value_b;
        enum store_outcome outcome;
        do {
            outcome = store_next(a, table, key, &key, &value);
            same = store_next(b, table, key_b, &key_b, &value_b) == outcome &&
                   span_equal(key, key_b) && span_equal(value, value_b);
            count += outcome == STORE_OK;
        } while (same && outcome == STORE_OK);
    }
    store_close(a);
    if (b != NULL)
        store_close(b);
    return same && count == records;
}

static void test_round_trip(void)
{
    store_fill(here);
    size_t len = dump(here, text);
    CHECK(records > 50 * TABLE_COUNT);
    bool printable = true;
    for (size_t i = 0; i < len; i++)
        printable = printable && (text[i] == '\n' || text[i] == '\t' ||
                                  ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
    CHECK(printable);
    CHECK(strstr(text, "\ntext\t") == NULL && strstr(text, "\trosters") == NULL);
    CHECK(
        strstr(text, "accounts\ttext\tgr\303\274\303\237e <body>\\5cn\\09TAB\\0d\\0a \\c2\\85\n"));
    CHECK(load(there, text, len) && stores_same());
    struct stat before, after;
    CHECK(stat(path_of(here, "kith.mdb"), &before) == 0);
    CHECK(stat(path_of(there, "kith.mdb"), &after) == 0 && (after.st_mode & 0777) == 0600);
    size_t len_again = dump(there, again);
    CHECK(len == len_again && memcmp(text, again, len) == 0);
    printf("%llu records: %zu bytes of text, files of %lld and %lld KB\n",
           (unsigned long long)records, len, (long long)before.st_size >> 10,
           (long long)after.st_size >> 10);
    CHECK(!load(there, text, len) && strstr(why, "holds something already") != NULL);
    CHECK(dump(there, again) == len && stores_same());
    files_remove(there);
    files_remove(here);
}

/* A store that a server made and nobody used may be replaced. */
static void test_fresh_store(size_t len)
{
    store_close(open_at(there, false));
    CHECK(load(there, text, len) && stores_same());
    files_remove(there);
}

static void test_damage(void)
{
    struct store *store = open_at(here, false);
    put(store, TABLE_ACCOUNTS, SPAN("anna"), SPAN("\1 value"));
    put(store, TABLE_OFFLINE, SPAN("anna"), SPAN("\\ \303\244"));
    store_close(store);
    size_t len = dump(here, text);
    unsigned line = 1;
    char words[32];
    test_fresh_store(len);
    CHECK(refused(text, 0, "line 1: this is no dump"));
    for (size_t cut = 19; cut < len; cut++) {
        snprintf(words, sizeof words, "line %u: ", line);
        CHECK(refused(text, cut, cut < len - 1 ? words : "line 6: the dump ends here"));
        line += text[cut] == '\n';
    }
    CHECK(line == 7);
    for (size_t at = 0; at < len; at++) {
        char kept = text[at];
        text[at] = (char)(kept ^ 1 << rand() % 8);
        CHECK(refused(text, len, ""));
        text[at] = kept;
    }
    CHECK(load(there, text, len) && stores_same());
    files_remove(there);
    files_remove(here);
}

static void test_words(void)
{
    static const struct {
        const char *dump;
        const char *words;
    } wrong[] = {
        {"kith dump 2 schema 1\n", "line 1: this dump is of a newer kith"},
        {"kith dump 1 schema 3\n", "line 1: this dump is of a newer kith"},
        {"kith dump 1 schema 1\r\n", "line 1: this is no dump"},
        {"kith dump 1 schema 1\nend 0 c5d0ff65", "line 2: the dump ends here"},
        {"kith dump 1 schema 1\nend 1 00000000\n", "line 2: the records before are not those"},
        {"kith dump 1 schema 1\nwheels\tk\tv\n", "line 2: this version of kith has no such table"},
        {"kith dump 1 schema 1\naccounts\t\tv\n", "line 2: the key is empty"},
        {"kith dump 1 schema 1\naccounts\tk\n", "line 2: it is not a table, a key and a value"},
        {"kith dump 1 schema 1\naccounts\tk\tv\tw\n", "line 2: it is not a table, a key and"},
        {"kith dump 1 schema 1\n\n", "line 2: it is not a table, a key and"},
        {"kith dump 1 schema 1\naccounts\tk\tv\r\n", "line 2: there is a control character"},
        {"kith dump 1 schema 1\naccounts\tk\t\\4G\n", "line 2: behind a \\ there are not two"},
        {"kith dump 1 schema 1\naccounts\tk\tv\naccounts\tk\tw\n", "line 3: this record does not"},
        {"kith dump 1 schema 1\naccounts\tk\tv\naccounts\tj\tw\n", "line 3: this record does not"},
    };
    static char longer[1024] = "kith dump 1 schema 1\naccounts\t";
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(refused(wrong[i].dump, strlen(wrong[i].dump), wrong[i].words));
    size_t len = strlen(longer);
    memset(longer + len, 'k', 512);
    memcpy(longer + len + 512, "\tv\n", 3);
    CHECK(refused(longer, len + 515, "line 2: a field is too long"));
    files_remove(there);
}

static bool in_child(bool (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(!act());
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool locked_out(void)
{
    bool kept;
    static char bytes[65536];
    struct arena own;
    arena_init(&own, bytes, sizeof bytes);
    FILE *in = fmemopen(text, 100, "r");
    if (dump_load(here, MAP_BYTES, in, &records, &own, &why) || strstr(why, "another kith") == NULL)
        return false;
    return !copy_restore(here, MAP_BYTES, path_of(top, "b"), &kept, &own, &why) &&
           strstr(why, "another kith") != NULL;
}

static bool restore(const char *file, bool *kept)
{
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    return copy_restore(there, MAP_BYTES, file, kept, &arena, &why);
}

static void test_copies(bool compact)
{
    static off_t compact_bytes;
    const char *file = "b";
    struct stat entry, before;
    bool kept = true;
    srand(2);
    store_fill(here);
    CHECK(stat(path_of(here, "kith.mdb"), &before) == 0);
    dump(here, text); /* for the number of records */
    struct store *store = open_at(here, false);
    CHECK(chdir(top) == 0);
    heap_fail_at(compact ? 0 : 1);
    CHECK(copy_backup(store, file, &arena, &why));
    heap_fail_at(0);
    CHECK(stat(file, &entry) == 0 && (entry.st_mode & 0777) == 0600);
    if (compact)
        compact_bytes = entry.st_size;
#ifdef KITH_SYSTEM_HEAP /* there no allocation fails */
    CHECK(entry.st_size == compact_bytes);
#else
    CHECK(compact ? entry.st_size < before.st_size : entry.st_size > compact_bytes);
#endif
    CHECK(access("b.new", F_OK) != 0 && access("b-lock", F_OK) != 0);
    CHECK(!copy_backup(store, file, &arena, &why) && strstr(why, "is there already") != NULL);
    CHECK(!copy_backup(store, path_of(top, "no/b"), &arena, &why) &&
          strstr(why, "directory above") != NULL);
    CHECK(in_child(locked_out));
    store_close(store);

    CHECK(restore(file, &kept) && !kept && stores_same());
    put(store = open_at(there, false), TABLE_ACCOUNTS, SPAN("later"), SPAN("x"));
    store_close(store);
    CHECK(!stores_same());
    CHECK(restore(file, &kept) && kept && stores_same());
    CHECK(restore(path_of(there, "kith.mdb.old"), &kept) && kept && !stores_same());
    CHECK(!restore(path_of(top, "none"), &kept) && strstr(why, "there is no") != NULL);
    CHECK(truncate(file, 100000) == 0 && !restore(file, &kept) && strstr(why, "cut short") != NULL);
    CHECK(truncate(file, 0) == 0 && !restore(file, &kept));
    CHECK(!stores_same());
    unlink(file);
    files_remove(there);
    files_remove(here);
}

/* The data of an older kith can be copied before a newer one brings them up to date: nothing else
 * reads them until then. */
static void test_older(void)
{
    struct store_use use;
    bool kept;
    struct store *store = open_at(here, false);
    put(store, TABLE_META, SPAN("schema"), SPAN("\1\0\0\0\0\0\0\0"));
    store_close(store);
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    CHECK(store_open(here, MAP_BYTES, true, &arena, &why) == NULL &&
          strstr(why, "written by an older kith") != NULL);
    CHECK(chdir(top) == 0);
    for (int i = 0; i < 2; i++) {
        arena_init(&arena, arena_bytes, sizeof arena_bytes);
        store = store_open_to_copy(here, &arena, &why);
        CHECK(store != NULL && (i == 1 || copy_backup(store, "b", &arena, &why)));
        store_usage(store, &use);
        CHECK(use.schema == 1);
        store_close(store);
    }
    CHECK(restore("b", &kept));
    store = store_open_to_copy(there, &arena, &why);
    CHECK(store != NULL);
    store_usage(store, &use);
    CHECK(use.schema == 1); /* as it was: an older kith takes it back */
    store_close(store);
    store = open_at(there, false);
    store_usage(store, &use);
    CHECK(use.schema == 2);
    store_close(store);
    unlink("b");
    files_remove(there);
    files_remove(here);
}

int main(void)
{
    heap_extend(heap_bytes, sizeof heap_bytes, NULL, 0);
    srand(1);
    snprintf(top, sizeof top, "/tmp/kith-dump-XXXXXX");
    CHECK(mkdtemp(top) != NULL);
    snprintf(here, sizeof here, "%s/here", top);
    snprintf(there, sizeof there, "%s/there", top);
    test_round_trip();
    test_damage();
    test_words();
    test_copies(true);
    test_copies(false);
    test_older();
    CHECK(rmdir(top) == 0);
    return test_end();
}
