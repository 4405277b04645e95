/* sasl.c: see sasl.h. The mechanisms and what is common to them; SCRAM is in sasl_scram.c. */
#include "base/log.h"
#include "base/must.h"
#include "core/limits.h"
#include "core/output.h"
#include "core/sasl_exchange.h"
#include "core/stream.h"
#include "store/pending.h"
#include "wire/base64.h"
#include "wire/build.h"
#include "wire/names.h"
#include "wire/precis.h"

/* SA-1, in the order in which they are offered. */
static const struct mechanism mechanisms[] = {
    {"SCRAM-SHA-256-PLUS", DIGEST_SHA256, true, true},
    {"SCRAM-SHA-256", DIGEST_SHA256, true, false},
    {"SCRAM-SHA-1-PLUS", DIGEST_SHA1, true, true},
    {"SCRAM-SHA-1", DIGEST_SHA1, true, false},
    {"PLAIN", DIGEST_SHA1, false, false},
};
#define FAILURE_BYTES_MAX 2048
#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

static const struct binding bindings[] = {
    {"tls-server-end-point", TLS_BINDING_END_POINT},
    {"tls-exporter", TLS_BINDING_EXPORTER},
};
#define BINDINGS (sizeof bindings / sizeof bindings[0])

size_t exchange_bytes(void)
{
    return sizeof(struct exchange);
}

static void exchange_return(struct server *server, struct session *session)
{
    secret_forget(session->exchange, sizeof *session->exchange);
    pool_return(&server->exchanges, session->exchange);
    session->exchange = NULL;
}

void sasl_forget(struct server *server, struct session *session)
{
    if (session->exchange == NULL)
        return;
    derivation_end(server, &session->exchange->derivation);
    exchange_return(server, session);
}

bool sasl_can_bind(const struct session *session, enum tls_binding binding)
{
    uint8_t bytes[BINDING_BYTES_MAX];
    return session->tls != NULL && tls_channel_binding(session->tls, binding, bytes) > 0;
}

bool sasl_offers_plus(const struct session *session)
{
    for (size_t i = 0; i < BINDINGS; i++)
        if (sasl_can_bind(session, bindings[i].kind))
            return true;
    return false;
}

static bool offers(const struct session *session, const struct mechanism *mechanism)
{
    if (mechanism->plus)
        return sasl_offers_plus(session);
    return mechanism->scram || config.sasl_plain;
}

const struct binding *sasl_binding(size_t n)
{
    return n < BINDINGS ? &bindings[n] : NULL;
}

size_t sasl_offered(const struct session *session, const char **names, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < MECHANISMS && count < max; i++)
        if (offers(session, &mechanisms[i]))
            names[count++] = mechanisms[i].name;
    return count;
}

void sasl_features(const struct session *session, struct build *build)
{
    build_str(build, "<mechanisms xmlns='" NS_SASL "'>");
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (!offers(session, &mechanisms[i]))
            continue;
        build_str(build, "<mechanism>");
        build_str(build, mechanisms[i].name);
        build_str(build, "</mechanism>");
    }
    build_str(build, "</mechanisms>");
    if (!sasl_offers_plus(session))
        return;
    build_str(build, "<sasl-channel-binding xmlns='" NS_CHANNEL_BINDING "'>"); /* SA-12 */
    for (size_t i = 0; i < BINDINGS; i++)
        if (sasl_can_bind(session, bindings[i].kind)) {
            build_str(build, "<channel-binding");
            build_attr(build, "type", span_string(bindings[i].name));
            build_str(build, "/>");
        }
    build_str(build, "</sasl-channel-binding>");
}

/* --- answers --- */

static void fail_saying(struct server *server, struct session *session, const char *condition,
                        const char *text, enum blame blame)
{
    struct build build;
    build_init(&build, &server->arena, FAILURE_BYTES_MAX);
    build_str(&build, "<failure xmlns='" NS_SASL "'><");
    build_str(&build, condition);
    build_str(&build, "/>");
    if (text != NULL) {
        build_str(&build, "<text xml:lang='en'>");
        build_str(&build, text);
        if (config.registration_url[0] != '\0') {
            build_str(&build, ", or open ");
            build_text(&build, span_string(config.registration_url));
        } else { /* behind an address, clients would take it for a part of it */
            build_str(&build, ".");
        }
        build_str(&build, "</text>");
    }
    build_str(&build, "</failure>");
    sasl_forget(server, session);
    output_say(server, session, build_span(&build), false);
    session->failures += blame == BLAME_CLIENT;
    session->refusals += blame == BLAME_HEADER;
    if (session->failures >= SASL_FAILURES_MAX || session->refusals >= SASL_REFUSALS_MAX)
        stream_fail(server, session, STREAM_POLICY_VIOLATION, "Too many failed logins.");
}

void sasl_fail(struct server *server, struct session *session, const char *condition,
               enum blame blame)
{
    fail_saying(server, session, condition, NULL, blame);
}

static struct span address_of(const struct session *session)
{
    return throttle_network(session->address.address); /* of an IPv6 network there is no end */
}

void sasl_not_authorized(struct server *server, struct session *session)
{
    struct exchange *exchange = session->exchange;
    if (config.rate_limits)
        throttle_note(&server->logins, span_of(exchange->local, exchange->local_len),
                      address_of(session), server->now_ms);
    log_line(LOG_NOTE, "failed login as '%.*s'", (int)exchange->local_len, exchange->local);
    sasl_fail(server, session, "not-authorized", BLAME_CLIENT);
}

void sasl_say(struct server *server, struct session *session, const char *name, struct span data)
{
    struct build build;
    size_t len = BASE64_BYTES(data.len);
    char *text = arena_take(&server->arena, len + 1);
    build_init(&build, &server->arena, len + 128);
    if (text == NULL || build.full) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
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
}

void sasl_succeed(struct server *server, struct session *session, struct span data)
{
    struct exchange *exchange = session->exchange;
    struct jid jid;
    if (exchange->unfinished != NULL) { /* REG-24 */
        fail_saying(server, session, "account-disabled", exchange->unfinished, BLAME_CLIENT);
        return;
    }
    if (exchange->account.flags & ACCOUNT_DISABLED) {
        sasl_fail(server, session, "account-disabled", BLAME_CLIENT);
        return;
    }
    if (!jid_of(span_of(exchange->local, exchange->local_len), span_string(config.domain),
                SPAN_NONE, &server->arena, &jid)) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    must(jid_bare_len(&jid) <= SESSION_JID_BYTES);
    session->jid = jid;
    memcpy(session->jid_text, jid.text, jid_bare_len(&jid));
    session->jid.text = session->jid_text;
    log_line(LOG_DEBUG, "%.*s logged in with %s", (int)jid_bare_len(&jid), jid.text,
             exchange->mechanism->name);
    sasl_say(server, session, "success", data);
    sasl_forget(server, session);
    if (session->phase != PHASE_OPEN)
        return;
    session->peer = PEER_USER;
    session->phase = PHASE_HEADER; /* SA-5 */
    session->header_sent = false;
    framer_restart(&session->framer);
}

/* --- who it is --- */

void sasl_salt(struct store *store, struct span local, uint8_t salt[SCRAM_SALT_BYTES])
{
    uint8_t whole[DIGEST_BYTES_MAX];
    digest_hmac(DIGEST_SHA256, span_of((const char *)store_secret(store), 32), local, whole);
    memcpy(salt, whole, SCRAM_SALT_BYTES);
}

/* REG-24: who is in the middle of a registration logs in with the keys of the pending record. */
static bool pending_identify(struct server *server, struct exchange *exchange, struct span local)
{
    struct pending pending;
    if (pending_get(server->store, local, &pending) != STORE_OK ||
        (pending.flags & PENDING_OF_ACCOUNT) || pending.expires_us <= server->wall_us)
        return false;
    exchange->account = (struct account){.iterations = pending.iterations};
    memcpy(exchange->account.salt, pending.salt, sizeof pending.salt);
    exchange->account.sha1 = pending.sha1;
    exchange->account.sha256 = pending.sha256;
    exchange->unfinished =
        pending.code_sent_us == 0
            ? "Registration is not finished. Register again with the same user name and password"
        : pending.channel == PENDING_ADMIN
            ? "Registration is not finished: an administrator has not approved it yet. To enter "
              "the code, register again with the same user name and password"
            : "Registration is not finished: enter the code we sent you. Register again with the "
              "same user name and password";
    return true;
}

bool sasl_identify(struct server *server, struct session *session, struct span name)
{
    struct exchange *exchange = session->exchange;
    struct span local = name;
    size_t at = span_find(name, '@');
    if (at < name.len && span_is(span_cut(name, at + 1, name.len), config.domain))
        name = span_cut(name, 0, at);
    if (!jid_prepare_local(name, &server->arena, &local))
        local = name; /* nobody is called that */
    exchange->local_len = local.len < sizeof exchange->local ? local.len : sizeof exchange->local;
    memcpy(exchange->local, local.bytes, exchange->local_len);
    if (config.rate_limits &&
        throttle_full(&server->logins, local, address_of(session), server->now_ms)) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_CLIENT);
        return false;
    }
    enum store_outcome outcome = account_get(server->store, local, &exchange->account);
    if (outcome != STORE_OK && outcome != STORE_NONE) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return false;
    }
    exchange->known = local.len <= SESSION_PART_BYTES &&
                      (outcome == STORE_OK || pending_identify(server, exchange, local));
    if (!exchange->known) {
        exchange->account = (struct account){.iterations = config.sasl_iterations};
        sasl_salt(server->store, local, exchange->account.salt);
        plat_random(&exchange->account.sha1, sizeof exchange->account.sha1);
        plat_random(&exchange->account.sha256, sizeof exchange->account.sha256);
    }
    return true;
}

bool sasl_authzid_fits(struct server *server, const struct exchange *exchange, struct span authzid)
{
    struct jid jid;
    return authzid.len == 0 ||
           (jid_parse(authzid, &server->arena, &jid) && jid.resource_len == 0 &&
            span_equal(jid_local(&jid), span_of(exchange->local, exchange->local_len)) &&
            span_is(jid_domain(&jid), config.domain));
}

/* --- PLAIN --- */

static void plain_derived(struct server *server, struct session *session)
{
    struct exchange *exchange = session->exchange;
    struct scram_keys keys;
    scram_keys_of(DIGEST_SHA1, exchange->derivation.derives[0].out, &keys);
    bool fits = span_equal_secret(
        span_of((char *)keys.stored_key, digest_bytes(DIGEST_SHA1)),
        span_of((char *)exchange->account.sha1.stored_key, digest_bytes(DIGEST_SHA1)));
    derivation_end(server, &exchange->derivation);
    if (fits && exchange->known)
        sasl_succeed(server, session, SPAN_NONE);
    else
        sasl_not_authorized(server, session);
}

/* SA-16. The password goes through the key derivation in slices; meanwhile the stream waits. */
static void plain(struct server *server, struct session *session, struct span message)
{
    struct exchange *exchange = session->exchange;
    size_t first = span_find(message, 0);
    struct span rest = span_cut(message, first + 1, message.len);
    size_t second = span_find(rest, 0);
    struct span password = span_cut(rest, second + 1, rest.len);
    struct span prepared = password;
    if (!precis_utf8_valid(message) || first == message.len || second == rest.len ||
        span_find(password, 0) < password.len || second == 0 || password.len == 0) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    if (!sasl_identify(server, session, span_cut(rest, 0, second)))
        return;
    if (!sasl_authzid_fits(server, exchange, span_cut(message, 0, first))) {
        sasl_fail(server, session, "invalid-authzid", BLAME_CLIENT);
        return;
    }
    if (!jid_prepare_password(password, &server->arena, &prepared))
        prepared = password; /* nobody has that one */
    /* SHA-1, since it costs half: what is compared is a key of 160 bits either way. */
    static const enum digest digest = DIGEST_SHA1;
    exchange->step = STEP_DERIVING;
    derivation_begin(server, session, &exchange->derivation, &digest, 1, prepared,
                     span_of((char *)exchange->account.salt, SCRAM_SALT_BYTES),
                     exchange->account.iterations, plain_derived);
}

/* --- the elements --- */

/* Decodes the text of an element. false: a failure has been said. absent: no text at all. */
static bool message_of(struct server *server, struct session *session, const struct stanza *stanza,
                       struct span *message, bool *absent)
{
    struct span text = stanza_text(stanza, stanza_root(stanza), &server->arena);
    *absent = text.len == 0;
    *message = SPAN("");
    if (text.len == 0 || span_is(text, "=")) /* SA-2 */
        return true;
    char *bytes =
        text.len > BASE64_BYTES(MESSAGE_BYTES_MAX) ? NULL : arena_take(&server->arena, text.len);
    size_t len = 0;
    if (bytes == NULL || stanza_children(stanza, stanza_root(stanza)) > 0) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return false;
    }
    if (!base64_decode(text, bytes, &len)) {
        sasl_fail(server, session, "incorrect-encoding", BLAME_CLIENT);
        return false;
    }
    *message = span_of(bytes, len);
    return true;
}

static void message(struct server *server, struct session *session, struct span bytes)
{
    if (session->exchange->mechanism->scram)
        scram_message(server, session, bytes);
    else
        plain(server, session, bytes);
}

static const struct mechanism *mechanism_named(const struct session *session, struct span name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (span_is(name, mechanisms[i].name) && offers(session, &mechanisms[i]))
            return &mechanisms[i];
    return NULL;
}

/* An exchange; where all are in use, that of a client which has been silent for too long. */
static struct exchange *exchange_take(struct server *server)
{
    struct session *silent = NULL;
    struct exchange *exchange = pool_take(&server->exchanges);
    for (struct session *at = server->streams; at != NULL && exchange == NULL; at = at->next)
        if (at->exchange != NULL && !at->exchange->derivation.queued &&
            server->now_ms - at->exchange->since_ms > SASL_PATIENCE_MS &&
            (silent == NULL || at->exchange->since_ms < silent->exchange->since_ms))
            silent = at;
    if (silent == NULL)
        return exchange;
    sasl_fail(server, silent, "temporary-auth-failure", BLAME_NOBODY);
    return pool_take(&server->exchanges);
}

static void auth(struct server *server, struct session *session, const struct stanza *stanza)
{
    struct span bytes;
    bool absent;
    sasl_forget(server, session); /* SA-4: a second <auth/> discards the first */
    if (!stream_may_login(session)) {
        sasl_fail(server, session, "encryption-required", BLAME_CLIENT);
        return;
    }
    const struct mechanism *mechanism =
        mechanism_named(session, stanza_attribute(stanza, stanza_root(stanza), "mechanism"));
    if (mechanism == NULL) {
        sasl_fail(server, session, "invalid-mechanism", BLAME_CLIENT);
        return;
    }
    session->exchange = exchange_take(server);
    if (session->exchange == NULL) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    memset(session->exchange, 0, sizeof *session->exchange);
    session->exchange->mechanism = mechanism;
    session->exchange->since_ms = server->now_ms;
    if (!message_of(server, session, stanza, &bytes, &absent))
        return;
    if (absent) /* SA-2: the client speaks first, so it is asked to */
        sasl_say(server, session, "challenge", SPAN_NONE);
    else
        message(server, session, bytes);
}

void sasl_element(struct server *server, struct session *session, const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    struct span bytes;
    bool absent;
    if (span_is(root->name, "auth")) {
        auth(server, session, stanza);
    } else if (span_is(root->name, "abort")) {
        sasl_fail(server, session, "aborted", BLAME_NOBODY);
    } else if (!span_is(root->name, "response")) {
        stream_fail(server, session, STREAM_UNSUPPORTED_STANZA_TYPE, NULL);
    } else if (session->exchange == NULL) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
    } else if (message_of(server, session, stanza, &bytes, &absent)) {
        message(server, session, bytes);
    }
}
