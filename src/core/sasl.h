/* sasl.h: authentication, first profile (RFC 6120 6). Requirements 1.6.
 * Owns an exchange per authentication under way, from a pool of plan.handshakes. */
#ifndef KITH_SASL_H
#define KITH_SASL_H

#include "core/session.h"
#include "wire/scram.h"

/* Bytes of one exchange, for the pool. */
size_t exchange_bytes(void);

/* The salt that a name has before it has an account (SA-10), and keeps when a client makes one, so
 * that nobody learns from it when that was. */
void sasl_salt(struct store *store, struct span local, uint8_t salt[SCRAM_SALT_BYTES]);

/* Gives up the exchange of a session, if there is one. */
void sasl_forget(struct server *server, struct session *session);

/* <mechanisms/> and <sasl-channel-binding/> as this stream may use them. */
struct build;
void sasl_features(const struct session *session, struct build *build);

/* Any first-level element in the SASL namespace. */
void sasl_element(struct server *server, struct session *session, const struct stanza *stanza);

#endif
