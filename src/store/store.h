/* store.h: the one file of data. LMDB's environment and the tick's transaction.
 * store/ is the only folder that includes lmdb.h. Limits: the map size, fixed at boot; pages
 * dirtied per transaction. Nothing here is said to anybody before store_commit. */
#ifndef KITH_STORE_H
#define KITH_STORE_H

#include "base/arena.h"

struct store;

/* Dirty pages of one transaction (at least 64 of them): LMDB keeps that many in the heap. */
#define STORE_DIRTY_BYTES_MAX (1 << 20)
/* With less room than this on the disk the store does not open, and store_has_room says no. */
#define STORE_DISK_BYTES_MIN (256 << 10)

enum store_outcome {
    STORE_OK,
    STORE_NONE,   /* no such record */
    STORE_EXISTS, /* there is one already */
    STORE_FULL,   /* no room in the map: answer resource-constraint */
    STORE_FAILED, /* the disk failed, or the record is damaged; store_commit knows which */
};

struct store_use {
    uint64_t map_bytes;
    uint64_t used_bytes; /* pages in use, free-list pages not counted */
    uint64_t commits;
    uint64_t schema;
};

/* Opens or makes DIR/kith.mdb (one file; LMDB's lock and kith.lock beside it). Refuses with a
 * sentence in *why (of the arena): file systems where LMDB cannot live (jffs2), files of another
 * word size or byte order, newer schema, no room, no permission, another process that writes.
 * Older schemas are brought up to date in one transaction.
 * read_only: for `kith check` and lists, also while the server runs; map_bytes is then the file's.
 * The struct and paths come from the arena and stay; LMDB's own memory from malloc (the heap). */
struct store *store_open(const char *directory, uint64_t map_bytes, bool read_only,
                         struct arena *arena, const char **why);
/* The same to be read and copied as it is: its schema may be an older one. */
struct store *store_open_to_copy(const char *directory, struct arena *arena, const char **why);
void store_close(struct store *store);

/* A transaction is begun by the first write of a tick and lasts to store_commit; reads see it.
 * Reads outside of it use one read transaction that store_tick_end lets go. */
bool store_dirty(const struct store *store);

/* Whether its commit is waited for: more was written than the archive's copies (design, idea 1), or
 * somebody is told of these. What is said then depends on it. */
bool store_urgent(const struct store *store);
/* What the transaction holds, if there is one, is told to somebody now. */
void store_hasten(struct store *store);

/* Whether a change of about `bytes` may be begun (map, dirty pages of this tick, disk). Ask before
 * a handler that grows the store: what it then writes finds room kept for it. store_put asks again,
 * and its STORE_FULL leaves the transaction as it was. Only when LMDB itself refuses a write (no
 * memory, pages held by another process's snapshot) is the transaction lost: store_commit fails. */
bool store_has_room(struct store *store, size_t bytes);
/* Whether so much waits for the commit that a tick should begin nothing more: else store_has_room
 * says no soon. */
bool store_crowded(const struct store *store);

/* Makes the tick's writes safe. STORE_OK also when there were none. Anything else: the transaction
 * is gone and nothing more is written until store_probe; the caller treats it as a power cut. */
enum store_outcome store_commit(struct store *store);
/* Drops the tick's writes. */
void store_abort(struct store *store);
/* Ends the tick's reading; spans from this tick's reads are invalid afterwards. */
void store_tick_end(struct store *store);

/* After a failed commit: drops all state and opens the file again. false: still not to be read. */
bool store_reopen(struct store *store);
/* Writes and commits one small record, to see whether the disk takes writes again; if it does,
 * others may write too. Not while a transaction is open. */
bool store_probe(struct store *store);

/* Lets go of readers that died (other processes), looks at the room on the disk. On a timer. */
void store_reader_check(struct store *store);

void store_usage(struct store *store, struct store_use *use);

/* The room left on the disk of a directory, in bytes. false: it is not there, or does not say. */
bool store_disk_left(const char *directory, uint64_t *bytes);

/* A secret of this store, made with it: for fake salts (SA-10), for the ids of the archive. */
#define STORE_SECRET_BYTES 32
const uint8_t *store_secret(const struct store *store);

/* Tables, for the other files of store/ only. Keys: 1 to 511 bytes. Values are borrowed until the
 * next write to the same table, commit or end of the tick; what is borrowed cannot be put. (LMDB
 * promises less. But each table is a tree of its own: pages that are safe are never written to, and
 * those of this transaction stay where they are while they are so few; tests/unit/store.c.) */
enum store_table {
    TABLE_META,
    TABLE_ACCOUNTS,
    TABLE_ROSTERS,
    TABLE_REQUESTS,
    TABLE_LEAVING,
    TABLE_OFFLINE,
    TABLE_BLOCKS,
    TABLE_VCARDS,
    TABLE_PRIVATE,
    TABLE_ABSENCES,
    TABLE_INVITES,
    TABLE_PENDING,
    TABLE_IDS,
    TABLE_RELEASED,
    TABLE_CONSENTS,
    TABLE_LOGINS,
    TABLE_PEP_NODES,
    TABLE_PEP_ITEMS,
    TABLE_PEP_GONE,
    TABLE_BODIES,
    TABLE_ARCHIVE,
    TABLE_ARCHIVE_PREFS,
    TABLE_CHANNELS,
    TABLE_CHANNEL_LISTS,
    TABLE_CHANNELS_ENDED,
    TABLE_PARTICIPANTS,
    TABLE_FORMER,
    TABLE_MEMBERSHIPS,
    TABLE_COUNT
};
enum store_outcome store_get(struct store *store, enum store_table table, struct span key,
                             struct span *value);
enum store_outcome store_put(struct store *store, enum store_table table, struct span key,
                             struct span value, bool only_new);
enum store_outcome store_delete(struct store *store, enum store_table table, struct span key);
/* The first record whose key is > after (or the very first if after.bytes is NULL). */
enum store_outcome store_next(struct store *store, enum store_table table, struct span after,
                              struct span *key, struct span *value);
/* The last record whose key is < before. */
enum store_outcome store_previous(struct store *store, enum store_table table, struct span before,
                                  struct span *key, struct span *value);
enum store_outcome store_count(struct store *store, enum store_table table, uint64_t *count);
/* Of the pages that it takes; 0 if that cannot be told. */
uint64_t store_table_bytes(struct store *store, enum store_table table);

#endif
