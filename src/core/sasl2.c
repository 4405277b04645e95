/* sasl2.c: the second profile of SASL (XEP-0388) and what is done together with a login: resuming,
 * binding (XEP-0386), tokens (XEP-0484). See sasl.h, inline.h; requirements S2-1 ... S2-6. */
#include "core/bind.h"
#include "core/inline.h"
#include "core/management.h"
#include "core/output.h"
#include "core/sasl_exchange.h"
#include "core/stream.h"
#include "core/turn.h"
#include "wire/base64.h"
#include "wire/names.h"

#define FAILURE_BYTES_MAX 2048
#define AGENT_ID_BYTES_MAX 256
/* The answer to <authenticate/> but for the mechanism's data and the inline answers. */
#define SUCCESS_BYTES (512 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES))

/* --- what is offered --- */

static void inline_build(struct build *build)
{
    const struct inline_feature *row;
    bool any = false;
    build_str(build, "<bind xmlns='" NS_BIND2 "'>");
    for (row = inline_features; row->namespace != NULL; row++)
        if (row->place == INLINE_BOUND && row->offer != NULL) {
            build_str(build, any ? "<feature" : "<inline><feature");
            build_attr(build, "var", span_string(row->offer));
            build_str(build, "/>");
            any = true;
        }
    build_str(build, any ? "</inline></bind>" : "</bind>");
    for (row = inline_features; row->namespace != NULL; row++)
        if (row->place == INLINE_INSTEAD)
            build_str(build, row->offer);
}

void sasl2_features(const struct server *server, const struct session *session, struct build *build)
{
    build_str(build, "<authentication xmlns='" NS_SASL2 "'>");
    sasl_mechanisms_build(session, build);
    build_str(build, "<inline>");
    inline_build(build);
    fast_features(server, session, build);
    build_str(build, "</inline></authentication>");
}

bool sasl2_under_way(const struct session *session)
{
    return session->exchange != NULL && session->sasl == &sasl2_profile;
}

/* --- answers --- */

/* base64 of data inside an element; build->full: no memory. */
static void data_build(struct server *server, struct build *build, struct span data)
{
    char *text = arena_take(&server->arena, BASE64_BYTES(data.len) + 1);
    if (text == NULL)
        build->full = true;
    else
        build_put(build, span_of(text, base64_encode(data, text)));
}

static void challenge(struct server *server, struct session *session, struct span data)
{
    struct build build;
    build_init(&build, &server->arena, BASE64_BYTES(data.len) + 128);
    build_str(&build, "<challenge xmlns='" NS_SASL2 "'>");
    data_build(server, &build, data);
    build_str(&build, "</challenge>");
    if (build.full)
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
    else
        output_say(server, session, build_span(&build), false);
}

/* S2-4. */
static void failure(struct server *server, struct session *session, const char *condition,
                    struct span text)
{
    struct build build;
    build_init(&build, &server->arena, FAILURE_BYTES_MAX);
    build_str(&build, "<failure xmlns='" NS_SASL2 "'><");
    build_str(&build, condition);
    build_str(&build, " xmlns='" NS_SASL "'/>");
    if (text.bytes != NULL) {
        build_str(&build, "<text>");
        build_text(&build, text);
        build_str(&build, "</text>");
    }
    build_str(&build, "</failure>");
    output_say(server, session, build_span(&build), false);
}

/* --- what else was asked for, once the client is who it says --- */

/* The request as a stanza of its own, which outlives the exchange. */
static bool request_read(struct server *server, struct session *session, struct stanza *stanza)
{
    struct arena *arena = &server->arena;
    struct span source =
        arena_copy(arena, span_of(session->exchange->request, session->exchange->request_len));
    if (source.bytes == NULL || arena->size - arena->used < ARENA_RESERVE / 2)
        return false;
    arena->size -= ARENA_RESERVE / 2;
    enum xml_outcome outcome =
        xml_read(server->xml, session->stream_default ? XML_STREAM_DEFAULT : XML_CONTENT_DEFAULT,
                 source, arena, stanza);
    arena->size += ARENA_RESERVE / 2;
    return outcome == XML_OK;
}

/* The rows of a place whose elements stand in `parent`. */
static void inline_handle(struct login *login, enum inline_place place, const struct node *parent)
{
    for (const struct inline_feature *row = inline_features; row->namespace != NULL; row++) {
        if (row->place != place || login->resumed)
            continue;
        login->node = row->element == NULL
                          ? NULL
                          : stanza_child(login->stanza, parent, row->namespace, row->element);
        if (row->element == NULL || login->node != NULL)
            row->handler(login);
    }
}

/* XEP-0386 3.2. */
static void bound(struct login *login, const struct node *wish)
{
    struct arena *arena = &login->server->arena;
    const struct node *tag = stanza_child(login->stanza, wish, NS_BIND2, "tag");
    struct span text = tag == NULL ? SPAN("") : stanza_text(login->stanza, tag, arena);
    if (!bind_tagged(login->server, login->session, text))
        return; /* there is no error for it: the client may bind as of old, and be told (RB-1) */
    build_str(login->answer, "<bound xmlns='" NS_BIND2 "'>");
    inline_handle(login, INLINE_BOUND, wish);
    build_str(login->answer, "</bound>");
}

static void say_success(struct server *server, struct session *session, struct span data,
                        const struct login *login)
{
    struct build build;
    build_init(&build, &server->arena,
               SUCCESS_BYTES + BASE64_BYTES(data.len) + login->answer->used + FEATURES_BYTES_MAX);
    build_str(&build, "<success xmlns='" NS_SASL2 "'>");
    if (data.bytes != NULL) {
        build_str(&build, "<additional-data>");
        data_build(server, &build, data);
        build_str(&build, "</additional-data>");
    }
    build_str(&build, "<authorization-identifier>");
    build_text(&build, jid_full(&session->jid));
    build_str(&build, "</authorization-identifier>");
    build_put(&build, build_span(login->answer));
    build_str(&build, "</success>");
    if (!login->resumed) /* XEP-0198 9.2 */
        stream_features(server, session, &build);
    bool said = !build.full && !login->answer->full;
    if (said && login->former != NULL)
        said = management_resume(server, login->former, session, build_span(&build));
    else if (said)
        output_word(server, session, build_span(&build), store_urgent(server->store));
    if (!said)
        stream_fail(server, session, STREAM_RESOURCE_CONSTRAINT, NULL);
}

/* S2-3, S2-5: resume, else bind; then the token. */
static void success(struct server *server, struct session *session, struct span data)
{
    const uint8_t used = session->exchange->mechanism->number;
    const bool invalidate = session->exchange->fast.invalidate;
    struct stanza stanza;
    struct build answer;
    struct login login = {
        .server = server, .session = session, .stanza = &stanza, .answer = &answer};
    if (session->phase != PHASE_OPEN) { /* it ended while the password was derived */
        sasl_forget(server, session);
        return;
    }
    build_init(&answer, &server->arena, INLINE_ANSWER_BYTES);
    if (answer.full || !request_read(server, session, &stanza)) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    sasl_forget(server, session);
    session->peer = PEER_USER;
    inline_handle(&login, INLINE_INSTEAD, stanza_root(&stanza));
    const struct node *wish = stanza_child(&stanza, stanza_root(&stanza), NS_BIND2, "bind");
    if (!login.resumed && wish != NULL)
        bound(&login, wish);
    fast_grant(server, login.session, &stanza, used, invalidate, &answer);
    say_success(server, login.session, data, &login);
}

const struct sasl_profile sasl2_profile = {challenge, failure, success};

/* --- the elements --- */

/* Everything but the initial response is kept. false: it is too much. */
static bool request_keep(struct exchange *exchange, const struct stanza *stanza,
                         const struct node *initial)
{
    struct span before = stanza->source, after = SPAN("");
    if (initial != NULL) {
        before = span_cut(stanza->source, 0, initial->start);
        after = span_cut(stanza->source, initial->end, stanza->source.len);
    }
    if (before.len + after.len > sizeof exchange->request)
        return false;
    memcpy(exchange->request, before.bytes, before.len);
    memcpy(exchange->request + before.len, after.bytes, after.len);
    exchange->request_len = before.len + after.len;
    return true;
}

/* The id is told to nobody, and not kept as it is. */
static bool agent_read(struct session *session, const struct stanza *stanza)
{
    const struct node *agent = stanza_child(stanza, stanza_root(stanza), NS_SASL2, "user-agent");
    struct span id = agent == NULL ? SPAN_NONE : stanza_attribute(stanza, agent, "id");
    uint8_t hash[DIGEST_BYTES_MAX];
    session->has_agent = id.len > 0;
    if (id.len > AGENT_ID_BYTES_MAX)
        return false;
    digest_hash(DIGEST_SHA256, id.len > 0 ? id : SPAN(""), hash);
    memcpy(session->agent, hash, sizeof session->agent);
    return true;
}

/* What is asked for, before any of it is done. false: a failure has been said. */
static bool request_accept(struct server *server, struct session *session,
                           const struct stanza *stanza, const struct node *initial)
{
    const struct node *root = stanza_root(stanza);
    const struct node *fast = stanza_child(stanza, root, NS_FAST, "fast");
    struct exchange *exchange = session->exchange;
    if (agent_read(session, stanza) && request_keep(exchange, stanza, initial) &&
        (fast == NULL || fast_read(stanza, fast, &exchange->fast)))
        return true;
    sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
    return false;
}

/* Base64 as it is: an empty element is empty data, "=" nothing special (XEP-0388 2.2). */
static bool data_of(struct server *server, struct session *session, const struct stanza *stanza,
                    const struct node *node, struct span *data)
{
    struct span text = stanza_text(stanza, node, &server->arena);
    return sasl_decode(server, session, stanza, node, text, data);
}

static void authenticate(struct server *server, struct session *session,
                         const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    const struct node *initial = stanza_child(stanza, root, NS_SASL2, "initial-response");
    struct span name = stanza_attribute(stanza, root, "mechanism");
    struct span data = SPAN("");
    if (session->from_elsewhere) { /* XEP-0388 2.1 */
        stream_fail(server, session, STREAM_INVALID_FROM, NULL);
        return;
    }
    sasl_forget(server, session); /* one of the first profile */
    if (!stream_may_login(session)) {
        sasl_fail(server, session, "encryption-required", BLAME_CLIENT);
        return;
    }
    const struct mechanism *mechanism = sasl_mechanism(session, name);
    if (mechanism == NULL)
        mechanism = fast_mechanism(server, session, name);
    if (mechanism == NULL)
        sasl_fail(server, session, "invalid-mechanism", BLAME_CLIENT);
    else if (sasl_begin(server, session, mechanism) &&
             request_accept(server, session, stanza, initial) &&
             (initial == NULL || data_of(server, session, stanza, initial, &data)))
        sasl_first(server, session, data, initial == NULL);
}

void sasl2_element(struct server *server, struct session *session, const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    bool under_way = sasl2_under_way(session);
    struct span data;
    session->sasl = &sasl2_profile;
    if (span_is(root->name, "abort")) {
        sasl_fail(server, session, "aborted", BLAME_NOBODY);
    } else if (span_is(root->name, "authenticate")) {
        authenticate(server, session, stanza);
    } else if (!span_is(root->name, "response")) {
        stream_fail(server, session, STREAM_UNSUPPORTED_STANZA_TYPE, NULL);
    } else if (!under_way) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
    } else if (data_of(server, session, stanza, root, &data)) {
        sasl_message(server, session, data);
    }
}
