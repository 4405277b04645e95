/* reply.c: answers to a stanza: results and errors (RFC 6120 8.2.3, 8.3). See turn.h. */
#include "core/output.h"
#include "core/turn.h"
#include "wire/build.h"
#include "wire/names.h"

/* Requirements 1.2, "Stanza errors": condition and its default type. */
static const struct {
    const char *condition;
    const char *type;
    uint16_t code; /* XEP-0086; 0: it is never said */
} errors[] = {
    [ERROR_BAD_REQUEST] = {"bad-request", "modify", 400},
    [ERROR_BLOCKED] = {"not-acceptable", "cancel", 0},
    [ERROR_CONFLICT] = {"conflict", "cancel", 409},
    [ERROR_FEATURE_NOT_IMPLEMENTED] = {"feature-not-implemented", "cancel", 0},
    [ERROR_FORBIDDEN] = {"forbidden", "auth", 403},
    [ERROR_INTERNAL_SERVER_ERROR] = {"internal-server-error", "cancel", 500},
    [ERROR_ITEM_NOT_FOUND] = {"item-not-found", "cancel", 404},
    [ERROR_JID_MALFORMED] = {"jid-malformed", "modify", 0},
    [ERROR_NOT_ACCEPTABLE] = {"not-acceptable", "modify", 406},
    [ERROR_NOT_ALLOWED] = {"not-allowed", "cancel", 405},
    [ERROR_NOT_AUTHORIZED] = {"not-authorized", "auth", 401},
    [ERROR_POLICY_VIOLATION] = {"policy-violation", "modify", 0},
    [ERROR_REMOTE_SERVER_NOT_FOUND] = {"remote-server-not-found", "cancel", 0},
    [ERROR_RESOURCE_CONSTRAINT] = {"resource-constraint", "wait", 500},
    [ERROR_SERVICE_UNAVAILABLE] = {"service-unavailable", "cancel", 503},
    [ERROR_UNEXPECTED_REQUEST] = {"unexpected-request", "modify", 400},
};

#define TAGS_BYTES 512

const char *kind_name(enum kind kind)
{
    return kind == KIND_MESSAGE ? "message" : kind == KIND_PRESENCE ? "presence" : "iq";
}

const char *stanza_error_name(enum stanza_error error)
{
    return errors[error].condition;
}

/* The start tag of an answer: addresses swapped, the same id byte for byte (GR-6). */
static void answer_begin(const struct turn *turn, struct build *build, const char *type,
                         size_t payload_len)
{
    const struct session *session = turn->session;
    struct span from = jid_present(&turn->to) ? jid_full(&turn->to) : SPAN_NONE;
    size_t len = TAGS_BYTES + payload_len + BUILD_ESCAPED_MAX(turn->id.len) +
                 BUILD_ESCAPED_MAX(from.len) + BUILD_ESCAPED_MAX(SESSION_JID_BYTES);
    build_init(build, &turn->server->arena, len);
    build_str(build, "<");
    build_str(build, kind_name(turn->kind));
    build_attr(build, "type", span_string(type));
    build_attr(build, "id", turn->id);
    build_attr(build, "from", from);
    if (session->peer == PEER_BOUND) /* before that the client has no address */
        build_attr(build, "to", jid_full(&session->jid));
}

static void answer_say(struct turn *turn, const struct build *build)
{
    struct server *server = turn->server;
    struct span said = build_span(build);
    if (said.bytes != NULL)
        output_say(server, turn->session, said, store_urgent(server->store));
}

void reply_result(struct turn *turn, struct span payload)
{
    struct build build;
    answer_begin(turn, &build, "result", payload.len);
    if (payload.len > 0) {
        build_str(&build, ">");
        build_put(&build, payload);
        build_str(&build, "</iq>");
    } else {
        build_str(&build, "/>");
    }
    answer_say(turn, &build);
}

void reply_result_rope(struct turn *turn, const struct rope *payload)
{
    struct build build;
    answer_begin(turn, &build, "result", 0);
    build_str(&build, ">");
    if (!build.full)
        output_share(turn->server, turn->session, build_span(&build), payload,
                     store_urgent(turn->server->store));
}

void reply_refusal(struct turn *turn, const struct refusal *refusal)
{
    struct build build;
    enum stanza_error error = refusal->error;
    if (turn->kind == KIND_IQ_ANSWER || span_is(turn->type, "error"))
        return;
    answer_begin(turn, &build, "error",
                 refusal->payload.len + BUILD_ESCAPED_MAX(refusal->text.len) +
                     refusal->condition.len);
    build_str(&build, ">");
    build_put(&build, refusal->payload);
    build_str(&build, "<error");
    if (refusal->code) {
        build_str(&build, " code='");
        build_number(&build, errors[error].code);
        build_str(&build, "'");
    }
    build_attr(&build, "type",
               span_string(refusal->type != NULL ? refusal->type : errors[error].type));
    build_str(&build, "><");
    build_str(&build, errors[error].condition);
    build_str(&build, " xmlns='" NS_STANZA_ERRORS "'/>");
    if (refusal->text.len > 0) {
        build_str(&build, "<text xmlns='" NS_STANZA_ERRORS "' xml:lang='en'>");
        build_text(&build, refusal->text);
        build_str(&build, "</text>");
    }
    build_put(&build, refusal->condition);
    build_str(&build, "</error></");
    build_str(&build, kind_name(turn->kind));
    build_str(&build, ">");
    answer_say(turn, &build);
}

void reply_error(struct turn *turn, enum stanza_error error)
{
    struct refusal refusal = {.error = error};
    if (error == ERROR_BLOCKED)
        refusal.condition = SPAN("<blocked xmlns='" NS_BLOCKING_ERRORS "'/>");
    reply_refusal(turn, &refusal);
}

void reply_built(struct turn *turn, const struct build *payload)
{
    if (payload->full)
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    else
        reply_result(turn, build_span(payload));
}

enum stanza_error store_error(enum store_outcome outcome)
{
    return outcome == STORE_NONE     ? ERROR_ITEM_NOT_FOUND
           : outcome == STORE_EXISTS ? ERROR_CONFLICT
           : outcome == STORE_FULL   ? ERROR_RESOURCE_CONSTRAINT
                                     : ERROR_INTERNAL_SERVER_ERROR;
}

void reply_store_error(struct turn *turn, enum store_outcome outcome)
{
    reply_error(turn, store_error(outcome));
}
