/* channel_make.h: channels come and go (XEP-0369 7.3, requirements 6.3). In the tick's transaction.
 * Owns server->channel_reap_ms. */
#ifndef KITH_CORE_CHANNEL_MAKE_H
#define KITH_CORE_CHANNEL_MAKE_H

#include "core/channel_join.h"

/* 6.3. local empty: a random one, unlisted; else as typed. `owner`: bare jid. CHANNEL_NAME_TAKEN:
 * there is one of that name, or was lately; CHANNEL_NAME_BAD: no name for one; CHANNEL_FULL: there
 * are config.channels. */
enum channel_outcome channel_create(struct server *server, struct span local,
                                    const struct jid *owner, struct channel_here *out);
/* 6.3: nobody finds it any more; events of the deletion of each node to its subscribers. The
 * participants' memberships and roster items, then all else, go in steps (channel_reap). */
enum channel_outcome channel_destroy(struct server *server, const struct channel_here *channel);
/* Once a tick: a little of what destroyed channels left. */
void channel_reap(struct server *server);

#endif
