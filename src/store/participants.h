/* participants.h: who takes part in a channel (XEP-0369 4.6), by the channel's number. Who left is
 * remembered, so that an id still says whose it was.
 * Limits: config.participants_per_channel for the callers to ask; FORMER_MAX of a channel. */
#ifndef KITH_PARTICIPANTS_H
#define KITH_PARTICIPANTS_H

#include "store/store.h"

#define PARTICIPANT_ID_CHARS 20 /* hexadecimal (MX-5) */
#define PARTICIPANT_NICK_BYTES_MAX 64
#define PARTICIPANT_FORMER_MAX 1000
#define PARTICIPANT_CHANGE_BYTES 2048

struct participant {
    char id[PARTICIPANT_ID_CHARS];
    uint8_t nodes;    /* mask of 1 << enum channel_node: subscribed to */
    struct span jid;  /* bare */
    struct span nick; /* empty: none */
};

/* Spans are borrowed until the next write. */
enum store_outcome participant_get(struct store *store, uint64_t channel,
                                   const char id[PARTICIPANT_ID_CHARS], struct participant *out);
/* New or replaced; is then no former one any more. Its spans may be borrowed. */
enum store_outcome participant_put(struct store *store, uint64_t channel,
                                   const struct participant *participant);
/* Becomes a former one; who left longest ago makes room. */
enum store_outcome participant_leave(struct store *store, uint64_t channel,
                                     const char id[PARTICIPANT_ID_CHARS]);
/* In order of ids, one step of a cursor each; after NULL: the first. `after` may be what out->id
 * holds. Damaged ones are passed by. */
enum store_outcome participant_next(struct store *store, uint64_t channel, const char *after,
                                    struct participant *out);
enum store_outcome participant_count(struct store *store, uint64_t channel, unsigned *count);
/* Whose id it was who is there no more. */
enum store_outcome participant_former(struct store *store, uint64_t channel,
                                      const char id[PARTICIPANT_ID_CHARS], struct span *jid);
/* How many records of all channels are damaged; the log tells of each. */
enum store_outcome participant_damage(struct store *store, uint64_t *damaged);

#endif
