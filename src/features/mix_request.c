/* mix_request.c: see mix_request.h. */
#include "features/mix_request.h"

#include "wire/names.h"

const struct node *mix_item(const struct mix_request *request)
{
    const struct stanza *stanza = request->turn->stanza;
    const struct node *items = stanza_child(stanza, request->element, NULL, "items");
    const struct node *item =
        stanza_child(stanza, items != NULL ? items : request->element, NULL, "item");
    bool single = item == NULL || stanza_next(stanza, item, NULL, "item") == NULL;
    return single ? item : NULL;
}

void mix_published(struct mix_request *request, struct span id, struct span item)
{
    struct server *server = request->turn->server;
    struct build answer;
    build_init(&answer, &server->arena, 256 + BUILD_ESCAPED_MAX(id.len));
    build_str(&answer, "<pubsub xmlns='" NS_PUBSUB "'>");
    build_str(&answer, "<publish");
    build_attr(&answer, "node", channel_node_name(request->node));
    build_str(&answer, ">");
    build_str(&answer, "<item");
    build_attr(&answer, "id", id);
    build_str(&answer, "/></publish></pubsub>");
    enum store_outcome outcome =
        answer.full ? STORE_FULL
                    : channel_event_item(server, &request->channel, request->node, item, SPAN_NONE);
    if (outcome != STORE_OK)
        reply_store_error(request->turn, outcome);
    else
        reply_result(request->turn, build_span(&answer));
}
