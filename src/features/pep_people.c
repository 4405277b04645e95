/* pep_people.c: those whom a node knows: its owner's lists of affiliations and subscriptions
 * (XEP-0060 8.8, 8.9), and contacts who subscribe by themselves (6.1, 6.2).
 * Limits: PEP_PEOPLE_BYTES_MAX a node. */
#include "core/blocked.h"
#include "core/output.h"
#include "features/pep_parts.h"
#include "wire/build.h"
#include "wire/names.h"

static const char *const affiliations[PEP_AFFILIATIONS] = {
    [PEP_NOBODY] = "none", [PEP_MEMBER] = "member", [PEP_OUTCAST] = "outcast"};
static const char *const subscriptions[PEP_SUBSCRIPTIONS] = {
    [PEP_NOT_SUBSCRIBED] = "none", [PEP_PENDING] = "pending", [PEP_SUBSCRIBED] = "subscribed"};

/* --- changing --- */

/* The list with this one in it as it shall be now, in the arena. STORE_FULL: no room. */
static enum store_outcome people_change(struct server *server, struct pep_node *node,
                                        const struct pep_person *changed)
{
    struct span left = node->people;
    struct pep_person person;
    size_t len = 0;
    bool stays = changed->affiliation != PEP_NOBODY || changed->subscription != PEP_NOT_SUBSCRIBED;
    char *bytes = arena_take(&server->arena, node->people.len + PEP_PERSON_BYTES(changed->jid.len));
    if (bytes == NULL)
        return STORE_FULL;
    while (pep_person_next(&left, &person))
        if (!span_equal(person.jid, changed->jid))
            len += pep_person_add(bytes + len, &person);
    if (stays)
        len += pep_person_add(bytes + len, changed);
    if (len > PEP_PEOPLE_BYTES_MAX)
        return STORE_FULL;
    node->people = span_of(bytes, len);
    return STORE_OK;
}

static enum store_outcome people_put(struct pep_request *request)
{
    struct server *server = request->turn->server;
    return store_has_room(server->store, PEP_CHANGE_BYTES)
               ? pep_node_put(server->store, jid_local(&request->owner), request->name,
                              &request->node, &server->arena)
               : STORE_FULL;
}

enum store_outcome pep_subscription_put(struct pep_request *request,
                                        const struct pep_person *person)
{
    enum store_outcome outcome = people_change(request->turn->server, &request->node, person);
    return outcome == STORE_OK ? people_put(request) : outcome;
}

static void subscription_build(struct build *build, struct span node, const struct pep_person *who)
{
    build_str(build, "<subscription");
    build_attr(build, "node", node);
    build_attr(build, "jid", who->jid);
    build_attr(build, "subscription", span_string(subscriptions[who->subscription]));
    build_str(build, "/>");
}

/* 8.8.4: what has become of a subscription, to its subscriber. */
void pep_subscription_tell(struct pep_request *request, const struct pep_person *person)
{
    struct server *server = request->turn->server;
    struct forward forward = {.name = "message", .from = jid_bare(&request->owner)};
    struct session *next;
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena,
               192 + BUILD_ESCAPED_MAX(request->name.len + person->jid.len));
    build_str(&build, " type='headline'><event xmlns='" NS_PUBSUB_EVENT "'>");
    subscription_build(&build, request->name, person);
    build_str(&build, "</event></message>");
    forward.tail = build_span(&build);
    for (struct session *at = session_first(server, person->jid);
         at != NULL && forward.tail.bytes != NULL; at = next) {
        next = session_another(at);
        if (!session_listens(at) || blocked_between(server, &request->owner, &at->jid))
            continue;
        forward_say(server, &forward, jid_full(&at->jid), at, store_urgent(server->store));
        if (person->subscription == PEP_SUBSCRIBED &&
            request->node.config.send_last != PEP_LAST_NEVER) /* 6.1.7 */
            pep_last_tell(server, &request->owner, request->name, &request->node, at);
    }
    arena_reset(&server->arena, mark);
}

/* --- the owner's lists --- */

static void list_reply(struct pep_request *request, const char *list, const char *item,
                       bool subscribed)
{
    struct turn *turn = request->turn;
    struct span left = request->node.people;
    struct pep_person person;
    struct build build;
    build_init(&build, &turn->server->arena,
               512 + BUILD_ESCAPED_MAX(request->name.len + left.len) + 16 * left.len);
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB_OWNER "'><");
    build_str(&build, list);
    build_attr(&build, "node", request->name);
    build_str(&build, ">");
    if (!subscribed) {
        build_str(&build, "<affiliation");
        build_attr(&build, "jid", jid_bare(&request->owner));
        build_str(&build, " affiliation='owner'/>");
    }
    while (pep_person_next(&left, &person)) {
        if (subscribed ? person.subscription == PEP_NOT_SUBSCRIBED
                       : person.affiliation == PEP_NOBODY)
            continue;
        build_str(&build, "<");
        build_str(&build, item);
        build_attr(&build, "jid", person.jid);
        build_attr(&build, item,
                   span_string(subscribed ? subscriptions[person.subscription]
                                          : affiliations[person.affiliation]));
        build_str(&build, "/>");
    }
    build_str(&build, "</");
    build_str(&build, list);
    build_str(&build, "></pubsub>");
    reply_built(turn, &build);
}

void pep_affiliations_get_request(struct pep_request *request)
{
    if (pep_find(request))
        list_reply(request, "affiliations", "affiliation", false);
}

void pep_subscriptions_get_request(struct pep_request *request)
{
    if (pep_find(request))
        list_reply(request, "subscriptions", "subscription", true);
}

/* The bare jid of an element. false: it has none that may stand in a list. */
static bool jid_read(struct pep_request *request, const struct node *node, struct span *bare)
{
    struct jid jid;
    struct span text = stanza_attribute(request->turn->stanza, node, "jid");
    if (text.bytes == NULL || !jid_parse(text, &request->turn->server->arena, &jid))
        return false;
    *bare = jid_bare(&jid);
    return !span_equal(*bare, jid_bare(&request->owner)); /* 8.9.2.4: it stays the owner */
}

static bool state_read(struct span value, const char *const *words, unsigned count, uint8_t *state)
{
    for (unsigned i = 0; i < count; i++)
        if (span_is(value, words[i])) {
            *state = (uint8_t)i;
            return true;
        }
    return value.bytes == NULL; /* it is not changed */
}

/* One element's change. false: an answer was given. */
static bool affiliation_apply(struct pep_request *request, const struct node *at)
{
    struct turn *turn = request->turn;
    struct span value = stanza_attribute(turn->stanza, at, "affiliation"), bare;
    if (!jid_read(request, at, &bare)) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE);
        return false;
    }
    struct pep_person person = pep_person_find(request->node.people, bare);
    if (!state_read(value, affiliations, PEP_AFFILIATIONS, &person.affiliation)) {
        if (span_is(value, "publisher")) /* 8.9.2.3.2 */
            pep_refuse_feature(turn, "publisher-affiliation");
        else if (span_is(value, "publish-only"))
            pep_refuse_feature(turn, "publish-only-affiliation");
        else
            reply_error(turn, ERROR_NOT_ACCEPTABLE);
        return false;
    }
    if (people_change(turn->server, &request->node, &person) == STORE_OK)
        return true;
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
}

void pep_affiliations_set_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    if (!pep_find(request))
        return;
    for (const struct node *at =
             stanza_child(turn->stanza, request->element, NS_PUBSUB_OWNER, "affiliation");
         at != NULL; at = stanza_next(turn->stanza, at, NS_PUBSUB_OWNER, "affiliation"))
        if (!affiliation_apply(request, at))
            return;
    enum store_outcome outcome = people_put(request);
    if (outcome == STORE_OK)
        reply_result(turn, SPAN(""));
    else
        reply_store_error(turn, outcome);
}

/* 8.8.2. Who has not asked cannot be subscribed. */
static bool subscription_apply(struct pep_request *request, const struct node *at,
                               struct pep_person *person)
{
    struct turn *turn = request->turn;
    struct span value = stanza_attribute(turn->stanza, at, "subscription"), bare;
    if (!jid_read(request, at, &bare)) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE);
        return false;
    }
    *person = pep_person_find(request->node.people, bare);
    uint8_t before = person->subscription;
    if (!state_read(value, subscriptions, PEP_SUBSCRIPTIONS, &person->subscription) ||
        (before == PEP_NOT_SUBSCRIBED && person->subscription != before)) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE);
        return false;
    }
    if (people_change(turn->server, &request->node, person) == STORE_OK)
        return true;
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
}

void pep_subscriptions_set_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    const struct node *first =
        stanza_child(turn->stanza, request->element, NS_PUBSUB_OWNER, "subscription");
    struct pep_person person;
    if (!pep_find(request))
        return;
    for (const struct node *at = first; at != NULL;
         at = stanza_next(turn->stanza, at, NS_PUBSUB_OWNER, "subscription"))
        if (!subscription_apply(request, at, &person))
            return;
    enum store_outcome outcome = people_put(request);
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    for (const struct node *at = first; at != NULL;
         at = stanza_next(turn->stanza, at, NS_PUBSUB_OWNER, "subscription")) {
        struct span bare;
        if (!jid_read(request, at, &bare))
            continue;
        person = pep_person_find(request->node.people, bare);
        pep_subscription_tell(request, &person);
    }
    reply_result(turn, SPAN(""));
}

/* --- subscribers --- */

static void reply_subscription(struct pep_request *request, const struct pep_person *person)
{
    struct build build;
    build_init(&build, &request->turn->server->arena,
               192 + BUILD_ESCAPED_MAX(request->name.len + person->jid.len));
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB "'>");
    subscription_build(&build, request->name, person);
    build_str(&build, "</pubsub>");
    reply_result(request->turn, build.full ? SPAN("") : build_span(&build));
}

/* 6.1.3.1: one subscribes with one's own bare jid. false: an answer was given. */
static bool subscriber_read(struct pep_request *request, struct span *bare)
{
    struct turn *turn = request->turn;
    struct span text = stanza_attribute(turn->stanza, request->element, "jid");
    struct jid jid;
    *bare = jid_bare(&turn->session->jid);
    if (text.bytes != NULL && jid_parse(text, &turn->server->arena, &jid) &&
        span_equal(jid_bare(&jid), *bare))
        return true;
    pep_refuse(turn, ERROR_BAD_REQUEST, PEP_CONDITION("invalid-jid"));
    return false;
}

/* Whether it is for the owner to say. false: an answer was given. */
static bool may_wait(struct pep_request *request, const struct pep_person *person)
{
    enum pep_access access = pep_access(request->turn->server, &request->owner, &request->node,
                                        jid_bare(&request->turn->session->jid));
    if (access != PEP_NEEDS_SUBSCRIPTION)
        return false;
    if (person->subscription == PEP_PENDING) /* 6.1.3.7 */
        pep_refuse(request->turn, ERROR_NOT_AUTHORIZED, PEP_CONDITION("pending-subscription"));
    return person->subscription != PEP_PENDING;
}

void pep_subscribe_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    struct pep_person person;
    struct span bare;
    if (!subscriber_read(request, &bare) || !pep_find_subscribable(request))
        return;
    person = pep_person_find(request->node.people, bare);
    bool granted = pep_access(server, &request->owner, &request->node, bare) == PEP_GRANTED;
    if (!granted && !may_wait(request, &person))
        return;
    person.subscription = granted ? PEP_SUBSCRIBED : PEP_PENDING;
    enum store_outcome outcome = pep_subscription_put(request, &person);
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    reply_subscription(request, &person);
    if (!granted)
        pep_authorize_ask(request, &person);
    else if (request->node.config.send_last != PEP_LAST_NEVER) /* 6.1.7 */
        pep_last_tell(server, &request->owner, request->name, &request->node, turn->session);
}

void pep_unsubscribe_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct pep_person person;
    struct span bare;
    if (!subscriber_read(request, &bare) || !pep_find_subscribable(request))
        return;
    person = pep_person_find(request->node.people, bare);
    if (person.subscription == PEP_NOT_SUBSCRIBED) { /* 6.2.3.2 */
        reply_refusal(turn, &(struct refusal){.error = ERROR_UNEXPECTED_REQUEST,
                                              .type = "cancel",
                                              .condition = PEP_CONDITION("not-subscribed")});
        return;
    }
    person.subscription = PEP_NOT_SUBSCRIBED;
    enum store_outcome outcome = pep_subscription_put(request, &person);
    if (outcome == STORE_OK)
        reply_result(turn, SPAN(""));
    else
        reply_store_error(turn, outcome);
}
