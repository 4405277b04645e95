/* archive_parts.h: what the files of the archive (archive.h) know of each other: the forms of its
 * records, and which bodies the index has. Keys: bodies: number (8, big-endian); archive: owner,
 * NUL, number; and one NUL alone: up to which number the index is made (version 1, number 8). */
#ifndef KITH_STORE_ARCHIVE_PARTS_H
#define KITH_STORE_ARCHIVE_PARTS_H

#include "store/archive.h"
#include "store/environment.h"
#include "store/record.h"

#define ARCHIVE_NUMBER_BYTES 8

static inline void archive_number_put(char *bytes, uint64_t number)
{
    for (unsigned i = 0; i < ARCHIVE_NUMBER_BYTES; i++)
        bytes[i] = (char)(number >> 8 * (ARCHIVE_NUMBER_BYTES - 1 - i));
}

/* The last bytes of a key. */
static inline uint64_t archive_number_of(struct span key)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < ARCHIVE_NUMBER_BYTES; i++)
        number = number << 8 | (uint8_t)key.bytes[key.len - ARCHIVE_NUMBER_BYTES + i];
    return number;
}

/* --- entries: archive_entries.c --- */

struct entry {
    uint64_t number;
    uint32_t place; /* in all that its owner has kept, counts on by one */
    struct archive_with with;
};

/* What an entry says of the other side. */
void archive_with(struct archive_with *with, const struct jid *jid);
/* The same number is put again over the one that is there. */
enum store_outcome entry_put(struct store *store, struct span owner, const struct entry *entry);
enum store_outcome entry_get(struct store *store, struct span owner, uint64_t number,
                             struct entry *entry);
/* From entry->number on: the next one behind it, or before it. Damaged ones are passed over. */
enum store_outcome entry_next(struct store *store, struct span owner, bool forwards,
                              struct entry *entry);
enum store_outcome entry_drop(struct store *store, struct span owner, uint64_t number);
/* The first owner in the index whose name is > after (none: of all), borrowed until the next
 * write. */
enum store_outcome entry_owner(struct store *store, struct span after, struct span *owner);

/* --- bodies: archive_bodies.c --- */

/* One of those who keep a body. */
struct keeper {
    struct span local;
    struct archive_with with;
};
/* Takes the next one from a body's owners. Those of version 1 do not say whom the talk is with:
 * they are in the index. */
bool keeper_next(struct archive_body *body, struct keeper *keeper);

/* The first one whose number is > after, and the last one whose number is < before. *number is
 * there also if it is damaged; it has no owners then. */
enum store_outcome body_next(struct store *store, uint64_t after, uint64_t *number,
                             struct archive_body *body);
enum store_outcome body_previous(struct store *store, uint64_t before, uint64_t *number,
                                 struct archive_body *body);
enum store_outcome body_drop(struct store *store, uint64_t number);

/* --- which bodies are in the index: archive_index.c --- */

/* Up to which number. Entries with higher ones are of an index that was not made to its end; they
 * are written again. */
enum store_outcome index_end(struct store *store, uint64_t *number);
/* All that there is, in a store of schema 1. */
enum store_outcome index_begin(struct store *store);
/* One was put, or dropped, that is not in it. */
void index_behind(struct store *store, int change);

#endif
