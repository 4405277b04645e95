/* Tests of base/heap.c and base/blocks.c: what malloc is. */
#include "base/heap.h"

#include <errno.h>
#include <expat.h>
#include <lmdb.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"
#include "test.h"

#define REGION_BYTES ((size_t)16 << 20)
#define SLABS 6
#define SLOTS 3000

/* Called through these, so that the compiler does not reason about what malloc does. */
static void *(*volatile take)(size_t) = malloc;
static void (*volatile give)(void *) = free;

static bool all_are(const unsigned char *bytes, size_t len, unsigned char value)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

#ifdef KITH_SYSTEM_HEAP

/* Then malloc is libc's; what is left here must be harmless. */
int main(void)
{
    struct heap_use use = {.used = 1};
    heap_extend(NULL, 0, NULL, 0);
    heap_owner(1);
    char *block = take(16429);
    memset(block, 1, 16429);
    heap_trim(1);
    CHECK(all_are((unsigned char *)block, 16429, 1));
    give(block);
    heap_fail_at(1);
    block = take(1);
    CHECK(block != NULL);
    give(block);
    heap_usage(&use);
    CHECK(use.used == 0 && heap_slab_bytes() >= 17400);
    return test_end();
}

#else

static void *(*volatile take_zeroed)(size_t, size_t) = calloc;
static void *(*volatile take_aligned)(size_t, size_t) = memalign;
static void *(*volatile resize)(void *, size_t) = realloc;

static size_t used_now(void)
{
    struct heap_use use;
    heap_usage(&use);
    return use.used;
}

/* How many pages of a range are in memory. */
static size_t pages_resident(const void *at, size_t len)
{
    static unsigned char pages[8192];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)at & ~(page - 1);
    size_t count = ((uintptr_t)at + len - start + page - 1) / page, resident = 0;
    if (count > sizeof pages || mincore((void *)start, count * page, pages) != 0)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        resident += pages[i] & 1;
    return resident;
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t random_size(uint64_t *state)
{
    uint64_t value = random_next(state);
    unsigned bits = 1 + (unsigned)(value >> 60);
    return (size_t)(random_next(state) & ((1u << bits) - 1));
}

static void test_before_extension(void)
{
    char *first = take(100);
    char *second = take(1);
    CHECK(first != NULL && second != NULL);
    CHECK((uintptr_t)first % 16 == 0 && (uintptr_t)second % 16 == 0);
    errno = 0;
    CHECK(take(100000) == NULL && errno == ENOMEM);
    give(first);
    give(second);
}

#define ZEROED_BYTES ((size_t)4 << 20)

/* What was never written is not written by calloc either. */
static unsigned char *test_virgin(void)
{
    unsigned char *zeroed = take_zeroed(1, ZEROED_BYTES);
    CHECK(zeroed != NULL && pages_resident(zeroed, ZEROED_BYTES) <= 2);
    return zeroed;
}

static void test_zeroed_again(unsigned char *zeroed)
{
    CHECK(all_are(zeroed, ZEROED_BYTES, 0));
    memset(zeroed, 0xff, ZEROED_BYTES);
    give(zeroed);
    unsigned char *again = take_zeroed(ZEROED_BYTES / 8, 8);
    CHECK(again == zeroed && pages_resident(again, ZEROED_BYTES) <= 2);
    CHECK(all_are(again, ZEROED_BYTES, 0));
    give(again);
    CHECK(take_zeroed(SIZE_MAX / 2, 4) == NULL);
    CHECK(take_zeroed(SIZE_MAX, 1) == NULL);
    CHECK(take(SIZE_MAX) == NULL);
}

/* Every byte of every block belongs to that block alone. */
static void test_stress(void)
{
    static struct {
        unsigned char *at;
        size_t size;
        unsigned char value;
    } slots[SLOTS];
    uint64_t state = 88172645463325252u;
    unsigned wrong = 0, refused = 0;
    size_t used = used_now();

    for (unsigned i = 0; i < 400000; i++) {
        unsigned slot = (unsigned)(random_next(&state) % SLOTS);
        unsigned action = (unsigned)(random_next(&state) % 4);
        if (slots[slot].at != NULL) {
            wrong += !all_are(slots[slot].at, slots[slot].size, slots[slot].value);
            if (action == 0) {
                size_t size = random_size(&state) + 1;
                unsigned char *moved = resize(slots[slot].at, size);
                if (moved != NULL) {
                    size_t kept = size < slots[slot].size ? size : slots[slot].size;
                    wrong += !all_are(moved, kept, slots[slot].value);
                    memset(moved, slots[slot].value, size);
                    slots[slot].at = moved;
                    slots[slot].size = size;
                }
            } else {
                give(slots[slot].at);
                slots[slot].at = NULL;
            }
            continue;
        }
        size_t size = random_size(&state);
        size_t alignment = (size_t)16 << (random_next(&state) % 6);
        unsigned char *at = action == 0   ? take_zeroed(1, size)
                            : action == 1 ? take_aligned(alignment, size)
                                          : take(size);
        if (at == NULL) {
            refused++;
            continue;
        }
        wrong += (uintptr_t)at % (action == 1 ? alignment : 16) != 0;
        wrong += action == 0 && !all_are(at, size, 0);
        wrong += malloc_usable_size(at) < size;
        slots[slot].at = at;
        slots[slot].size = size;
        slots[slot].value = (unsigned char)i;
        memset(at, slots[slot].value, size);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        give(slots[i].at);
    CHECK(wrong == 0);
    CHECK(refused < 40000);
    CHECK(used_now() == used);
    /* Everything was merged again. */
    void *large = take(REGION_BYTES / 16 * 15);
    CHECK(large != NULL);
    give(large);
}

static void test_fragments(void)
{
    static void *blocks[20000];
    unsigned count = 0;
    while (count < 20000 && (blocks[count] = take(1000)) != NULL)
        count++;
    CHECK(count > 16000 && count < 20000);
    for (unsigned i = 0; i < count; i += 2)
        give(blocks[i]);
    CHECK(take(5000) == NULL);
    void *fits = take(900);
    CHECK(fits != NULL);
    give(fits);
    for (unsigned i = 1; i < count; i += 2)
        give(blocks[i]);
    void *large = take(REGION_BYTES / 16 * 15);
    CHECK(large != NULL);
    give(large);
}

static void test_family(void)
{
    void *at = NULL;
    char *grown = take(10);
    memcpy(grown, "0123456789", 10);
    char *in_place = resize(grown, 100000);
    CHECK(in_place != NULL && memcmp(in_place, "0123456789", 10) == 0);
    char *shrunk = resize(in_place, 10);
    CHECK(shrunk == in_place && malloc_usable_size(shrunk) < 100);
    CHECK(resize(shrunk, (size_t)1 << 29) == NULL);
    CHECK(memcmp(shrunk, "0123456789", 10) == 0);
    give(shrunk);
    CHECK(posix_memalign(&at, 3, 10) == EINVAL && posix_memalign(&at, 24, 10) == EINVAL);
    CHECK(posix_memalign(&at, 4096, 10) == 0 && (uintptr_t)at % 4096 == 0);
    give(at);
    at = aligned_alloc(64, 640);
    CHECK((uintptr_t)at % 64 == 0);
    give(at);
    at = valloc(1);
    CHECK(at != NULL && (uintptr_t)at % (size_t)sysconf(_SC_PAGESIZE) == 0);
    give(at);
    at = take(0);
    void *other = take(0);
    CHECK(at != NULL && other != NULL && at != other);
    give(at);
    give(other);
    give(NULL);
    /* A pointer that we never gave out, as the dynamic linker's own. */
    static char foreign[64];
    size_t used = used_now();
    give(foreign + 16);
    CHECK(used_now() == used && resize(foreign + 16, 10) == NULL);
}

static void test_failure(void)
{
    struct heap_use before, after;
    heap_usage(&before);
    heap_fail_at(2);
    void *first = take(10);
    void *second = take(10);
    void *third = take(10);
    heap_usage(&after);
    CHECK(first != NULL && second == NULL && third != NULL);
    CHECK(after.calls == before.calls + 3 && after.refused == before.refused + 1);
    heap_fail_at(1);
    CHECK(take_zeroed(1, 1) == NULL);
    heap_fail_at(1);
    CHECK(resize(first, 1000) == NULL);
    heap_fail_at(1);
    CHECK(take_aligned(64, 1) == NULL);
    heap_fail_at(1);
    heap_fail_at(0);
    give(third);
    third = take(10);
    CHECK(third != NULL);
    give(first);
    give(third);
}

static void test_slabs(char *slabs)
{
    size_t each = heap_slab_bytes();
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct heap_use use;
    unsigned char *taken[SLABS + 1];

    CHECK(each % page == 0 && each >= 17400);
    char *nobodys = take(16429);
    CHECK(nobodys < slabs || nobodys >= slabs + SLABS * each);
    give(nobodys);
    heap_owner(7);
    char *small = take(4096);
    char *large = take(17409);
    CHECK(small < slabs || small >= slabs + SLABS * each);
    CHECK(large < slabs || large >= slabs + SLABS * each);
    give(small);
    give(large);
    for (unsigned i = 0; i < SLABS; i++) {
        heap_owner(i < 2 ? 7 : 8);
        taken[i] = i % 2 ? take(16429) : take_zeroed(1, 16765);
        CHECK((uintptr_t)taken[i] % page == 0 && malloc_usable_size(taken[i]) == each);
        CHECK((char *)taken[i] >= slabs && (char *)taken[i] < slabs + SLABS * each);
        memset(taken[i], (int)i + 1, each);
    }
    taken[SLABS] = take(16429);
    CHECK(taken[SLABS] != NULL &&
          !((char *)taken[SLABS] >= slabs && (char *)taken[SLABS] < slabs + SLABS * each));
    heap_usage(&use);
    CHECK(use.slabs == SLABS && use.slabs_used == SLABS && use.slabs_peak == SLABS);
    heap_trim(7);
    CHECK(pages_resident(taken[0], each) == 1 && pages_resident(taken[1], each) == 1);
    for (unsigned i = 0; i < 2; i++)
        CHECK(all_are(taken[i], page, (unsigned char)(i + 1)) &&
              all_are(taken[i] + page, each - page, 0));
    CHECK(pages_resident(taken[2], each) == each / page);
    heap_trim(0);
    for (unsigned i = 2; i < SLABS; i++)
        CHECK(all_are(taken[i], each, (unsigned char)(i + 1)));
    CHECK(resize(taken[3], 17000) == taken[3]);
    unsigned char *moved = resize(taken[3], 30000);
    CHECK(moved != NULL && moved != taken[3] && all_are(moved, each, 4));
    give(moved);
    unsigned char *again = take_zeroed(1, 16429);
    CHECK(again == taken[3] && all_are(again, each, 0));
    for (unsigned i = 0; i <= SLABS; i++)
        give(taken[i]);
    heap_usage(&use);
    CHECK(use.slabs_used == 0 && use.slabs_peak == SLABS);
    heap_owner(0);
}

static bool dies(void *at)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        give(at);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

/* Our bugs are found where they can be: given back twice, or written past the end. */
static void test_bugs(void)
{
    char *block = take(40);
    char *guard = take(40);
    give(block);
    CHECK(dies(block));
    heap_owner(1);
    char *slab = take(16429);
    heap_owner(0);
    CHECK(dies(slab + 16));
    give(slab);
    CHECK(dies(slab));
    give(guard);
}

static void test_lmdb(char *region)
{
    char directory[] = "/tmp/kith-heap-XXXXXX";
    char path[64];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    unsigned failed = 0;
    size_t used = used_now();

    CHECK(mkdtemp(directory) != NULL);
    CHECK(mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 8 << 20) == 0);
    CHECK(mdb_env_open(env, directory, 0, 0600) == 0);
    /* 3.15 MB are asked for (64-bit), of which next to nothing is touched. */
    size_t pages = pages_resident(region, REGION_BYTES);
    CHECK(pages < 16);
    fprintf(stderr, "LMDB's environment: %zu bytes of heap, %zu pages resident\n",
            used_now() - used, pages);
    for (unsigned i = 0; i < 200; i++) {
        char text[300];
        memset(text, (int)i, sizeof text);
        MDB_val key = {sizeof i, &i}, value = {sizeof text, text};
        failed += mdb_txn_begin(env, NULL, 0, &txn) != 0;
        failed += mdb_dbi_open(txn, NULL, 0, &dbi) != 0;
        failed += mdb_put(txn, dbi, &key, &value, 0) != 0;
        failed += mdb_txn_commit(txn) != 0;
    }
    CHECK(failed == 0);
    mdb_env_close(env);
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    CHECK(unlink(path) == 0);
    snprintf(path, sizeof path, "%s/lock.mdb", directory);
    CHECK(unlink(path) == 0 && rmdir(directory) == 0);
    CHECK(used_now() == used);
}

static void test_expat(void)
{
    size_t used = used_now();
    XML_Parser parser = XML_ParserCreateNS(NULL, '|');
    const char *document = "<a xmlns='u'><b c='1' d='2'>text</b><e/></a>";
    CHECK(parser != NULL && XML_Parse(parser, document, (int)strlen(document), 1) == XML_STATUS_OK);
    XML_ParserFree(parser);
    CHECK(used_now() == used);
}

int main(void)
{
    test_before_extension();
    size_t slab_bytes = SLABS * heap_slab_bytes();
    char *region = plat_reserve(REGION_BYTES + slab_bytes);
    CHECK(region != NULL);
    heap_extend(region, REGION_BYTES, region + REGION_BYTES, SLABS);
    /* Before anything else writes to the region. */
    unsigned char *zeroed = test_virgin();
    test_lmdb(region);
    test_zeroed_again(zeroed);
    test_expat();
    test_family();
    test_failure();
    test_slabs(region + REGION_BYTES);
    test_stress();
    test_fragments();
    test_bugs();
    return test_end();
}

#endif
