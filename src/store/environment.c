/* environment.c: LMDB's environment: one file, its tables, the reading transaction and its cursors.
 * All memory is taken here, at boot; LMDB takes one block more for each transaction that writes.
 * Never MDB_WRITEMAP, MDB_NOSYNC or MDB_NOMETASYNC: a commit is safe when it returns (GR-2). */
#include "store/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/must.h"

const char *const table_names[TABLE_COUNT] = {
    [TABLE_META] = "meta",
    [TABLE_ACCOUNTS] = "accounts",
    [TABLE_ROSTERS] = "rosters",
    [TABLE_REQUESTS] = "requests",
    [TABLE_LEAVING] = "leaving",
    [TABLE_OFFLINE] = "offline",
    [TABLE_BLOCKS] = "blocks",
    [TABLE_VCARDS] = "vcards",
    [TABLE_PRIVATE] = "private",
    [TABLE_ABSENCES] = "absences",
    [TABLE_INVITES] = "invites",
    [TABLE_PENDING] = "pending",
    [TABLE_IDS] = "ids",
    [TABLE_RELEASED] = "released",
    [TABLE_CONSENTS] = "consents",
    [TABLE_LOGINS] = "logins",
    [TABLE_PEP_NODES] = "pep_nodes",
    [TABLE_PEP_ITEMS] = "pep_items",
    [TABLE_PEP_GONE] = "pep_gone",
    [TABLE_BODIES] = "bodies",
    [TABLE_ARCHIVE] = "archive",
    [TABLE_ARCHIVE_PREFS] = "archive_prefs",
    [TABLE_CHANNELS] = "channels",
    [TABLE_CHANNEL_LISTS] = "channel_lists",
    [TABLE_CHANNELS_ENDED] = "channels_ended",
    [TABLE_PARTICIPANTS] = "participants",
    [TABLE_FORMER] = "former",
    [TABLE_MEMBERSHIPS] = "memberships",
};

/* Opens the tables that are there. Their handles last only if the transaction is committed. */
static int tables_open(struct store *store, bool create, bool *complete)
{
    MDB_txn *txn;
    int error = mdb_txn_begin(store->env, NULL, create ? 0 : MDB_RDONLY, &txn);
    if (error != 0)
        return error;
    *complete = true;
    for (int i = 0; i < TABLE_COUNT && error == 0; i++) {
        must(table_names[i] != NULL);
        error = mdb_dbi_open(txn, table_names[i], create ? MDB_CREATE : 0, &store->tables[i]);
        store->missing[i] = error == MDB_NOTFOUND;
        if (store->missing[i]) {
            *complete = false;
            error = 0;
        }
    }
    if (error != 0) {
        mdb_txn_abort(txn);
        return error;
    }
    return mdb_txn_commit(txn);
}

static int reader_open(struct store *store)
{
    int error = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reader);
    if (error != 0)
        return error;
    for (int i = 0; i < TABLE_COUNT && error == 0; i++) {
        if (!store->missing[i])
            error = mdb_cursor_open(store->reader, store->tables[i], &store->reading_at[i]);
    }
    if (error == 0)
        error = mdb_cursor_open(store->reader, 0, &store->free_list); /* 0: LMDB's free list */
    mdb_txn_reset(store->reader);
    return error;
}

/* LMDB maps what the file says it has; reading past its end would kill the process. Pages that one
 * transaction took and gave back may never have been written. ENODATA: it is cut short. */
static int file_whole(const struct store *store, int descriptor, const MDB_envinfo *info)
{
    struct stat entry;
    uint64_t said = ((uint64_t)info->me_last_pgno + 1) * store->page_bytes;
    uint64_t unwritten = store->resting ? 0 : STORE_DIRTY_BYTES_MAX;
    if (fstat(descriptor, &entry) != 0)
        return errno;
    return (uint64_t)entry.st_size + unwritten >= said ? 0 : ENODATA;
}

static int file_open(struct store *store, const char *file)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (store->read_only ? MDB_RDONLY : 0) |
                     (store->resting ? MDB_NOLOCK : 0);
    MDB_envinfo info;
    MDB_stat stat;
    int descriptor;

    int error = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (error == 0)
        error = mdb_env_set_maxreaders(store->env, STORE_READERS);
    /* A process that only reads takes the size that the server gave to the file. */
    if (error == 0 && !store->read_only)
        error = mdb_env_set_mapsize(store->env, (size_t)store->map_bytes);
    if (error == 0)
        error = mdb_env_open(store->env, file, flags, 0600);
    if (error == 0)
        error = mdb_env_get_fd(store->env, &descriptor);
    if (error != 0)
        return error;
    /* LMDB leaves this one open across exec. */
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
        return errno;
    error = mdb_env_stat(store->env, &stat);
    if (error == 0)
        error = mdb_env_info(store->env, &info);
    if (error != 0)
        return error;
    store->page_bytes = stat.ms_psize;
    store->map_bytes = info.me_mapsize;
    return file_whole(store, descriptor, &info);
}

int environment_open(struct store *store, const char *file)
{
    bool complete = true;
    int error = mdb_env_create(&store->env);
    if (error != 0) {
        store->env = NULL;
        return error;
    }
    error = file_open(store, file);
    if (error == 0)
        error = tables_open(store, false, &complete);
    if (error == 0 && !complete && !store->read_only)
        error = tables_open(store, true, &complete);
    if (error == 0)
        error = reader_open(store);
    room_forget(store);
    if (error != 0)
        environment_close(store);
    return error;
}

void environment_close(struct store *store)
{
    if (store->env == NULL)
        return;
    if (store->writer != NULL)
        mdb_txn_abort(store->writer); /* closes its cursors too */
    for (int i = 0; i < TABLE_COUNT; i++) {
        if (store->reading_at[i] != NULL)
            mdb_cursor_close(store->reading_at[i]);
        store->reading_at[i] = NULL;
        store->writing_at[i] = NULL;
    }
    if (store->free_list != NULL)
        mdb_cursor_close(store->free_list);
    if (store->reader != NULL)
        mdb_txn_abort(store->reader);
    mdb_env_close(store->env);
    store->env = NULL;
    store->writer = NULL;
    store->reader = NULL;
    store->free_list = NULL;
    store->reading = false;
    store->broken = store->urgent = false;
    store->index = (struct index_state){0};
}

enum store_outcome environment_outcome(int error, const char *doing)
{
    switch (error) {
    case 0:
        return STORE_OK;
    case MDB_NOTFOUND:
        return STORE_NONE;
    case MDB_KEYEXIST:
        return STORE_EXISTS;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
        log_line(LOG_ERROR, "store: %s: %s", doing, mdb_strerror(error));
        return STORE_FULL;
    default:
        log_line(LOG_ERROR, "store: %s: %s", doing, mdb_strerror(error));
        return STORE_FAILED;
    }
}

const char *environment_sentence(struct arena *arena, const char *format, ...)
{
    enum { SENTENCE_BYTES = 400 };
    char *text = arena_take(arena, SENTENCE_BYTES);
    va_list list;

    if (text == NULL)
        return "the store cannot be opened, and there is no memory to say why";
    va_start(list, format);
    int len = vsnprintf(text, SENTENCE_BYTES, format, list);
    va_end(list);
    return len < 0 ? format : text;
}
