/* mix_nodes.h: the nodes of a channel by publish-subscribe (XEP-0369 6, 7; XEP-0406 3): who asks,
 * what of it each file does. Rows of the table: <pubsub/> to a channel. */
#ifndef KITH_MIX_NODES_H
#define KITH_MIX_NODES_H

#include "core/channel_tell.h"
#include "features/mix_channel.h"
#include "wire/form.h"
#include "wire/timestamp.h"

void mix_pubsub_request(struct turn *turn);

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

/* mix_forms.c: info and config. */
#define MIX_INFO_BYTES_MAX                                                                         \
    (1024 + BUILD_ESCAPED_MAX(2 * CHANNEL_TEXT_BYTES_MAX + CHANNEL_PEOPLE_BYTES_MAX) +             \
     32 * CHANNEL_PEOPLE_MAX)
#define MIX_CONFIG_BYTES_MAX                                                                       \
    (8192 + BUILD_ESCAPED_MAX(2 * CHANNEL_PEOPLE_BYTES_MAX) + 64 * CHANNEL_PEOPLE_MAX)
void mix_info_item(struct build *build, const struct channel *channel);
void mix_config_item(struct build *build, const struct channel *channel);
void mix_info_publish(struct mix_request *request);
void mix_config_publish(struct mix_request *request);

/* mix_lists.c: allowed and banned. */
enum channel_list mix_list_of(const struct mix_request *request);
void mix_list_publish(struct mix_request *request);
void mix_list_retract(struct mix_request *request);
void mix_list_create(struct mix_request *request);
void mix_list_delete(struct mix_request *request);
/* The node `allowed` is to be no more: who follows it is told, and its entries go. The channel's
 * record is the caller's to change. */
enum store_outcome mix_allowed_end(struct mix_request *request);

#endif
