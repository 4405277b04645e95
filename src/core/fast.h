/* fast.h: logging in with a token in one round trip (XEP-0484, draft-schmaus-kitten-sasl-ht-09).
 * Requirements S2-6, S2-7, REG-26. The tokens are in store/logins.h.
 * Offered while the server has the key that tokens are made of. */
#ifndef KITH_FAST_H
#define KITH_FAST_H

#include "core/session.h"
#include "store/logins.h"
#include "wire/build.h"
#include "wire/stanza.h"

/* base64 of a token: it is handled as this text, also as the key of the HMAC. */
#define FAST_TOKEN_CHARS 44

/* What <authenticate/> says of it. */
struct fast {
    bool asked;      /* there is <fast/> */
    bool invalidate; /* the token shall be used for the last time */
    uint32_t count;  /* 0: none was given */
};

struct mechanism;

/* One that this stream is offered in <fast/>; NULL: none. */
const struct mechanism *fast_mechanism(const struct server *server, const struct session *session,
                                       struct span name);
/* <fast/> as this stream may use it. */
void fast_features(const struct server *server, const struct session *session, struct build *build);
/* Whether the stream offers it at all. */
bool fast_offered(const struct server *server);

/* false: it is malformed. */
bool fast_read(const struct stanza *stanza, const struct node *node, struct fast *out);

/* The message of a mechanism of FAST. */
void fast_message(struct server *server, struct session *session, struct span message);

/* For the session's client, which has just logged in: <token/> if it asks for one or its own gets
 * old. used: the number of the mechanism of FAST it logged in with, or 0. */
void fast_grant(struct server *server, struct session *session, const struct stanza *stanza,
                uint8_t used, bool invalidate, struct build *build);

/* REG-26: <token/> with which whoever is on this stream may log in once as `local`, in the next
 * minutes. */
void fast_welcome(struct server *server, struct session *session, struct span local,
                  struct build *build);

#endif
