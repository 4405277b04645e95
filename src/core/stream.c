/* stream.c: see stream.h. */
#include "core/stream.h"

#include "base/log.h"
#include "base/must.h"
#include "core/client_state.h"
#include "core/input.h"
#include "core/limits.h"
#include "core/management.h"
#include "core/output.h"
#include "core/sasl.h"
#include "wire/build.h"
#include "wire/names.h"

#define HEADER_BYTES_MAX 2048
#define ID_BYTES 16

static const char *const error_names[] = {
    [STREAM_BAD_FORMAT] = "bad-format",
    [STREAM_BAD_NAMESPACE_PREFIX] = "bad-namespace-prefix",
    [STREAM_CONFLICT] = "conflict",
    [STREAM_CONNECTION_TIMEOUT] = "connection-timeout",
    [STREAM_HOST_UNKNOWN] = "host-unknown",
    [STREAM_INTERNAL_SERVER_ERROR] = "internal-server-error",
    [STREAM_INVALID_FLOW] = "undefined-condition",
    [STREAM_INVALID_FROM] = "invalid-from",
    [STREAM_INVALID_NAMESPACE] = "invalid-namespace",
    [STREAM_NOT_AUTHORIZED] = "not-authorized",
    [STREAM_NOT_WELL_FORMED] = "not-well-formed",
    [STREAM_POLICY_VIOLATION] = "policy-violation",
    [STREAM_RESET] = "reset",
    [STREAM_RESOURCE_CONSTRAINT] = "resource-constraint",
    [STREAM_RESTRICTED_XML] = "restricted-xml",
    [STREAM_SYSTEM_SHUTDOWN] = "system-shutdown",
    [STREAM_TOO_BIG] = "policy-violation",
    [STREAM_UNDEFINED_CONDITION] = "undefined-condition",
    [STREAM_UNSUPPORTED_ENCODING] = "unsupported-encoding",
    [STREAM_UNSUPPORTED_STANZA_TYPE] = "unsupported-stanza-type",
    [STREAM_UNSUPPORTED_VERSION] = "unsupported-version",
};

/* ST-1. to: the client's own address, if it told one. version: whether it knows of versions. */
static void header_build(struct build *build, struct span to, bool version)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char id[ID_BYTES];
    char text[2 * ID_BYTES];

    plat_random(id, sizeof id);
    for (size_t i = 0; i < sizeof id; i++) {
        text[2 * i] = digits[id[i] >> 4];
        text[2 * i + 1] = digits[id[i] & 15];
    }
    build_str(build, "<?xml version='1.0'?><stream:stream xmlns='" NS_CLIENT
                     "' xmlns:stream='" NS_STREAM "'");
    build_attr(build, "id", span_of(text, sizeof text));
    build_attr(build, "from", span_string(config.domain));
    build_attr(build, "to", to);
    if (version)
        build_attr(build, "version", SPAN("1.0"));
    build_attr(build, "xml:lang", SPAN("en"));
    build_str(build, ">");
}

/* ST-11. */
static void error_build(struct build *build, enum stream_error error, const char *text,
                        struct span condition)
{
    build_str(build, "<stream:error><");
    build_str(build, error_names[error]);
    build_str(build, " xmlns='" NS_STREAM_ERRORS "'/>");
    if (text != NULL) {
        build_str(build, "<text xmlns='" NS_STREAM_ERRORS "' xml:lang='en'>");
        build_text(build, span_string(text));
        build_str(build, "</text>");
    }
    if (error == STREAM_TOO_BIG)
        build_str(build, "<stanza-too-big xmlns='" NS_TOO_BIG "'/>");
    else if (error == STREAM_INVALID_FLOW)
        build_str(build, "<invalid-flow xmlns='" NS_REGISTER_FLOW "'/>");
    build_put(build, condition);
    build_str(build, "</stream:error></stream:stream>");
}

static void say_build(struct server *server, struct session *session, const struct build *build)
{
    struct span said = build_span(build);
    if (said.bytes != NULL)
        output_say(server, session, said, false);
}

static void enter_closing(struct server *server, struct session *session)
{
    if (session->phase >= PHASE_CLOSING)
        return;
    session_unbind(server, session);
    session->phase = PHASE_CLOSING;
    session->phase_ms = server->now_ms;
    session->pauses = 0;
    session_due(server, server->now_ms + CLOSING_MS_MAX);
    session_write_later(server, session);
}

void stream_fail_with(struct server *server, struct session *session, enum stream_error error,
                      const char *text, struct span condition)
{
    char room[HEADER_BYTES_MAX];
    struct build build = {.bytes = room, .size = sizeof room};
    if (session->phase == PHASE_QUEUED || session->phase == PHASE_HANDSHAKE ||
        session->phase == PHASE_ASLEEP) {
        session_leave(server, session); /* TLS-3: no XML in the middle of TLS */
        return;
    }
    if (session->phase >= PHASE_CLOSING)
        return;
    log_line(LOG_DEBUG, "stream error %s: %s", error_names[error], text ? text : "");
    if (!session->header_sent)
        header_build(&build, SPAN_NONE, true);
    session->header_sent = true;
    error_build(&build, error, text, condition);
    /* Straight to the rope: output_say would refuse a stream that is over its share, and this is
     * what tells it so. */
    if (!rope_add_word(&server->chunks, &session->out, build_span(&build))) {
        session_leave(server, session);
        return;
    }
    enter_closing(server, session);
}

void stream_fail(struct server *server, struct session *session, enum stream_error error,
                 const char *text)
{
    stream_fail_with(server, session, error, text, SPAN(""));
}

void stream_close(struct server *server, struct session *session)
{
    if (session->phase == PHASE_QUEUED || session->phase == PHASE_HANDSHAKE ||
        !session->header_sent) {
        session_leave(server, session);
        return;
    }
    output_word(server, session, SPAN("</stream:stream>"), false);
    enter_closing(server, session);
}

void stream_flushed(struct server *server, struct session *session)
{
    if (!session->peer_closed)
        return;
    if (session->tls != NULL)
        tls_say_goodbye(session->tls);
    session_leave(server, session);
}

size_t stream_doorman(char *out, size_t size, enum stream_error error)
{
    struct build build = {.bytes = out, .size = size};
    header_build(&build, SPAN_NONE, true);
    error_build(&build, error, NULL, SPAN(""));
    return build.full ? 0 : build.used;
}

static bool on_loopback(const struct session *session)
{
    static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    static const uint8_t v6[16] = {[15] = 1};
    return memcmp(session->address.address, v4, sizeof v4) == 0 ||
           memcmp(session->address.address, v6, sizeof v6) == 0;
}

/* Whether this stream may log in as it is: over TLS, or in plain text where the owner allowed it.
 */
bool stream_may_login(const struct session *session)
{
    return session->tls != NULL || (config.plaintext_on_loopback && on_loopback(session));
}

/* ST-21. */
static void limits_build(struct build *build, uint32_t bytes, uint32_t idle_ms)
{
    build_str(build, "<limits xmlns='" NS_LIMITS "'><max-bytes>");
    build_number(build, bytes);
    build_str(build, "</max-bytes><idle-seconds>");
    build_number(build, idle_ms / 1000);
    build_str(build, "</idle-seconds></limits>");
}

/* Table 4.1 of the requirements; four features of one name, told apart by their namespaces (REG-2).
 */
static void registration_features(struct build *build)
{
    if (config.registration == REGISTRATION_CLOSED)
        return;
    build_str(build, "<register xmlns='" NS_REGISTER_FEATURE "'/><register xmlns='" NS_IBR_TOKEN
                     "'/><register xmlns='" NS_INVITE_OLD "'/>");
    if (config.registration != REGISTRATION_REDIRECT) /* IBR2-1 */
        build_str(build, "<register xmlns='" NS_REGISTER_FLOW
                         "'><flow id='0'><name xml:lang='en'>Create an account</name>"
                         "<challenge type='" NS_DATA_FORMS "'/></flow></register>");
}

/* Table "Features in each state" of requirements 1.1. */
void stream_features(const struct server *server, const struct session *session,
                     struct build *build)
{
    build_str(build, "<stream:features>");
    if (session->peer == PEER_STRANGER) {
        bool may_login = stream_may_login(session);
        if (session->tls == NULL && server->identity != NULL)
            build_str(build, may_login ? "<starttls xmlns='" NS_TLS "'/>"
                                       : "<starttls xmlns='" NS_TLS "'><required/></starttls>");
        if (may_login) {
            sasl_features(server, session, build);
            registration_features(build);
            limits_build(build, plan.stanza_bytes_before, LOGIN_MS_MAX);
        }
    } else {
        if (session->peer == PEER_USER)
            build_str(build, "<bind xmlns='" NS_BIND "'/>"
                             "<session xmlns='" NS_SESSION "'><optional/></session>");
        if (!session->management.enabled) /* XEP-0386: xmpp.js would enable it once more */
            build_str(build, "<sm xmlns='" NS_MANAGEMENT "'/>");
        build_str(build, "<csi xmlns='" NS_CLIENT_STATE "'/>"
                         "<ver xmlns='" NS_ROSTER_VERSIONS "'/><sub xmlns='" NS_PRE_APPROVAL "'/>");
        build_str(build, "<c xmlns='" NS_CAPS "' hash='sha-1' node='" NS_CAPS_NODE "'");
        build_attr(build, "ver", span_string(server->caps_ver));
        build_str(build, "/>");
        limits_build(build, plan.stanza_bytes, IDLE_MS_MAX);
    }
    build_str(build, "</stream:features>");
}

/* A prefix declared on the header whose meaning no stanza could carry to another stream. */
static bool declares_strangers(const struct stanza *header, const struct node *root)
{
    for (unsigned i = 0; i < root->declaration_count; i++) {
        struct span prefix = header->declarations[root->first_declaration + i].prefix;
        if (prefix.len > 0 && !span_is(prefix, "stream") && !span_is(prefix, "xml") &&
            !span_is(prefix, "db"))
            return true;
    }
    return false;
}

static bool declares_client(const struct stanza *header, const struct node *root)
{
    for (unsigned i = 0; i < root->declaration_count; i++) {
        const struct declaration *at = &header->declarations[root->first_declaration + i];
        if (at->prefix.len == 0)
            return span_is(at->uri, NS_CLIENT);
    }
    return false;
}

/* 4.7.5: major and minor are numbers, "2.4" < "2.13". */
static bool version_at_least_one(struct span version)
{
    uint64_t major = 0, minor = 0;
    size_t dot = span_find(version, '.');
    return span_number(span_cut(version, 0, dot), UINT32_MAX, &major) &&
           span_number(span_cut(version, dot + 1, version.len), UINT32_MAX, &minor) && major >= 1;
}

/* What is wrong with a header, or -1. Requirements ST-1 ... ST-5b. */
static int header_fault(struct server *server, const struct stanza *header)
{
    const struct node *root = stanza_root(header);
    struct span to = stanza_attribute(header, root, "to");
    if (!span_is(root->namespace, NS_STREAM))
        return STREAM_INVALID_NAMESPACE;
    if (root->prefix.len > 0 && !span_is(root->prefix, "stream"))
        return STREAM_BAD_NAMESPACE_PREFIX;
    if (!span_is(root->name, "stream"))
        return STREAM_BAD_FORMAT;
    if ((root->prefix.len > 0 && !declares_client(header, root)) ||
        declares_strangers(header, root))
        return STREAM_INVALID_NAMESPACE;
    if (!version_at_least_one(stanza_attribute(header, root, "version")))
        return STREAM_UNSUPPORTED_VERSION;
    if (to.bytes != NULL) {
        struct jid domain;
        if (!jid_parse(to, &server->arena, &domain) || domain.local_len || domain.resource_len ||
            !span_is(jid_domain(&domain), config.domain))
            return STREAM_HOST_UNKNOWN;
    }
    return -1;
}

enum stream_error stream_error_of(enum xml_outcome outcome)
{
    switch (outcome) {
    case XML_RESTRICTED:
        return STREAM_RESTRICTED_XML;
    case XML_BAD_NAMESPACE_PREFIX:
        return STREAM_BAD_NAMESPACE_PREFIX;
    case XML_UNSUPPORTED_ENCODING:
        return STREAM_UNSUPPORTED_ENCODING;
    case XML_TOO_BIG:
        return STREAM_POLICY_VIOLATION;
    case XML_FULL:
        return STREAM_RESOURCE_CONSTRAINT;
    default:
        return STREAM_NOT_WELL_FORMED;
    }
}

static void header_note_lang(struct session *session, struct span lang)
{
    if (lang.bytes == NULL || lang.len > SESSION_LANG_BYTES)
        lang.len = 0;
    if (lang.len > 0)
        memcpy(session->lang, lang.bytes, lang.len);
    session->lang[lang.len] = 0;
}

/* Whose registration it may be in the middle of (4.5), and who may log in in the second profile
 * (SA-7): never trusted. from: not present if there was none, or none that can be read. */
static void header_note_hint(struct session *session, const struct jid *from)
{
    bool fits = jid_present(from) && from->local_len <= SESSION_PART_BYTES &&
                span_is(jid_domain(from), config.domain);
    session->from_elsewhere = jid_present(from) && !fits;
    session->registering.hint_len = fits ? (uint8_t)from->local_len : 0;
    if (session->registering.hint_len > 0)
        memcpy(session->jid_text, from->text, session->registering.hint_len);
}

void stream_header(struct server *server, struct session *session, struct span source)
{
    struct stanza header;
    struct jid from = {0};
    struct build build;
    enum xml_outcome outcome = xml_read_header(server->xml, source, &server->arena, &header);
    if (outcome != XML_OK) {
        stream_fail(server, session, stream_error_of(outcome), NULL);
        return;
    }
    const struct node *root = stanza_root(&header);
    struct span from_text = stanza_attribute(&header, root, "from");
    bool from_good = from_text.bytes != NULL && jid_parse(from_text, &server->arena, &from);
    if (!from_good)
        from = (struct jid){0};
    int fault = header_fault(server, &header);

    build_init(&build, &server->arena,
               HEADER_BYTES_MAX + FEATURES_BYTES_MAX + BUILD_ESCAPED_MAX(from.domain_len) +
                   BUILD_ESCAPED_MAX(from.local_len));
    header_build(&build, from_good ? jid_bare(&from) : SPAN_NONE,
                 stanza_attribute(&header, root, "version").bytes != NULL);
    if (fault < 0)
        stream_features(server, session, &build);
    session->header_sent = true;
    say_build(server, session, &build);
    if (fault >= 0) {
        stream_fail(server, session, (enum stream_error)fault, NULL);
        return;
    }
    session->stream_default = root->prefix.len == 0;
    if (session->peer == PEER_STRANGER)
        header_note_hint(session, &from);
    header_note_lang(session, stanza_lang(&header, root));
    if (session->phase == PHASE_HEADER)
        session->phase = PHASE_OPEN;
}

/* TLS-1. */
static void starttls(struct server *server, struct session *session)
{
    if (session->tls != NULL || session->peer != PEER_STRANGER || server->identity == NULL) {
        output_say(server, session, SPAN("<failure xmlns='" NS_TLS "'/>"), false);
        stream_close(server, session);
        return;
    }
    output_say(server, session, SPAN("<proceed xmlns='" NS_TLS "'/>"), false);
    if (session->phase != PHASE_OPEN)
        return;
    /* What was sent along in plain text must never be read as if it had come over TLS. */
    input_discard(session);
    session->phase = PHASE_QUEUED;
    session->header_sent = false;
    framer_restart(&session->framer);
    server->queue_changed = true;
}

bool stream_negotiate(struct server *server, struct session *session, const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    if (sasl2_under_way(session) && !node_is(root, NS_SASL2, "response") &&
        !node_is(root, NS_SASL2, "abort")) { /* S2-2 */
        stream_fail(server, session, STREAM_POLICY_VIOLATION, "Finish logging in first.");
        return true;
    }
    if (node_is(root, NS_TLS, "starttls")) {
        starttls(server, session);
        return true;
    }
    if (session->peer == PEER_STRANGER) {
        if (span_is(root->namespace, NS_SASL))
            sasl1_element(server, session, stanza);
        else if (span_is(root->namespace, NS_SASL2))
            sasl2_element(server, session, stanza);
        else
            return false;
        return true;
    }
    if (management_element(server, session, stanza) ||
        client_state_element(server, session, stanza))
        return true;
    if (node_is(root, NS_CLIENT, "message") || node_is(root, NS_CLIENT, "presence") ||
        node_is(root, NS_CLIENT, "iq"))
        return false;
    stream_fail(server, session, STREAM_UNSUPPORTED_STANZA_TYPE, NULL); /* ST-9 */
    return true;
}

static bool handshake_start(struct server *server, struct session *session)
{
    void *room = pool_take(&server->tls_rooms);
    must(room != NULL); /* as many as sessions */
    session->tls = tls_open(room, server->identity, session->handle,
                            pool_index(&server->sessions, session) + 1, session->direct_tls);
    if (session->tls == NULL) {
        pool_return(&server->tls_rooms, room);
        session_leave(server, session);
        return false;
    }
    session->phase = PHASE_HANDSHAKE;
    session->phase_ms = server->now_ms;
    server->handshakes++;
    session_due(server, server->now_ms + HANDSHAKE_MS_MAX);
    session_watch(server, session);
    return true;
}

void stream_start_handshakes(struct server *server)
{
    struct session *next;
    if (!server->queue_changed)
        return;
    /* Oldest first: new streams are added at the front of the list. */
    for (;;) {
        struct session *oldest = NULL;
        if (server->handshakes >= plan.handshakes)
            return;
        for (struct session *at = server->streams; at != NULL; at = next) {
            next = at->next;
            if (at->phase == PHASE_QUEUED && at->out.bytes == 0)
                oldest = at;
        }
        if (oldest == NULL)
            break;
        (void)handshake_start(server, oldest);
    }
    server->queue_changed = false;
}

void stream_secured(struct server *server, struct session *session)
{
    server->handshakes--;
    server->queue_changed = true;
    session->phase = PHASE_HEADER;
    log_line(LOG_DEBUG, "TLS: %s %s", tls_version_name(session->tls), tls_suite_name(session->tls));
}
