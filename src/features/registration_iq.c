/* registration_iq.c: registration before login as XEP-0077 has it: legacy elements and data forms,
 * and how the next stage is said to each kind of client (REG-14b). */
#include "base/line.h"
#include "core/fast.h"
#include "features/registration_parts.h"
#include "wire/jid.h"

#define QUERY_BYTES_MAX 6144

/* --- answers --- */

static void query_begin(struct build *build, const char *instructions)
{
    build_str(build, "<query xmlns='" NS_REGISTER "'><instructions>");
    build_text(build, span_string(instructions));
    build_str(build, "</instructions>");
}

static void query_end(struct build *build)
{
    build_str(build, "</query>");
}

static void legacy_stage(struct build *build, const struct pending *pending)
{
    if (pending->stage == STAGE_CODE) { /* REG-15: the only element that means nothing else */
        build_str(build, "<text/>");
        return;
    }
    if (stage_verifies(ID_EMAIL) || pending->flags & PENDING_OF_ACCOUNT)
        build_str(build, "<email/>");
    if (stage_verifies(ID_PHONE) || pending->flags & PENDING_OF_ACCOUNT)
        build_str(build, "<phone/>");
}

static struct span stage_query(struct turn *turn, const struct pending *pending, struct span handle,
                               bool as_error)
{
    struct build build;
    bool proven = handle.bytes != NULL || pending->flags & PENDING_OF_ACCOUNT;
    build_init(&build, &turn->server->arena, QUERY_BYTES_MAX + BUILD_ESCAPED_MAX(handle.len));
    query_begin(&build, registration_instructions(pending));
    if (!proven || as_error)
        build_str(&build, "<username/><password/>");
    legacy_stage(&build, pending);
    registration_stage_form(turn, &build, NS_REGISTER, pending, handle, as_error, NULL);
    query_end(&build);
    return build_span(&build);
}

/* REG-14b. */
static bool stage_is_error(enum face face, bool knows_stages)
{
    if (config.next_stage != NEXT_STAGE_AUTO)
        return config.next_stage == NEXT_STAGE_ERROR;
    return face == FACE_FORM && !knows_stages;
}

static void say_stage(struct turn *turn, bool as_error, const struct outcome *outcome)
{
    struct span query = stage_query(turn, outcome->pending, outcome->handle, as_error);
    if (query.bytes == NULL) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    } else if (!as_error) {
        reply_result(turn, query);
    } else {
        const struct refusal refusal = {
            .error = ERROR_NOT_ACCEPTABLE,
            .code = true,
            .payload = query,
            .text = span_string(registration_instructions(outcome->pending)),
            .condition = SPAN("<next-stage xmlns='" NS_REGISTER_OWN "'/>"),
        };
        reply_refusal(turn, &refusal);
    }
}

/* 4.12: nothing to be told unless the name is another than was typed, or a token is due (REG-26).
 */
static void say_complete(struct turn *turn, enum face face, const struct outcome *outcome)
{
    struct build build;
    bool login =
        face == FACE_FORM && turn->session->registering.login && fast_offered(turn->server);
    if (!outcome->name_changed && !login) {
        reply_result(turn, SPAN(""));
        return;
    }
    build_init(&build, &turn->server->arena, 512 + BUILD_ESCAPED_MAX(outcome->local.len));
    build_str(&build, "<query xmlns='" NS_REGISTER "'><registered/>");
    build_element(&build, "username", outcome->local);
    if (login)
        fast_welcome(turn->server, turn->session, outcome->local, &build);
    build_str(&build, "</query>");
    reply_result(turn, build_span(&build));
}

void registration_iq_answer(struct turn *turn, enum face face, bool knows_stages,
                            const struct outcome *outcome)
{
    bool as_error = stage_is_error(face, knows_stages);
    struct refusal refusal = outcome->refusal;
    switch (outcome->verdict) {
    case VERDICT_COMPLETE:
        say_complete(turn, face, outcome);
        return;
    case VERDICT_CANCELED:
        reply_result(turn, SPAN(""));
        return;
    case VERDICT_STAGE:
        say_stage(turn, as_error && turn->kind == KIND_IQ_SET, outcome); /* a get has its result */
        return;
    default:
        if (outcome->with_stage) /* REG-20; without the form where there is no memory for it */
            refusal.payload = stage_query(turn, outcome->pending, outcome->handle, as_error);
        reply_refusal(turn, &refusal);
        return;
    }
}

/* --- get --- */

/* A registration of that name that is under way. */
static bool pending_named(struct turn *turn, struct span local, struct pending *pending)
{
    struct server *server = turn->server;
    return local.len > 0 && pending_get(server->store, local, pending) == STORE_OK &&
           pending->expires_us > server->wall_us && !(pending->flags & PENDING_OF_ACCOUNT);
}

/* 4.5: the stream is in the middle of one, or says whose it may be. */
static bool pending_meant(struct turn *turn, struct pending *pending)
{
    const struct session *session = turn->session;
    struct server *server = turn->server;
    struct span from = stanza_attribute(turn->stanza, stanza_root(turn->stanza), "from");
    struct jid jid;
    if (session->registering.pending &&
        pending_by_handle(server->store, session->registering.handle_hash, pending) == STORE_OK &&
        pending->expires_us > server->wall_us)
        return true;
    if (from.bytes != NULL && jid_parse(from, &server->arena, &jid) &&
        span_is(jid_domain(&jid), config.domain) && pending_named(turn, jid_local(&jid), pending))
        return true;
    return pending_named(turn, span_of(session->jid_text, session->registering.hint_len), pending);
}

static void say_redirect(struct turn *turn)
{
    struct build build;
    struct span url = span_string(config.registration_url);
    build_init(&build, &turn->server->arena, QUERY_BYTES_MAX);
    build_str(&build, "<query xmlns='" NS_REGISTER "'><instructions>To register, visit ");
    build_text(&build, url);
    build_str(&build, "</instructions><x xmlns='" NS_OOB "'><url>");
    build_text(&build, url);
    build_str(&build, "</url></x>");
    query_end(&build);
    reply_built(turn, &build);
}

static void say_first(struct turn *turn)
{
    struct build build;
    const struct session *session = turn->session;
    bool token = !session->registering.invited && config.registration == REGISTRATION_INVITE;
    bool ids = registration_verifies(session) && config.verify_strict;
    build_init(&build, &turn->server->arena, QUERY_BYTES_MAX + BUILD_ESCAPED_MAX(turn->id.len));
    query_begin(&build, registration_first_instructions(turn));
    if (!token && !captcha_asked(session)) { /* REG-6: neither of them has a legacy element */
        build_str(&build, "<username/><password/>");
        if (ids && stage_verifies(ID_EMAIL))
            build_str(&build, "<email/>");
        if (ids && stage_verifies(ID_PHONE))
            build_str(&build, "<phone/>");
    }
    registration_first_form(turn, &build, NS_REGISTER, turn->id, NULL);
    query_end(&build);
    reply_built(turn, &build);
}

void registration_get_request(struct turn *turn)
{
    struct registering *registering = &turn->session->registering;
    struct refusal refusal;
    struct pending pending;
    struct outcome stage = {.verdict = VERDICT_STAGE, .pending = &pending};
    if (stanza_child(turn->stanza, turn->child, NS_REGISTER_OWN, "stages") != NULL)
        registering->stages = true;
    if (config.registration == REGISTRATION_CLOSED) {
        (void)registration_shut(turn, false, &refusal);
        reply_refusal(turn, &refusal);
    } else if (!limit_get(turn, &refusal)) {
        reply_refusal(turn, &refusal);
    } else if (pending_meant(turn, &pending)) {
        say_stage(turn, false, &stage);
    } else if (config.registration == REGISTRATION_REDIRECT && !registering->invited) {
        say_redirect(turn);
    } else {
        say_first(turn);
    }
}

/* --- set --- */

static struct span legacy(struct turn *turn, const char *name)
{
    const struct node *node = stanza_child(turn->stanza, turn->child, NS_REGISTER, name);
    return node == NULL ? SPAN_NONE : stanza_text(turn->stanza, node, &turn->server->arena);
}

static void legacy_read(struct turn *turn, struct answers *answers)
{
    answers->face = FACE_FIELDS;
    answers->username = legacy(turn, "username");
    answers->password = legacy(turn, "password");
    answers->email = legacy(turn, "email");
    answers->phone = legacy(turn, "phone");
    answers->code = legacy(turn, "text");
}

/* REG-7. */
static bool form_type_fits(const struct turn *turn, struct span type)
{
    return type.bytes == NULL || span_is(type, NS_REGISTER) || span_is(type, NS_CAPTCHA) ||
           (turn->kind == KIND_ELEMENT && span_is(type, NS_REGISTER_FLOW));
}

/* Of several lines one, in which nothing can pass for words of ours to the admins. */
static void line_put(struct build *build, struct span text)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = line_unfit(span_cut(text, at, text.len));
        build_put(build, len > 0 ? SPAN(" ") : span_cut(text, at, at + 1));
        at += len > 0 ? len : 1;
    }
}

static struct span reason_read(struct turn *turn, const struct node *form)
{
    struct build build;
    struct arena *arena = &turn->server->arena;
    const struct node *at = NULL, *field = form_field(turn->stanza, form, FIELD_REASON);
    struct span line;
    if (field == NULL)
        return SPAN_NONE;
    build_init(&build, arena, turn->stanza->source.len);
    while ((line = form_values(turn->stanza, field, &at, arena)).bytes != NULL) {
        if (build.used > 0)
            build_str(&build, " ");
        line_put(&build, line);
    }
    return build_span(&build);
}

static void form_read(struct turn *turn, const struct node *form, struct answers *answers)
{
    const struct stanza *stanza = turn->stanza;
    struct arena *arena = &turn->server->arena;
    enum form_type type = form_type(stanza, form);
    answers->face = FACE_FORM;
    answers->cancel = type == FORM_CANCEL;
    answers->malformed = (type != FORM_CANCEL && type != FORM_SUBMIT) ||
                         !form_type_fits(turn, form_value(stanza, form, "FORM_TYPE", arena));
    answers->username = form_value(stanza, form, "username", arena);
    answers->password = form_value(stanza, form, "password", arena);
    answers->email = form_value(stanza, form, "email", arena);
    answers->phone = form_value(stanza, form, "phone", arena);
    answers->reason = reason_read(turn, form);
    answers->token = form_value(stanza, form, FIELD_TOKEN, arena);
    answers->handle = form_value(stanza, form, FIELD_HANDLE, arena);
    answers->code = form_value(stanza, form, FIELD_CODE, arena);
    answers->challenge = form_value(stanza, form, FIELD_CHALLENGE, arena);
    answers->captcha = form_value(stanza, form, FIELD_QUESTION, arena);
    answers->resend = form_true(form_value(stanza, form, FIELD_RESEND, arena));
    struct span login = form_value(stanza, form, FIELD_LOGIN, arena);
    if (login.bytes != NULL)
        turn->session->registering.login = form_true(login);
}

void answers_read(struct turn *turn, struct answers *answers)
{
    const struct node *form = form_find(turn->stanza, turn->child);
    *answers = (struct answers){.knows_stages = turn->session->registering.stages};
    if (stanza_child(turn->stanza, turn->child, NS_REGISTER_OWN, "stages") != NULL)
        answers->knows_stages = true;
    if (form != NULL) /* XEP-0077 4 rule 5: the form wins */
        form_read(turn, form, answers);
    else
        legacy_read(turn, answers);
}

void registration_set_request(struct turn *turn)
{
    struct answers answers;
    if (stanza_child(turn->stanza, turn->child, NS_REGISTER, "remove") != NULL) {
        struct refusal refusal = refusal_of(REASON_UNEXPECTED); /* nothing to remove before login */
        reply_refusal(turn, &refusal);
        return;
    }
    answers_read(turn, &answers);
    registration_set(turn, &answers);
}
