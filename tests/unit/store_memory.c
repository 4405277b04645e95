/* store_memory.c: what a tick of the store takes from the heap, and what happens without it. */
#include "store_test.h"

/* Every allocation of a writing tick fails in turn: the commit says so, and nothing is lost. */
static void test_no_memory(void)
{
    const char *why;
    char name[16];
    unsigned failed = 0;
    struct heap_use use;
    struct store *store = open_store(4 << 20, false, &why);

    heap_usage(&use);
    if (use.bytes == 0) {
        printf("system heap: allocations are not made to fail\n");
        store_close(store);
        files_remove();
        return;
    }
    for (unsigned i = 1; i <= 60; i++) {
        /* The pool of dirty pages is new after each reopening. */
        CHECK(store_reopen(store) && store_probe(store));
        heap_fail_at(i);
        enum store_outcome outcome = STORE_OK;
        for (unsigned k = 0; k < 10 && outcome == STORE_OK; k++) {
            snprintf(name, sizeof name, "r%u-%u", i, k);
            outcome = record_put(store, name, 3000);
        }
        bool committed = store_commit(store) == STORE_OK;
        heap_fail_at(0);
        CHECK(outcome == STORE_OK || !committed);
        failed += !committed;
        CHECK(store_reopen(store) && store_probe(store));
        unsigned there = 0;
        for (unsigned k = 0; k < 10; k++) {
            snprintf(name, sizeof name, "r%u-%u", i, k);
            there += record_has(store, name);
        }
        CHECK(there == (committed ? 10 : 0));
        store_tick_end(store);
    }
    CHECK(failed > 5 && failed < 60);
    printf("%u of 60 ticks failed for want of memory\n", failed);
    store_close(store);
    files_remove();
}

/* A tick in the steady state: one block from the heap, given back at its end. */
static void test_allocations(void)
{
    const char *why;
    struct heap_use before, after;
    struct span key, value;
    char name[16];
    struct store *store = open_store(4 << 20, false, &why);

    heap_usage(&before);
    printf("opened: %zu KB of heap\n", before.used / 1024);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%u", i);
        CHECK(record_put(store, name, 200) == STORE_OK && store_commit(store) == STORE_OK);
    }
    heap_usage(&before);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "%u", i);
        CHECK(record_has(store, name) && store_has_room(store, 200));
        CHECK(record_put(store, name, 200) == STORE_OK && record_has(store, name));
        CHECK(store_commit(store) == STORE_OK && record_has(store, name));
        CHECK(store_next(store, TABLE_ACCOUNTS, SPAN("5"), &key, &value) == STORE_OK);
        store_tick_end(store);
    }
    heap_usage(&after);
    CHECK(after.calls - before.calls <= 100 && after.used == before.used);
    printf("%u allocations in 100 ticks that write\n", (unsigned)(after.calls - before.calls));
    store_close(store);
    files_remove();
}

int main(void)
{
    if (!directory_make())
        return 1;
    test_no_memory();
    test_allocations();
    directory_remove();
    return test_end();
}
