/* client_state.h: what a client that nobody looks at need not hear at once (XEP-0352, CSI-1):
 * others' presence, the last of each resource; it hears that before anything else, or when it is
 * looked at again. Owns session->inactive and ->held_back. Limit: HELD_BACK_BYTES_MAX. */
#ifndef KITH_CLIENT_STATE_H
#define KITH_CLIENT_STATE_H

#include "core/inline.h"
#include "core/turn.h"

/* <active/> or <inactive/>. false: it is neither. */
bool client_state_element(struct server *server, struct session *session,
                          const struct stanza *stanza);

/* <inactive/> in <bind/> (core/inline.h). */
void client_state_bound(struct login *login);

/* A presence, its head and what is behind it, is to be said to a client that is inactive. true: it
 * is held back. */
bool client_state_holds(struct server *server, struct session *session, struct span head,
                        const struct rope *body);

/* Of the turn's stanza, forwarded as it is: one that says no more than that somebody types is of
 * none. */
enum urgency client_state_urgency(const struct turn *turn);

/* Something else is to be said: first all that was held back. */
void client_state_flush(struct server *server, struct session *session);

#endif
