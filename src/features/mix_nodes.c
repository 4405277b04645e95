/* mix_nodes.c: see mix_nodes.h. Reading nodes, following them, and which request it is.
 * Limit: an answer is at most half of what may wait to be sent. */
#include "features/mix_nodes.h"

#include "core/output.h"
#include "features/mix_forms.h"
#include "features/mix_lists.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define ITEM_IDS_MAX 64 /* in one request */

static void refuse(struct mix_request *request, struct span condition)
{
    const struct refusal refusal = {.error = ERROR_BAD_REQUEST, .condition = condition};
    reply_refusal(request->turn, &refusal);
}

/* --- reading --- */

/* An answer as it grows, and which items of the node it is about. */
struct answer {
    struct mix_request *request;
    struct rope payload;
    bool full;
};

/* Half of what may wait to be sent: a long list costs nobody the stream. */
static void answer_add(struct answer *answer, const struct build *build)
{
    struct server *server = answer->request->turn->server;
    answer->full |= build->full || answer->payload.bytes + build->used > plan.output_bytes / 2 ||
                    !output_body(server, &answer->payload, build_span(build));
}

/* No item is named: all are asked for. */
static bool asked_for(const struct mix_request *request, struct span id)
{
    const struct stanza *stanza = request->turn->stanza;
    const struct node *at = stanza_child(stanza, request->element, NS_PUBSUB, "item");
    unsigned count = 0;
    if (at == NULL)
        return true;
    for (; at != NULL && count++ < ITEM_IDS_MAX; at = stanza_next(stanza, at, NS_PUBSUB, "item"))
        if (span_equal(stanza_attribute(stanza, at, "id"), id))
            return true;
    return false;
}

static enum store_outcome participants_put(struct answer *answer)
{
    struct server *server = answer->request->turn->server;
    struct participant participant;
    const char *after = NULL;
    enum store_outcome outcome;
    struct build build;
    size_t mark = server->arena.used;
    while ((outcome = participant_next(server->store, answer->request->channel.channel.id, after,
                                       &participant)) == STORE_OK &&
           !answer->full) {
        struct span id = span_of(participant.id, sizeof participant.id);
        after = participant.id;
        if (!asked_for(answer->request, id))
            continue;
        build_init(&build, &server->arena, CHANNEL_ITEM_BYTES);
        channel_participant_item(&build, &participant);
        answer_add(answer, &build);
        arena_reset(&server->arena, mark);
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static enum store_outcome list_put(struct answer *answer)
{
    struct server *server = answer->request->turn->server;
    enum channel_list list = mix_list_of(answer->request);
    struct span after = SPAN_NONE, jid;
    enum store_outcome outcome;
    struct build build;
    size_t mark = server->arena.used;
    while ((outcome = channel_entry_next(server->store, answer->request->channel.channel.id, list,
                                         after, &jid)) == STORE_OK &&
           !answer->full) {
        after = jid;
        if (!asked_for(answer->request, jid))
            continue;
        build_init(&build, &server->arena, 32 + BUILD_ESCAPED_MAX(jid.len));
        build_str(&build, "<item");
        build_attr(&build, "id", jid);
        build_str(&build, "/>");
        answer_add(answer, &build);
        arena_reset(&server->arena, mark);
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* The one item of info, of config, which is named by the time of its last change. */
static void single_put(struct answer *answer)
{
    struct server *server = answer->request->turn->server;
    const struct channel *channel = &answer->request->channel.channel;
    bool info = answer->request->node == CHANNEL_INFO;
    char id[TIMESTAMP_BYTES];
    struct build build;
    timestamp_write(info ? channel->info_us : channel->config_us, id);
    if (!asked_for(answer->request, span_of(id, sizeof id)))
        return;
    build_init(&build, &server->arena, info ? MIX_INFO_BYTES_MAX : MIX_CONFIG_BYTES_MAX);
    if (info)
        mix_info_item(&build, channel);
    else
        mix_config_item(&build, channel);
    answer_add(answer, &build);
}

static enum store_outcome items_put(struct answer *answer)
{
    switch (answer->request->node) {
    case CHANNEL_PARTICIPANTS:
        return participants_put(answer);
    case CHANNEL_ALLOWED:
    case CHANNEL_BANNED:
        return list_put(answer);
    case CHANNEL_INFO:
    case CHANNEL_CONFIG:
        single_put(answer);
        break;
    case CHANNEL_MESSAGES: /* XEP-0369 4.7.1: they are in the archive only */
    case CHANNEL_NODES:
        break;
    }
    return STORE_OK;
}

/* XEP-0406 2.4: who may subscribe to a node may read it. */
static bool may_read(const struct mix_request *request)
{
    return channel_may(request->role,
                       (enum channel_role)request->channel.channel.subscribe[request->node]);
}

static void items_request(struct mix_request *request)
{
    struct server *server = request->turn->server;
    struct answer answer = {.request = request};
    struct build build;
    if (!may_read(request)) {
        reply_error(request->turn, ERROR_FORBIDDEN);
        return;
    }
    build_init(&build, &server->arena, 256);
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB "'>");
    build_str(&build, "<items");
    build_attr(&build, "node", channel_node_name(request->node));
    build_str(&build, ">");
    answer_add(&answer, &build);
    enum store_outcome outcome = items_put(&answer);
    answer.full |= !output_body(server, &answer.payload, SPAN("</items></pubsub></iq>"));
    if (outcome != STORE_OK || answer.full)
        reply_store_error(request->turn, outcome != STORE_OK ? outcome : STORE_FULL);
    else
        reply_result_rope(request->turn, &answer.payload);
    rope_clear(&server->chunks, &answer.payload);
}

/* --- following --- */

/* XEP-0060 6.1, 6.2, as far as XEP-0369's update-subscription has the same. */
static void follow(struct mix_request *request, bool subscribes)
{
    struct turn *turn = request->turn;
    uint8_t node = (uint8_t)(1u << request->node), added;
    struct build answer;
    struct jid jid;
    if (!jid_parse(stanza_attribute(turn->stanza, request->element, "jid"), &turn->server->arena,
                   &jid) ||
        !span_equal(jid_bare(&jid), jid_bare(&request->who))) { /* 6.1.3.1 */
        refuse(request, SPAN("<invalid-jid xmlns='" NS_PUBSUB_ERRORS "'/>"));
        return;
    }
    if (subscribes && !may_read(request)) {
        reply_error(request->turn, ERROR_FORBIDDEN);
        return;
    }
    enum channel_outcome outcome =
        channel_subscribe(turn->server, &request->channel, &request->who, subscribes ? node : 0,
                          subscribes ? 0 : node, &added);
    if (outcome != CHANNEL_DONE) {
        reply_error(request->turn, channel_error(outcome));
        return;
    }
    build_init(&answer, &turn->server->arena, 256 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
    build_str(&answer, "<pubsub xmlns='" NS_PUBSUB "'><subscription");
    build_attr(&answer, "node", channel_node_name(request->node));
    build_attr(&answer, "jid", jid_bare(&request->who));
    build_str(&answer, " subscription='subscribed'/></pubsub>");
    reply_result(turn, subscribes && !answer.full ? build_span(&answer) : SPAN(""));
}

static void subscribe_request(struct mix_request *request)
{
    follow(request, true);
}

static void unsubscribe_request(struct mix_request *request)
{
    follow(request, false);
}

/* --- who may what, as clients derive it (6.6) --- */

static const char *affiliation(const struct mix_request *request, enum channel_node node)
{
    const struct channel *channel = &request->channel.channel;
    bool list = node == CHANNEL_ALLOWED || node == CHANNEL_BANNED;
    if (request->role >= ROLE_OWNER && node != CHANNEL_MESSAGES && node != CHANNEL_PARTICIPANTS)
        return "owner";
    if ((list && request->role >= ROLE_ADMIN) ||
        (node == CHANNEL_INFO &&
         channel_may(request->role, (enum channel_role)channel->info_update)))
        return "publisher";
    return channel_may(request->role, (enum channel_role)channel->subscribe[node]) ? "member"
                                                                                   : "none";
}

static void affiliations_request(struct mix_request *request)
{
    struct build answer;
    if (request->role < ROLE_PARTICIPANT) {
        reply_error(request->turn, ERROR_FORBIDDEN);
        return;
    }
    build_init(&answer, &request->turn->server->arena, 1024);
    build_str(&answer, "<pubsub xmlns='" NS_PUBSUB "'><affiliations>");
    for (unsigned node = 0; node < CHANNEL_NODES; node++) {
        if (!channel_node_there(&request->channel.channel, (enum channel_node)node))
            continue;
        build_str(&answer, "<affiliation");
        build_attr(&answer, "node", channel_node_name((enum channel_node)node));
        build_attr(&answer, "affiliation",
                   span_string(affiliation(request, (enum channel_node)node)));
        build_str(&answer, "/>");
    }
    build_str(&answer, "</affiliations></pubsub>");
    reply_built(request->turn, &answer);
}

/* --- changing --- */

static void publish_request(struct mix_request *request)
{
    switch (request->node) {
    case CHANNEL_INFO:
        mix_info_publish(request);
        break;
    case CHANNEL_CONFIG:
        mix_config_publish(request);
        break;
    case CHANNEL_ALLOWED:
    case CHANNEL_BANNED:
        mix_list_publish(request);
        break;
    case CHANNEL_MESSAGES:
    case CHANNEL_PARTICIPANTS: /* MX-13 */
    case CHANNEL_NODES:
        reply_error(request->turn, ERROR_FORBIDDEN);
        break;
    }
}

static bool is_list(const struct mix_request *request)
{
    return request->node == CHANNEL_ALLOWED || request->node == CHANNEL_BANNED;
}

static void retract_request(struct mix_request *request)
{
    if (is_list(request))
        mix_list_retract(request);
    else
        reply_error(request->turn, ERROR_FORBIDDEN);
}

static void create_request(struct mix_request *request)
{
    if (is_list(request))
        mix_list_create(request);
    else
        reply_error(request->turn, ERROR_NOT_ALLOWED);
}

static void delete_request(struct mix_request *request)
{
    if (is_list(request))
        mix_list_delete(request);
    else
        reply_error(request->turn, ERROR_NOT_ALLOWED);
}

static void refused_request(struct mix_request *request)
{
    reply_error(request->turn, ERROR_NOT_ALLOWED);
}

/* --- which request it is --- */

enum need {
    NEED_NOTHING,  /* of any node, or none */
    NEED_NODE = 1, /* one that there is */
};

static const struct {
    const char *namespace;
    const char *element;
    enum kind kind;
    enum need need;
    void (*handler)(struct mix_request *request);
} requests[] = {
    {NS_PUBSUB, "items", KIND_IQ_GET, NEED_NODE, items_request},
    {NS_PUBSUB, "affiliations", KIND_IQ_GET, NEED_NOTHING, affiliations_request},
    {NS_PUBSUB, "publish", KIND_IQ_SET, NEED_NODE, publish_request},
    {NS_PUBSUB, "retract", KIND_IQ_SET, NEED_NODE, retract_request},
    {NS_PUBSUB, "subscribe", KIND_IQ_SET, NEED_NODE, subscribe_request},
    {NS_PUBSUB, "unsubscribe", KIND_IQ_SET, NEED_NODE, unsubscribe_request},
    {NS_PUBSUB, "create", KIND_IQ_SET, NEED_NOTHING, create_request},
    {NS_PUBSUB_OWNER, "delete", KIND_IQ_SET, NEED_NOTHING, delete_request},
    {NS_PUBSUB_OWNER, "configure", KIND_IQ_GET, NEED_NOTHING, refused_request},
    {NS_PUBSUB_OWNER, "configure", KIND_IQ_SET, NEED_NOTHING, refused_request},
    {NS_PUBSUB_OWNER, "purge", KIND_IQ_SET, NEED_NOTHING, refused_request},
};

void mix_pubsub_request(struct turn *turn)
{
    struct mix_request request = {.turn = turn,
                                  .element = stanza_child(turn->stanza, turn->child, NULL, NULL),
                                  .who = jid_to_bare(&turn->session->jid)};
    size_t i = 0, count = sizeof requests / sizeof requests[0];
    if (!mix_channel_find(turn, jid_local(&turn->to), &request.channel, &request.role))
        return;
    while (i < count && (request.element == NULL || requests[i].kind != turn->kind ||
                         !node_is(request.element, requests[i].namespace, requests[i].element)))
        i++;
    if (i == count) {
        reply_error(turn,
                    request.element == NULL ? ERROR_BAD_REQUEST : ERROR_FEATURE_NOT_IMPLEMENTED);
        return;
    }
    struct span name = stanza_attribute(turn->stanza, request.element, "node");
    request.node = channel_node_of(name);
    if (requests[i].need == NEED_NODE && name.bytes == NULL) /* as in XEP-0060 7.2.3.3 */
        refuse(&request, SPAN("<nodeid-required xmlns='" NS_PUBSUB_ERRORS "'/>"));
    else if (requests[i].need == NEED_NODE &&
             (request.node == CHANNEL_NODES ||
              !channel_node_there(&request.channel.channel, request.node)))
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
    else
        requests[i].handler(&request);
}
