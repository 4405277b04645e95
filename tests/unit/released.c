/* released.c: names of deleted accounts: kept, given free, too many, damaged. */
#include "store/released.h"

#include "store_test.h"

static void test_names(struct store *store)
{
    static char letters[512];
    memset(letters, 'a', sizeof letters);
    CHECK(released_get(store, SPAN("romeo"), 0) == STORE_NONE);
    CHECK(released_put(store, SPAN("romeo"), 1000) == STORE_OK);
    CHECK(released_put(store, SPAN("rome"), 500) == STORE_OK);
    CHECK(released_get(store, SPAN("romeo"), 999) == STORE_OK);
    CHECK(released_get(store, SPAN("romeo"), 1000) == STORE_NONE);
    CHECK(released_put(store, SPAN("romeo"), UINT64_C(0x0102030405060708)) == STORE_OK);
    CHECK(released_get(store, SPAN("romeo"), UINT64_C(0x0102030405060707)) == STORE_OK);
    CHECK(released_get(store, SPAN("romeo"), UINT64_C(0x0102030405060708)) == STORE_NONE);
    CHECK(released_delete(store, SPAN("romeo")) == STORE_OK);
    CHECK(released_delete(store, SPAN("romeo")) == STORE_NONE);
    CHECK(released_get(store, SPAN("rome"), 0) == STORE_OK);
    CHECK(released_put(store, span_of(letters, 511), 1) == STORE_OK);
    CHECK(released_put(store, span_of(letters, 512), 1) == STORE_FULL);
    CHECK(released_get(store, span_of(letters, 512), 0) == STORE_NONE);
    CHECK(released_put(store, SPAN(""), 1) == STORE_FULL);
    CHECK(released_sweep(store, 499, 9) == STORE_NONE);
    CHECK(released_get(store, span_of(letters, 511), 0) == STORE_NONE);
    CHECK(released_get(store, SPAN("rome"), 0) == STORE_OK);
    CHECK(released_sweep(store, 500, 1) == STORE_OK);
    CHECK(released_sweep(store, 500, 1) == STORE_NONE);
    CHECK(released_get(store, SPAN("rome"), 0) == STORE_NONE);
}

/* The one that ends first makes room, and only for a new one. */
static void test_limit(struct store *store)
{
    char name[16];
    uint64_t count;
    for (unsigned i = 0; i < RELEASED_MAX; i++) {
        snprintf(name, sizeof name, "user%u", i);
        CHECK(released_put(store, span_string(name), i == 77 ? 10 : 1000 + i) == STORE_OK);
    }
    CHECK(released_put(store, SPAN("user5"), 2000) == STORE_OK);
    CHECK(released_get(store, SPAN("user77"), 0) == STORE_OK);
    CHECK(store_count(store, TABLE_RELEASED, &count) == STORE_OK && count == RELEASED_MAX);
    CHECK(released_put(store, SPAN("another"), 2000) == STORE_OK);
    CHECK(store_count(store, TABLE_RELEASED, &count) == STORE_OK && count == RELEASED_MAX);
    CHECK(released_get(store, SPAN("user77"), 0) == STORE_NONE);
    CHECK(released_get(store, SPAN("user76"), 0) == STORE_OK);
    CHECK(store_put(store, TABLE_RELEASED, SPAN("user9"), SPAN("\1"), false) == STORE_OK);
    CHECK(released_get(store, SPAN("user9"), 0) == STORE_FAILED);
    CHECK(released_put(store, SPAN("one more"), 2000) == STORE_OK);
    CHECK(released_get(store, SPAN("user9"), 0) == STORE_NONE);
    CHECK(store_put(store, TABLE_RELEASED, SPAN("user8"), SPAN("\2........"), false) == STORE_OK);
    CHECK(released_get(store, SPAN("user8"), 0) == STORE_FAILED);
    CHECK(released_sweep(store, 0, 9) == STORE_NONE);
    CHECK(released_get(store, SPAN("user8"), 0) == STORE_NONE);
    CHECK(released_sweep(store, 9000, RELEASED_MAX) == STORE_NONE);
    CHECK(store_count(store, TABLE_RELEASED, &count) == STORE_OK && count == 0);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_names(store);
        test_limit(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
