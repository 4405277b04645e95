/* mix_request.h: a request about a node of a channel by publish-subscribe, and what is answered to
 * one that publishes (XEP-0060 7.1). */
#ifndef KITH_MIX_REQUEST_H
#define KITH_MIX_REQUEST_H

#include "core/channel_tell.h"
#include "features/mix_channel.h"

/* A child of <pubsub/> about a node of a channel. */
struct mix_request {
    struct turn *turn;
    const struct node *element;
    struct channel_here channel;
    struct jid who; /* bare */
    enum channel_role role;
    enum channel_node node; /* CHANNEL_NODES: none that there is */
};

/* The <item/> of a request, also where the examples of XEP-0406 wrap it. NULL: there is none, or
 * more than one. */
const struct node *mix_item(const struct mix_request *request);
/* The result that says which item was published, and the event of it to who follows the node. */
void mix_published(struct mix_request *request, struct span id, struct span item);

#endif
