/* store.c: see store.h. The tick's transaction, and records in tables.
 * A write that LMDB refuses leaves a transaction that can only be dropped (broken): store_commit
 * then fails, and whoever ticks treats it as a power cut. room.c is asked first, so it is rare. */
#include "base/log.h"
#include "base/must.h"
#include "store/environment.h"

enum { KEY_BYTES_MAX = 511 }; /* of LMDB */

static MDB_val value_of(struct span span)
{
    return (MDB_val){.mv_size = span.len, .mv_data = (void *)(uintptr_t)span.bytes};
}

static struct span span_from(MDB_val value)
{
    return span_of(value.mv_data, value.mv_size);
}

MDB_txn *store_view(struct store *store)
{
    if (store->env == NULL)
        return NULL;
    if (store->writer != NULL)
        return store->broken ? NULL : store->writer;
    if (!store->reading) {
        int error = mdb_txn_renew(store->reader);
        if (error != 0) {
            log_line(LOG_ERROR, "store: a snapshot cannot be had: %s", mdb_strerror(error));
            return NULL;
        }
        store->reading = true;
    }
    return store->reader;
}

static void reader_reset(struct store *store)
{
    if (store->reading)
        mdb_txn_reset(store->reader);
    store->reading = false;
    if (store->read_only) /* others write */
        store->index = (struct index_state){0};
}

static enum store_outcome writer_begin(struct store *store)
{
    if (store->env == NULL || !store->writable || store->broken)
        return STORE_FAILED;
    if (store->writer != NULL)
        return STORE_OK;
    store->error = mdb_txn_begin(store->env, NULL, 0, &store->writer);
    return environment_outcome(store->error, "beginning to write");
}

/* What LMDB said to a write. Anything but "there is one" and "there is none" ends the
 * transaction. */
static enum store_outcome written(struct store *store, int error, const char *doing)
{
    enum store_outcome outcome = environment_outcome(error, doing);
    if (outcome == STORE_FULL || outcome == STORE_FAILED) {
        store->broken = store->urgent = true;
        store->error = error;
    }
    return outcome;
}

static void writer_gone(struct store *store)
{
    store->writer = NULL;
    store->broken = store->urgent = false;
    for (int i = 0; i < TABLE_COUNT; i++)
        store->writing_at[i] = NULL; /* LMDB closed them */
    reader_reset(store);
    room_forget(store);
}

/* A cursor of the present view. */
static MDB_cursor *store_cursor(struct store *store, enum store_table table)
{
    MDB_txn *view = store_view(store);
    int error;
    if (view == NULL)
        return NULL;
    if (view == store->reader) {
        error = mdb_cursor_renew(view, store->reading_at[table]);
        return error == 0 ? store->reading_at[table] : NULL;
    }
    if (store->writing_at[table] == NULL) {
        error = mdb_cursor_open(view, store->tables[table], &store->writing_at[table]);
        if (error != 0) {
            log_line(LOG_ERROR, "store: no cursor: %s", mdb_strerror(error));
            store->writing_at[table] = NULL;
        }
    }
    return store->writing_at[table];
}

bool store_dirty(const struct store *store)
{
    return store->writer != NULL;
}

bool store_urgent(const struct store *store)
{
    return store->urgent;
}

void store_hasten(struct store *store)
{
    store->urgent |= store_dirty(store);
}

bool store_has_room(struct store *store, size_t bytes)
{
    return store->env != NULL && store->writable && !store->broken &&
           room_left(store, bytes, ROOM_BEGIN);
}

enum store_outcome store_commit(struct store *store)
{
    if (store->writer == NULL)
        return store->env != NULL ? STORE_OK : STORE_FAILED;
    bool broken = store->broken;
    int error = 0;
    if (broken)
        mdb_txn_abort(store->writer);
    else
        error = mdb_txn_commit(store->writer); /* gone in any case */
    writer_gone(store);
    if (broken || error != 0) {
        store->writable = false;
        store->index = (struct index_state){0};
        if (!broken)
            store->error = error;
        return broken ? STORE_FAILED : environment_outcome(error, "making a change safe");
    }
    store->commits++;
    return STORE_OK;
}

void store_abort(struct store *store)
{
    if (store->writer == NULL)
        return;
    mdb_txn_abort(store->writer);
    writer_gone(store);
    store->index = (struct index_state){0};
}

void store_tick_end(struct store *store)
{
    reader_reset(store);
}

bool store_reopen(struct store *store)
{
    environment_close(store);
    store->writable = false;
    int error = environment_open(store, store->file);
    if (error != 0)
        log_line(LOG_ERROR, "store: %s cannot be opened again: %s", store->file,
                 mdb_strerror(error));
    return error == 0;
}

bool store_probe(struct store *store)
{
    static const char probe[8];
    must(store->writer == NULL);
    if (store->env == NULL || store->read_only)
        return false;
    store->writable = true;
    if (store_put(store, TABLE_META, SPAN("probe"), span_of(probe, sizeof probe), false) ==
            STORE_OK &&
        store_commit(store) == STORE_OK)
        return true;
    store_abort(store);
    store->writable = false;
    return false;
}

void store_reader_check(struct store *store)
{
    int dead = 0;
    if (store->env == NULL)
        return;
    if (!store->read_only)
        room_look_at_disk(store);
    int error = mdb_reader_check(store->env, &dead);
    if (error != 0)
        log_line(LOG_ERROR, "store: looking for dead readers: %s", mdb_strerror(error));
    if (dead > 0)
        log_line(LOG_NOTE, "store: let go of %d snapshots of processes that ended", dead);
    store->counted = false;
}

void store_usage(struct store *store, struct store_use *use)
{
    MDB_envinfo info;
    *use = (struct store_use){.commits = store->commits, .schema = store->schema};
    if (store->env == NULL || mdb_env_info(store->env, &info) != 0)
        return;
    uint64_t pages = (uint64_t)info.me_last_pgno + 1;
    use->map_bytes = store->map_bytes;
    use->used_bytes = (pages - room_free_pages(store, pages)) * store->page_bytes;
}

const uint8_t *store_secret(const struct store *store)
{
    return store->secret;
}

enum store_outcome store_get(struct store *store, enum store_table table, struct span key,
                             struct span *value)
{
    MDB_val found, name = value_of(key);
    must(key.len > 0 && key.len <= KEY_BYTES_MAX);
    *value = SPAN_NONE;
    MDB_txn *view = store_view(store);
    if (view == NULL)
        return STORE_FAILED;
    if (store->missing[table])
        return STORE_NONE;
    int error = mdb_get(view, store->tables[table], &name, &found);
    if (error == 0)
        *value = span_from(found);
    return environment_outcome(error, "reading a record");
}

enum store_outcome store_put(struct store *store, enum store_table table, struct span key,
                             struct span value, bool only_new)
{
    MDB_val content = value_of(value), name = value_of(key);
    must(key.len > 0 && key.len <= KEY_BYTES_MAX);
    if (store->env != NULL && !room_left(store, key.len + value.len, ROOM_WRITE))
        return STORE_FULL;
    enum store_outcome outcome = writer_begin(store);
    if (outcome != STORE_OK)
        return outcome;
    store->urgent |= table != TABLE_BODIES && table != TABLE_ARCHIVE;
    room_charge(store, table, key.len + value.len);
    return written(store,
                   mdb_put(store->writer, store->tables[table], &name, &content,
                           (only_new ? MDB_NOOVERWRITE : 0) | (store->appending ? MDB_APPEND : 0)),
                   "writing a record");
}

enum store_outcome store_delete(struct store *store, enum store_table table, struct span key)
{
    MDB_val name = value_of(key);
    must(key.len > 0 && key.len <= KEY_BYTES_MAX);
    if (store->env != NULL && !room_left(store, 0, ROOM_DELETE))
        return STORE_FULL;
    enum store_outcome outcome = writer_begin(store);
    if (outcome != STORE_OK)
        return outcome;
    store->urgent |= table != TABLE_BODIES && table != TABLE_ARCHIVE;
    room_charge(store, table, 0);
    return written(store, mdb_del(store->writer, store->tables[table], &name, NULL),
                   "deleting a record");
}

enum store_outcome store_next(struct store *store, enum store_table table, struct span after,
                              struct span *key, struct span *value)
{
    MDB_val content, name = value_of(after);
    *key = *value = SPAN_NONE;
    must(after.bytes == NULL || (after.len > 0 && after.len <= KEY_BYTES_MAX));
    if (store->env != NULL && store->missing[table])
        return STORE_NONE;
    MDB_cursor *cursor = store_cursor(store, table);
    if (cursor == NULL)
        return STORE_FAILED;
    int error =
        mdb_cursor_get(cursor, &name, &content, after.bytes == NULL ? MDB_FIRST : MDB_SET_RANGE);
    if (error == 0 && after.bytes != NULL && span_equal(span_from(name), after))
        error = mdb_cursor_get(cursor, &name, &content, MDB_NEXT);
    if (error == 0) {
        *key = span_from(name);
        *value = span_from(content);
    }
    return environment_outcome(error, "walking a table");
}

enum store_outcome store_previous(struct store *store, enum store_table table, struct span before,
                                  struct span *key, struct span *value)
{
    MDB_val content, name = value_of(before);
    *key = *value = SPAN_NONE;
    must(before.len > 0 && before.len <= KEY_BYTES_MAX);
    if (store->env != NULL && store->missing[table])
        return STORE_NONE;
    MDB_cursor *cursor = store_cursor(store, table);
    if (cursor == NULL)
        return STORE_FAILED;
    int error = mdb_cursor_get(cursor, &name, &content, MDB_SET_RANGE);
    if (error == 0)
        error = mdb_cursor_get(cursor, &name, &content, MDB_PREV);
    else if (error == MDB_NOTFOUND)
        error = mdb_cursor_get(cursor, &name, &content, MDB_LAST);
    if (error == 0) {
        *key = span_from(name);
        *value = span_from(content);
    }
    return environment_outcome(error, "walking a table");
}

enum store_outcome store_count(struct store *store, enum store_table table, uint64_t *count)
{
    MDB_stat stat;
    *count = 0;
    MDB_txn *view = store_view(store);
    if (view == NULL)
        return STORE_FAILED;
    if (store->missing[table])
        return STORE_OK;
    int error = mdb_stat(view, store->tables[table], &stat);
    if (error == 0)
        *count = stat.ms_entries;
    return environment_outcome(error, "counting records");
}

uint64_t store_table_bytes(struct store *store, enum store_table table)
{
    MDB_stat stat;
    MDB_txn *view = store_view(store);
    if (view == NULL || store->missing[table] || mdb_stat(view, store->tables[table], &stat) != 0)
        return 0;
    return ((uint64_t)stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
           stat.ms_psize;
}
