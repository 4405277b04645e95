/* pep_owner.c: nodes are made, configured, emptied and deleted (XEP-0060 8.1 to 8.5). */
#include "features/pep_parts.h"
#include "store/rosters.h"
#include "wire/build.h"
#include "wire/names.h"
#include "wire/token.h"

/* A form with everything escaped. */
#define FORM_BYTES_MAX (6144 + BUILD_ESCAPED_MAX(PEP_GROUPS_BYTES_MAX))

/* One empty element about the node, with this inside. */
static void node_tell(struct pep_request *request, const char *element, struct span inside)
{
    struct server *server = request->turn->server;
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena, 64 + BUILD_ESCAPED_MAX(request->name.len) + inside.len);
    build_str(&build, "<");
    build_str(&build, element);
    build_attr(&build, "node", request->name);
    build_str(&build, ">");
    build_put(&build, inside);
    build_str(&build, "</");
    build_str(&build, element);
    build_str(&build, ">");
    struct span piece = build_span(&build);
    if (piece.bytes != NULL)
        pep_tell(server,
                 &(struct pep_event){&request->owner, request->name, &request->node, &piece, 1, 0});
    arena_reset(&server->arena, mark);
}

/* --- creating --- */

/* 8.1.3. false: an answer was given. */
static bool create_configure(struct pep_request *request)
{
    struct turn *turn = request->turn;
    const struct node *configure =
        stanza_next(turn->stanza, request->element, NS_PUBSUB, "configure");
    const struct node *form = configure == NULL ? NULL : form_find(turn->stanza, configure);
    if (form == NULL || form_type(turn->stanza, form) == FORM_CANCEL)
        return true;
    if (form_type(turn->stanza, form) == FORM_SUBMIT &&
        pep_config_read(turn, form, NS_PUBSUB_CONFIG, false, &request->node.config) ==
            PEP_FORM_GOOD)
        return true;
    reply_error(turn, ERROR_NOT_ACCEPTABLE);
    return false;
}

static void reply_created(struct pep_request *request)
{
    struct build build;
    build_init(&build, &request->turn->server->arena, 96 + BUILD_ESCAPED_MAX(request->name.len));
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB "'><create");
    build_attr(&build, "node", request->name);
    build_str(&build, "/></pubsub>");
    reply_result(request->turn, build.full ? SPAN("") : build_span(&build));
}

void pep_create_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    char made[TOKEN_CHARS];
    if (request->name.len == 0) { /* 8.1.2: an instant node */
        token_make(made);
        request->name = span_of(made, sizeof made);
    }
    enum store_outcome outcome = pep_node_get(server->store, jid_local(&request->owner),
                                              request->name, &server->arena, &request->node);
    if (outcome == STORE_OK) {
        reply_error(turn, ERROR_CONFLICT);
        return;
    }
    if (outcome != STORE_NONE) {
        reply_store_error(turn, outcome);
        return;
    }
    request->node = (struct pep_node){.config = pep_default};
    if (!create_configure(request))
        return;
    enum pep_outcome done = pep_create(server, &request->owner, request->name, &request->node);
    if (done == PEP_DONE)
        reply_created(request);
    else
        pep_refuse_outcome(turn, done);
}

/* --- configuring --- */

static void reply_form(struct pep_request *request, const char *element,
                       const struct pep_config *settings)
{
    struct turn *turn = request->turn;
    struct build build;
    build_init(&build, &turn->server->arena, FORM_BYTES_MAX);
    build_str(&build, "<pubsub xmlns='" NS_PUBSUB_OWNER "'><");
    build_str(&build, element);
    if (request->name.len > 0)
        build_attr(&build, "node", request->name);
    build_str(&build, ">");
    pep_config_build(&build, "form", settings);
    build_str(&build, "</");
    build_str(&build, element);
    build_str(&build, "></pubsub>");
    reply_built(turn, &build);
}

void pep_default_request(struct pep_request *request)
{
    request->name = SPAN_NONE;
    reply_form(request, "default", &pep_default);
}

void pep_configure_get_request(struct pep_request *request)
{
    if (pep_find(request))
        reply_form(request, "configure", &request->node.config);
}

/* 8.2.5.3. */
static void config_tell(struct pep_request *request)
{
    struct build build = {.bytes = NULL};
    size_t mark = request->turn->server->arena.used;
    if (!(request->node.config.flags & PEP_NOTIFY_CONFIG))
        return;
    if (request->node.config.flags & PEP_PAYLOADS) {
        build_init(&build, &request->turn->server->arena, FORM_BYTES_MAX);
        pep_config_build(&build, "result", &request->node.config);
    }
    if (!build.full)
        node_tell(request, "configuration", span_of(build.bytes, build.used));
    arena_reset(&request->turn->server->arena, mark);
}

void pep_configure_set_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    const struct node *form = form_find(turn->stanza, request->element);
    if (!pep_find(request))
        return;
    switch (form_type(turn->stanza, form)) {
    case FORM_CANCEL:
        reply_result(turn, SPAN(""));
        return;
    case FORM_SUBMIT:
        break;
    default:
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (pep_config_read(turn, form, NS_PUBSUB_CONFIG, false, &request->node.config) !=
        PEP_FORM_GOOD) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE); /* 8.2.5.2 */
        return;
    }
    enum store_outcome outcome = store_has_room(server->store, PEP_CHANGE_BYTES)
                                     ? pep_node_put(server->store, jid_local(&request->owner),
                                                    request->name, &request->node, &server->arena)
                                     : STORE_FULL;
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    config_tell(request);
    reply_result(turn, SPAN(""));
}

/* --- deleting --- */

void pep_delete_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    if (!pep_find(request))
        return;
    enum store_outcome outcome =
        pep_node_delete(server->store, jid_local(&request->owner), request->name, &request->node);
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    server->pep_reap_ms = 0;
    if (request->node.config.flags & PEP_NOTIFY_DELETE)
        node_tell(request, "delete", SPAN(""));
    reply_result(turn, SPAN(""));
}

void pep_purge_request(struct pep_request *request)
{
    struct turn *turn = request->turn;
    struct server *server = turn->server;
    if (!pep_find(request))
        return;
    enum store_outcome outcome = pep_node_purge(server->store, jid_local(&request->owner),
                                                request->name, &request->node, &server->arena);
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    server->pep_reap_ms = 0;
    if (request->node.config.flags & PEP_NOTIFY_RETRACT)
        node_tell(request, "purge", SPAN(""));
    reply_result(turn, SPAN(""));
}
