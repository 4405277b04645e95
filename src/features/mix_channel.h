/* mix_channel.h: what handlers of stanzas to the service and to channels share. */
#ifndef KITH_MIX_CHANNEL_H
#define KITH_MIX_CHANNEL_H

#include "core/channel_join.h"

/* The channel of that name, and what the asker is to it. false: an error was answered: for one that
 * the asker shall not see the same as for one that is not there (MX-2). */
bool mix_channel_find(struct turn *turn, struct span local, struct channel_here *channel,
                      enum channel_role *role);

/* An answer that was built, or that there is no memory for it. */
void mix_reply(struct turn *turn, const struct build *build);

#endif
