/* mix_channel.h: what handlers of stanzas to the service and to channels share. */
#ifndef KITH_MIX_CHANNEL_H
#define KITH_MIX_CHANNEL_H

#include "core/channel_join.h"

/* The channel of that name, and what the asker is to it. false: an error was answered: for one that
 * the asker shall not see the same as for one that is not there (MX-2). */
bool mix_channel_find(struct turn *turn, struct span local, struct channel_here *channel,
                      enum channel_role *role);

/* Its child of that name behind `after` (NULL: the first), in its own namespace: clients differ in
 * which one that is (MX-6, MT-5). NULL: none. */
const struct node *mix_child(const struct turn *turn, const struct node *of,
                             const struct node *after, const char *name);

/* The nodes that its children of that name ("subscribe", "unsubscribe") are about, as a mask of
 * 1 << enum channel_node, without what we do not have. *any: it has such children. */
uint8_t mix_nodes_read(const struct turn *turn, const struct node *of, const char *name, bool *any);
void mix_nodes_put(struct build *build, const char *name, uint8_t nodes);

#endif
