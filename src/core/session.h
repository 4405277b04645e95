/* session.h: one client's stream, from accept to close, and how sessions find each other.
 * Owns its socket, its TLS, its unfinished input, its output rope, its stored presence.
 * Limits: plan.sessions, plan.resources per account. */
#ifndef KITH_SESSION_H
#define KITH_SESSION_H

#include "core/server.h"
#include "wire/framer.h"
#include "wire/jid.h"
#include "wire/token.h"

/* Room for the full jid of a session: local and resource parts of our own users are at most
 * SESSION_PART_BYTES, longer ones are refused at `user add` and replaced at bind. */
#define SESSION_PART_BYTES 127
#define SESSION_JID_BYTES (2 * SESSION_PART_BYTES + 253 + 2)
#define SESSION_LANG_BYTES 35 /* BCP 47 4.4.1: longest tag that must be supported */

enum phase {
    PHASE_QUEUED,    /* direct TLS or STARTTLS: waits for a place among the handshakes */
    PHASE_HANDSHAKE, /* TLS negotiation */
    PHASE_HEADER,    /* waits for the client's stream header */
    PHASE_OPEN,      /* first-level elements */
    PHASE_ASLEEP,    /* bound, but its connection is lost; may be resumed (XEP-0198) */
    PHASE_CLOSING,   /* our end tag is said; waits a little for the client's */
    PHASE_GONE,      /* socket closed; stands in server->leaving for the rest of the tick */
};

struct sasl_profile;

enum peer { PEER_STRANGER, PEER_USER, PEER_BOUND };

/* Why a session is not read just now. */
enum pause {
    PAUSE_LEASE = 1,    /* wants a big buffer and there is none */
    PAUSE_RATE = 2,     /* used up its rate (ST-20) until resume_ms */
    PAUSE_OUTPUT = 4,   /* does not read what we say, so we do not read what it says */
    PAUSE_DERIVING = 8, /* a key is being derived for it */
};

struct input {
    char *bytes; /* from the pools inputs or leases; NULL: nothing unfinished */
    uint32_t size;
    uint32_t start;  /* the unfinished item begins here */
    uint32_t end;    /* plain bytes end here */
    uint32_t sealed; /* bytes at the very end of the buffer that TLS has not taken yet */
    bool leased;
};

/* What a stream has done before login, to get an account (requirements 4.5, 5.6). */
struct registering {
    bool done;    /* one has succeeded: no second one (REG-11) */
    bool invited; /* invite_hash is that of a token that was good when it came (INV-19) */
    bool pending; /* handle_hash is that of the registration that this stream is in the middle of */
    bool flow;    /* XEP-0389: a challenge waits for its response */
    bool stages;  /* said that it knows further stages (REG-14b) */
    bool login;   /* asked to be logged in as soon as it has an account (REG-26) */
    uint8_t hint_len; /* of the localpart in jid_text that the stream header was from; no proof */
    uint8_t bad_tokens;
    uint64_t until_ms; /* it may go on so long; 0: not begun (ST-18) */
    uint8_t invite_hash[32];
    uint8_t handle_hash[32];
};

/* Stream management (XEP-0198): core/management.c. What was said and is not acknowledged is in
 * session->out. Counts are modulo 2^32. */
struct management {
    bool enabled;
    bool resumable;
    bool asked; /* an <r/> waits for its <a/> */
    bool owing; /* its <r/> was answered with less than `received` */
    char id[TOKEN_CHARS];
    uint32_t resume_seconds; /* for so long it may be asleep */
    uint32_t received;       /* stanzas since <enable/> */
    uint32_t handled;        /* of these, how many have had effects that are safe by now */
    uint32_t acknowledged;   /* stanzas said since <enabled/> that the client has handled */
    uint32_t stored; /* so many are in the store by now, or need not be: it is about to end */
    uint32_t told;   /* how many were said with the last piece of stored messages */
    uint64_t asked_ms;
};

/* What a session that has become available is told of its contacts' nodes (core/pep.c). */
struct arrival {
    struct session *next;     /* in server->arriving */
    const struct caps *known; /* those by which it was told; NULL: it was not yet */
    bool waiting;             /* stands in server->arriving */
    uint32_t told;            /* of the roster's items, and 1 for itself */
    uint64_t version;         /* of the roster, when told was counted */
};

struct session {
    struct session *next; /* in server->streams, or leaving */
    struct session *previous;
    struct session *next_bound; /* in its bucket */
    struct session *next_reader;
    struct session *next_writer;
    struct session *next_farewell;
    struct session *next_flushing;

    int handle;
    struct plat_peer address;
    enum plat_interest watched;
    enum phase phase;
    enum peer peer;
    uint8_t pauses;        /* enum pause */
    bool reading, writing; /* stands in the list of that name */
    bool direct_tls;
    bool header_sent;
    bool stream_default; /* 6120 4.8.2: prefix-free header; stanzas declare their namespace */
    bool peer_closed;    /* its end tag came, or the socket's end */
    bool socket_full;    /* a write waits for the socket */
    bool pinged;         /* ST-23: asked for a sign of life */
    bool trimmed;        /* its idle pages are given back */
    bool announced;      /* available: has sent presence */

    struct tls *tls;
    struct framer framer;
    struct input input;
    struct rope out;
    const struct sasl_profile *sasl; /* in which it last said something of SASL */
    struct exchange *exchange;
    struct application *application; /* its keys are being derived */
    struct registering registering;
    bool from_elsewhere; /* its header was from an address that is none of ours */
    bool has_agent;      /* it said which client it is: a hash of that */
    uint8_t agent[LOGIN_AGENT_BYTES];
    uint64_t welcome_ms; /* until then it may log in with what `welcome` is the key of (REG-26) */
    uint8_t welcome[32];

    uint64_t opened_ms; /* accepted */
    uint64_t phase_ms;  /* entered PHASE_HANDSHAKE, PHASE_ASLEEP or PHASE_CLOSING */
    uint64_t active_ms; /* last time something came */
    uint64_t resume_ms; /* PAUSE_RATE ends */
    uint64_t lease_ms;  /* when the lease was taken */
    uint64_t budget_ms; /* when `budget` was last topped up */
    int32_t budget;     /* bytes it may still send before PAUSE_RATE */
    uint8_t failures;   /* of authentication on this stream (SA-4) */
    uint8_t refusals;   /* at the GS2 header */
    uint8_t bind_failures;
    char lang[SESSION_LANG_BYTES + 1];

    struct jid jid; /* text points at jid_text; bare after login, full after bind */
    char jid_text[SESSION_JID_BYTES + 1];

    int8_t priority;
    struct rope presence; /* the stored presence from behind the from/to attributes to its end */
    struct rope
        directed;      /* PR-5: whom else it told that it is there: their jids, each with a NUL */
    bool interested;   /* 6121 2.2: has asked for the roster */
    bool annotated;    /* XEP-0405 2.10: the last time with what is known of channels */
    bool mix;          /* it has shown that it knows MIX (PAM-5) */
    bool caps_refused; /* what its client said it can did not fit the hash: not asked again */
    struct arrival arrival;
    struct caps *caps; /* what its client can, once that is known; NULL: nothing to be had */

    /* Stored messages (features/offline.c). */
    bool archive_asked;    /* it has asked the archive before it was available (OFF-2) */
    bool flushing;         /* stands in server->flushing */
    bool behind;           /* there are some that it has not been told: new ones go behind them */
    bool drained;          /* all that it was told has left since the last piece of them */
    uint64_t flushed;      /* number of the last one told that is still stored; 0: none */
    uint64_t flushed_safe; /* the same without the tick's transaction: numbers are given again */

    struct management management;
    bool inactive;         /* XEP-0352: nobody looks at it */
    struct rope held_back; /* presence that it need not hear before it is, one after the other */
    /* OFF-4: how often one of the account's resources has begun to listen, and which time this one
     * did. */
    uint16_t place;
    uint16_t listens_from;

    bool carbons; /* wants copies of what its account's other resources get and send (CC-1) */

    bool blocking;        /* its account blocks somebody */
    bool blocks_followed; /* XEP-0191 3.3: has asked for the list */
};

/* Asleep it is all there is beside its queue and its presence. */
_Static_assert(sizeof(struct session) <= 2048, "thousands wait for their phones");

/* --- streams --- */

/* A fresh session for an accepted socket, or NULL when all are in use. */
struct session *session_open(struct server *server, int handle, const struct plat_peer *address,
                             bool direct_tls);

/* Closes the socket and gives back everything at once; the session stays readable, in
 * server->leaving, until session_free. Safe to call twice. Where messages are left of it and the
 * disk fails, it stays as PHASE_ASLEEP, not bound, until they can be stored. */
void session_leave(struct server *server, struct session *session);
/* The same, whether or not the store takes what is left of it (core/remains.h). */
void session_drop(struct server *server, struct session *session);
/* The connection is lost: falls asleep if its client may come back to it (SM-3), else leaves. */
void session_lose(struct server *server, struct session *session);
/* Gives back all that has to do with the connection. Stays bound. */
void session_sleep(struct server *server, struct session *session);
/* Ends the one that has been asleep for longest, of this account (bare.bytes NULL: of all).
 * false: nobody is asleep. */
bool session_end_asleep(struct server *server, struct span bare);
void session_free(struct server *server, struct session *session);

/* The session behind a tag that plat_wait gave in this tick; it may be PHASE_GONE by now. */
struct session *session_of_tag(const struct server *server, uint32_t tag);

/* Tells plat_wait what this session waits for now. */
void session_watch(struct server *server, struct session *session);

/* Puts it on the list for the next tick's reading, this tick's flushing. */
void session_read_later(struct server *server, struct session *session);
void session_write_later(struct server *server, struct session *session);

/* Stanzas that it has been told since it enabled stream management. */
static inline uint32_t session_said(const struct session *session)
{
    return session->management.acknowledged + session->out.stanzas;
}

/* Whether all has left that it was told; with stream management also whether all of the last piece
 * of stored messages has been acknowledged. */
static inline bool session_drained(const struct session *session)
{
    return session->out.bytes == 0 && !session->socket_full &&
           (int32_t)(session->management.acknowledged - session->management.told) >= 0;
}

/* To be called when a session begins to listen, see session_listens. */
void session_listen(struct server *server, struct session *session);
/* It is to be told what is stored for its account, if there is anything and nobody else is being
 * told. */
void session_flush_later(struct server *server, struct session *session);

/* The next sweep comes at that time at the latest. */
void session_due(struct server *server, uint64_t at_ms);

/* --- finding each other --- */

/* Enters a session that has its full jid. */
void session_bind(struct server *server, struct session *session);
/* Nobody finds it any more; if it was available it stands in server->farewells, once (PR-9). */
void session_unbind(struct server *server, struct session *session);
/* Takes the place of another among the bound ones. */
void session_replace(struct server *server, struct session *old, struct session *with);
/* Messages to the bare jid are for it: available, with a priority of 0 or more. */
static inline bool session_listens(const struct session *session)
{
    return session->peer == PEER_BOUND && session->announced && session->priority >= 0;
}
/* First bound session of this account, then the next ones. */
struct session *session_first(const struct server *server, struct span bare);
struct session *session_another(const struct session *session);
struct session *session_find(const struct server *server, const struct jid *full);
unsigned session_count(const struct server *server, struct span bare);

#endif
