/* presence.h: who is available (RFC 6121 4). Requirements 2.3 as far as the own resources and
 * directed presence go. */
#ifndef KITH_PRESENCE_H
#define KITH_PRESENCE_H

#include "core/turn.h"

/* Any presence stanza. deliver: hands a directed one to a local address. */
void presence_stanza(struct turn *turn, bool to_domain, void (*deliver)(struct turn *turn));

/* Tells the others that sessions which were available are gone (PR-4, PR-9); empties
 * server->farewells. */
void presence_farewells(struct server *server);

#endif
