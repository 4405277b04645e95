/* blocked.h: who blocks whom (XEP-0191), for everybody who passes something on. Requirements 3.2.
 */
#ifndef KITH_BLOCKED_H
#define KITH_BLOCKED_H

#include "core/turn.h"

/* Whether the account of a local address blocks that other address. Without a look into the store
 * when it has a session and blocks nobody. Its own addresses are never blocked. */
bool blocked_by(struct server *server, const struct jid *account, const struct jid *other);

/* Either one by the other: nothing of presence passes between them. */
bool blocked_between(struct server *server, const struct jid *one, const struct jid *other);

#endif
