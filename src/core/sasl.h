/* sasl.h: authentication (RFC 6120 6, XEP-0388). Requirements 1.6, 1.7. The mechanisms are the same
 * in both profiles; sasl1.c and sasl2.c are how each is spelled.
 * Owns an exchange per authentication under way, from a pool of plan.exchanges. */
#ifndef KITH_SASL_H
#define KITH_SASL_H

#include "core/session.h"
#include "wire/build.h"
#include "wire/scram.h"

/* Bytes of one exchange, for the pool. */
size_t exchange_bytes(void);

/* The salt that a name has before it has an account (SA-10), and keeps when a client makes one, so
 * that nobody learns from it when that was. */
void sasl_salt(struct store *store, struct span local, uint8_t salt[SCRAM_SALT_BYTES]);

/* Gives up the exchange of a session, if there is one. */
void sasl_forget(struct server *server, struct session *session);

/* <mechanisms/>, <authentication/> and <sasl-channel-binding/> as this stream may use them. */
void sasl_features(const struct server *server, const struct session *session, struct build *build);

/* Any first-level element in the namespace of that profile. */
void sasl1_element(struct server *server, struct session *session, const struct stanza *stanza);
void sasl2_element(struct server *server, struct session *session, const struct stanza *stanza);

/* XEP-0388 2.4: nothing but <response/> and <abort/> may come now, no white space either. */
bool sasl2_under_way(const struct session *session);

#endif
