/* environment.h: what the files of store/ know of each other: LMDB's environment behind struct
 * store, its one reading and its one writing transaction. For no other folder. */
#ifndef KITH_ENVIRONMENT_H
#define KITH_ENVIRONMENT_H

#include <lmdb.h>

#include "store/store.h"

#define STORE_READERS 32 /* slots for the snapshots of all processes together */

enum { SCHEMA_NOW = 2 };

extern const char *const table_names[TABLE_COUNT];

/* How far the archive's index is made, which archive_index.c keeps; all zero: not known. */
struct index_state {
    bool known;
    uint64_t end;       /* up to which message, for all owners */
    uint32_t behind;    /* how many messages are not in it */
    uint64_t batch_end; /* up to which message it is being made; 0: it is not */
    uint8_t owner_len;  /* for owners up to this one it is made so far already */
    char owner[255];
};

struct store {
    MDB_env *env;    /* NULL: store_reopen failed, nothing can be read */
    MDB_txn *reader; /* made once, then reset and renewed */
    MDB_txn *writer; /* NULL: nothing written since the last commit */
    bool reading;    /* reader holds a snapshot */
    bool broken;     /* LMDB gave the writer up: it can only be dropped */
    bool urgent;     /* the writer's commit is waited for */
    bool writable;   /* false: opened to read, or a commit failed and no probe went well since */
    bool read_only;
    bool resting;   /* a file that no process writes: without LMDB's lock file */
    bool copying;   /* it is copied as it is, whatever its schema */
    bool unlimited; /* room is not asked for: making the file, changing its schema */
    bool appending; /* what is put comes in the order of its keys, else STORE_EXISTS */
    bool beside;    /* the pages on the way to what is put are dirty already */

    MDB_dbi tables[TABLE_COUNT];
    bool missing[TABLE_COUNT]; /* opened to read before the table was made: it is empty */
    MDB_cursor *reading_at[TABLE_COUNT];
    MDB_cursor *writing_at[TABLE_COUNT]; /* made when a tick that writes first walks the table */
    MDB_cursor *free_list;

    uint64_t changed[TABLE_COUNT]; /* tree pages that the writer dirtied, at most */
    uint64_t overflow;             /* pages of long values that it dirtied */
    uint64_t appended;             /* bytes put at the ends of tables, not yet counted as pages */
    uint64_t reusable;             /* free-list pages it may take, once counted */
    bool counted;
    int error; /* of LMDB or the system, that last ended a transaction */
    bool disk_low;

    struct index_state index;

    size_t page_bytes;
    uint64_t map_bytes;
    uint64_t commits;
    uint64_t schema;
    uint8_t secret[STORE_SECRET_BYTES];
    int lock; /* held by the one process that may write */
    const char *directory;
    const char *file;
};

/* Opens LMDB on file, with every table. 0, or LMDB's or the system's error; then all is closed. */
int environment_open(struct store *store, const char *file);
void environment_close(struct store *store);

/* Fails in the log, as an outcome. */
enum store_outcome environment_outcome(int error, const char *doing);

/* schema.c: fills a new file; false: the log says why. */
bool schema_make(struct store *store);
/* Reads the schema and the secret. Otherwise a sentence, whose memory is the arena's. */
bool schema_read(struct store *store, struct arena *arena, const char **why);
/* And brings an older file up to date. */
bool schema_check(struct store *store, struct arena *arena, const char **why);

/* opening.c: a whole file made anew, under another name first: LMDB writes the first pages of a
 * new file unsynced, and could not read what a power cut leaves of them. */
struct making {
    /* Fills the file called `young` and makes it safe. false: why says it. */
    bool (*fill)(struct making *making, const char *young);
    struct store *store; /* it becomes this one's file */
    void *source;        /* what fill reads from */
    bool keep_old;       /* the file that it replaces stays there, with .old behind its name */
    struct arena *arena;
    const char *why;
};
bool making_run(struct making *making);
/* The same for a file with any name, which must not be there. false: *why. */
bool making_elsewhere(struct making *making, const char *file, const char **why);
/* The store of a directory, locked against other writers and not open yet. */
struct store *opening_claim(const char *directory, uint64_t map_bytes, struct arena *arena,
                            const char **why);
/* Opens its file if there is one. */
bool opening_look(struct store *store, bool *there, struct arena *arena, const char **why);
/* A file that no process writes, open to be read: a backup. Its schema may be an older one. */
struct store *opening_rest(const char *file, struct arena *arena, const char **why);
/* What a person can do about an error with a file. */
const char *opening_sentence(struct arena *arena, int error, const char *file);

/* A sentence in the arena. */
__attribute__((format(printf, 2, 3))) const char *environment_sentence(struct arena *arena,
                                                                       const char *format, ...);

/* room.c: what may still be taken of the map and of the dirty pages. A handler is let in while much
 * is left, its writes while some is left (the archive's index with as few dirty pages as when it
 * begins), deletions nearly to the end. */
enum room_purpose { ROOM_BEGIN, ROOM_INDEX, ROOM_WRITE, ROOM_DELETE };
bool room_left(struct store *store, size_t bytes, enum room_purpose purpose);
void room_charge(struct store *store, enum store_table table, size_t bytes);
/* What to ask for a change behind each of several owners: the pages below the root of the table. */
size_t room_path_bytes(struct store *store, enum store_table table);
void room_forget(struct store *store);
void room_look_at_disk(struct store *store);
/* Pages on the free list, at most enough of them are counted. */
uint64_t room_free_pages(struct store *store, uint64_t enough);

/* The snapshot or transaction that reads go to; NULL: none can be had. */
MDB_txn *store_view(struct store *store);

#endif
