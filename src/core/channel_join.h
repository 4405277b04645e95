/* channel_join.h: joining and leaving channels, both sides at once, since all participants are
 * ours: the channel's (XEP-0369 7.1) and the participant's own server's, who keeps the membership
 * and the roster's item (XEP-0405 2.4, 2.5). In the tick's transaction. Events leave before any
 * answer. */
#ifndef KITH_CORE_CHANNEL_JOIN_H
#define KITH_CORE_CHANNEL_JOIN_H

#include "core/channel.h"

/* What a join, a change of the nick may add to the store. */
#define CHANNEL_JOIN_BYTES 16384

enum channel_outcome {
    CHANNEL_DONE,
    CHANNEL_GONE,       /* no such channel: item-not-found */
    CHANNEL_FORBIDDEN,  /* banned, or not let in: forbidden */
    CHANNEL_NAME_BAD,   /* of a participant or a channel: missing, too long, none by PRECIS:
                           not-acceptable */
    CHANNEL_NAME_TAKEN, /* conflict */
    CHANNEL_NO_NODE,    /* asked for nodes, none of which can be had: item-not-found */
    CHANNEL_FULL,       /* of participants, or the roster, or memberships: resource-constraint */
    CHANNEL_NO_ROOM,    /* of the store: resource-constraint */
    CHANNEL_FAILED,     /* internal-server-error */
};
/* The stanza error of each; CHANNEL_DONE has none. */
enum stanza_error channel_error(enum channel_outcome outcome);

/* What a store says of it: STORE_NONE: CHANNEL_GONE; STORE_FULL: CHANNEL_NO_ROOM. */
enum channel_outcome channel_outcome(enum store_outcome outcome);

struct channel_joining {
    struct jid who;   /* bare, a local account */
    struct span nick; /* as asked for; empty: none */
    bool nick_any;    /* if it is taken or missing another one is found: localpart, with a number */
    bool invited;     /* by a valid invitation: is put on the list `allowed` if that is needed */
    uint8_t nodes;    /* mask of 1 << enum channel_node asked for */
    bool nodes_asked; /* at least one was, known or not (MX-8) */
    /* what came of it: */
    bool invitation_used; /* `invited` was needed */
    uint8_t nodes_had;
    struct span nick_had; /* in the arena */
    char id[PARTICIPANT_ID_CHARS];
};

/* How many participants a channel can have: what is configured, at most what the profile has. */
uint32_t channel_participants_max(void);

/* MX-6 … MX-9. Writes participant, membership and roster item (subscription none), tells the
 * subscribers of `participants` (and of `allowed`), pushes the roster item. Nothing is written
 * unless CHANNEL_DONE. */
enum channel_outcome channel_join(struct server *server, const struct channel_here *channel,
                                  struct channel_joining *joining);

/* MX-10; also who is banned, whose account goes. Removes participant, membership (the stay ends),
 * roster item with push; tells the remaining subscribers, and `told`: the one who left too (MX-20).
 * CHANNEL_DONE also for who was not in it. */
enum channel_outcome channel_leave(struct server *server, const struct channel_here *channel,
                                   const struct jid *who, bool told);

/* The side of the participant's own server alone, where the channel may be gone (PAM-3): the
 * membership ends, the roster's item goes with a push. CHANNEL_DONE also where there was neither.
 */
enum channel_outcome channel_member_end(struct server *server, const struct jid *who,
                                        const struct jid *channel);

/* A nick for the participant of that id, who may be new (MX-7). *had: in the arena; empty: none. */
enum channel_outcome channel_nick_choose(struct server *server, const struct channel_here *channel,
                                         const struct channel_joining *joining, struct span *had);

/* MX-11: nick empty: one is found. *had: in the arena. CHANNEL_FORBIDDEN: no participant. */
enum channel_outcome channel_nick(struct server *server, const struct channel_here *channel,
                                  const struct jid *who, struct span nick, struct span *had);
/* MX-12: the nodes that he has from now on. */
enum channel_outcome channel_subscribe(struct server *server, const struct channel_here *channel,
                                       const struct jid *who, uint8_t add, uint8_t remove,
                                       uint8_t *added);

#endif
