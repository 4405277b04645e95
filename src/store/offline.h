/* offline.h: messages that wait for an account to come back, complete stanzas in their order
 * (XEP-0160). They are numbered one by one and go from the front only, so that the first and the
 * last one tell how many there are. Limits are for the callers to keep (offline_look). */
#ifndef KITH_STORE_OFFLINE_H
#define KITH_STORE_OFFLINE_H

#include "store/store.h"
#include "wire/build.h"

/* What stands in a record beside the stanza, with a sender of that length. */
#define OFFLINE_NOTE_BYTES(from_len) (19 + (from_len))

struct offline_message {
    uint64_t number;    /* from 1 */
    struct span stanza; /* spans are borrowed until the next write */
    struct span from;   /* the sender's full jid */
    uint64_t archived;  /* its number in the account's archive; 0: it was not to be there */
};

struct offline_queue {
    uint64_t messages;
    uint64_t bytes; /* of their stanzas */
};

enum store_outcome offline_look(struct store *store, struct span local,
                                struct offline_queue *queue);
/* Adds one at the end. `stanza` has OFFLINE_NOTE_BYTES of room left, which are used up. */
enum store_outcome offline_put(struct store *store, struct span local, struct build *stanza,
                               struct span from, uint64_t archived);
/* The first one whose number is > after. STORE_NONE: no more. STORE_FAILED with a number: that one
 * is damaged. */
enum store_outcome offline_next(struct store *store, struct span local, uint64_t after,
                                struct offline_message *message);
/* Drops at most `most` whose number is <= up_to from the front. STORE_NONE: there are no more of
 * them. STORE_FULL: not now, in the next transaction. */
enum store_outcome offline_drop(struct store *store, struct span local, uint64_t up_to,
                                unsigned most);

#endif
