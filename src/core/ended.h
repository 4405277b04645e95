/* ended.h: how many stanzas were handled of streams that could have been resumed and have ended
 * (XEP-0198 5), so that a client that comes back too late knows which of its own to send again.
 * Owns server->ended. Limit: ENDED_STREAMS of all accounts, then the oldest is forgotten, as all
 * are when the server ends. */
#ifndef KITH_ENDED_H
#define KITH_ENDED_H

#include "core/session.h"

/* The session is about to end, its end tag has not come. */
void ended_remember(struct server *server, const struct session *session);

/* What became of the stream that an account knows by this id. Of its stanzas at least h were
 * handled, and that is safe. false: it is not known any more, or never was. */
bool ended_find(const struct server *server, struct span bare, struct span id, uint32_t *h);

#endif
