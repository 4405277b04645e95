/* plan.h: how much there is of everything. Made once at boot by src/plan.c as sums of named duties,
 * printed by `kith plan`, constant afterwards. Limits that clients meet are answered as GR-1 says.
 */
#ifndef KITH_PLAN_H
#define KITH_PLAN_H

#include <stddef.h>
#include <stdint.h>

struct plan {
    char profile[64];
    uint64_t memory_bytes; /* what the whole must fit into, kernel socket buffers included */

    /* Counts and sizes, from the profile or fitted to the memory. */
    uint32_t sessions;            /* streams at once, logged in or not */
    uint32_t handshakes;          /* TLS handshakes at once */
    uint32_t exchanges;           /* SASL exchanges at once */
    uint32_t applications;        /* registrations at once whose keys are being derived */
    uint32_t stanza_bytes;        /* largest stanza after login (ST-22), at least 10,000 */
    uint32_t stanza_bytes_before; /* before login */
    uint32_t leases;              /* buffers of stanza_bytes for stanzas over input_bytes */
    uint32_t input_bytes;         /* input buffer of a stream with an unfinished stanza */
    uint32_t output_bytes;        /* most that may wait to be sent on one stream */
    uint32_t chunks;              /* of CHUNK_BYTES: all that waits to be sent, stored presences */
    uint32_t segments;
    uint32_t nodes;            /* elements and texts in one stanza */
    uint32_t accounts;         /* in the store */
    uint32_t resources;        /* sessions per account */
    uint32_t roster_items;     /* contacts per account */
    uint32_t vcard_bytes;      /* of one vCard */
    uint32_t private_bytes;    /* of what one account keeps as private XML, all together */
    uint32_t pep_nodes;        /* that one account publishes on */
    uint32_t pep_items;        /* of one node */
    uint32_t pep_item_bytes;   /* of one item */
    uint32_t pep_bytes;        /* of all items of an account together */
    uint32_t caps;             /* kinds of clients whose features are remembered */
    uint32_t asks;             /* our own IQs that wait for their answers */
    uint32_t offline_messages; /* that wait for one account */
    uint32_t offline_bytes;    /* and how long they may be together */
    uint32_t archive_messages; /* that one account keeps */
    uint32_t archive_percent;  /* of the map, for all that is kept */
    uint32_t participants;     /* of one channel */
    uint32_t blocks;           /* addresses that one account blocks */
    uint32_t per_address;      /* streams per IP address */
    uint32_t receive_buffer;   /* socket buffers asked of the kernel, per stream */
    uint32_t send_buffer;
    uint64_t map_bytes; /* LMDB's map: largest data file */

    /* Regions that follow from these. */
    size_t heap_bytes;
    uint32_t slabs;
    size_t parser_bytes;
    size_t arena_bytes;
    size_t reserve_bytes; /* all of the one reservation */
};

extern struct plan plan;

#endif
