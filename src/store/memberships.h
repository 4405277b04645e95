/* memberships.h: in which channels an account is and was (XEP-0405): the participant's own server's
 * side. One record for an account and a channel's name: its stays, each with the archive's numbers
 * between which the channel's messages are in the account's archive too, without entries there.
 * Limits: MEMBERSHIPS_MAX names of an account, of which the one left longest ago makes room;
 * MEMBERSHIP_STAYS_MAX stays of one. */
#ifndef KITH_MEMBERSHIPS_H
#define KITH_MEMBERSHIPS_H

#include "store/participants.h"
#include "store/rosters.h"

#define MEMBERSHIPS_MAX 64
#define MEMBERSHIP_STAYS_MAX 8 /* the oldest makes room */
#define MEMBERSHIP_CHANGE_BYTES 2048

struct stay {
    uint64_t channel; /* its number */
    char id[PARTICIPANT_ID_CHARS];
    uint64_t joined; /* messages with numbers > joined */
    uint64_t left;   /* and <= left; UINT64_MAX: still there */
};

struct membership {
    unsigned count; /* of stays, the last one is the newest */
    struct stay stays[MEMBERSHIP_STAYS_MAX];
};
/* The stay of an account that is in the channel now. NULL: it is not. */
static inline struct stay *membership_stay(struct membership *membership)
{
    struct stay *last = membership->count > 0 ? &membership->stays[membership->count - 1] : NULL;
    return last != NULL && last->left == UINT64_MAX ? last : NULL;
}

/* `channel`: localpart. */
enum store_outcome membership_get(struct store *store, struct span local, struct span channel,
                                  struct membership *out);
/* STORE_FULL also when the account is in MEMBERSHIPS_MAX now, STORE_EXISTS when it is in this one.
 */
enum store_outcome membership_enter(struct store *store, struct span local, struct span channel,
                                    const struct stay *stay);
/* STORE_NONE: it is not in it. */
enum store_outcome membership_leave(struct store *store, struct span local, struct span channel,
                                    uint64_t left);
/* All of an account, in order of names; after.bytes NULL: the first. *channel is borrowed.
 * Damaged ones are passed by. */
enum store_outcome membership_next(struct store *store, struct span local, struct span after,
                                   struct span *channel, struct membership *out);
/* The first channel, in order of names, in which the account is now. */
enum store_outcome membership_first_present(struct store *store, struct span local,
                                            struct span *channel, struct membership *out);
/* The account is deleted: at most `most` records go. STORE_NONE: there are no more. */
enum store_outcome membership_forget(struct store *store, struct span local, unsigned most);
/* How many records of all accounts are damaged; the log tells of each. */
enum store_outcome membership_damage(struct store *store, uint64_t *damaged);

#endif
