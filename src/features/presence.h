/* presence.h: who is available, and who is told (RFC 6121 4). Requirements 2.3. */
#ifndef KITH_PRESENCE_H
#define KITH_PRESENCE_H

#include "core/turn.h"

/* Any presence stanza. deliver: hands a directed one to a local address. subscription: has those
 * of type subscribe, subscribed, unsubscribe and unsubscribed. */
void presence_stanza(struct turn *turn, bool to_domain, void (*deliver)(struct turn *turn),
                     void (*subscription)(struct turn *turn));

/* Tells the others that sessions which were available are gone (PR-4, PR-9); empties
 * server->farewells. */
void presence_farewells(struct server *server);

/* RFC 6121 8.5.3.1: whether the recipient lets the sender know of its presence: From or Both in its
 * roster, directed presence, or the same account. An IQ of others is not for it. */
bool presence_shared(struct server *server, const struct session *recipient,
                     const struct session *sender);

#endif
