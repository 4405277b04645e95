/* digest.h: hashes, HMAC and key derivation, on the TLS library's primitives.
 * Allocates nothing. */
#ifndef KITH_DIGEST_H
#define KITH_DIGEST_H

#include "base/span.h"

enum digest { DIGEST_SHA1, DIGEST_SHA256 };

#define DIGEST_BYTES_MAX 32

/* 20 or 32. */
size_t digest_bytes(enum digest digest);

/* out holds digest_bytes(digest). */
void digest_hash(enum digest digest, struct span data, uint8_t *out);
void digest_hmac(enum digest digest, struct span key, struct span data, uint8_t *out);

/* PBKDF2 (RFC 8018 5.2; Hi() of RFC 5802 2.2) with one block of output, done in slices, so that
 * nobody else waits for it. The password is used by derive_begin only and not kept. */
struct derive {
    enum digest digest;
    uint32_t left; /* iterations still to do */
    uint8_t u[DIGEST_BYTES_MAX];
    uint8_t out[DIGEST_BYTES_MAX]; /* the result when left == 0 */
    /* HMAC states after the inner and the outer pad; opaque, checked for size in digest.c. */
    uint64_t inner[32];
    uint64_t outer[32];
};

void derive_begin(struct derive *derive, enum digest digest, struct span password, struct span salt,
                  uint32_t iterations);
/* Does at most `iterations` more; true when done. */
bool derive_slice(struct derive *derive, uint32_t iterations);
/* Overwrites the secrets. */
void derive_forget(struct derive *derive);

/* Overwrites memory in a way that the compiler keeps. */
void secret_forget(void *bytes, size_t len);

#endif
