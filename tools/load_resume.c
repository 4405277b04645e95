/* load_resume.c: clients that come back. The mode resume: logins by SASL2 over a full TLS handshake
 * with SCRAM and Bind 2, against such that come back with a TLS ticket (RFC 5077), a token and the
 * id of their stream (XEP-0388, XEP-0386, XEP-0484, XEP-0198). The mode asleep: sessions that lost
 * their connections, while the server's memory is looked at. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#define NS_SASL2 "urn:xmpp:sasl:2"
#define NS_SM "urn:xmpp:sm:3"

/* What a client keeps of its last login. */
struct guest {
    bool stays;      /* asks for a token, and for a stream that can be resumed */
    bool comes_back; /* with both */
    char token[128];
    char stream[64];
    mbedtls_ssl_session ticket;
};

static struct session *sessions;
static struct guest *guests;
static unsigned ready, lost, tls_resumed;

static void agent(const struct session *session, char *out, size_t size)
{
    snprintf(out, size, "<user-agent id='d4565fa7-4d72-4749-b3d3-%012u'/>", session->account);
}

static void comes_back(struct session *session)
{
    char initial[256], id[80];
    fast_initial(session->user, session->guest->token, initial, sizeof(initial));
    agent(session, id, sizeof(id));
    session_say(session,
                "<authenticate xmlns='" NS_SASL2 "' mechanism='HT-SHA-256-NONE'><initial-response>"
                "%s</initial-response>%s<fast xmlns='urn:xmpp:fast:0'/><resume xmlns='" NS_SM
                "' previd='%s' h='0'/></authenticate>",
                initial, id, session->guest->stream);
}

void guest_begin(struct session *session, const char *features, size_t len)
{
    char initial[256], id[80];
    if (!xml_has(features, len, NS_SASL2))
        fail("the server does not know SASL2");
    if (session->guest->comes_back) {
        comes_back(session);
        return;
    }
    scram_initial(&session->scram, MBEDTLS_MD_SHA256, session->user, initial, sizeof(initial));
    agent(session, id, sizeof(id));
    session_say(session,
                "<authenticate xmlns='" NS_SASL2 "' mechanism='SCRAM-SHA-256'><initial-response>"
                "%s</initial-response>%s%s<bind xmlns='urn:xmpp:bind:0'><tag>load</tag>%s</bind>"
                "</authenticate>",
                initial, id,
                session->guest->stays
                    ? "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
                    : "",
                session->guest->stays ? "<enable xmlns='" NS_SM "' resume='true'/>" : "");
}

void guest_challenge(struct session *session, const char *stanza, size_t len)
{
    char challenge[512], response[512];
    xml_text(stanza, len, "challenge", challenge, sizeof(challenge));
    if (!scram_final(&session->scram, session->account, session->password, challenge, response,
                     sizeof(response)))
        fail("a challenge is not understood");
    session_say(session, "<response xmlns='" NS_SASL2 "'>%s</response>", response);
}

/* An attribute of the first element of this name, wherever it stands. */
static bool attribute_inside(const char *stanza, size_t len, const char *name, const char *key,
                             char *out, size_t size)
{
    const char *at = memmem(stanza, len, name, strlen(name));
    if (!at)
        return false;
    xml_attribute(at, len - (size_t)(at - stanza), key, out, size);
    return out[0] != '\0';
}

bool guest_success(struct session *session, const char *stanza, size_t len)
{
    struct guest *guest = session->guest;
    char signature[256];
    if (guest->comes_back)
        return xml_has(stanza, len, "<resumed ");
    xml_text(stanza, len, "additional-data", signature, sizeof(signature));
    if (!scram_verify(&session->scram, signature) || !xml_has(stanza, len, "<bound "))
        return false;
    return !guest->stays ||
           (attribute_inside(stanza, len, "<token ", "token", guest->token, sizeof(guest->token)) &&
            attribute_inside(stanza, len, "<enabled ", "id", guest->stream, sizeof(guest->stream)));
}

static void guest_ready(struct session *session)
{
    ready++;
    tls_resumed += session->link.secure && session->link.flights == 1;
    if (session->guest->stays && !session->guest->comes_back)
        session_say(session, "<presence/>");
}

static void guest_stanza(struct session *session, const char *stanza, size_t len)
{
    (void)session;
    (void)stanza;
    (void)len;
}

static void guest_lost(struct session *session)
{
    (void)session;
    lost++;
}

static const struct mode guest_mode = {guest_ready, guest_stanza, guest_lost};

/* `count` logins, a few accounts at once, all accounts in turn. */
static void logins_make(unsigned count, bool stays, bool back, uint64_t until_ns)
{
    for (unsigned done = 0; done < count;) {
        unsigned first = done % options.users, before = ready;
        unsigned some = options.concurrency;
        if (some > count - done)
            some = count - done;
        if (some > options.users - first)
            some = options.users - first;
        for (unsigned i = first; i < first + some; i++) {
            guests[i].stays = stays;
            guests[i].comes_back = back;
            sessions[i].guest = &guests[i];
            sessions[i].link.ticket = stays ? &guests[i].ticket : NULL;
            session_open(&sessions[i], i, UNPAIRED, false);
        }
        while (ready - before < some && lost == 0 && now_ns() < until_ns)
            links_step(100);
        if (ready - before < some)
            fail("%u of %u logins failed", some - (ready - before), some);
        if (stays && !back)
            links_settle(0.02); /* what they said last is read before they are gone */
        for (unsigned i = first; i < first + some; i++) {
            if (!stays)
                session_close(&sessions[i]);
            sessions[i].state = SESSION_CLOSED;
            link_close(&sessions[i].link);
        }
        done += some;
    }
    links_settle(0.2);
}

static void measure(const char *name, bool back, uint64_t until_ns)
{
    struct usage from = {0}, to = {0};
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    logins_make(options.count, back, back, until_ns);
    if (options.server_pid)
        usage_read(options.server_pid, &to);
    if (options.server_pid)
        report_usage(name, &from, &to, options.count);
}

static uint64_t guests_come(void)
{
    sessions = take(options.users * sizeof(*sessions));
    guests = take(options.users * sizeof(*guests));
    for (unsigned i = 0; i < options.users; i++)
        mbedtls_ssl_session_init(&guests[i].ticket);
    mode = &guest_mode;
    return now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
}

int resume_run(void)
{
    uint64_t until = guests_come();
    /* Once each, so that PBKDF2 on this side is not measured. */
    logins_make(options.users, false, false, until);
    tls_resumed = 0;
    measure("full_login", false, until);
    report("full_logins_tls_resumed", tls_resumed, "");
    logins_make(options.users, true, false, until);
    logins_make(options.users, true, true, until);
    tls_resumed = 0;
    measure("resumed_login", true, until);
    report("resumed_logins", options.count, "");
    report("resumed_logins_tls_resumed", tls_resumed, "");
    return tls_resumed == options.count ? 0 : 1;
}

int asleep_run(void)
{
    uint64_t until = guests_come();
    double rss[2], anonymous[2];
    unsigned few =
        options.users < 2 * options.concurrency ? options.users : 2 * options.concurrency;
    /* What TLS, the parser and logins take once is there before. */
    logins_make(few, false, false, until);
    links_settle(options.seconds / 2.0);
    if (!memory_read(options.server_pid, &rss[0], &anonymous[0]))
        fail("no smaps_rollup of process %d", options.server_pid);
    logins_make(options.users, true, false, until);
    links_settle(options.seconds / 2.0);
    if (!memory_read(options.server_pid, &rss[1], &anonymous[1]))
        fail("no smaps_rollup of process %d", options.server_pid);
    report("rss_per_asleep", (rss[1] - rss[0]) / options.users, "KB");
    report("anonymous_per_asleep", (anonymous[1] - anonymous[0]) / options.users, "KB");
    /* They are there to come back to. */
    logins_make(options.users, true, true, until);
    report("resumed", options.users, "");
    return 0;
}
