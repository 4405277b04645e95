/* store_test.h: what the unit tests of the store share: a directory of their own, a store in it. */
#ifndef KITH_STORE_TEST_H
#define KITH_STORE_TEST_H

#include <stdlib.h>
#include <unistd.h>

#include "base/heap.h"
#include "store/store.h"
#include "test.h"

#define HEAP_BYTES (16 << 20)

static _Alignas(4096) char heap_bytes[HEAP_BYTES];
static char arena_bytes[128 << 10];
static struct arena arena;
static char top[64], directory[80], file[96];

#define MAP_USUAL (4 << 20)

static struct store *open_store(uint64_t map_bytes, bool read_only, const char **why)
{
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    return store_open(directory, map_bytes, read_only, &arena, why);
}

static void files_remove(void)
{
    static const char *const names[] = {"kith.mdb", "kith.mdb-lock", "kith.lock"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
}

static inline enum store_outcome record_put(struct store *store, const char *key, size_t len)
{
    static char value[65536];
    return store_put(store, TABLE_ACCOUNTS, span_string(key), span_of(value, len), false);
}

static inline bool record_has(struct store *store, const char *key)
{
    struct span value;
    return store_get(store, TABLE_ACCOUNTS, span_string(key), &value) == STORE_OK;
}

static bool directory_make(void)
{
    heap_extend(heap_bytes, sizeof heap_bytes, NULL, 0);
    snprintf(top, sizeof top, "%s/kith-store-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(top) == NULL) {
        perror(top);
        return false;
    }
    snprintf(directory, sizeof directory, "%s/data", top);
    snprintf(file, sizeof file, "%s/kith.mdb", directory);
    return true;
}

/* The last line of a test but one. */
static void directory_remove(void)
{
    files_remove();
    CHECK(rmdir(directory) == 0 && rmdir(top) == 0);
}

#endif
