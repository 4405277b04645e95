/* subscription_states.h: RFC 6121 Appendix A as data: what a subscription stanza does, by what
 * stood between the two before. For subscription.c and its tests. Requirements 2.2. */
#ifndef KITH_SUBSCRIPTION_STATES_H
#define KITH_SUBSCRIPTION_STATES_H

#include "store/rosters.h"

/* What the user sends, and what arrives for the user. */
enum event {
    OUT_SUBSCRIBE,
    OUT_UNSUBSCRIBE,
    OUT_SUBSCRIBED,
    OUT_UNSUBSCRIBED,
    IN_SUBSCRIBE,
    IN_SUBSCRIBE_APPROVED, /* the user has approved it before it came (3.4) */
    IN_UNSUBSCRIBE,
    IN_SUBSCRIBED,
    IN_UNSUBSCRIBED,
    EVENTS
};

/* The states of Appendix A.1: masks of enum roster_state. */
enum relation {
    NONE = 0,
    NONE_OUT = ROSTER_OUT,
    NONE_IN = ROSTER_IN,
    NONE_OUT_IN = ROSTER_OUT | ROSTER_IN,
    TO = ROSTER_TO,
    TO_IN = ROSTER_TO | ROSTER_IN,
    FROM = ROSTER_FROM,
    FROM_OUT = ROSTER_FROM | ROSTER_OUT,
    BOTH = ROSTER_TO | ROSTER_FROM,
    RELATIONS = 16
};

enum action {
    PASS = 1,    /* route it to the contact, or deliver it to the user's resources */
    KEEP = 2,    /* keep the request until it is answered */
    APPROVE = 4, /* note a pre-approval */
    REVOKE = 8,  /* forget it */
    LEAVE = 16,  /* the contact hears that the user's resources are unavailable */
    ACCEPT = 32, /* answer subscribed, and show the user's presence */
    REFUSE = 64, /* answer unsubscribed */
    SHOW = 128,  /* show the user's presence */
};

/* What becomes of it. */
struct cell {
    uint8_t next; /* enum relation */
    uint8_t actions;
};

/* Masks that are no enum relation have no cell. */
extern const struct cell subscription_states[EVENTS][RELATIONS];

#endif
