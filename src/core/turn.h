/* turn.h: what a handler is handed, and what it may answer. One stanza, one turn.
 * Everything in it is borrowed until the turn is over. */
#ifndef KITH_TURN_H
#define KITH_TURN_H

#include "core/session.h"
#include "wire/build.h"
#include "wire/stanza.h"

/* Of the tick's arena that much is kept from parsing, so that there is always room to answer. */
#define ARENA_RESERVE 49152
/* A longer id is not echoed; the stanza is refused. */
#define ID_BYTES_MAX 1023

enum kind {
    KIND_MESSAGE,
    KIND_PRESENCE,
    KIND_IQ_GET,
    KIND_IQ_SET,
    KIND_IQ_ANSWER,
    KIND_ELEMENT, /* no stanza: a first-level element of its own (XEP-0389) */
};

/* The name of its element. */
const char *kind_name(enum kind kind);

struct turn {
    struct server *server;
    struct session *session; /* whose turn it is */
    const struct stanza *stanza;
    const struct node *child; /* an IQ's payload */
    enum kind kind;
    struct span id;   /* bytes NULL: none */
    struct span type; /* the type attribute; bytes NULL: none */
    struct jid to;    /* absent: jid_present() is false */
};

/* Where an IQ may be addressed to for a row of the table to apply. */
enum addressee {
    TO_SELF = 1,            /* no `to`, or the own bare jid */
    TO_DOMAIN = 2,          /* the served domain */
    TO_DOMAIN_RESOURCE = 4, /* the served domain with any resource */
    TO_ACCOUNT = 8,         /* another bare jid of the domain, whether or not there is an account */
    TO_SERVICE = 16,        /* the domain of channels */
    TO_CHANNEL = 32,        /* a bare jid there, whether or not there is a channel */
};

enum announce {
    ANNOUNCE_NOWHERE = 0,
    ANNOUNCE_DOMAIN = 1,
    ANNOUNCE_ACCOUNT = 2,
    ANNOUNCE_REGISTER = 4, /* of the domain, where the config lets anybody use it (REG-4) */
    ANNOUNCE_ARCHIVE = 8,  /* of the account, where the config has messages kept */
    ANNOUNCE_SERVICE = 16, /* of the domain of channels */
    ANNOUNCE_CHANNEL = 32,
    ANNOUNCE_ARCHIVE_DOMAIN = 64, /* of the domain, where the config has messages kept */
    ANNOUNCE_ARCHIVE_CHANNEL = 128,
};

/* One thing that a peer may ask (design, idea 5). Service discovery is derived from these. */
struct row {
    uint8_t from; /* mask of 1 << enum peer */
    enum kind kind;
    uint8_t to; /* mask of enum addressee */
    const char *namespace;
    const char *child;
    uint8_t price; /* ST-20, in RATE_PRICE_BYTES */
    uint8_t announce;
    void (*handler)(struct turn *turn);
};

extern const struct row table[];
extern const size_t table_len;

/* RFC 6120 8.3.3 with its default type; the names are in reply.c. */
enum stanza_error {
    ERROR_BAD_REQUEST,
    ERROR_BLOCKED, /* not-acceptable with XEP-0191's own condition */
    ERROR_CONFLICT,
    ERROR_FEATURE_NOT_IMPLEMENTED,
    ERROR_FORBIDDEN,
    ERROR_INTERNAL_SERVER_ERROR,
    ERROR_ITEM_NOT_FOUND,
    ERROR_JID_MALFORMED,
    ERROR_NOT_ACCEPTABLE,
    ERROR_NOT_ALLOWED,
    ERROR_NOT_AUTHORIZED,
    ERROR_POLICY_VIOLATION,
    ERROR_REMOTE_SERVER_NOT_FOUND,
    ERROR_RESOURCE_CONSTRAINT,
    ERROR_SERVICE_UNAVAILABLE,
    ERROR_UNEXPECTED_REQUEST,
};

/* The condition's element. */
const char *stanza_error_name(enum stanza_error error);

/* The result of an IQ with this payload (may be empty). Leaves after the commit if the tick wrote.
 */
void reply_result(struct turn *turn, struct span payload);

/* The same of a payload that was built; resource-constraint if there was no memory for it. */
void reply_built(struct turn *turn, const struct build *payload);

/* The same for a long payload, whose last bytes are "</iq>". */
void reply_result_rope(struct turn *turn, const struct rope *payload);

/* The error stanza for whatever kind the turn has (ST-13); nothing where an error must not be
 * answered (GR-5). */
void reply_error(struct turn *turn, enum stanza_error error);

/* What a store says that does not do or find what was asked for. */
enum stanza_error store_error(enum store_outcome outcome);
void reply_store_error(struct turn *turn, enum store_outcome outcome);

/* An error with all that XEP-0077 and others put beside it. Zeros: nothing of that. */
struct refusal {
    enum stanza_error error;
    const char *type;      /* instead of the condition's own */
    bool code;             /* the number of XEP-0086 too (ST-14) */
    struct span payload;   /* what stands before <error/> */
    struct span text;      /* a sentence for a person */
    struct span condition; /* an element of a namespace of its own */
};
void reply_refusal(struct turn *turn, const struct refusal *refusal);

/* XEP-0352: what a client that nobody looks at may miss. */
enum urgency {
    URGENCY_NOW,
    URGENCY_LATEST, /* the last one of each resource will do, later */
    URGENCY_NONE,
};

/* A stanza on its way to somebody: fresh start tag, then the sender's own bytes. */
struct forward {
    const char *name; /* element name */
    struct span from; /* the sender's full jid; whoever must not tell the resource cuts it */
    struct span tail; /* from behind from/to to the end; bytes NULL: it is in `body` */
    struct rope body;
    enum urgency urgency;
    bool worth; /* a message that begins with from and to, see output_worth */
};

/* What is left out of the sender's bytes, and what is said behind them. */
struct gap {
    uint32_t start; /* of a child in stanza->source */
    uint32_t end;
};
struct edits {
    const struct gap *gaps; /* in order */
    unsigned gap_count;
    struct span extra; /* elements of our own */
};

/* false: no memory; the sender has been told resource-constraint. forward_end afterwards.
 * edits NULL: none. */
bool forward_edited(struct turn *turn, const struct edits *edits, struct forward *forward);
static inline bool forward_begin(struct turn *turn, struct forward *forward)
{
    return forward_edited(turn, NULL, forward);
}
/* The stanza inside another one of the same kind (XEP-0297). */
struct wrapping {
    struct span from;   /* whom the outer one is from */
    struct span before; /* what follows on from and to up to the inner one */
    struct span after;  /* what follows on the inner one */
};
bool forward_wrapped(struct turn *turn, const struct edits *edits, const struct wrapping *around,
                     struct forward *forward);
/* The whole stanza to the turn's `to` in one piece in the arena, with `spare` bytes behind it.
 * build->full: no memory. */
void forward_whole(struct turn *turn, const struct edits *edits, size_t spare, struct build *build);
/* The same as a message of somebody else, under an id of his, to nobody: of what stood in its start
 * tag from, to, id and type are left out. *inside: where this ends. */
void forward_reflected(struct turn *turn, const struct edits *edits, struct span from,
                       struct span id, size_t spare, struct build *build, size_t *inside);
/* Live delivery: does not wait for the commit (GR-2). */
void forward_to(struct turn *turn, const struct forward *forward, struct span to,
                struct session *recipient);
/* The same for a stanza that need not come from a turn; depends as output_say has it. */
void forward_say(struct server *server, const struct forward *forward, struct span to,
                 struct session *recipient, bool depends);
void forward_end(struct turn *turn, struct forward *forward);

#endif
