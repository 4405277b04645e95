/* sasl.c: see sasl.h. The bytes of SCRAM are in wire/scram.c; here is what the stream does with
 * them. */
#include "core/sasl.h"

#include "base/log.h"
#include "base/must.h"
#include "core/limits.h"
#include "core/output.h"
#include "core/stream.h"
#include "store/accounts.h"
#include "wire/base64.h"
#include "wire/build.h"
#include "wire/names.h"

#define MESSAGE_BYTES_MAX 3072 /* of one SASL message, decoded */
#define KEPT_BYTES_MAX 4096    /* of client-first and server-first together */
#define BINDING_BYTES_MAX 64

enum step { STEP_INITIAL /* waits for the first message */, STEP_FINAL, STEP_DERIVING };

/* SA-1, in the order in which they are offered. */
static const struct mechanism {
    const char *name;
    enum digest digest;
    bool scram;
    bool plus;
} mechanisms[] = {
    {"SCRAM-SHA-256-PLUS", DIGEST_SHA256, true, true},
    {"SCRAM-SHA-256", DIGEST_SHA256, true, false},
    {"SCRAM-SHA-1-PLUS", DIGEST_SHA1, true, true},
    {"SCRAM-SHA-1", DIGEST_SHA1, true, false},
    {"PLAIN", DIGEST_SHA1, false, false},
};
#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

static const struct binding {
    const char *name;
    enum tls_binding kind;
} bindings[] = {
    {"tls-server-end-point", TLS_BINDING_END_POINT},
    {"tls-exporter", TLS_BINDING_EXPORTER},
};
#define BINDINGS (sizeof bindings / sizeof bindings[0])

struct exchange {
    const struct mechanism *mechanism;
    enum step step;
    bool known; /* there is such an account; if not, the exchange goes on all the same (SA-10) */
    bool bound;
    enum tls_binding binding;
    struct account account;
    char local[SESSION_PART_BYTES];
    size_t local_len;
    char nonce[2 * MESSAGE_BYTES_MAX / 3];
    size_t nonce_len;
    struct derive derive; /* PLAIN */
    /* gs2-header, client-first-bare "," server-first, one after the other. */
    char kept[KEPT_BYTES_MAX];
    size_t gs2_len;
    size_t messages_len;
};

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

static void deriving_leave(struct server *server, struct session *session)
{
    struct session **at = &server->deriving;
    if (!session->deriving)
        return;
    while (*at != session)
        at = &(*at)->next_deriving;
    *at = session->next_deriving;
    session->deriving = false;
    session->pauses &= (uint8_t)~PAUSE_DERIVING;
}

void sasl_forget(struct server *server, struct session *session)
{
    deriving_leave(server, session);
    if (session->exchange != NULL)
        exchange_return(server, session);
}

static bool can_bind(const struct session *session, enum tls_binding binding)
{
    uint8_t bytes[BINDING_BYTES_MAX];
    return session->tls != NULL && tls_channel_binding(session->tls, binding, bytes) > 0;
}

static bool offers_plus(const struct session *session)
{
    for (size_t i = 0; i < BINDINGS; i++)
        if (can_bind(session, bindings[i].kind))
            return true;
    return false;
}

static bool offers(const struct session *session, const struct mechanism *mechanism)
{
    if (mechanism->plus)
        return offers_plus(session);
    return mechanism->scram || config.sasl_plain;
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
    if (!offers_plus(session))
        return;
    build_str(build, "<sasl-channel-binding xmlns='" NS_CHANNEL_BINDING "'>"); /* SA-12 */
    for (size_t i = 0; i < BINDINGS; i++)
        if (can_bind(session, bindings[i].kind)) {
            build_str(build, "<channel-binding");
            build_attr(build, "type", span_string(bindings[i].name));
            build_str(build, "/>");
        }
    build_str(build, "</sasl-channel-binding>");
}

/* --- answers --- */

enum blame { BLAME_CLIENT /* counts as a failure (SA-4) */, BLAME_HEADER /* GS2 */, BLAME_NOBODY };

static void say_failure(struct server *server, struct session *session, const char *condition,
                        enum blame blame)
{
    struct build build;
    build_init(&build, &server->arena, 256);
    build_str(&build, "<failure xmlns='" NS_SASL "'><");
    build_str(&build, condition);
    build_str(&build, "/></failure>");
    sasl_forget(server, session);
    output_say(server, session, build_span(&build), false);
    session->failures += blame == BLAME_CLIENT;
    session->refusals += blame == BLAME_HEADER;
    if (session->failures >= SASL_FAILURES_MAX || session->refusals >= SASL_REFUSALS_MAX)
        stream_fail(server, session, STREAM_POLICY_VIOLATION, "Too many failed logins.");
}

static struct span address_of(const struct session *session)
{
    return span_of((const char *)session->address.address, sizeof session->address.address);
}

/* A wrong password or an unknown user, which must not differ (SA-10). */
static void say_not_authorized(struct server *server, struct session *session)
{
    struct exchange *exchange = session->exchange;
    if (config.rate_limits)
        throttle_note(&server->logins, span_of(exchange->local, exchange->local_len),
                      address_of(session), server->now_ms);
    log_line(LOG_NOTE, "failed login as '%.*s'", (int)exchange->local_len, exchange->local);
    say_failure(server, session, "not-authorized", BLAME_CLIENT);
}

/* <challenge/> or <success/> with data (SA-3). */
static void say_data(struct server *server, struct session *session, const char *name,
                     struct span data)
{
    struct build build;
    size_t len = BASE64_BYTES(data.len);
    char *text = arena_take(&server->arena, len + 1);
    build_init(&build, &server->arena, len + 128);
    if (text == NULL || build.full) {
        say_failure(server, session, "temporary-auth-failure", BLAME_NOBODY);
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

static void succeed(struct server *server, struct session *session, struct span data)
{
    struct exchange *exchange = session->exchange;
    struct jid jid;
    if (exchange->account.flags & ACCOUNT_DISABLED) {
        say_failure(server, session, "account-disabled", BLAME_CLIENT);
        return;
    }
    if (!jid_of(span_of(exchange->local, exchange->local_len), span_string(config.domain),
                SPAN_NONE, &server->arena, &jid)) {
        say_failure(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    must(jid_bare_len(&jid) <= SESSION_JID_BYTES);
    session->jid = jid;
    memcpy(session->jid_text, jid.text, jid_bare_len(&jid));
    session->jid.text = session->jid_text;
    log_line(LOG_DEBUG, "%.*s logged in with %s", (int)jid_bare_len(&jid), jid.text,
             exchange->mechanism->name);
    say_data(server, session, "success", data);
    sasl_forget(server, session);
    if (session->phase != PHASE_OPEN)
        return;
    session->peer = PEER_USER;
    session->phase = PHASE_HEADER; /* SA-5 */
    session->header_sent = false;
    framer_restart(&session->framer);
}

/* --- who it is --- */

/* Finds the account of a simple user name; tolerates name@our.domain (SA-6). false: a failure has
 * been said. An unknown user gets an account that nothing fits (SA-10). */
static bool identify(struct server *server, struct session *session, struct span name)
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
    if (config.rate_limits && throttle_full(&server->logins, local, address_of(session),
                                            server->now_ms)) {
        say_failure(server, session, "temporary-auth-failure", BLAME_CLIENT);
        return false;
    }
    enum store_outcome outcome = account_get(server->store, local, &exchange->account);
    if (outcome != STORE_OK && outcome != STORE_NONE) {
        say_failure(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return false;
    }
    exchange->known = outcome == STORE_OK && local.len <= SESSION_PART_BYTES;
    if (!exchange->known) {
        uint8_t fake[DIGEST_BYTES_MAX];
        digest_hmac(DIGEST_SHA256, span_of((const char *)store_secret(server->store), 32), local,
                    fake);
        exchange->account = (struct account){.iterations = config.sasl_iterations};
        memcpy(exchange->account.salt, fake, SCRAM_SALT_BYTES);
        plat_random(&exchange->account.sha1, sizeof exchange->account.sha1);
        plat_random(&exchange->account.sha256, sizeof exchange->account.sha256);
    }
    return true;
}

/* SA-6: empty, or the own bare jid. */
static bool authzid_fits(struct server *server, const struct exchange *exchange,
                         struct span authzid)
{
    struct jid jid;
    return authzid.len == 0 ||
           (jid_parse(authzid, &server->arena, &jid) && jid.resource_len == 0 &&
            span_equal(jid_local(&jid), span_of(exchange->local, exchange->local_len)) &&
            span_is(jid_domain(&jid), config.domain));
}

/* --- SCRAM --- */

static const struct scram_keys *keys_of(const struct exchange *exchange)
{
    return exchange->mechanism->digest == DIGEST_SHA1 ? &exchange->account.sha1
                                                      : &exchange->account.sha256;
}

/* SA-8. NULL: fine. Otherwise the condition to fail with. */
static const char *gs2_fault(const struct session *session, const struct scram_first *first)
{
    struct exchange *exchange = session->exchange;
    switch (first->flag) {
    case SCRAM_FLAG_NONE:
        return exchange->mechanism->plus ? "malformed-request" : NULL;
    case SCRAM_FLAG_UNSEEN: /* RFC 5802 6: somebody took our -PLUS out of the list */
        return exchange->mechanism->plus ? "malformed-request"
               : offers_plus(session)    ? "not-authorized"
                                         : NULL;
    default:
        break;
    }
    if (!exchange->mechanism->plus)
        return "malformed-request";
    for (size_t i = 0; i < BINDINGS; i++)
        if (span_is(first->binding_name, bindings[i].name) &&
            can_bind(session, bindings[i].kind)) {
            exchange->bound = true;
            exchange->binding = bindings[i].kind;
            return NULL;
        }
    return "not-authorized";
}

/* XEP-0474: the lists as sasl_features said them. */
static struct span downgrade_hash(struct server *server, const struct session *session)
{
    const char *names[MECHANISMS];
    const char *types[BINDINGS];
    size_t name_count = 0, type_count = 0;
    for (size_t i = 0; i < MECHANISMS; i++)
        if (offers(session, &mechanisms[i]))
            names[name_count++] = mechanisms[i].name;
    for (size_t i = 0; i < BINDINGS; i++)
        if (can_bind(session, bindings[i].kind))
            types[type_count++] = bindings[i].name;
    return scram_downgrade_hash(session->exchange->mechanism->digest, names, name_count, types,
                                type_count, &server->arena);
}

static bool keep(struct exchange *exchange, struct span bytes)
{
    size_t at = exchange->gs2_len + exchange->messages_len;
    if (bytes.len > sizeof exchange->kept - at)
        return false;
    memcpy(exchange->kept + at, bytes.bytes, bytes.len);
    exchange->messages_len += bytes.len;
    return true;
}

/* Remembers what client-final must fit to. */
static bool keep_first(struct exchange *exchange, const struct scram_first *first,
                       struct span challenge, const char *server_nonce)
{
    size_t nonce_len = first->nonce.len + SCRAM_NONCE_BYTES;
    if (first->gs2_header.len > sizeof exchange->kept || nonce_len > sizeof exchange->nonce)
        return false;
    memcpy(exchange->kept, first->gs2_header.bytes, first->gs2_header.len);
    exchange->gs2_len = first->gs2_header.len;
    memcpy(exchange->nonce, first->nonce.bytes, first->nonce.len);
    memcpy(exchange->nonce + first->nonce.len, server_nonce, SCRAM_NONCE_BYTES);
    exchange->nonce_len = nonce_len;
    return keep(exchange, first->bare) && keep(exchange, SPAN(",")) && keep(exchange, challenge);
}

static void scram_first(struct server *server, struct session *session, struct span message)
{
    struct exchange *exchange = session->exchange;
    struct scram_first first;
    uint8_t random[SCRAM_NONCE_BYTES / 4 * 3];
    char nonce[SCRAM_NONCE_BYTES + 1];

    if (!scram_first_read(message, &server->arena, &first)) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    const char *fault = gs2_fault(session, &first);
    if (fault != NULL) {
        say_failure(server, session, fault, BLAME_HEADER);
        return;
    }
    if (!identify(server, session, first.username))
        return;
    if (!authzid_fits(server, exchange, first.authzid)) {
        say_failure(server, session, "invalid-authzid", BLAME_CLIENT);
        return;
    }
    plat_random(random, sizeof random);
    nonce[base64_encode(span_of((char *)random, sizeof random), nonce)] = 0;
    struct span challenge =
        scram_challenge(&first, nonce, span_of((char *)exchange->account.salt, SCRAM_SALT_BYTES),
                        exchange->account.iterations, downgrade_hash(server, session),
                        &server->arena);
    if (challenge.bytes == NULL || !keep_first(exchange, &first, challenge, nonce)) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    exchange->step = STEP_FINAL;
    say_data(server, session, "challenge", challenge);
}

/* SA-11. */
static bool final_fits(const struct session *session, const struct scram_final *final)
{
    struct exchange *exchange = session->exchange;
    uint8_t data[BINDING_BYTES_MAX];
    size_t len = exchange->bound
                     ? tls_channel_binding(session->tls, exchange->binding, data)
                     : 0;
    return scram_binding_matches(final, span_of(exchange->kept, exchange->gs2_len),
                                 span_of((char *)data, len)) &&
           span_equal(final->nonce, span_of(exchange->nonce, exchange->nonce_len));
}

static void scram_final(struct server *server, struct session *session, struct span message)
{
    struct exchange *exchange = session->exchange;
    struct scram_final final;
    struct span signature;
    if (!scram_final_read(message, &final)) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    if (!keep(exchange, SPAN(",")) || !keep(exchange, final.without_proof)) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    struct span auth = span_of(exchange->kept + exchange->gs2_len, exchange->messages_len);
    if (!final_fits(session, &final) ||
        !scram_verify(exchange->mechanism->digest, keys_of(exchange), auth, &final,
                      &server->arena, &signature) ||
        !exchange->known)
        say_not_authorized(server, session);
    else
        succeed(server, session, signature);
}

/* --- PLAIN --- */

/* SA-16. The password goes through the key derivation in slices; meanwhile the stream waits. */
static void plain(struct server *server, struct session *session, struct span message)
{
    struct exchange *exchange = session->exchange;
    size_t first = span_find(message, 0);
    struct span rest = span_cut(message, first + 1, message.len);
    size_t second = span_find(rest, 0);
    struct span password = span_cut(rest, second + 1, rest.len);
    struct span prepared = password;
    if (first == message.len || second == rest.len || span_find(password, 0) < password.len ||
        second == 0 || password.len == 0) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    if (!identify(server, session, span_cut(rest, 0, second)))
        return;
    if (!authzid_fits(server, exchange, span_cut(message, 0, first))) {
        say_failure(server, session, "invalid-authzid", BLAME_CLIENT);
        return;
    }
    if (!jid_prepare_password(password, &server->arena, &prepared))
        prepared = password; /* nobody has that one */
    /* SHA-1, since it costs half: what is compared is a key of 160 bits either way. */
    derive_begin(&exchange->derive, DIGEST_SHA1, prepared,
                 span_of((char *)exchange->account.salt, SCRAM_SALT_BYTES),
                 exchange->account.iterations);
    exchange->step = STEP_DERIVING;
    session->pauses |= PAUSE_DERIVING;
    session->deriving = true;
    session->next_deriving = NULL;
    struct session **last = &server->deriving;
    while (*last != NULL)
        last = &(*last)->next_deriving;
    *last = session;
}

void sasl_derive(struct server *server)
{
    struct session *session = server->deriving;
    if (session == NULL)
        return;
    struct exchange *exchange = session->exchange;
    bool done = derive_slice(&exchange->derive, DERIVE_SLICE);
    server->deriving = session->next_deriving;
    session->deriving = false;
    if (!done) { /* to the end: everybody gets a slice in turn */
        struct session **last = &server->deriving;
        while (*last != NULL)
            last = &(*last)->next_deriving;
        *last = session;
        session->next_deriving = NULL;
        session->deriving = true;
        return;
    }
    struct scram_keys keys;
    scram_keys_of(DIGEST_SHA1, exchange->derive.out, &keys);
    bool fits = span_equal_secret(
        span_of((char *)keys.stored_key, digest_bytes(DIGEST_SHA1)),
        span_of((char *)exchange->account.sha1.stored_key, digest_bytes(DIGEST_SHA1)));
    derive_forget(&exchange->derive);
    session->pauses &= (uint8_t)~PAUSE_DERIVING;
    session_read_later(server, session);
    if (fits && exchange->known)
        succeed(server, session, SPAN_NONE);
    else
        say_not_authorized(server, session);
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
    char *bytes = text.len > BASE64_BYTES(MESSAGE_BYTES_MAX)
                      ? NULL
                      : arena_take(&server->arena, text.len);
    size_t len = 0;
    if (bytes == NULL || stanza_children(stanza, stanza_root(stanza)) > 0) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
        return false;
    }
    if (!base64_decode(text, bytes, &len)) {
        say_failure(server, session, "incorrect-encoding", BLAME_CLIENT);
        return false;
    }
    *message = span_of(bytes, len);
    return true;
}

static void message(struct server *server, struct session *session, struct span bytes)
{
    if (!session->exchange->mechanism->scram)
        plain(server, session, bytes);
    else if (session->exchange->step == STEP_INITIAL)
        scram_first(server, session, bytes);
    else
        scram_final(server, session, bytes);
}

static const struct mechanism *mechanism_named(const struct session *session, struct span name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (span_is(name, mechanisms[i].name) && offers(session, &mechanisms[i]))
            return &mechanisms[i];
    return NULL;
}

static void auth(struct server *server, struct session *session, const struct stanza *stanza)
{
    struct span bytes;
    bool absent;
    sasl_forget(server, session); /* SA-4: a second <auth/> discards the first */
    if (!stream_may_login(session)) {
        say_failure(server, session, "encryption-required", BLAME_CLIENT);
        return;
    }
    const struct mechanism *mechanism =
        mechanism_named(session, stanza_attribute(stanza, stanza_root(stanza), "mechanism"));
    if (mechanism == NULL) {
        say_failure(server, session, "invalid-mechanism", BLAME_CLIENT);
        return;
    }
    session->exchange = pool_take(&server->exchanges);
    if (session->exchange == NULL) {
        say_failure(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    memset(session->exchange, 0, sizeof *session->exchange);
    session->exchange->mechanism = mechanism;
    if (!message_of(server, session, stanza, &bytes, &absent))
        return;
    if (absent) /* SA-2: the client speaks first, so it is asked to */
        say_data(server, session, "challenge", SPAN_NONE);
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
        say_failure(server, session, "aborted", BLAME_NOBODY);
    } else if (!span_is(root->name, "response")) {
        stream_fail(server, session, STREAM_UNSUPPORTED_STANZA_TYPE, NULL);
    } else if (session->exchange == NULL) {
        say_failure(server, session, "malformed-request", BLAME_CLIENT);
    } else if (message_of(server, session, stanza, &bytes, &absent)) {
        message(server, session, bytes);
    }
}
