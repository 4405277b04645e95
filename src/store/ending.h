/* ending.h: records that end by themselves, for the other files of store/ only: the deletion of
 * what has ended, and records that say nothing but when they end (version 1, time 8). */
#ifndef KITH_ENDING_H
#define KITH_ENDING_H

#include "store/store.h"

/* The records of one kind that say only when they end. */
struct ending {
    enum store_table table;
    const char *what; /* for the log */
    unsigned most;    /* of those whose keys begin alike */
};

/* When there are `most` whose keys begin with the first prefix_len bytes of this one, the one of
 * them that ends first is deleted. */
enum store_outcome ending_put(struct store *store, const struct ending *ending, struct span key,
                              size_t prefix_len, uint64_t until_us);
/* STORE_NONE also when it has ended. */
enum store_outcome ending_get(struct store *store, const struct ending *ending, struct span key,
                              uint64_t now_us);
/* At most `max` that have ended, or are damaged, are deleted; STORE_NONE: none are left. */
enum store_outcome ending_sweep(struct store *store, const struct ending *ending, uint64_t now_us,
                                unsigned max);

/* The records of a table in order of keys. The walk holds a copy of the key, so one may write
 * meanwhile; *key is borrowed from the store. */
struct table_walk {
    char key[511];
    uint16_t len; /* 0: nothing walked yet */
};
enum store_outcome table_walk_next(struct store *store, enum store_table table,
                                   struct table_walk *walk, struct span *key, struct span *record);

/* Deletes at most `max` records of a table that the question says yes to; STORE_NONE: none are
 * left. */
typedef bool table_question(struct span key, struct span record, const void *context);
enum store_outcome table_sweep(struct store *store, enum store_table table,
                               table_question *question, const void *context, unsigned max);

/* How many records of a table the question says yes to. */
enum store_outcome table_count(struct store *store, enum store_table table,
                               table_question *question, const void *context, uint64_t *count);

/* The first record whose key begins with the prefix and is > after, which may be the prefix. */
enum store_outcome table_next_of(struct store *store, enum store_table table, struct span prefix,
                                 struct span after, struct span *key, struct span *record);
/* Deletes records whose keys begin with the prefix and are longer; each one takes one off *most.
 * STORE_NONE: none are left. */
enum store_outcome table_clear(struct store *store, enum store_table table, struct span prefix,
                               unsigned *most);

#endif
