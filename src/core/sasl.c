/* sasl.c: see sasl.h. What both profiles and all mechanisms share. */
#include "base/log.h"
#include "base/must.h"
#include "core/limits.h"
#include "core/sasl_exchange.h"
#include "core/stream.h"
#include "store/pending.h"
#include "wire/base64.h"
#include "wire/names.h"

/* SA-1, in the order in which they are offered. */
static const struct mechanism mechanisms[] = {
    {"SCRAM-SHA-256-PLUS", MECHANISM_SCRAM, .digest = DIGEST_SHA256, .plus = true},
    {"SCRAM-SHA-256", MECHANISM_SCRAM, .digest = DIGEST_SHA256},
    {"SCRAM-SHA-1-PLUS", MECHANISM_SCRAM, .digest = DIGEST_SHA1, .plus = true},
    {"SCRAM-SHA-1", MECHANISM_SCRAM, .digest = DIGEST_SHA1},
    {"PLAIN", MECHANISM_PLAIN, .digest = DIGEST_SHA1},
};
#define TEXT_BYTES_MAX 512
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
    return mechanism->kind != MECHANISM_PLAIN || config.sasl_plain;
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

void sasl_mechanisms_build(const struct session *session, struct build *build)
{
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (!offers(session, &mechanisms[i]))
            continue;
        build_str(build, "<mechanism>");
        build_str(build, mechanisms[i].name);
        build_str(build, "</mechanism>");
    }
}

const struct mechanism *sasl_mechanism(const struct session *session, struct span name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (span_is(name, mechanisms[i].name) && offers(session, &mechanisms[i]))
            return &mechanisms[i];
    return NULL;
}

/* --- answers --- */

static void fail_saying(struct server *server, struct session *session, const char *condition,
                        struct span text, enum blame blame)
{
    sasl_forget(server, session);
    session->sasl->failure(server, session, condition, text);
    session->failures += blame == BLAME_CLIENT;
    session->refusals += blame == BLAME_HEADER;
    if (session->failures >= SASL_FAILURES_MAX || session->refusals >= SASL_REFUSALS_MAX)
        stream_fail(server, session, STREAM_POLICY_VIOLATION, "Too many failed logins.");
}

void sasl_fail(struct server *server, struct session *session, const char *condition,
               enum blame blame)
{
    fail_saying(server, session, condition, SPAN_NONE, blame);
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

void sasl_challenge(struct server *server, struct session *session, struct span data)
{
    session->sasl->challenge(server, session, data);
}

/* REG-24. */
static void fail_unfinished(struct server *server, struct session *session)
{
    struct build build;
    build_init(&build, &server->arena, TEXT_BYTES_MAX);
    build_str(&build, session->exchange->unfinished);
    if (config.registration_url[0] != '\0') {
        build_str(&build, ", or open ");
        build_str(&build, config.registration_url);
    } else { /* behind an address, clients would take it for a part of it */
        build_str(&build, ".");
    }
    fail_saying(server, session, "account-disabled", build_span(&build), BLAME_CLIENT);
}

/* Its account as it is now: what was proven may be no more, and must not be worth a token (S2-7).
 */
static enum store_outcome account_again(struct server *server, struct exchange *exchange)
{
    struct account now = {.flags = 0};
    enum store_outcome outcome =
        account_get(server->store, span_of(exchange->local, exchange->local_len), &now);
    if (outcome == STORE_OK &&
        memcmp(&now.sha256, &exchange->account.sha256, sizeof now.sha256) != 0)
        outcome = STORE_NONE;
    exchange->account.flags = now.flags;
    secret_forget(&now, sizeof now);
    return outcome;
}

void sasl_succeed(struct server *server, struct session *session, struct span data)
{
    struct exchange *exchange = session->exchange;
    struct jid jid;
    if (exchange->unfinished != NULL) {
        fail_unfinished(server, session);
        return;
    }
    enum store_outcome outcome = account_again(server, exchange);
    if (outcome == STORE_NONE) {
        sasl_not_authorized(server, session);
        return;
    }
    if (outcome != STORE_OK) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
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
    session->sasl->success(server, session, data);
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

/* SA-7, XEP-0388 2.3. The first profile lets it pass: there are clients that get it wrong. */
static bool header_fits(const struct session *session, struct span local)
{
    uint8_t hint_len = session->registering.hint_len;
    return session->sasl != &sasl2_profile || hint_len == 0 ||
           span_equal(span_of(session->jid_text, hint_len), local);
}

bool sasl_authzid_fits(struct server *server, const struct session *session, struct span authzid)
{
    struct span local = span_of(session->exchange->local, session->exchange->local_len);
    struct jid jid;
    if (!header_fits(session, local))
        return false;
    return authzid.len == 0 ||
           (jid_parse(authzid, &server->arena, &jid) && jid.resource_len == 0 &&
            span_equal(jid_local(&jid), local) && span_is(jid_domain(&jid), config.domain));
}

/* --- an exchange --- */

/* Where all are in use, that of a client which has been silent for too long. */
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

bool sasl_begin(struct server *server, struct session *session, const struct mechanism *mechanism)
{
    sasl_forget(server, session);
    session->exchange = exchange_take(server);
    if (session->exchange == NULL) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return false;
    }
    memset(session->exchange, 0, sizeof *session->exchange);
    session->exchange->mechanism = mechanism;
    session->exchange->since_ms = server->now_ms;
    return true;
}

void sasl_message(struct server *server, struct session *session, struct span message)
{
    switch (session->exchange->mechanism->kind) {
    case MECHANISM_SCRAM:
        scram_message(server, session, message);
        break;
    case MECHANISM_PLAIN:
        plain_message(server, session, message);
        break;
    case MECHANISM_HT:
        fast_message(server, session, message);
        break;
    }
}

void sasl_first(struct server *server, struct session *session, struct span message, bool absent)
{
    if (absent) /* SA-2: the client speaks first, so it is asked to */
        sasl_challenge(server, session, SPAN(""));
    else
        sasl_message(server, session, message);
}

bool sasl_decode(struct server *server, struct session *session, const struct stanza *stanza,
                 const struct node *node, struct span text, struct span *message)
{
    size_t len = 0;
    char *bytes = text.len > BASE64_BYTES(MESSAGE_BYTES_MAX)
                      ? NULL
                      : arena_take(&server->arena, text.len + 1);
    if (bytes == NULL || stanza_children(stanza, node) > 0) {
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

/* --- features --- */

static void bindings_build(const struct session *session, struct build *build)
{
    build_str(build, "<sasl-channel-binding xmlns='" NS_CHANNEL_BINDING "'>");
    for (size_t i = 0; i < BINDINGS; i++)
        if (sasl_can_bind(session, bindings[i].kind)) {
            build_str(build, "<channel-binding");
            build_attr(build, "type", span_string(bindings[i].name));
            build_str(build, "/>");
        }
    build_str(build, "</sasl-channel-binding>");
}

void sasl_features(const struct server *server, const struct session *session, struct build *build)
{
    build_str(build, "<mechanisms xmlns='" NS_SASL "'>");
    sasl_mechanisms_build(session, build);
    build_str(build, "</mechanisms>");
    sasl2_features(server, session, build);
    if (sasl_offers_plus(session)) /* SA-12 */
        bindings_build(session, build);
}
