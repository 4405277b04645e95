/* subscription.h: asking for a contact's presence, and the answers (RFC 6121 3, Appendix A).
 * Requirements 2.2. Both sides are local; a contact of another domain is refused by route.c before
 * anything changes. Limits: SUBSCRIPTION_REQUESTS_MAX waiting requests an account. */
#ifndef KITH_SUBSCRIPTION_H
#define KITH_SUBSCRIPTION_H

#include "core/turn.h"
#include "store/store.h"

#define SUBSCRIPTION_REQUESTS_MAX 100 /* SUB-4 */

/* A presence of type subscribe, subscribed, unsubscribe or unsubscribed to a local contact. */
void subscription_stanza(struct turn *turn);

/* RO-4: removes an item of the roster of the session's user, and what stands between the two.
 * STORE_NONE: there is no such item. */
enum store_outcome subscription_remove(struct turn *turn, const struct jid *contact);

/* An account was deleted (it stands in the store's table of those that leave): takes leave of some
 * of its contacts, the rest in later ticks. */
void subscription_reap(struct server *server);

#endif
