/* tls.h: TLS behind one small interface, so that the library can be exchanged. Server side only.
 * wire/tls*.c and wire/digest.c are the only files that include mbedTLS (2.28 and 3.6).
 * Bytes in by tls_feed, bytes out straight to a plat handle; never blocks.
 * Requirements 1.5, SA-11. */
#ifndef KITH_TLS_H
#define KITH_TLS_H

#include "base/arena.h"

/* A certificate chain, its key, and the settings made of them. Counted: one hold for the server
 * while it is current, one per open tls. */
struct tls_identity;

/* Once at boot, before anything else of TLS. false: the library does not work here. */
bool tls_boot(void);

/* Reads PEM files. On failure NULL and *why says what a person can do (static text or arena).
 * Refuses a chain that does not fit one outgoing record, a key that does not fit the certificate.
 */
struct tls_identity *tls_identity_load(const char *certificate_path, const char *key_path,
                                       struct arena *arena, const char **why);
void tls_identity_drop(struct tls_identity *identity);

/* Warns for a person: names the certificate is not valid for, expiry. true if `domain` is covered.
 */
bool tls_identity_covers(const struct tls_identity *identity, const char *domain);
/* Days until the leaf expires at that time (negative: expired). */
int tls_identity_days_left(const struct tls_identity *identity, uint64_t wall_us);

/* Makes, when the files do not exist: a private CA (10 years) in ca_path and ca_key_path, and a
 * leaf for `domain` (SAN dNSName domain and *.domain; 2 years) signed by it in certificate_path
 * (leaf then CA is not needed) and key_path. Keys P-256, mode 0600. Existing CA files are used
 * again. A leaf of this CA that ends soon or is for another domain is made again, with its key;
 * what comes from elsewhere is left alone. false: *why. wall_us: now. */
bool tls_identity_make(const char *domain, const char *ca_path, const char *ca_key_path,
                       const char *certificate_path, const char *key_path, uint64_t wall_us,
                       struct arena *arena, const char **why);

/* One TLS connection. tls_bytes: size of the room it wants from a pool (aligned to 16). */
struct tls;
size_t tls_bytes(void);

/* Takes library memory (two record buffers) marked heap_owner(owner), owner > 0. NULL: none left.
 * direct: demand ALPN xmpp-client if the client sends ALPN at all (TLS-4). */
struct tls *tls_open(void *room, struct tls_identity *identity, int handle, uint32_t owner,
                     bool direct);
/* Frees library memory; says nothing to the peer. */
void tls_close(struct tls *tls);

/* Sends close_notify (TLS-5); once is enough, AGAIN is given up. */
void tls_say_goodbye(struct tls *tls);

enum tls_outcome {
    TLS_OK,
    TLS_WANT_READ,  /* all fed bytes are used up; feed more */
    TLS_WANT_WRITE, /* the socket is full; call again when it is writable */
    TLS_CLOSED,     /* close_notify came */
    TLS_FAILED,     /* the connection is lost; the alert, if one is due, has been sent */
};

/* Lends bytes from the socket until they are used up: later calls take from them. The caller keeps
 * them in place and asks tls_unfed afterwards how many were not used. */
void tls_feed(struct tls *tls, struct span bytes);
size_t tls_unfed(const struct tls *tls);

/* TLS_OK: finished. One call does at most one flight, which leaves as one write. */
enum tls_outcome tls_handshake(struct tls *tls);

/* Plain bytes; TLS_OK with *out_len > 0. */
enum tls_outcome tls_read(struct tls *tls, char *out, size_t size, size_t *out_len);
/* Whether tls_read would give bytes without any being fed (nothing that plat_wait announces). */
bool tls_pending(const struct tls *tls);

/* Encrypts at most tls_record_bytes() and hands them to the socket. TLS_OK: all `bytes` were taken
 * and have left. TLS_WANT_WRITE: they are taken, but part waits in the library; call
 * tls_flush when the socket is writable, before the next tls_write. */
enum tls_outcome tls_write(struct tls *tls, struct span bytes);
enum tls_outcome tls_flush(struct tls *tls);
/* Largest plain piece for one tls_write. */
size_t tls_record_bytes(void);
/* And the largest that is wise: libstrophe (profanity) reads so many bytes and leaves the rest of a
 * record until its socket has more, or for seconds. */
#define TLS_WISE_BYTES 4096

/* Whether the connection is between records in both directions, so that heap_trim is allowed. */
bool tls_idle(const struct tls *tls);

/* Channel bindings (SA-11). Bytes go to out (64 at least); 0: this one cannot be produced here. */
enum tls_binding { TLS_BINDING_END_POINT, TLS_BINDING_EXPORTER };
size_t tls_channel_binding(struct tls *tls, enum tls_binding binding, uint8_t *out);

/* For logs and tests: "TLSv1.3", "TLS1-3-CHACHA20-POLY1305-SHA256". */
const char *tls_version_name(const struct tls *tls);
const char *tls_suite_name(const struct tls *tls);
/* Whether the handshake resumed an earlier session by ticket. */
bool tls_resumed(const struct tls *tls);
/* The library and its version, for `kith version`. */
const char *tls_library(void);

/* Plan duties, in bytes of heap outside the record slabs: idle and at the peak of a handshake. */
size_t tls_idle_heap_bytes(void);
size_t tls_handshake_heap_bytes(void);
/* Record slabs one connection holds: a buffer of 4 KB lies in the heap. */
unsigned tls_slabs(void);

#endif
