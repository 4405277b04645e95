/* diskfault.c: writes and syncs that fail or are cut short while the power stays: the commit says
 * so, nothing more is written, and opening again shows the last acknowledged state. Stalls, the
 * disk that cannot map, and what a small commit costs. */
#include <errno.h>
#include <unistd.h>

#include "../sim/disk.h"
#include "../unit/test.h"
#include "groups.h"

enum { FAULTS = 40 };

/* One call fails; the power stays. Then everything is as it was acknowledged. */
static unsigned check_fault(enum disk_call call, int error, bool lasting)
{
    struct groups acknowledged = {{0}}, next = {{0}}, seen;
    uint64_t version = 0;
    unsigned failures = 0;
    const char *why;

    store_remove();
    disk_watch(store_directory);
    struct store *store = store_open_here(false, &why);
    for (unsigned n = 1; n <= FAULTS && store != NULL; n++) {
        disk_fail(call, n, error, lasting);
        quiet(true);
        do {
            acknowledged = next;
        } while (groups_change(store, &next, ++version));
        bool shut = !store_has_room(store, 10) && !group_write(store, 0, ++version);
        bool reopened = store_reopen(store);
        bool restored = groups_read(store, &seen) && groups_same(&seen, &acknowledged);
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
    store_remove();
    disk_watch(store_directory);
    disk_fail(DISK_MAP, 1, EINVAL, true);
    CHECK(store_open_here(false, &why) == NULL);
    CHECK(why != NULL && strstr(why, "jffs2") != NULL);
    disk_fail(DISK_MAP, 1, ENOMEM, true);
    CHECK(store_open_here(false, &why) == NULL);
    CHECK(why != NULL && strstr(why, "map smaller") != NULL);
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

    store_remove();
    disk_watch(store_directory);
    struct store *store = store_open_here(false, &why);
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
    store = store_open_here(false, &why);
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

int main(void)
{
    groups_begin(1);
    check_faults();
    check_map();
    measure();
    CHECK(groups_end());
    return test_end();
}
