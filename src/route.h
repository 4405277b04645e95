/* route.h: a user's stanza: is it one, who is meant, who answers (RFC 6120 8, 10). */
#ifndef KITH_ROUTE_H
#define KITH_ROUTE_H

#include "core/turn.h"

void route_stanza(struct server *server, struct session *session, const struct stanza *stanza);

#endif
