/* server.h: the one struct from which all live state hangs. main.c and the test world make it;
 * everything else gets it through a session or a turn. */
#ifndef KITH_SERVER_H
#define KITH_SERVER_H

#include "base/arena.h"
#include "base/chunk.h"
#include "base/config.h"
#include "base/plan.h"
#include "core/throttle.h"
#include "platform/platform.h"
#include "store/archive.h"
#include "store/logins.h"
#include "store/store.h"
#include "wire/tls.h"
#include "wire/token.h"
#include "wire/uid.h"
#include "wire/xml.h"

#define SERVER_LISTENERS (2 * CONFIG_LISTEN_MAX)
#define SERVER_EVENTS 64

struct session;
struct derivation;
struct exchange;
struct ask;
struct caps;
struct adhoc;

struct listener {
    int handle;
    bool direct_tls;
};

/* A refused connection that is kept until its refusal is read (GR-1). */
#define DOORMEN 8
struct doorman {
    int handle;
    bool busy;
    uint64_t until_ms;
};

/* One connection to the control socket. */
#define CONSOLES 4
#define CONSOLE_REQUEST_BYTES 4096
#define CONSOLE_REPLY_BYTES 16384
enum console_state {
    CONSOLE_FREE,
    CONSOLE_ASKING,
    CONSOLE_WAITING, /* answered; leaves after the commit */
    CONSOLE_SAYING,
};
struct console {
    int handle;
    enum console_state state;
    uint64_t until_ms;
    size_t len;
    size_t sent;
    char request[CONSOLE_REQUEST_BYTES];
    char reply[CONSOLE_REPLY_BYTES];
};

/* A command (XEP-0050) whose form is being filled in (INV-9). */
#define COMMAND_SESSIONS 16
#define COMMAND_USER_BYTES 32
struct command_session {
    const struct adhoc *row; /* NULL: free */
    uint64_t until_ms;       /* afterwards it is known as expired only */
    char id[TOKEN_CHARS];
    uint8_t user[COMMAND_USER_BYTES]; /* hash of the bare jid whose it is */
};

/* A stream that has ended (core/ended.h). */
#define ENDED_STREAMS 64
#define ENDED_HASH_BYTES 16
struct ended {
    uint8_t hash[ENDED_HASH_BYTES]; /* of its id and whose it was */
    uint32_t handled;
};

/* Answered captchas that are remembered: those of some minutes, where somebody tries hard. */
#define CAPTCHAS 256

struct server {
    struct store *store;
    struct xml *xml;
    struct tls_identity *identity;
    struct arena arena;   /* the tick's */
    struct arena remains; /* for what core/remains.c copies */
    size_t arena_kept;    /* its first bytes were taken at boot, for good */
    struct chunks chunks;
    struct pool sessions;
    struct pool inputs;       /* plan.input_bytes each, for unfinished stanzas */
    struct pool leases;       /* plan.stanza_bytes each, for big ones */
    struct pool tls_rooms;    /* struct tls */
    struct pool exchanges;    /* SASL exchanges under way */
    struct pool asks;         /* struct ask */
    struct pool applications; /* registrations whose keys are being derived */
    struct caps *caps;        /* plan.caps of them: what clients can */
    char *socket_bytes;       /* what one plat_recv brings */
    size_t socket_bytes_max;
    size_t socket_fed; /* of those, how many the last tls_feed lent */
    char *record;      /* what one tls_write takes */

    struct session **buckets; /* bound sessions by hash of their bare jid */
    uint32_t bucket_mask;
    uint32_t bucket_seed;        /* random, so that nobody can choose names that share a bucket */
    struct session *streams;     /* all open ones */
    struct session *leaving;     /* closed in this tick, not yet freed */
    struct session *farewells;   /* were available and are bound no more: others shall hear it */
    struct session *flushing;    /* are told what was stored for them */
    struct session *arriving;    /* are told the last items of nodes */
    struct session *speaker;     /* whose turn it is */
    uint32_t turn_copies;        /* what it has said to many was passed on so often in its turn */
    uint32_t slow_ms;            /* how long it shall not be read: it speaks to slow readers */
    struct session *readers;     /* have input left over for the next tick */
    struct session *writers;     /* have output to flush in this tick */
    struct derivation *deriving; /* wait for a slice of key derivation */
    struct ask *asking;          /* our own IQs that wait for their answers */
    uint64_t asked;              /* how many there were since start */
    uint32_t handshakes;         /* under way */
    bool queue_changed;          /* a queued session may find a place among them */

    struct listener listeners[SERVER_LISTENERS];
    unsigned listener_count;
    bool door_closed; /* the system had no more handles: nobody is let in for a while */
    struct doorman doormen[DOORMEN];
    int control; /* listening handle of the control socket, or below 0 */
    struct console consoles[CONSOLES];
    bool consoles_waiting;

    uint64_t now_ms;
    uint64_t wall_us;
    uint64_t started_ms;
    uint64_t next_sweep_ms;   /* earliest deadline of any stream */
    uint64_t next_probe_ms;   /* while read_only: when to try the disk again */
    uint32_t turn_handshakes; /* flights of TLS handshakes in this tick */
    uint64_t next_check_ms;   /* of what other processes left in the store */
    char caps_ver[29];        /* our own capabilities: XEP-0115 5.1 */
    bool stopping;
    bool reload;    /* SIGHUP came; main.c reloads and clears it */
    bool read_only; /* the disk failed; until a probe write succeeds */
    bool has_login_key;
    uint8_t login_key[LOGIN_KEY_BYTES]; /* tokens are made of it (store/logins.h) */

    struct throttle logins;      /* failed ones, by account and address (SA-4) */
    struct throttle connections; /* new ones, by address (ST-19) */

    /* RL-1, by address; what counts for all of them together has a place of its own. */
    struct throttle register_gets;
    struct throttle register_sets;
    struct throttle registrations;     /* accounts made */
    struct throttle all_registrations; /* the same, of the whole server */
    struct throttle codes;             /* sent, by address */
    struct throttle destinations;      /* the same, by where to */
    struct throttle tokens;            /* wrong ones, by address, and by who subscribes (INV-16) */
    struct throttle invitations;       /* made, by owner (INV-5) */
    struct throttle passwords;         /* changed, by account */
    struct throttle channels_made;     /* by account */

    uint64_t captchas[CAPTCHAS]; /* those answered last, in turn (CAP-A) */
    unsigned captcha_next;       /* where the oldest stands */

    struct command_session command_sessions[COMMAND_SESSIONS]; /* the newest first */

    struct ended ended[ENDED_STREAMS];
    uint32_t ended_count; /* remembered since start: the next one's place follows from it */

    uint64_t stanzas;     /* handled since start */
    uint64_t pushes;      /* of rosters, since start: their ids */
    uint64_t flush_ms;    /* stored messages are told again from then on, where memory was short */
    uint64_t reap_ms;     /* when to go on with what deleted accounts leave behind */
    uint64_t pep_reap_ms; /* the same, with the items of nodes that are gone */
    uint64_t channel_reap_ms; /* the same, with channels that are destroyed */
    uint64_t expiry_ms;       /* when to look for records that have expired */
    uint64_t dirty_ms;        /* when what is not committed was begun; 0: in this tick */
    uint64_t commit_ms;       /* how long the last commit took */
    uint64_t archived;        /* number of the last message, kept or not; 0: not looked up yet */
    uint64_t archive_reap_ms; /* when to drop more of the archive */
    uint64_t archive_log_ms;  /* when it may be said again that it is full */
    struct archive_trim archive_trim; /* how far it was looked for accounts that keep too many */
    bool archive_trimming;
    uint8_t archive_key[UID_KEY_BYTES];
};

#endif
