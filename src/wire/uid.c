/* uid.c: see uid.h. The block: number (8), hash of the owner (8), both little-endian. The second
 * half makes ids of different accounts differ, and tells a made-up one. */
#include "wire/uid.h"

#include <mbedtls/aes.h>

#include "base/must.h"
#include "wire/base64.h"
#include "wire/digest.h"

enum { BLOCK_BYTES = 16, HALF_BYTES = 8, KEY_BITS = 128 };

_Static_assert(BASE64_BYTES(BLOCK_BYTES) == UID_CHARS + 2, "two characters of padding");

/* FNV-1a: the cipher hides it. */
static uint64_t owner_hash(struct span owner)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < owner.len; i++)
        hash = (hash ^ (uint8_t)owner.bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void half_put(uint8_t *out, uint64_t number)
{
    for (unsigned i = 0; i < HALF_BYTES; i++)
        out[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t half(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < HALF_BYTES; i++)
        number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

static void block_crypt(const uint8_t key[UID_KEY_BYTES], int mode, const uint8_t *in, uint8_t *out)
{
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    must((mode == MBEDTLS_AES_ENCRYPT ? mbedtls_aes_setkey_enc(&aes, key, KEY_BITS)
                                      : mbedtls_aes_setkey_dec(&aes, key, KEY_BITS)) == 0);
    must(mbedtls_aes_crypt_ecb(&aes, mode, in, out) == 0);
    mbedtls_aes_free(&aes);
}

void uid_key(const uint8_t *secret, size_t len, uint8_t key[UID_KEY_BYTES])
{
    uint8_t out[DIGEST_BYTES_MAX];
    digest_hmac(DIGEST_SHA256, span_of((const char *)secret, len), SPAN("archive ids"), out);
    memcpy(key, out, UID_KEY_BYTES);
    secret_forget(out, sizeof out);
}

void uid_write(const uint8_t key[UID_KEY_BYTES], struct span owner, uint64_t number,
               char out[UID_CHARS])
{
    uint8_t block[BLOCK_BYTES];
    char text[BASE64_BYTES(BLOCK_BYTES)];
    half_put(block, number);
    half_put(block + HALF_BYTES, owner_hash(owner));
    block_crypt(key, MBEDTLS_AES_ENCRYPT, block, block);
    (void)base64_encode(span_of((const char *)block, sizeof block), text);
    memcpy(out, text, UID_CHARS);
}

bool uid_read(const uint8_t key[UID_KEY_BYTES], struct span owner, struct span text,
              uint64_t *number)
{
    char padded[BASE64_BYTES(BLOCK_BYTES)];
    uint8_t block[BASE64_BYTES(BLOCK_BYTES) / 4 * 3];
    size_t len;
    if (text.len != UID_CHARS)
        return false;
    memcpy(padded, text.bytes, UID_CHARS);
    memcpy(padded + UID_CHARS, "==", 2);
    if (!base64_decode(span_of(padded, sizeof padded), block, &len) || len != BLOCK_BYTES)
        return false;
    block_crypt(key, MBEDTLS_AES_DECRYPT, block, block);
    *number = half(block);
    return half(block + HALF_BYTES) == owner_hash(owner);
}
