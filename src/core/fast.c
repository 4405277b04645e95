/* fast.c: see fast.h. */
#include "core/fast.h"

#include "core/sasl_exchange.h"
#include "wire/base64.h"
#include "wire/names.h"
#include "wire/precis.h"
#include "wire/timestamp.h"

#define DAY_US (UINT64_C(86400) * 1000000)
/* A client that is away for longer needs its password again. */
#define TOKEN_DAYS 30
/* An older one is replaced when it is used: once a week is little to write. */
#define TOKEN_ROTATION_DAYS 7
#define WELCOME_MS 300000 /* REG-26 */

_Static_assert(FAST_TOKEN_CHARS == BASE64_BYTES(LOGIN_TOKEN_BYTES), "a token as text");

/* The better ones first. What their numbers mean in the store stays. */
static const struct mechanism mechanisms[] = {
    {"HT-SHA-256-EXPR", MECHANISM_HT, .bound = true, .binding = TLS_BINDING_EXPORTER, .number = 2},
    {"HT-SHA-256-ENDP", MECHANISM_HT, .bound = true, .binding = TLS_BINDING_END_POINT, .number = 1},
    {"HT-SHA-256-NONE", MECHANISM_HT, .number = 3},
};
#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

bool fast_offered(const struct server *server)
{
    return server->has_login_key;
}

static bool offers(const struct server *server, const struct session *session,
                   const struct mechanism *mechanism)
{
    return fast_offered(server) &&
           (!mechanism->bound || sasl_can_bind(session, mechanism->binding));
}

const struct mechanism *fast_mechanism(const struct server *server, const struct session *session,
                                       struct span name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (span_is(name, mechanisms[i].name) && offers(server, session, &mechanisms[i]))
            return &mechanisms[i];
    return NULL;
}

void fast_features(const struct server *server, const struct session *session, struct build *build)
{
    if (!fast_offered(server))
        return;
    build_str(build, "<fast xmlns='" NS_FAST "'>");
    for (size_t i = 0; i < MECHANISMS; i++) {
        if (!offers(server, session, &mechanisms[i]))
            continue;
        build_str(build, "<mechanism>");
        build_str(build, mechanisms[i].name);
        build_str(build, "</mechanism>");
    }
    build_str(build, "</fast>");
}

bool fast_read(const struct stanza *stanza, const struct node *node, struct fast *out)
{
    struct span count = stanza_attribute(stanza, node, "count");
    struct span invalidate = stanza_attribute(stanza, node, "invalidate");
    uint64_t number = 0;
    if (count.bytes != NULL && !span_number(count, INT32_MAX, &number))
        return false;
    *out = (struct fast){
        .asked = true,
        .invalidate = span_is(invalidate, "1") || span_is(invalidate, "true"),
        .count = (uint32_t)number,
    };
    return true;
}

/* --- proofs --- */

static void text_of(const uint8_t token[LOGIN_TOKEN_BYTES], char out[FAST_TOKEN_CHARS])
{
    (void)base64_encode(span_of((const char *)token, LOGIN_TOKEN_BYTES), out);
}

/* What one side proves with: HMAC(token, who || channel binding). */
static void proof_of(struct session *session, const struct mechanism *mechanism,
                     const char token[FAST_TOKEN_CHARS], const char who[9],
                     uint8_t out[DIGEST_BYTES_MAX])
{
    uint8_t bytes[9 + BINDING_BYTES_MAX];
    size_t len = 9;
    memcpy(bytes, who, 9);
    if (mechanism->bound)
        len += tls_channel_binding(session->tls, mechanism->binding, bytes + 9);
    digest_hmac(DIGEST_SHA256, span_of(token, FAST_TOKEN_CHARS), span_of((char *)bytes, len), out);
}

/* Whether that token made the proof; then *answer is what the server proves. */
static bool token_fits(struct session *session, const uint8_t token[LOGIN_TOKEN_BYTES],
                       struct span proof, uint8_t answer[DIGEST_BYTES_MAX])
{
    const struct mechanism *mechanism = session->exchange->mechanism;
    char text[FAST_TOKEN_CHARS];
    uint8_t expected[DIGEST_BYTES_MAX];
    text_of(token, text);
    proof_of(session, mechanism, text, "Initiator", expected);
    bool fits = span_equal_secret(span_of((char *)expected, sizeof expected), proof);
    if (fits)
        proof_of(session, mechanism, text, "Responder", answer);
    secret_forget(text, sizeof text);
    return fits;
}

static bool slot_fits(struct server *server, struct session *session,
                      const struct login_client *client, const struct login_token *slot,
                      struct span proof, uint8_t answer[DIGEST_BYTES_MAX])
{
    uint8_t token[LOGIN_TOKEN_BYTES];
    login_token_of(server->login_key, client, slot->nonce, token);
    bool fits = token_fits(session, token, proof, answer);
    secret_forget(token, sizeof token);
    return fits && slot->mechanism == session->exchange->mechanism->number;
}

/* REG-26: of this stream alone, for any client, once. */
static bool welcome_fits(const struct server *server, struct session *session, struct span local,
                         struct span proof, uint8_t answer[DIGEST_BYTES_MAX])
{
    uint8_t token[LOGIN_TOKEN_BYTES];
    if (server->now_ms >= session->welcome_ms)
        return false;
    digest_hmac(DIGEST_SHA256, span_of((char *)session->welcome, sizeof session->welcome), local,
                token);
    if (!token_fits(session, token, proof, answer))
        return false;
    session->welcome_ms = 0;
    secret_forget(session->welcome, sizeof session->welcome);
    return true;
}

/* --- logging in --- */

/* What follows for the store when the client has used that one of its tokens (XEP-0484 5.1). */
static enum store_outcome token_used(struct server *server, const struct login_client *client,
                                     struct login_tokens *tokens, bool fresh,
                                     const struct fast *fast)
{
    if (fast->invalidate)
        return login_delete(server->store, client);
    if (!fresh && fast->count == 0)
        return STORE_OK;
    if (fresh)
        tokens->current = tokens->fresh;
    if (fresh)
        tokens->fresh = (struct login_token){0};
    if (fast->count > 0)
        tokens->current.count = fast->count;
    if (!store_has_room(server->store, LOGIN_CHANGE_BYTES))
        return STORE_FULL;
    return login_put(server->store, client, tokens);
}

static void succeed(struct server *server, struct session *session,
                    const uint8_t answer[DIGEST_BYTES_MAX])
{
    struct span data = arena_copy(&server->arena, span_of((const char *)answer, DIGEST_BYTES_MAX));
    if (data.bytes == NULL)
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
    else
        sasl_succeed(server, session, data);
}

/* The client has named itself: does one of its tokens fit? */
static void proof_check(struct server *server, struct session *session, struct span proof)
{
    struct exchange *exchange = session->exchange;
    const struct login_client client = {span_of(exchange->local, exchange->local_len),
                                        session->agent};
    struct login_tokens tokens = {.fresh = {0}};
    uint8_t answer[DIGEST_BYTES_MAX] = {0};
    enum store_outcome outcome = login_get(server->store, &client, &tokens);
    if (outcome != STORE_OK && outcome != STORE_NONE) {
        sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        return;
    }
    /* Always both, so that the time tells nothing. */
    bool fresh = slot_fits(server, session, &client, &tokens.fresh, proof, answer);
    bool current = slot_fits(server, session, &client, &tokens.current, proof, answer);
    const struct login_token *used = fresh ? &tokens.fresh : &tokens.current;
    bool known = exchange->known && exchange->unfinished == NULL;
    if (known && (fresh || current) && used->expires_us <= server->wall_us) {
        sasl_fail(server, session, "credentials-expired", BLAME_CLIENT);
    } else if (known && (fresh || current)) {
        bool replayed = exchange->fast.count > 0 && exchange->fast.count <= used->count;
        if (replayed)
            sasl_not_authorized(server, session);
        else if (token_used(server, &client, &tokens, fresh, &exchange->fast) != STORE_OK)
            sasl_fail(server, session, "temporary-auth-failure", BLAME_NOBODY);
        else
            succeed(server, session, answer);
    } else if (known && welcome_fits(server, session, client.local, proof, answer)) {
        succeed(server, session, answer);
    } else {
        sasl_not_authorized(server, session);
    }
}

/* authcid NUL HMAC. */
void fast_message(struct server *server, struct session *session, struct span message)
{
    size_t name_len = span_find(message, 0);
    struct span name = span_cut(message, 0, name_len);
    struct span proof = span_cut(message, name_len + 1, message.len);
    if (name_len == 0 || proof.len != DIGEST_BYTES_MAX || !precis_utf8_valid(name) ||
        !session->exchange->fast.asked || !session->has_agent) { /* XEP-0484 3.4, 4.1 */
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    if (!sasl_identify(server, session, name))
        return;
    if (!sasl_authzid_fits(server, session, SPAN("")))
        sasl_fail(server, session, "invalid-authzid", BLAME_CLIENT);
    else
        proof_check(server, session, proof);
}

/* --- giving out tokens --- */

static void token_build(struct build *build, const uint8_t token[LOGIN_TOKEN_BYTES],
                        uint64_t expires_us)
{
    char text[FAST_TOKEN_CHARS], expiry[TIMESTAMP_BYTES];
    text_of(token, text);
    timestamp_write(expires_us, expiry);
    build_str(build, "<token xmlns='" NS_FAST "'");
    build_attr(build, "token", span_of(text, sizeof text));
    build_attr(build, "expiry", span_of(expiry, sizeof expiry));
    build_str(build, "/>");
    secret_forget(text, sizeof text);
}

void fast_grant(struct server *server, struct session *session, const struct stanza *stanza,
                uint8_t used, bool invalidate, struct build *build)
{
    const struct login_client client = {jid_local(&session->jid), session->agent};
    const struct node *wish = stanza_child(stanza, stanza_root(stanza), NS_FAST, "request-token");
    const struct mechanism *mechanism = NULL;
    struct login_tokens tokens = {.fresh = {0}};
    uint8_t token[LOGIN_TOKEN_BYTES];
    if (!session->has_agent || !fast_offered(server))
        return;
    if (wish != NULL)
        mechanism = fast_mechanism(server, session, stanza_attribute(stanza, wish, "mechanism"));
    if (login_get(server->store, &client, &tokens) == STORE_FAILED)
        tokens = (struct login_tokens){.fresh = {0}};
    bool old =
        used > 0 && !invalidate && tokens.current.mechanism == used &&
        tokens.current.expires_us < server->wall_us + (TOKEN_DAYS - TOKEN_ROTATION_DAYS) * DAY_US;
    if (mechanism == NULL && !old)
        return;
    tokens.fresh = (struct login_token){
        .mechanism = mechanism != NULL ? mechanism->number : used,
        .expires_us = server->wall_us + TOKEN_DAYS * DAY_US,
    };
    plat_random(tokens.fresh.nonce, sizeof tokens.fresh.nonce);
    /* Without one the client logs in as it did this time. */
    if (!store_has_room(server->store, LOGIN_CHANGE_BYTES) ||
        login_put(server->store, &client, &tokens) != STORE_OK)
        return;
    login_token_of(server->login_key, &client, tokens.fresh.nonce, token);
    token_build(build, token, tokens.fresh.expires_us);
    secret_forget(token, sizeof token);
}

void fast_welcome(struct server *server, struct session *session, struct span local,
                  struct build *build)
{
    uint8_t token[LOGIN_TOKEN_BYTES];
    if (!fast_offered(server))
        return;
    plat_random(session->welcome, sizeof session->welcome);
    session->welcome_ms = server->now_ms + WELCOME_MS;
    digest_hmac(DIGEST_SHA256, span_of((char *)session->welcome, sizeof session->welcome), local,
                token);
    token_build(build, token, server->wall_us + (uint64_t)WELCOME_MS * 1000);
    secret_forget(token, sizeof token);
}
