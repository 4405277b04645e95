/* limits.h: the times and counts that are the same on every board. What depends on memory is in
 * the plan. */
#ifndef KITH_LIMITS_H
#define KITH_LIMITS_H

/* 1.4: ST-18 ... ST-24. */
#define LOGIN_MS_MAX 60000     /* from accept to the end of authentication and binding */
#define REGISTER_MS_MAX 600000 /* instead, from a registration's begin, or from its last stage */
#define HANDSHAKE_MS_MAX 15000 /* one TLS handshake may hold its place that long */
#define CLOSING_MS_MAX 2000    /* after our end tag we wait that long for theirs */
#define IDLE_MS_MAX 600000     /* silence after which we ask for a sign of life (ST-23) */
#define PING_MS_MAX 60000      /* and how long we wait for it */
#define LEASE_MS_MAX 30000     /* a big stanza must be complete within that time */
#define ASK_MS_MAX 30000       /* a client must answer what we ask it within that time */
#define TRIM_MS 3000           /* after that silence a session's idle pages are given back */

/* SA-4, RB-1. */
#define SASL_FAILURES_MAX 5
#define SASL_PATIENCE_MS                                                                           \
    5000 /* an exchange whose client is silent for longer may be taken away                        \
          */
#define SASL_REFUSALS_MAX 8
#define BIND_FAILURES_MAX 10

/* ST-20, with rate_limits = yes: what one stream may say. A stanza costs its bytes and the price of
 * its row in the table, times RATE_PRICE_BYTES. */
#define RATE_BYTES_PER_SECOND 65536
#define RATE_BURST_BYTES 262144
#define RATE_PRICE_BYTES 64
#define RATE_COPY_BYTES 32 /* of what is said to many, for each */

/* Who speaks to a reader whose queue is more than half full is not read for so long: the reader
 * gets time, and what can be lost with its stream stays small. */
#define SLOW_MS_MIN 50
#define SLOW_MS_MAX 2000
#define SLOW_BYTES_PER_MS 64

/* SM-5: while a client is away what it is sent waits in memory, up to here; then in the store. */
#define ASLEEP_BYTES_MAX (STORE_DIRTY_BYTES_MAX / 4)

/* How much one session may do before others have their turn. */
#define TURN_STANZAS 16
#define TURN_COPIES 256 /* instead, of what is said to many */
#define TURN_FLUSH_BYTES 65536
#define TURN_ACCEPTS 32
#define TURN_HANDSHAKES 2 /* flights of TLS handshakes in one tick: each costs a millisecond */
#define DERIVE_SLICE 400  /* iterations of key derivation in one tick */

/* What was written and is waited for by nobody is made safe after that time; with durability =
 * relaxed, or where the disk is slow, after up to COMMIT_MS_MAX: the whole server waits for a
 * commit, and so one part in COMMIT_PARTS of the time at most. */
#define COMMIT_MS 100
#define COMMIT_MS_MAX 10000
#define COMMIT_PARTS 100

/* Smallest room in an input buffer for which a read is worth its price. */
#define INPUT_ROOM_MIN 256

#endif
