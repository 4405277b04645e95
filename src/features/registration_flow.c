/* registration_flow.c: registration before login as XEP-0389 has it: one flow, whose challenges are
 * data forms. Its registrations are those of XEP-0077: what was begun by one can be finished by the
 * other (IBR2-6). There is no error in XEP-0389: the challenge comes again and says why (IBR2-4).
 */
#include "core/output.h"
#include "core/stream.h"
#include "features/registration_parts.h"

#define CHALLENGE_BYTES_MAX 6144

/* Those of the stream's features, core/stream.c (IBR2-1). */
static bool is_flow(const struct node *flow, const struct stanza *stanza)
{
    return flow != NULL && span_is(stanza_attribute(stanza, flow, "id"), "0");
}

static bool is_offered(const struct turn *turn)
{
    return config.registration == REGISTRATION_OPEN || config.registration == REGISTRATION_INVITE ||
           (config.registration == REGISTRATION_REDIRECT && turn->session->registering.invited);
}

/* The registration that this stream is in the middle of. */
static bool pending_here(struct turn *turn, struct pending *pending)
{
    const struct registering *registering = &turn->session->registering;
    struct server *server = turn->server;
    return registering->pending &&
           pending_by_handle(server->store, registering->handle_hash, pending) == STORE_OK &&
           pending->expires_us > server->wall_us;
}

/* --- answers --- */

static void say(struct turn *turn, struct span bytes)
{
    struct server *server = turn->server;
    output_say(server, turn->session, bytes, store_urgent(server->store));
}

static void say_cancel(struct turn *turn)
{
    turn->session->registering.flow = false;
    say(turn, SPAN("<cancel xmlns='" NS_REGISTER_FLOW "'/>"));
}

static void say_success(struct turn *turn, struct span local)
{
    struct build build;
    build_init(&build, &turn->server->arena,
               256 + CONFIG_TEXT_MAX + 2 * BUILD_ESCAPED_MAX(local.len));
    build_str(&build, "<success xmlns='" NS_REGISTER_FLOW "'><jid>");
    build_text(&build, local);
    build_str(&build, "@");
    build_str(&build, config.domain);
    build_str(&build, "</jid><username>");
    build_text(&build, local);
    build_str(&build, "</username></success>");
    turn->session->registering.flow = false;
    say(turn, build_span(&build));
}

/* error: of the last response, or NULL. */
static void say_challenge(struct turn *turn, struct span handle, const struct refusal *error)
{
    struct pending pending;
    struct build build;
    build_init(&build, &turn->server->arena, CHALLENGE_BYTES_MAX + BUILD_ESCAPED_MAX(handle.len));
    build_str(&build, "<challenge xmlns='" NS_REGISTER_FLOW "' type='" NS_DATA_FORMS "'>");
    if (pending_here(turn, &pending))
        registration_stage_form(turn, &build, NS_REGISTER_FLOW, &pending, handle, false, error);
    else
        registration_first_form(turn, &build, NS_REGISTER_FLOW, SPAN_NONE, error);
    build_str(&build, "</challenge>");
    if (build.full) {
        say_cancel(turn);
        return;
    }
    turn->session->registering.flow = true;
    say(turn, build_span(&build));
}

void registration_flow_answer(struct turn *turn, const struct outcome *outcome)
{
    switch (outcome->verdict) {
    case VERDICT_COMPLETE:
        say_success(turn, outcome->local);
        return;
    case VERDICT_CANCELED: /* the client knows: it said so */
        turn->session->registering.flow = false;
        return;
    case VERDICT_STAGE:
        say_challenge(turn, outcome->handle, NULL);
        return;
    default:
        break;
    }
    if (span_is(refusal_name(&outcome->refusal), "too-many-tries"))
        say_cancel(turn); /* the registration stays: another flow can ask for another code */
    else
        say_challenge(turn, outcome->handle, &outcome->refusal);
}

/* --- what the client says --- */

static void flow_begin(struct turn *turn)
{
    const struct node *flow = stanza_child(turn->stanza, turn->child, NS_REGISTER_FLOW, "flow");
    struct refusal refusal;
    if (!is_offered(turn)) /* ST-8 */
        stream_fail(turn->server, turn->session, STREAM_NOT_AUTHORIZED, "Log in first.");
    else if (!is_flow(flow, turn->stanza))
        stream_fail(turn->server, turn->session, STREAM_INVALID_FLOW, NULL);
    else if (turn->session->registering.done) /* REG-11 */
        say_cancel(turn);
    else if (!limit_get(turn, &refusal))
        say_challenge(turn, SPAN_NONE, &refusal);
    else
        say_challenge(turn, SPAN_NONE, NULL);
}

static void flow_respond(struct turn *turn)
{
    struct answers answers;
    answers_read(turn, &answers);
    answers.malformed |= answers.face != FACE_FORM; /* XEP-0389 7.1 */
    answers.face = FACE_FLOW;
    registration_set(turn, &answers);
}

static void flow_cancel(struct turn *turn)
{
    const struct answers answers = {.face = FACE_FLOW, .cancel = true};
    registration_set(turn, &answers);
}

void registration_flow_request(struct turn *turn)
{
    bool waits = turn->session->registering.flow;
    if (span_is(turn->child->name, "register"))
        flow_begin(turn);
    else if (span_is(turn->child->name, "response") && waits)
        flow_respond(turn);
    else if (span_is(turn->child->name, "response")) /* to nothing */
        say_cancel(turn);
    else if (waits)
        flow_cancel(turn);
}
