/* load_session.c: one client, from the socket to an available resource: stream header, STARTTLS or
 * direct TLS, SASL, resource binding, presence (RFC 6120, RFC 6121). With tools/floor: TLS and one
 * line. Stanzas that arrive later go to the mode in charge. */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"

const struct mode *mode;
static unsigned failures_said;

struct mechanism {
    const char *name;
    mbedtls_md_type_t digest; /* MBEDTLS_MD_NONE: PLAIN */
};

/* Strongest first. */
static const struct mechanism mechanisms[] = {
    {"SCRAM-SHA-256", MBEDTLS_MD_SHA256},
    {"SCRAM-SHA-1", MBEDTLS_MD_SHA1},
    {"PLAIN", MBEDTLS_MD_NONE},
};

void session_say(struct session *session, const char *format, ...)
{
    char text[700];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof(text))
        fail("a stanza of ours is too long");
    link_send(&session->link, text, (size_t)len);
}

static void session_fail(struct session *session, const char *why, size_t len)
{
    link_close(&session->link);
    session->state = SESSION_FAILED;
    if (failures_said++ < 5)
        fprintf(stderr, "load: %s: %.*s\n", session->user, (int)(len < 300 ? len : 300), why);
    mode->lost(session);
}

static void session_ready(struct session *session)
{
    session->state = SESSION_READY;
    mode->ready(session);
}

static void stream_open(struct session *session)
{
    session->splitter = (struct splitter){0};
    session_say(session,
                "<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' "
                "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
                options.domain);
}

static void sasl_begin(struct session *session, const char *features, size_t len)
{
    for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
        const struct mechanism *mechanism = &mechanisms[i];
        char offer[64], initial[512];
        snprintf(offer, sizeof(offer), ">%s<", mechanism->name);
        if (!xml_has(features, len, offer) ||
            (options.mechanism && strcmp(options.mechanism, mechanism->name) != 0))
            continue;
        if (mechanism->digest == MBEDTLS_MD_NONE)
            plain_initial(session->user, session->password, initial, sizeof(initial));
        else
            scram_initial(&session->scram, mechanism->digest, session->user, initial,
                          sizeof(initial));
        session_say(session, "<auth xmlns='" NS_SASL "' mechanism='%s'>%s</auth>", mechanism->name,
                    initial);
        return;
    }
    session_fail(session, features, len);
}

static void session_features(struct session *session, const char *features, size_t len)
{
    if (!session->link.secure && !options.plaintext) {
        if (xml_has(features, len, "<starttls"))
            session_say(session, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        else
            session_fail(session, features, len);
    } else if (session->registers) {
        session_ready(session);
    } else if (session->guest) {
        if (!session->authenticated)
            guest_begin(session, features, len);
    } else if (!session->authenticated) {
        sasl_begin(session, features, len);
    } else {
        /* RFC 6120 says nothing of it any more; where it is not <optional/>, it is needed. */
        session->legacy_session = xml_has(features, len, "urn:ietf:params:xml:ns:xmpp-session") &&
                                  !xml_has(features, len, "<optional");
        session->state = SESSION_BINDS;
        session_say(session, "<iq type='set' id='bind'>"
                             "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    }
}

static void session_success(struct session *session, const char *stanza, size_t len)
{
    char signature[256];
    if (session->guest) {
        session->authenticated = guest_success(session, stanza, len);
        if (session->authenticated)
            session_ready(session);
        else
            session_fail(session, stanza, len);
        return;
    }
    xml_text(stanza, len, "success", signature, sizeof(signature));
    if (session->scram.digest != MBEDTLS_MD_NONE && !scram_verify(&session->scram, signature)) {
        session_fail(session, "the server does not prove that it knows the password", 52);
        return;
    }
    session->authenticated = true;
    stream_open(session);
}

static void session_challenge(struct session *session, const char *stanza, size_t len)
{
    char challenge[512], response[512];
    if (session->guest) {
        guest_challenge(session, stanza, len);
        return;
    }
    xml_text(stanza, len, "challenge", challenge, sizeof(challenge));
    if (scram_final(&session->scram, session->account, session->password, challenge, response,
                    sizeof(response)))
        session_say(session, "<response xmlns='" NS_SASL "'>%s</response>", response);
    else
        session_fail(session, stanza, len);
}

static void session_bound(struct session *session)
{
    session->state = SESSION_BOUND;
    if (session->wants_presence)
        /* The answer, a result or an error, tells that the presence before it is in force. */
        session_say(session,
                    "<presence/><iq type='get' id='ready' to='%s'>"
                    "<ping xmlns='urn:xmpp:ping'/></iq>",
                    options.domain);
    else
        session_ready(session);
}

static void session_result(struct session *session, const char *stanza, size_t len)
{
    char id[32], type[16];
    xml_attribute(stanza, len, "id", id, sizeof(id));
    xml_attribute(stanza, len, "type", type, sizeof(type));
    bool result = strcmp(type, "result") == 0;
    if (strcmp(id, "bind") == 0 && result) {
        xml_text(stanza, len, "jid", session->jid, sizeof(session->jid));
        if (session->legacy_session)
            session_say(session, "<iq type='set' id='session'>"
                                 "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
        else
            session_bound(session);
    } else if (strcmp(id, "session") == 0 && result) {
        session_bound(session);
    } else if (strcmp(id, "ready") == 0 && session->state == SESSION_BOUND) {
        session_ready(session);
    } else if (strcmp(id, "bind") == 0 || strcmp(id, "session") == 0) {
        session_fail(session, stanza, len);
    }
}

/* Servers ping (XEP-0199) and push rosters; they expect an answer of any kind. */
static void session_request(struct session *session, const char *stanza, size_t len)
{
    char id[128], from[256], to[300] = "";
    xml_attribute(stanza, len, "id", id, sizeof(id));
    xml_attribute(stanza, len, "from", from, sizeof(from));
    if (from[0])
        snprintf(to, sizeof(to), " to='%s'", from);
    if (xml_has(stanza, len, "urn:xmpp:ping") || xml_has(stanza, len, "jabber:iq:roster"))
        session_say(session, "<iq type='result' id='%s'%s/>", id, to);
    else
        session_say(session,
                    "<iq type='error' id='%s'%s><error type='cancel'><service-unavailable "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
                    id, to);
}

static void session_stanza(struct session *session, const char *stanza, size_t len)
{
    char type[16];
    bool ready = session->state == SESSION_READY;
    if (ready && (xml_is(stanza, len, "message") || xml_is(stanza, len, "presence"))) {
        mode->stanza(session, stanza, len);
    } else if (xml_is(stanza, len, "iq")) {
        xml_attribute(stanza, len, "type", type, sizeof(type));
        if (strcmp(type, "get") == 0 || strcmp(type, "set") == 0)
            session_request(session, stanza, len);
        else if (ready)
            mode->stanza(session, stanza, len);
        else
            session_result(session, stanza, len);
    } else if (xml_is(stanza, len, "stream:features")) {
        session_features(session, stanza, len);
    } else if (xml_is(stanza, len, "proceed")) {
        link_secure(&session->link);
    } else if (xml_is(stanza, len, "challenge")) {
        session_challenge(session, stanza, len);
    } else if (xml_is(stanza, len, "success")) {
        session_success(session, stanza, len);
    } else if (xml_is(stanza, len, "failure") || xml_is(stanza, len, "stream:error")) {
        session_fail(session, stanza, len);
    }
}

static void session_split(struct session *session)
{
    size_t used = 0, len;
    enum piece piece = PIECE_STANZA;
    while (session->link.fd >= 0 && piece != PIECE_NONE) {
        const char *bytes = session->input + used;
        piece = splitter_next(&session->splitter, bytes, session->input_len - used, &len);
        if (piece == PIECE_STANZA)
            session_stanza(session, bytes, len);
        else if (piece == PIECE_CLOSE || piece == PIECE_BROKEN)
            session_fail(session, bytes, len);
        if (piece != PIECE_NONE)
            used += len;
    }
    session->input_len -= used;
    memmove(session->input, session->input + used, session->input_len);
}

/* The answer of tools/floor to our first line; what follows are stanzas without a stream. */
static void floor_answer(struct session *session)
{
    static const char go[] = "go\n";
    size_t len = sizeof(go) - 1;
    if (session->input_len < len)
        return;
    if (memcmp(session->input, go, len) != 0) {
        session_fail(session, session->input, session->input_len);
        return;
    }
    session->input_len -= len;
    memmove(session->input, session->input + len, session->input_len);
    session->splitter = (struct splitter){.depth = 1};
    session_ready(session);
}

static void session_bytes(struct session *session, const char *bytes, size_t len)
{
    if (session->input_len + len > session->input_size) {
        session->input_size = 2 * (session->input_len + len);
        session->input = realloc(session->input, session->input_size);
        if (!session->input)
            fail("out of memory");
    }
    memcpy(session->input + session->input_len, bytes, len);
    session->input_len += len;
    if (options.floor && session->state == SESSION_STARTS)
        floor_answer(session);
    if (session->link.fd >= 0 && !(options.floor && session->state == SESSION_STARTS))
        session_split(session);
}

static void session_begin(struct session *session)
{
    if (!options.floor)
        stream_open(session);
    else if (strcmp(options.mode, "channel") == 0)
        session_say(session, "group %u\n", options.people);
    else if (session->pair == UNPAIRED)
        session_say(session, "alone\n");
    else
        session_say(session, "pair %u\n", session->pair);
}

static void session_event(struct link *link, enum link_event event, const char *bytes, size_t len)
{
    struct session *session = (struct session *)link;
    if (event == LINK_OPEN && (options.direct_tls || options.floor) && !options.plaintext)
        link_secure(link);
    else if (event == LINK_OPEN || event == LINK_SECURE)
        session_begin(session);
    else if (event == LINK_BYTES)
        session_bytes(session, bytes, len);
    else if (session->state != SESSION_CLOSED)
        session_fail(session, bytes, len);
}

/* %u in the pattern becomes the number. */
static void pattern_fill(const char *pattern, unsigned number, char *out, size_t size)
{
    const char *mark = strstr(pattern, "%u");
    int len =
        mark ? snprintf(out, size, "%.*s%u%s", (int)(mark - pattern), pattern, number, mark + 2)
             : snprintf(out, size, "%s", pattern);
    if (len < 0 || (size_t)len >= size)
        fail("too long: %s", pattern);
}

void session_open(struct session *session, unsigned account, unsigned pair, bool presence)
{
    session->state = SESSION_STARTS;
    session->authenticated = false;
    session->wants_presence = presence;
    session->account = account;
    session->pair = pair;
    session->input_len = 0;
    session->scram.digest = MBEDTLS_MD_NONE;
    session->started_ns = now_ns();
    account += options.first;
    pattern_fill(options.user, account, session->user, sizeof(session->user));
    pattern_fill(options.password, account, session->password, sizeof(session->password));
    session->link.event = session_event;
    link_open(&session->link);
}

void session_close(struct session *session)
{
    if (!options.floor)
        session_say(session, "</stream:stream>");
    session->state = SESSION_CLOSED;
    link_close(&session->link);
}

bool sessions_gather(struct session *sessions, unsigned count, unsigned pairs, uint64_t until_ns)
{
    unsigned opened = 0, ready = 0;
    while (ready < count) {
        unsigned failed = 0;
        ready = 0;
        for (unsigned i = 0; i < opened; i++) {
            ready += sessions[i].state == SESSION_READY;
            failed += sessions[i].state == SESSION_FAILED;
        }
        if (failed > 0 || now_ns() > until_ns)
            return false;
        for (; opened < count && opened - ready < options.concurrency; opened++)
            session_open(&sessions[opened], opened % options.users,
                         opened < 2 * pairs ? opened / 2 : UNPAIRED, true);
        links_step(100);
    }
    return true;
}
