/* sasl_plain.c: PLAIN on a stream (RFC 4616; requirement SA-16): the password goes through the key
 * derivation in slices; meanwhile the stream waits. */
#include "core/sasl_exchange.h"
#include "wire/precis.h"

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

void plain_message(struct server *server, struct session *session, struct span message)
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
    if (!sasl_authzid_fits(server, session, span_cut(message, 0, first))) {
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
