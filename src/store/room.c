/* room.c: how much may still be written: pages of the map, and dirty pages of this transaction.
 * LMDB gives a whole transaction up when one page is missing, so it is asked before. The counts are
 * upper bounds; the free list is looked at only when the untouched end of the map is too short.
 * Limits: STORE_DIRTY_BYTES_MAX, and shares of the map kept for what was begun and for deletions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "store/environment.h"

enum {
    PATH_PAGES = 8,       /* a change of a few records: the ways to their leaves, and splits */
    BASE_PAGES = 6,       /* LMDB's own: table of tables, free list */
    DIRTY_PAGES_MIN = 64, /* on machines with large pages */
    CROWDED_PARTS = 3,    /* of 8; ROOM_BEGIN lets in up to half */
};

/* Of the map and of the dirty pages: 1/share stays untouched. */
static const struct {
    uint64_t map_share;
    uint64_t dirty_share;
} room_kept[] = {
    [ROOM_BEGIN] = {8, 2},
    [ROOM_INDEX] = {16, 2},
    [ROOM_WRITE] = {16, 8},
    [ROOM_DELETE] = {64, UINT64_MAX},
};

/* The oldest snapshot that any process holds: LMDB tells it only in lines of text,
 * "pid thread transaction", "-" for a slot without a snapshot. */
static int oldest_see(const char *line, void *context)
{
    uint64_t *oldest = context;
    unsigned long transaction;
    if (sscanf(line, "%*d %*x %lu", &transaction) == 1 && transaction < *oldest)
        *oldest = transaction;
    return 0;
}

uint64_t room_free_pages(struct store *store, uint64_t enough)
{
    uint64_t oldest = UINT64_MAX, pages = 0;
    MDB_val key, value;

    bool was_reading = store->reading;
    if (!was_reading && mdb_txn_renew(store->reader) != 0)
        return 0;
    if (mdb_reader_list(store->env, oldest_see, &oldest) >= 0 &&
        mdb_cursor_renew(store->reader, store->free_list) == 0) {
        /* A record is keyed by the transaction that freed its pages, and begins with their
         * count. Those freed by the oldest snapshot's own transaction are not seen by it, but
         * LMDB wants them older. */
        int error = mdb_cursor_get(store->free_list, &key, &value, MDB_FIRST);
        while (error == 0 && pages < enough) {
            size_t transaction, count;
            if (key.mv_size != sizeof transaction || value.mv_size < sizeof count)
                break;
            memcpy(&transaction, key.mv_data, sizeof transaction);
            memcpy(&count, value.mv_data, sizeof count);
            if (transaction >= oldest)
                break;
            pages += count;
            error = mdb_cursor_get(store->free_list, &key, &value, MDB_NEXT);
        }
    }
    if (!was_reading)
        mdb_txn_reset(store->reader);
    return pages;
}

static uint64_t room_dirty_pages(const struct store *store)
{
    uint64_t pages = BASE_PAGES + store->overflow;
    for (int i = 0; i < TABLE_COUNT; i++)
        pages += store->changed[i];
    return pages;
}

static uint64_t dirty_pages_max(const struct store *store)
{
    uint64_t pages = STORE_DIRTY_BYTES_MAX / store->page_bytes;
    return pages < DIRTY_PAGES_MIN ? DIRTY_PAGES_MIN : pages;
}

bool room_left(struct store *store, size_t bytes, enum room_purpose purpose)
{
    if (store->unlimited)
        return true;
    uint64_t dirty_max = dirty_pages_max(store);
    uint64_t wanted = room_dirty_pages(store) + PATH_PAGES + 2 * (bytes / store->page_bytes);
    if (wanted > dirty_max - dirty_max / room_kept[purpose].dirty_share)
        return false;
    if (store->disk_low && purpose != ROOM_DELETE)
        return false;

    MDB_envinfo info;
    if (mdb_env_info(store->env, &info) != 0)
        return false;
    uint64_t map_pages = store->map_bytes / store->page_bytes;
    uint64_t limit = map_pages - map_pages / room_kept[purpose].map_share;
    uint64_t used = (uint64_t)info.me_last_pgno + 1;
    if (used + wanted <= limit)
        return true;
    if (!store->counted) {
        int dead; /* a reader that died without a word holds pages back */
        if (mdb_reader_check(store->env, &dead) != 0)
            return false;
        store->reusable = room_free_pages(store, used + dirty_max);
        store->counted = true;
    }
    return used + wanted <= limit + store->reusable;
}

bool store_crowded(const struct store *store)
{
    return store->writer != NULL &&
           room_dirty_pages(store) > dirty_pages_max(store) / 8 * CROWDED_PARTS;
}

/* Below the root. */
static unsigned path_pages(const MDB_stat *stat)
{
    return stat->ms_depth > 1 ? stat->ms_depth - 1 : 1;
}

size_t room_path_bytes(struct store *store, enum store_table table)
{
    MDB_stat stat;
    MDB_txn *view = store_view(store);
    if (view == NULL || mdb_stat(view, store->tables[table], &stat) != 0)
        return store->page_bytes;
    return path_pages(&stat) * store->page_bytes / 2; /* room_left doubles it */
}

void room_charge(struct store *store, enum store_table table, size_t bytes)
{
    MDB_stat stat;
    /* A long value has pages of its own; a short one dirties the way to its leaf, and no more
     * pages than the table has. */
    bool is_long = bytes + 32 > store->page_bytes / 2;
    if (is_long)
        store->overflow += (bytes + store->page_bytes) / store->page_bytes;
    if (mdb_stat(store->writer, store->tables[table], &stat) != 0)
        return;
    bool first = store->changed[table] == 0;
    if (!first && (store->appending || table == TABLE_ARCHIVE)) {
        /* Behind the last record: its leaf is dirty until it is full. The archive's entries stand
         * behind the last ones of their owners: the way to each is charged once. */
        if (table == TABLE_ARCHIVE && !store->beside)
            store->changed[table] += path_pages(&stat);
        store->appended += is_long ? 32 : bytes + 32;
        store->overflow += store->appended / (store->page_bytes / 2);
        store->appended %= store->page_bytes / 2;
    } else {
        store->changed[table] += stat.ms_depth + first; /* the root is dirty after the first one */
    }
    uint64_t tree = (uint64_t)stat.ms_branch_pages + stat.ms_leaf_pages + 2;
    if (store->changed[table] > tree)
        store->changed[table] = tree;
}

void room_forget(struct store *store)
{
    memset(store->changed, 0, sizeof store->changed);
    store->overflow = 0;
    store->appended = 0;
    store->counted = false;
}

bool store_disk_left(const char *directory, uint64_t *bytes)
{
    struct statvfs room;
    if (statvfs(directory, &room) != 0 || room.f_blocks == 0)
        return false;
    *bytes = (uint64_t)room.f_bavail * room.f_frsize;
    return true;
}

void room_look_at_disk(struct store *store)
{
    uint64_t bytes;
    if (!store_disk_left(store->directory, &bytes))
        return; /* it does not say, so it is not held against it */
    bool low = bytes < STORE_DISK_BYTES_MIN;
    if (low != store->disk_low)
        log_line(LOG_NOTE, "store: %s",
                 low ? "the disk is nearly full, nothing more is stored"
                     : "the disk has room again");
    store->disk_low = low;
}
