/* ask.h: our own IQs to clients, when somebody waits for the answer. Each comes to an end: the
 * client answers, or its time is over, or its stream is.
 * Owns the pool server->asks. Limits: plan.asks, ASK_MS_MAX. */
#ifndef KITH_ASK_H
#define KITH_ASK_H

#include "core/turn.h"

struct ask {
    struct ask *next;
    struct session *session; /* who is asked; NULL: its stream has ended */
    uint64_t number;
    uint64_t until_ms;
    /* turn: the answer, a result or an error; NULL: there will be none. */
    void (*heard)(struct server *server, const struct ask *ask, struct turn *turn);
    void *about; /* the asker's */
};

/* Sends an IQ of type get from the domain. Of `wanted` are read: session, heard, about. false: too
 * many are under way, or no memory; heard is not called then. */
bool ask_send(struct server *server, const struct ask *wanted, struct span payload);

/* The answer to some IQ of the server came; if to none of these, nothing happens (DL-7). */
void ask_answered(struct turn *turn);

/* A stream has ended: the next sweep tells whoever waits for its answers. */
void ask_leave(struct server *server, const struct session *session);

/* Tells those who wait in vain. */
void ask_sweep(struct server *server);

#endif
