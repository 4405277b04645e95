/* sasl1.c: the first profile of SASL (RFC 6120 6.4): <auth/>, <challenge/>, <response/>,
 * <success/> and a stream that begins anew. See sasl.h; requirements SA-2 ... SA-5. */
#include "core/output.h"
#include "core/sasl_exchange.h"
#include "core/stream.h"
#include "wire/base64.h"
#include "wire/names.h"

#define FAILURE_BYTES_MAX 2048

/* An element with data (SA-3). false: no memory. */
static bool say(struct server *server, struct session *session, const char *name, struct span data)
{
    struct build build;
    size_t len = BASE64_BYTES(data.len);
    char *text = arena_take(&server->arena, len + 1);
    build_init(&build, &server->arena, len + 128);
    if (text == NULL || build.full)
        return false;
    build_str(&build, "<");
    build_str(&build, name);
    build_str(&build, " xmlns='" NS_SASL "'");
    if (data.len > 0) {
        build_str(&build, ">");
        build_put(&build, span_of(text, base64_encode(data, text)));
        build_str(&build, "</");
        build_str(&build, name);
        build_str(&build, ">");
    } else {
        build_str(&build, "/>");
    }
    output_say(server, session, build_span(&build), false);
    return true;
}

static void challenge(struct server *server, struct session *session, struct span data)
{
    if (!say(server, session, "challenge", data))
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
}

static void failure(struct server *server, struct session *session, const char *condition,
                    struct span text)
{
    struct build build;
    build_init(&build, &server->arena, FAILURE_BYTES_MAX);
    build_str(&build, "<failure xmlns='" NS_SASL "'><");
    build_str(&build, condition);
    build_str(&build, "/>");
    if (text.bytes != NULL) {
        build_str(&build, "<text xml:lang='en'>");
        build_text(&build, text);
        build_str(&build, "</text>");
    }
    build_str(&build, "</failure>");
    output_say(server, session, build_span(&build), false);
}

static void success(struct server *server, struct session *session, struct span data)
{
    if (!say(server, session, "success", data)) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    sasl_forget(server, session);
    if (session->phase != PHASE_OPEN)
        return;
    session->peer = PEER_USER;
    session->phase = PHASE_HEADER; /* SA-5 */
    session->header_sent = false;
    framer_restart(&session->framer);
}

const struct sasl_profile sasl1_profile = {challenge, failure, success};

/* --- the elements --- */

/* The data of an element. false: a failure has been said. absent: no text at all. */
static bool data_of(struct server *server, struct session *session, const struct stanza *stanza,
                    struct span *data, bool *absent)
{
    const struct node *root = stanza_root(stanza);
    struct span text = stanza_text(stanza, root, &server->arena);
    *absent = text.len == 0;
    *data = SPAN("");
    if (text.len == 0 || span_is(text, "=")) /* SA-2 */
        return true;
    return sasl_decode(server, session, stanza, root, text, data);
}

static void auth(struct server *server, struct session *session, const struct stanza *stanza)
{
    struct span data;
    bool absent;
    sasl_forget(server, session); /* SA-4: a second <auth/> discards the first */
    if (!stream_may_login(session)) {
        sasl_fail(server, session, "encryption-required", BLAME_CLIENT);
        return;
    }
    const struct mechanism *mechanism =
        sasl_mechanism(session, stanza_attribute(stanza, stanza_root(stanza), "mechanism"));
    if (mechanism == NULL)
        sasl_fail(server, session, "invalid-mechanism", BLAME_CLIENT);
    else if (sasl_begin(server, session, mechanism) &&
             data_of(server, session, stanza, &data, &absent))
        sasl_first(server, session, data, absent);
}

void sasl1_element(struct server *server, struct session *session, const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    struct span data;
    bool absent;
    session->sasl = &sasl1_profile;
    if (span_is(root->name, "auth")) {
        auth(server, session, stanza);
    } else if (span_is(root->name, "abort")) {
        sasl_fail(server, session, "aborted", BLAME_NOBODY);
    } else if (!span_is(root->name, "response")) {
        stream_fail(server, session, STREAM_UNSUPPORTED_STANZA_TYPE, NULL);
    } else if (session->exchange == NULL) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
    } else if (data_of(server, session, stanza, &data, &absent)) {
        sasl_message(server, session, data);
    }
}
