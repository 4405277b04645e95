/* mix_nodes.h: the nodes of a channel by publish-subscribe (XEP-0369 6, 7; XEP-0406 3). */
#ifndef KITH_MIX_NODES_H
#define KITH_MIX_NODES_H

#include "core/turn.h"

void mix_pubsub_request(struct turn *turn);

#endif
