/* server.h: the one struct from which all live state hangs. main.c and the test world make it;
 * everything else gets it through a session or a turn. */
#ifndef KITH_SERVER_H
#define KITH_SERVER_H

#include "base/arena.h"
#include "base/chunk.h"
#include "base/config.h"
#include "base/plan.h"
#include "platform/platform.h"
#include "store/store.h"
#include "wire/tls.h"
#include "wire/xml.h"

#define SERVER_LISTENERS (2 * CONFIG_LISTEN_MAX)
#define SERVER_EVENTS 64

struct session;
struct exchange;

struct listener {
    int handle;
    bool direct_tls;
};

struct server {
    struct store *store;
    struct xml *xml;
    struct tls_identity *identity;
    struct arena arena; /* the tick's */
    struct chunks chunks;
    struct pool sessions;
    struct pool inputs;    /* plan.input_bytes each, for unfinished stanzas */
    struct pool leases;    /* plan.stanza_bytes each, for big ones */
    struct pool tls_rooms; /* struct tls */
    struct pool exchanges; /* SASL exchanges under way */
    char *socket_bytes;    /* what one plat_recv brings */
    size_t socket_bytes_max;
    char *record; /* what one tls_write takes */

    struct session **buckets; /* bound sessions by hash of their bare jid */
    uint32_t bucket_mask;
    struct session *streams;   /* all open ones */
    struct session *readers;   /* have input left over for the next tick */
    struct session *writers;   /* have output to flush in this tick */
    struct session *deriving;  /* wait for a slice of key derivation */
    uint32_t handshakes;       /* under way */

    struct listener listeners[SERVER_LISTENERS];
    unsigned listener_count;
    int control; /* listening handle of the control socket, or below 0 */

    uint64_t now_ms;
    uint64_t wall_us;
    uint64_t started_ms;
    uint64_t next_sweep_ms; /* earliest deadline of any stream */
    uint32_t last_owner;    /* heap owners given out */
    bool stopping;
    bool read_only; /* the disk failed; until a probe write succeeds */

    uint64_t stanzas; /* handled since start */
};

#endif
