/* sasl_scram.c: SCRAM on a stream (RFC 5802, 7677; requirements SA-8 ... SA-13). Its bytes are read
 * and written in wire/scram.c. */
#include "core/sasl_exchange.h"
#include "wire/base64.h"

#define NAMES_MAX 8

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
        return exchange->mechanism->plus   ? "malformed-request"
               : sasl_offers_plus(session) ? "not-authorized"
                                           : NULL;
    default:
        break;
    }
    if (!exchange->mechanism->plus)
        return "malformed-request";
    const struct binding *binding;
    for (size_t i = 0; (binding = sasl_binding(i)) != NULL; i++)
        if (span_is(first->binding_name, binding->name) && sasl_can_bind(session, binding->kind)) {
            exchange->bound = true;
            exchange->binding = binding->kind;
            return NULL;
        }
    return "not-authorized";
}

/* XEP-0474: the lists as sasl_features said them; both profiles have the same. */
static struct span downgrade_hash(struct server *server, const struct session *session)
{
    const char *names[NAMES_MAX];
    const char *types[NAMES_MAX];
    const struct binding *binding;
    size_t name_count = sasl_offered(session, names, NAMES_MAX), type_count = 0;
    for (size_t i = 0; (binding = sasl_binding(i)) != NULL && i < NAMES_MAX; i++)
        if (sasl_can_bind(session, binding->kind))
            types[type_count++] = binding->name;
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
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    const char *fault = gs2_fault(session, &first);
    if (fault != NULL) {
        sasl_fail(server, session, fault, BLAME_HEADER);
        return;
    }
    if (!sasl_identify(server, session, first.username))
        return;
    if (!sasl_authzid_fits(server, session, first.authzid)) {
        sasl_fail(server, session, "invalid-authzid", BLAME_CLIENT);
        return;
    }
    plat_random(random, sizeof random);
    nonce[base64_encode(span_of((char *)random, sizeof random), nonce)] = 0;
    struct span challenge = scram_challenge(
        &first, nonce, span_of((char *)exchange->account.salt, SCRAM_SALT_BYTES),
        exchange->account.iterations, downgrade_hash(server, session), &server->arena);
    if (challenge.bytes == NULL || !keep_first(exchange, &first, challenge, nonce)) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    exchange->step = STEP_FINAL;
    exchange->since_ms = server->now_ms;
    sasl_challenge(server, session, challenge);
}

/* SA-11. */
static bool final_fits(const struct session *session, const struct scram_final *final)
{
    struct exchange *exchange = session->exchange;
    uint8_t data[BINDING_BYTES_MAX];
    size_t len = exchange->bound ? tls_channel_binding(session->tls, exchange->binding, data) : 0;
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
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    if (!keep(exchange, SPAN(",")) || !keep(exchange, final.without_proof)) {
        sasl_fail(server, session, "malformed-request", BLAME_CLIENT);
        return;
    }
    struct span auth = span_of(exchange->kept + exchange->gs2_len, exchange->messages_len);
    if (!final_fits(session, &final) ||
        !scram_verify(exchange->mechanism->digest, keys_of(exchange), auth, &final, &server->arena,
                      &signature) ||
        !exchange->known)
        sasl_not_authorized(server, session);
    else
        sasl_succeed(server, session, signature);
}

void scram_message(struct server *server, struct session *session, struct span message)
{
    if (session->exchange->step == STEP_INITIAL)
        scram_first(server, session, message);
    else
        scram_final(server, session, message);
}
