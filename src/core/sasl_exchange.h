/* sasl_exchange.h: one authentication under way, for the sasl*.c files only. */
#ifndef KITH_SASL_EXCHANGE_H
#define KITH_SASL_EXCHANGE_H

#include "core/derivation.h"
#include "core/sasl.h"
#include "store/accounts.h"

#define MESSAGE_BYTES_MAX 3072 /* of one SASL message, decoded */
#define KEPT_BYTES_MAX 4096    /* of client-first and server-first together */
#define BINDING_BYTES_MAX 64

enum step { STEP_INITIAL /* waits for the first message */, STEP_FINAL, STEP_DERIVING };

/* One mechanism of SA-1. */
struct mechanism {
    const char *name;
    enum digest digest;
    bool scram;
    bool plus;
};

struct exchange {
    uint64_t since_ms; /* waits for its client since then */
    const struct mechanism *mechanism;
    enum step step;
    const char *unfinished; /* its registration is: what to say (REG-24); NULL: it is not */
    bool known; /* there is such an account; if not, the exchange goes on all the same (SA-10) */
    bool bound;
    enum tls_binding binding;
    struct account account;
    char local[SESSION_PART_BYTES];
    size_t local_len;
    char nonce[2 * MESSAGE_BYTES_MAX / 3];
    size_t nonce_len;
    struct derivation derivation; /* PLAIN */
    /* gs2-header, client-first-bare "," server-first, one after the other. */
    char kept[KEPT_BYTES_MAX];
    size_t gs2_len;
    size_t messages_len;
};

enum blame { BLAME_CLIENT /* counts as a failure (SA-4) */, BLAME_HEADER /* GS2 */, BLAME_NOBODY };

/* <failure/> with that condition; gives up the exchange, and the stream after too many. */
void sasl_fail(struct server *server, struct session *session, const char *condition,
               enum blame blame);
/* A wrong password or an unknown user, which must not differ (SA-10). */
void sasl_not_authorized(struct server *server, struct session *session);
/* <challenge/> or <success/> with data (SA-3). */
void sasl_say(struct server *server, struct session *session, const char *name, struct span data);
/* The client is who it says. */
void sasl_succeed(struct server *server, struct session *session, struct span data);

/* Finds the account of a simple user name; tolerates name@our.domain (SA-6). false: a failure has
 * been said. An unknown user gets an account that nothing fits (SA-10). */
bool sasl_identify(struct server *server, struct session *session, struct span name);
/* SA-6: empty, or the own bare jid. */
bool sasl_authzid_fits(struct server *server, const struct exchange *exchange, struct span authzid);

/* Whether this stream can produce the n-th channel binding; NULL: there is no n-th. */
struct binding {
    const char *name;
    enum tls_binding kind;
};
const struct binding *sasl_binding(size_t n);
bool sasl_can_bind(const struct session *session, enum tls_binding binding);
bool sasl_offers_plus(const struct session *session);
/* The names that this stream is offered, for XEP-0474; returns how many. */
size_t sasl_offered(const struct session *session, const char **names, size_t max);

/* sasl_scram.c: a message of a SCRAM exchange. */
void scram_message(struct server *server, struct session *session, struct span message);

#endif
