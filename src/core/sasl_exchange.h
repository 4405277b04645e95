/* sasl_exchange.h: one authentication under way, for the sasl*.c files and fast.c only. */
#ifndef KITH_SASL_EXCHANGE_H
#define KITH_SASL_EXCHANGE_H

#include "core/derivation.h"
#include "core/fast.h"
#include "core/sasl.h"
#include "store/accounts.h"

#define MESSAGE_BYTES_MAX 3072 /* of one SASL message, decoded */
#define KEPT_BYTES_MAX 4096    /* of client-first and server-first together */
#define REQUEST_BYTES_MAX 2048 /* of what else <authenticate/> asks for */
#define BINDING_BYTES_MAX 64

enum step { STEP_INITIAL /* waits for the first message */, STEP_FINAL, STEP_DERIVING };

enum mechanism_kind { MECHANISM_SCRAM, MECHANISM_PLAIN, MECHANISM_HT };

/* One mechanism of SA-1, or of FAST. */
struct mechanism {
    const char *name;
    enum mechanism_kind kind;
    enum digest digest;
    bool plus;                /* SCRAM: with any channel binding */
    bool bound;               /* HT: with this channel binding */
    enum tls_binding binding; /* of HT */
    uint8_t number;           /* of HT in the store */
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
    struct fast fast;
    /* <authenticate/> without its initial response: it is done once the client is who it says. */
    char request[REQUEST_BYTES_MAX];
    size_t request_len;
};

/* How a profile spells what a mechanism says. */
struct sasl_profile {
    void (*challenge)(struct server *server, struct session *session, struct span data);
    /* text: for a person; bytes NULL: none. */
    void (*failure)(struct server *server, struct session *session, const char *condition,
                    struct span text);
    /* The session has its bare jid. Ends the exchange. data.bytes NULL: the mechanism has none. */
    void (*success)(struct server *server, struct session *session, struct span data);
};
extern const struct sasl_profile sasl1_profile;
extern const struct sasl_profile sasl2_profile;

enum blame { BLAME_CLIENT /* counts as a failure (SA-4) */, BLAME_HEADER /* GS2 */, BLAME_NOBODY };

/* What a profile has the mechanisms do. The session's profile is set before anything else. */

/* A mechanism that this stream is offered in <mechanism/>; NULL: none. */
const struct mechanism *sasl_mechanism(const struct session *session, struct span name);
/* A fresh exchange instead of whatever there was. false: a failure has been said. */
bool sasl_begin(struct server *server, struct session *session, const struct mechanism *mechanism);
/* The client's first message, where it sent one; else it is asked for it (SA-2). */
void sasl_first(struct server *server, struct session *session, struct span message, bool absent);
void sasl_message(struct server *server, struct session *session, struct span message);
/* Base64 of an element that has no children. false: a failure has been said. */
bool sasl_decode(struct server *server, struct session *session, const struct stanza *stanza,
                 const struct node *node, struct span text, struct span *message);
/* The names that this stream is offered, for XEP-0474; returns how many. */
size_t sasl_offered(const struct session *session, const char **names, size_t max);
/* A <mechanism/> for each of them. */
void sasl_mechanisms_build(const struct session *session, struct build *build);

/* What the mechanisms say. */

/* A failure with that condition; gives up the exchange, and the stream after too many. */
void sasl_fail(struct server *server, struct session *session, const char *condition,
               enum blame blame);
/* A wrong password or an unknown user, which must not differ (SA-10). */
void sasl_not_authorized(struct server *server, struct session *session);
void sasl_challenge(struct server *server, struct session *session, struct span data);
/* The client is who it says. */
void sasl_succeed(struct server *server, struct session *session, struct span data);

/* Finds the account of a simple user name; tolerates name@our.domain (SA-6). false: a failure has
 * been said. An unknown user gets an account that nothing fits (SA-10). */
bool sasl_identify(struct server *server, struct session *session, struct span name);
/* SA-6: empty, or the own bare jid. SA-7: in the second profile also what the header was from. */
bool sasl_authzid_fits(struct server *server, const struct session *session, struct span authzid);

/* Whether this stream can produce the n-th channel binding; NULL: there is no n-th. */
struct binding {
    const char *name;
    enum tls_binding kind;
};
const struct binding *sasl_binding(size_t n);
bool sasl_can_bind(const struct session *session, enum tls_binding binding);
bool sasl_offers_plus(const struct session *session);

/* sasl2.c: <authentication/>. */
void sasl2_features(const struct server *server, const struct session *session,
                    struct build *build);
/* sasl_scram.c: a message of a SCRAM exchange. */
void scram_message(struct server *server, struct session *session, struct span message);
/* sasl_plain.c: the message of PLAIN. */
void plain_message(struct server *server, struct session *session, struct span message);

#endif
