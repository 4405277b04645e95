/* pep_authorize.c: the owner of a node is asked whether somebody may subscribe, by a form, and
 * answers by one (XEP-0060 8.6). Who is not there to be asked finds the list of those who wait
 * (8.8). */
#include "features/pep.h"

#include "core/output.h"
#include "features/pep_parts.h"
#include "wire/build.h"
#include "wire/names.h"

static struct span question_build(struct pep_request *request, const struct pep_person *person)
{
    struct build build;
    build_init(&build, &request->turn->server->arena,
               1024 + BUILD_ESCAPED_MAX(request->name.len + person->jid.len));
    build_str(&build, ">");
    form_begin(&build, "form", "Subscription request", "May this address subscribe to the node?",
               NS_PUBSUB_AUTHORIZE);
    form_put(&build, "text-single", "pubsub#node", "Node", request->name, false);
    form_put(&build, "jid-single", "pubsub#subscriber_jid", "Address", person->jid, false);
    form_put(&build, "boolean", "pubsub#allow", "Allow", SPAN("false"), false);
    form_end(&build);
    build_str(&build, "</message>");
    return build_span(&build);
}

void pep_authorize_ask(struct pep_request *request, const struct pep_person *person)
{
    struct server *server = request->turn->server;
    struct forward forward = {.name = "message", .from = jid_bare(&request->owner)};
    struct session *next;
    size_t mark = server->arena.used;
    forward.tail = question_build(request, person);
    for (struct session *at = session_first(server, jid_bare(&request->owner));
         at != NULL && forward.tail.bytes != NULL; at = next) {
        next = session_another(at);
        if (session_listens(at))
            forward_say(server, &forward, jid_full(&at->jid), at, store_urgent(server->store));
    }
    arena_reset(&server->arena, mark);
}

/* What the form says of somebody who waits. */
static void answer_apply(struct pep_request *request, const struct node *form)
{
    struct turn *turn = request->turn;
    struct arena *arena = &turn->server->arena;
    struct span text = form_value(turn->stanza, form, "pubsub#subscriber_jid", arena);
    struct span allow = form_value(turn->stanza, form, "pubsub#allow", arena);
    struct jid jid;
    enum store_outcome outcome = pep_node_get(turn->server->store, jid_local(&request->owner),
                                              request->name, arena, &request->node);
    if (text.bytes == NULL || allow.bytes == NULL || !jid_parse(text, arena, &jid)) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    struct pep_person person = pep_person_find(request->node.people, jid_bare(&jid));
    if (outcome == STORE_NONE || (outcome == STORE_OK && person.subscription != PEP_PENDING)) {
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
        return;
    }
    person.subscription = form_true(allow) ? PEP_SUBSCRIBED : PEP_NOT_SUBSCRIBED;
    if (outcome == STORE_OK)
        outcome = pep_subscription_put(request, &person);
    if (outcome != STORE_OK)
        reply_store_error(turn, outcome);
    else
        pep_subscription_tell(request, &person);
}

bool pep_authorization(struct turn *turn)
{
    struct arena *arena = &turn->server->arena;
    const struct node *form = form_find(turn->stanza, stanza_root(turn->stanza));
    struct pep_request request = {.turn = turn, .owner = turn->session->jid, .own = true};
    if (form == NULL || turn->kind != KIND_MESSAGE ||
        !span_is(form_value(turn->stanza, form, "FORM_TYPE", arena), NS_PUBSUB_AUTHORIZE))
        return false;
    request.owner.resource_len = 0;
    request.name = form_value(turn->stanza, form, "pubsub#node", arena);
    if (form_type(turn->stanza, form) == FORM_SUBMIT) /* else it goes on waiting */
        answer_apply(&request, form);
    return true;
}
