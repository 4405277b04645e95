/* remains.h: what becomes of messages that a session was told but has not acknowledged, when it
 * ends for good: they wait for its account (XEP-0198 4, OFF-4). At once, whoever's turn it is: the
 * memory may be wanted, by somebody who has borrowed from the store: so nothing is written but that
 * table (store/store.h). Owns the arena server->remains. */
#ifndef KITH_REMAINS_H
#define KITH_REMAINS_H

#include "core/session.h"

/* Bytes of that arena; needs the global plan. */
size_t remains_bytes(void);

/* The session is about to end: they are stored, as many as the tick has room for (management.stored
 * says how far), but stay where they are until that is safe. */
void remains_store(struct server *server, struct session *session);
/* Whether there are such messages. */
bool remains_any(const struct session *session);
/* The session is not bound any more. What is left in its rope is what may still be sent. */
void remains_keep(struct server *server, struct session *session);

#endif
