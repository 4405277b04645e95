/* pep.c: see pep.h. Items: publish, retract, read (XEP-0060 6.5, 7); all requests by one table. */
#include "features/pep.h"

#include "core/access.h"
#include "core/output.h"
#include "features/pep_parts.h"
#include "store/accounts.h"
#include "store/rosters.h"
#include "wire/build.h"
#include "wire/extract.h"
#include "wire/names.h"
#include "wire/token.h"

#define CHUNKS_KEPT_SHARE 4 /* of plan.chunks: so many are left for others */
#define ITEM_IDS_MAX 64     /* in one request */

/* --- refusals --- */

void pep_refuse(struct turn *turn, enum stanza_error error, struct span condition)
{
    reply_refusal(turn, &(struct refusal){.error = error, .condition = condition});
}

void pep_refuse_outcome(struct turn *turn, enum pep_outcome outcome)
{
    switch (outcome) {
    case PEP_TOO_MANY_NODES:
        pep_refuse(turn, ERROR_NOT_ALLOWED, PEP_CONDITION("max-nodes-exceeded"));
        break;
    case PEP_NODE_FULL: /* XEP-0060 7.1.3.4 */
        pep_refuse(turn, ERROR_CONFLICT, PEP_CONDITION("node-full"));
        break;
    case PEP_TOO_BIG: /* 7.1.3.5 */
        pep_refuse(turn, ERROR_NOT_ACCEPTABLE, PEP_CONDITION("payload-too-big"));
        break;
    case PEP_NO_ROOM:
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        break;
    case PEP_DONE:
    case PEP_FAILED:
        reply_error(turn, ERROR_INTERNAL_SERVER_ERROR);
        break;
    }
}

void pep_refuse_feature(struct turn *turn, const char *feature)
{
    struct build build;
    build_init(&build, &turn->server->arena, 128 + BUILD_ESCAPED_MAX(strlen(feature)));
    build_str(&build, "<unsupported xmlns='" NS_PUBSUB_ERRORS "'");
    build_attr(&build, "feature", span_string(feature));
    build_str(&build, "/>");
    pep_refuse(turn, ERROR_FEATURE_NOT_IMPLEMENTED, build_span(&build));
}

static void refuse_access(struct turn *turn, enum pep_access access)
{
    switch (access) {
    case PEP_GRANTED:
    case PEP_NEEDS_PRESENCE:
        pep_refuse(turn, ERROR_NOT_AUTHORIZED, PEP_CONDITION("presence-subscription-required"));
        break;
    case PEP_NEEDS_GROUP:
        pep_refuse(turn, ERROR_NOT_AUTHORIZED, PEP_CONDITION("not-in-roster-group"));
        break;
    case PEP_NEEDS_WHITELIST:
        pep_refuse(turn, ERROR_NOT_ALLOWED, PEP_CONDITION("closed-node"));
        break;
    case PEP_NEEDS_SUBSCRIPTION:
        pep_refuse(turn, ERROR_NOT_AUTHORIZED, PEP_CONDITION("not-subscribed"));
        break;
    case PEP_BLOCKED:
        reply_error(turn, ERROR_FORBIDDEN);
        break;
    }
}

/* waiting: who needs a subscription may go on. */
static bool node_find(struct pep_request *request, bool waiting)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    struct span local = jid_local(&request->owner), asker = jid_bare(&turn->session->jid);
    struct account account;
    enum pep_access access = PEP_NEEDS_PRESENCE;
    enum store_outcome outcome = STORE_OK;
    if (!request->own)
        outcome = account_get(server->store, local, &account);
    if (outcome == STORE_OK)
        outcome = pep_node_get(server->store, local, request->name, &server->arena, &request->node);
    if (outcome == STORE_OK)
        access = pep_access(server, &request->owner, &request->node, asker);
    bool hears = request->own || access_granted(turn);
    if (outcome == STORE_OK &&
        (access == PEP_GRANTED || (waiting && hears && access == PEP_NEEDS_SUBSCRIPTION)))
        return true;
    if (outcome != STORE_OK && outcome != STORE_NONE)
        reply_store_error(turn, outcome);
    else if (!hears) /* DL-2: nobody else learns what there is, nor whether there is anybody */
        refuse_access(turn, PEP_NEEDS_PRESENCE);
    else if (outcome == STORE_NONE) /* XEP-0086: profanity knows a missing list by the code only */
        reply_refusal(turn, &(struct refusal){.error = ERROR_ITEM_NOT_FOUND, .code = true});
    else
        refuse_access(turn, access);
    return false;
}

bool pep_find(struct pep_request *request)
{
    return node_find(request, false);
}

bool pep_find_subscribable(struct pep_request *request)
{
    return node_find(request, true);
}

/* --- reading --- */

/* The items of an answer, as they are added to it. */
struct answer {
    struct server *server;
    struct rope payload;
    bool full;
};

static void answer_add(struct answer *answer, struct span bytes)
{
    answer->full = answer->full || !output_body(answer->server, &answer->payload, bytes);
}

static void answer_item(struct answer *answer, const struct pep_item *item)
{
    struct build build;
    size_t mark = answer->server->arena.used;
    build_init(&build, &answer->server->arena, 32 + BUILD_ESCAPED_MAX(item->id.len));
    build_str(&build, "<item");
    build_attr(&build, "id", item->id);
    build_str(&build, ">");
    answer->full |= build.full;
    answer_add(answer, build_span(&build));
    answer_add(answer, item->payload);
    answer_add(answer, SPAN("</item>"));
    arena_reset(&answer->server->arena, mark);
}

/* The last `most` of them, the oldest first. */
static enum store_outcome answer_newest(struct answer *answer, const struct pep_request *request,
                                        uint64_t most)
{
    const struct pep_node *node = &request->node;
    struct pep_item item = {.sequence = 0};
    enum store_outcome outcome;
    if (most > node->config.items_max)
        most = node->config.items_max;
    uint64_t skipped = node->items > most ? node->items - most : 0;
    while ((outcome = pep_item_next(answer->server->store, jid_local(&request->owner), node,
                                    item.sequence, &item)) == STORE_OK)
        if (skipped > 0)
            skipped--;
        else
            answer_item(answer, &item);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* PEP-3 [K]: what is not there is left out. */
static enum store_outcome answer_named(struct answer *answer, const struct pep_request *request)
{
    const struct stanza *stanza = request->turn->stanza;
    enum store_outcome outcome = STORE_OK;
    unsigned count = 0;
    for (const struct node *at = stanza_child(stanza, request->element, NS_PUBSUB, "item");
         at != NULL && outcome == STORE_OK; at = stanza_next(stanza, at, NS_PUBSUB, "item")) {
        struct pep_item item;
        if (count++ == ITEM_IDS_MAX)
            return STORE_FULL;
        outcome = pep_item_find(answer->server->store, jid_local(&request->owner), &request->node,
                                stanza_attribute(stanza, at, "id"), &item);
        if (outcome == STORE_OK)
            answer_item(answer, &item);
        else if (outcome == STORE_NONE)
            outcome = STORE_OK;
    }
    return outcome;
}

static void items_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    struct answer answer = {.server = server};
    struct build build;
    uint64_t most = UINT64_MAX;
    struct span wanted = stanza_attribute(turn->stanza, request->element, "max_items");
    if (wanted.bytes != NULL && (!span_number(wanted, UINT64_MAX - 1, &most) || most == 0)) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (!pep_find(request))
        return;
    if (pool_left(&server->chunks.chunks) <
        request->node.bytes / CHUNK_ROOM + plan.chunks / CHUNKS_KEPT_SHARE) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    build_init(&build, &server->arena, 96 + BUILD_ESCAPED_MAX(request->name.len));
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB "'><items");
    build_attr(&build, "node", request->name);
    build_str(&build, ">");
    answer.full = build.full;
    answer_add(&answer, build_span(&build));
    enum store_outcome outcome =
        stanza_child(turn->stanza, request->element, NS_PUBSUB, "item") != NULL
            ? answer_named(&answer, request)
            : answer_newest(&answer, request, most);
    answer_add(&answer, SPAN("</items></pubsub></iq>"));
    if (outcome == STORE_OK && answer.full)
        outcome = STORE_FULL;
    if (outcome == STORE_OK)
        reply_result_rope(turn, &answer.payload);
    else
        reply_store_error(turn, outcome);
    rope_clear(&server->chunks, &answer.payload);
}

/* --- publishing --- */

/* The one <item/> with its one payload. false: an answer was given. */
static bool item_read(struct pep_request *request, struct pep_item *item, char *made)
{
    struct turn *turn = request->turn;
    const struct stanza *stanza = turn->stanza;
    const struct node *node = stanza_child(stanza, request->element, NS_PUBSUB, "item");
    if (node == NULL) { /* XEP-0060 7.1.3.7 */
        pep_refuse(turn, ERROR_BAD_REQUEST, PEP_CONDITION("item-required"));
        return false;
    }
    const struct node *payload = stanza_child(stanza, node, NULL, NULL);
    if (payload == NULL) {
        pep_refuse(turn, ERROR_BAD_REQUEST, PEP_CONDITION("payload-required"));
        return false;
    }
    if (stanza_children(stanza, node) != 1 ||
        stanza_next(stanza, node, NS_PUBSUB, "item") != NULL) {
        pep_refuse(turn, ERROR_BAD_REQUEST, PEP_CONDITION("invalid-payload")); /* 7.1.3.6 */
        return false;
    }
    *item = (struct pep_item){.time_us = turn->server->wall_us,
                              .id = stanza_attribute(stanza, node, "id")};
    if (item->id.len == 0) { /* 7.1.1 */
        token_make(made);
        item->id = span_of(made, TOKEN_CHARS);
    }
    if (item->id.len > PEP_ID_BYTES_MAX) {
        reply_error(turn, ERROR_POLICY_VIOLATION);
        return false;
    }
    item->payload = stanza_extract(stanza, payload, &turn->server->arena);
    if (item->payload.bytes == NULL)
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return item->payload.bytes != NULL;
}

/* 7.1.5: a node that is there must be so already, a new one becomes so. false: an answer was given.
 */
static bool options_apply(struct pep_request *request)
{
    struct turn *turn = request->turn;
    const struct node *options =
        stanza_child(turn->stanza, turn->child, NS_PUBSUB, "publish-options");
    const struct node *form = options == NULL ? NULL : form_find(turn->stanza, options);
    struct pep_config wanted = request->node.config;
    if (form == NULL && options == NULL)
        return true;
    enum pep_form outcome = form_type(turn->stanza, form) != FORM_SUBMIT
                                ? PEP_FORM_OTHER
                                : pep_config_read(turn, form, NS_PUBSUB_OPTIONS, true, &wanted);
    if (outcome == PEP_FORM_OTHER) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return false;
    }
    if (outcome != PEP_FORM_GOOD ||
        (request->node.number != 0 && !pep_config_equal(&wanted, &request->node.config))) {
        reply_refusal(turn, &(struct refusal){.error = ERROR_CONFLICT,
                                              .condition = PEP_CONDITION("precondition-not-met")});
        return false;
    }
    request->node.config = wanted;
    return true;
}

static void reply_published(struct pep_request *request, const struct pep_item *item)
{
    struct build build;
    build_init(&build, &request->turn->server->arena,
               128 + BUILD_ESCAPED_MAX(request->name.len + item->id.len));
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB "'><publish");
    build_attr(&build, "node", request->name);
    build_str(&build, "><item");
    build_attr(&build, "id", item->id);
    build_str(&build, "/></publish></pubsub>");
    if (build.full) /* it is done all the same */
        reply_result(request->turn, SPAN(""));
    else
        reply_result(request->turn, build_span(&build));
}

static void publish_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    struct pep_item item;
    char made[TOKEN_CHARS];
    if (!item_read(request, &item, made))
        return;
    enum store_outcome outcome = pep_node_get(server->store, jid_local(&request->owner),
                                              request->name, &server->arena, &request->node);
    if (outcome == STORE_NONE) {
        request->node = (struct pep_node){.config = pep_default};
    } else if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    if (!options_apply(request))
        return;
    enum pep_outcome done =
        pep_publish(server, &request->owner, request->name, &request->node, &item);
    if (done != PEP_DONE) {
        pep_refuse_outcome(turn, done);
        return;
    }
    reply_published(request, &item);
    if (span_is(request->name, NS_AVATAR_METADATA))
        pep_avatar_published(request, &item);
}

/* --- retracting --- */

/* 7.2. */
static void retract_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    struct span notify = stanza_attribute(turn->stanza, request->element, "notify");
    const struct node *node = stanza_child(turn->stanza, request->element, NS_PUBSUB, "item");
    struct span id = node == NULL ? SPAN_NONE : stanza_attribute(turn->stanza, node, "id");
    struct pep_item item;
    if (id.len == 0 || stanza_next(turn->stanza, node, NS_PUBSUB, "item") != NULL) {
        pep_refuse(turn, ERROR_BAD_REQUEST, PEP_CONDITION("item-required")); /* 7.2.3.4 */
        return;
    }
    if (!pep_find(request))
        return;
    enum store_outcome outcome =
        pep_item_find(server->store, jid_local(&request->owner), &request->node, id, &item);
    if (outcome == STORE_OK)
        outcome = pep_retract(server, &request->owner, request->name, &request->node, &item,
                              notify.bytes != NULL
                                  ? form_true(notify)
                                  : (request->node.config.flags & PEP_NOTIFY_RETRACT) != 0);
    if (outcome == STORE_NONE) {
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
        return;
    }
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    reply_result(turn, SPAN(""));
}

/* --- which request it is --- */

enum need {
    NEED_NOTHING,
    NEED_NODE = 1,  /* it names one */
    NEED_OWNER = 2, /* and only the account itself may ask */
};

static const struct {
    const char *namespace;
    const char *element;
    enum kind kind;
    unsigned needs;
    void (*handler)(struct pep_request *request);
} requests[] = {
    {NS_PUBSUB, "items", KIND_IQ_GET, NEED_NODE, items_request},
    {NS_PUBSUB, "publish", KIND_IQ_SET, NEED_NODE | NEED_OWNER, publish_request},
    {NS_PUBSUB, "retract", KIND_IQ_SET, NEED_NODE | NEED_OWNER, retract_request},
    {NS_PUBSUB, "create", KIND_IQ_SET, NEED_OWNER, pep_create_request},
    {NS_PUBSUB, "subscribe", KIND_IQ_SET, NEED_NODE, pep_subscribe_request},
    {NS_PUBSUB, "unsubscribe", KIND_IQ_SET, NEED_NODE, pep_unsubscribe_request},
    {NS_PUBSUB_OWNER, "configure", KIND_IQ_GET, NEED_NODE | NEED_OWNER, pep_configure_get_request},
    {NS_PUBSUB_OWNER, "configure", KIND_IQ_SET, NEED_NODE | NEED_OWNER, pep_configure_set_request},
    {NS_PUBSUB_OWNER, "default", KIND_IQ_GET, NEED_OWNER, pep_default_request},
    {NS_PUBSUB_OWNER, "delete", KIND_IQ_SET, NEED_NODE | NEED_OWNER, pep_delete_request},
    {NS_PUBSUB_OWNER, "purge", KIND_IQ_SET, NEED_NODE | NEED_OWNER, pep_purge_request},
    {NS_PUBSUB_OWNER, "affiliations", KIND_IQ_GET, NEED_NODE | NEED_OWNER,
     pep_affiliations_get_request},
    {NS_PUBSUB_OWNER, "affiliations", KIND_IQ_SET, NEED_NODE | NEED_OWNER,
     pep_affiliations_set_request},
    {NS_PUBSUB_OWNER, "subscriptions", KIND_IQ_GET, NEED_NODE | NEED_OWNER,
     pep_subscriptions_get_request},
    {NS_PUBSUB_OWNER, "subscriptions", KIND_IQ_SET, NEED_NODE | NEED_OWNER,
     pep_subscriptions_set_request},
};

void pep_request(struct turn *turn)
{
    const struct node *element = stanza_child(turn->stanza, turn->child, NULL, NULL);
    struct pep_request request = {.turn = turn, .element = element, .own = access_own(turn)};
    size_t i = 0;
    request.owner = jid_to_bare(jid_present(&turn->to) ? &turn->to : &turn->session->jid);
    if (element == NULL) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    while (i < sizeof requests / sizeof requests[0] &&
           (requests[i].kind != turn->kind ||
            !node_is(element, requests[i].namespace, requests[i].element)))
        i++;
    if (i == sizeof requests / sizeof requests[0]) {
        reply_error(turn, ERROR_FEATURE_NOT_IMPLEMENTED);
        return;
    }
    request.name = stanza_attribute(turn->stanza, element, "node");
    if ((requests[i].needs & NEED_OWNER) && !request.own)
        reply_error(turn, ERROR_FORBIDDEN);
    else if ((requests[i].needs & NEED_NODE) && request.name.len == 0)
        pep_refuse(turn, ERROR_BAD_REQUEST, PEP_CONDITION("nodeid-required"));
    else if (request.name.len > PEP_NAME_BYTES_MAX)
        reply_error(turn, ERROR_POLICY_VIOLATION);
    else
        requests[i].handler(&request);
}
