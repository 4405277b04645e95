/* digest.c: SHA-1, SHA-256, HMAC and PBKDF2 on mbedTLS's hash cores, which keep their state in a
 * plain struct: nothing here allocates. Owns nothing.
 * Specs: FIPS 180-4, RFC 2104, RFC 8018 5.2. */
#include "wire/digest.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#include "base/must.h"

/* The names that return an error have changed with 3.0. */
#if MBEDTLS_VERSION_MAJOR < 3
#define mbedtls_sha1_starts mbedtls_sha1_starts_ret
#define mbedtls_sha1_update mbedtls_sha1_update_ret
#define mbedtls_sha1_finish mbedtls_sha1_finish_ret
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#endif

/* Both hashes work on blocks of 64 bytes. */
#define BLOCK_BYTES 64

union hash {
    mbedtls_sha1_context sha1;
    mbedtls_sha256_context sha256;
};

_Static_assert(sizeof(union hash) <= sizeof(((struct derive *)0)->inner), "inner is too small");
_Static_assert(sizeof(union hash) <= sizeof(((struct derive *)0)->outer), "outer is too small");

size_t digest_bytes(enum digest digest)
{
    return digest == DIGEST_SHA1 ? 20 : 32;
}

static void hash_begin(union hash *hash, enum digest digest)
{
    if (digest == DIGEST_SHA1) {
        mbedtls_sha1_init(&hash->sha1);
        must(mbedtls_sha1_starts(&hash->sha1) == 0);
    } else {
        mbedtls_sha256_init(&hash->sha256);
        must(mbedtls_sha256_starts(&hash->sha256, 0) == 0);
    }
}

static void hash_add(union hash *hash, enum digest digest, const void *bytes, size_t len)
{
    if (digest == DIGEST_SHA1)
        must(mbedtls_sha1_update(&hash->sha1, bytes, len) == 0);
    else
        must(mbedtls_sha256_update(&hash->sha256, bytes, len) == 0);
}

static void hash_end(union hash *hash, enum digest digest, uint8_t *out)
{
    if (digest == DIGEST_SHA1) {
        must(mbedtls_sha1_finish(&hash->sha1, out) == 0);
        mbedtls_sha1_free(&hash->sha1);
    } else {
        must(mbedtls_sha256_finish(&hash->sha256, out) == 0);
        mbedtls_sha256_free(&hash->sha256);
    }
}

/* out holds digest_bytes(digest) and may be bytes. */
static void hash_end_from(const union hash *start, enum digest digest, const void *bytes,
                          size_t len, uint8_t *out)
{
    union hash hash;
    if (digest == DIGEST_SHA1) {
        mbedtls_sha1_init(&hash.sha1);
        mbedtls_sha1_clone(&hash.sha1, &start->sha1);
    } else {
        mbedtls_sha256_init(&hash.sha256);
        mbedtls_sha256_clone(&hash.sha256, &start->sha256);
    }
    hash_add(&hash, digest, bytes, len);
    hash_end(&hash, digest, out);
}

void digest_hash(enum digest digest, struct span data, uint8_t *out)
{
    union hash hash;
    hash_begin(&hash, digest);
    hash_add(&hash, digest, data.bytes, data.len);
    hash_end(&hash, digest, out);
}

/* The two states of HMAC once the key is in (RFC 2104 2, steps 1 to 3 and 5). */
static void hmac_key(enum digest digest, struct span key, union hash *inner, union hash *outer)
{
    uint8_t pad[BLOCK_BYTES] = {0};
    if (key.len > sizeof(pad))
        digest_hash(digest, key, pad);
    else if (key.len > 0)
        memcpy(pad, key.bytes, key.len);

    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36;
    hash_begin(inner, digest);
    hash_add(inner, digest, pad, sizeof(pad));

    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hash_begin(outer, digest);
    hash_add(outer, digest, pad, sizeof(pad));
    secret_forget(pad, sizeof(pad));
}

void digest_hmac(enum digest digest, struct span key, struct span data, uint8_t *out)
{
    union hash inner, outer;
    hmac_key(digest, key, &inner, &outer);
    hash_add(&inner, digest, data.bytes, data.len);
    hash_end(&inner, digest, out);
    hash_add(&outer, digest, out, digest_bytes(digest));
    hash_end(&outer, digest, out);
}

void derive_begin(struct derive *derive, enum digest digest, struct span password, struct span salt,
                  uint32_t iterations)
{
    static const uint8_t block_number[4] = {0, 0, 0, 1};
    union hash *outer = (union hash *)derive->outer;
    union hash first;

    must(iterations > 0);
    memset(derive, 0, sizeof(*derive));
    derive->digest = digest;
    derive->left = iterations - 1;
    hmac_key(digest, password, (union hash *)derive->inner, outer);

    memcpy(&first, derive->inner, sizeof(first));
    hash_add(&first, digest, salt.bytes, salt.len);
    hash_add(&first, digest, block_number, sizeof(block_number));
    hash_end(&first, digest, derive->u);
    hash_end_from(outer, digest, derive->u, digest_bytes(digest), derive->u);
    memcpy(derive->out, derive->u, sizeof(derive->out));
}

bool derive_slice(struct derive *derive, uint32_t iterations)
{
    const union hash *inner = (const union hash *)derive->inner;
    const union hash *outer = (const union hash *)derive->outer;
    enum digest digest = derive->digest;
    size_t len = digest_bytes(digest);

    for (; iterations > 0 && derive->left > 0; iterations--, derive->left--) {
        hash_end_from(inner, digest, derive->u, len, derive->u);
        hash_end_from(outer, digest, derive->u, len, derive->u);
        for (size_t i = 0; i < len; i++)
            derive->out[i] ^= derive->u[i];
    }
    return derive->left == 0;
}

void derive_forget(struct derive *derive)
{
    secret_forget(derive, sizeof(*derive));
}

void secret_forget(void *bytes, size_t len)
{
    mbedtls_platform_zeroize(bytes, len);
}
