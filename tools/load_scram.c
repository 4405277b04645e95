/* load_scram.c: PLAIN, SCRAM and tokens without channel binding (RFC 4616, RFC 5802, RFC 7677,
 * XEP-0484).
 * As real clients do, it keeps the salted password of an account, so that only the first login of
 * each pays for PBKDF2 on this side. */
#include "load.h"

#include <mbedtls/base64.h>
#include <mbedtls/pkcs5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TEXT_MAX 512
#define ITERATIONS_MAX 1000000

struct salted {
    mbedtls_md_type_t digest;
    unsigned long iterations;
    unsigned char salt[128];
    size_t salt_len;
    unsigned char password[32];
};

static struct salted *kept;
static unsigned kept_count;

static void encode(const void *bytes, size_t len, char *out, size_t size)
{
    size_t written;
    if (mbedtls_base64_encode((unsigned char *)out, size, &written, bytes, len) != 0)
        fail("a SASL message is too long");
}

static size_t digest_bytes(mbedtls_md_type_t digest)
{
    return digest == MBEDTLS_MD_SHA1 ? 20 : 32;
}

static void hmac(mbedtls_md_type_t digest, const unsigned char *key, const char *text,
                 unsigned char *out)
{
    if (mbedtls_md_hmac(mbedtls_md_info_from_type(digest), key, digest_bytes(digest),
                        (const unsigned char *)text, strlen(text), out) != 0)
        fail("mbedtls_md_hmac failed");
}

static void derive(struct salted *salted, const char *password)
{
    size_t len = digest_bytes(salted->digest);
    int code;
#if MBEDTLS_VERSION_NUMBER >= 0x03030000
    code = mbedtls_pkcs5_pbkdf2_hmac_ext(
        salted->digest, (const unsigned char *)password, strlen(password), salted->salt,
        salted->salt_len, (unsigned)salted->iterations, (uint32_t)len, salted->password);
#else
    mbedtls_md_context_t context;
    mbedtls_md_init(&context);
    code = mbedtls_md_setup(&context, mbedtls_md_info_from_type(salted->digest), 1);
    if (code == 0)
        code = mbedtls_pkcs5_pbkdf2_hmac(
            &context, (const unsigned char *)password, strlen(password), salted->salt,
            salted->salt_len, (unsigned)salted->iterations, (uint32_t)len, salted->password);
    mbedtls_md_free(&context);
#endif
    if (code != 0)
        fail("PBKDF2 failed");
}

static const unsigned char *salted_password(unsigned account, const struct salted *wanted,
                                            const char *password)
{
    if (account >= kept_count) {
        unsigned count = 2 * account + 16;
        kept = realloc(kept, count * sizeof(*kept));
        if (!kept)
            fail("out of memory");
        memset(kept + kept_count, 0, (count - kept_count) * sizeof(*kept));
        kept_count = count;
    }
    struct salted *salted = &kept[account];
    if (salted->digest != wanted->digest || salted->iterations != wanted->iterations ||
        salted->salt_len != wanted->salt_len ||
        memcmp(salted->salt, wanted->salt, wanted->salt_len) != 0) {
        *salted = *wanted;
        derive(salted, password);
    }
    return salted->password;
}

/* The value of r=, s=, i= or v= in a server's message. */
static bool value_of(const char *message, char letter, char *out, size_t size)
{
    for (const char *at = message; at; at = strchr(at, ',')) {
        if (*at == ',')
            at++;
        if (at[0] == letter && at[1] == '=') {
            size_t len = strcspn(at + 2, ",");
            if (len >= size)
                return false;
            memcpy(out, at + 2, len);
            out[len] = '\0';
            return true;
        }
    }
    return false;
}

static bool decode(const char *base64, char *out, size_t size)
{
    size_t len;
    if (mbedtls_base64_decode((unsigned char *)out, size - 1, &len, (const unsigned char *)base64,
                              strlen(base64)) != 0)
        return false;
    out[len] = '\0';
    return true;
}

void plain_initial(const char *user, const char *password, char *out, size_t size)
{
    char text[TEXT_MAX];
    int len = snprintf(text, sizeof(text), "%c%s%c%s", 0, user, 0, password);
    encode(text, (size_t)len, out, size);
}

void scram_initial(struct scram *scram, mbedtls_md_type_t digest, const char *user, char *out,
                   size_t size)
{
    unsigned char random[16];
    char text[TEXT_MAX];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        fail("no randomness");
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(scram->nonce + 2 * i, 3, "%02x", random[i]);
    scram->digest = digest;
    snprintf(scram->first_bare, sizeof(scram->first_bare), "n=%s,r=%s", user, scram->nonce);
    int len = snprintf(text, sizeof(text), "n,,%s", scram->first_bare);
    encode(text, (size_t)len, out, size);
}

bool scram_final(struct scram *scram, unsigned account, const char *password, const char *challenge,
                 char *out, size_t size)
{
    char first[TEXT_MAX], nonce[128], salt[160], iterations[16], text[3 * TEXT_MAX];
    unsigned char client_key[32], stored_key[32], server_key[32], signature[32], proof[48];
    struct salted wanted = {.digest = scram->digest};
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(scram->digest);
    size_t len = digest_bytes(scram->digest);
    if (!decode(challenge, first, sizeof(first)) || !value_of(first, 'r', nonce, sizeof(nonce)) ||
        !value_of(first, 's', salt, sizeof(salt)) ||
        !value_of(first, 'i', iterations, sizeof(iterations)))
        return false;
    wanted.iterations = strtoul(iterations, NULL, 10);
    if (strncmp(nonce, scram->nonce, strlen(scram->nonce)) != 0 || wanted.iterations == 0 ||
        wanted.iterations > ITERATIONS_MAX ||
        mbedtls_base64_decode(wanted.salt, sizeof(wanted.salt), &wanted.salt_len,
                              (unsigned char *)salt, strlen(salt)) != 0)
        return false;
    const unsigned char *salted = salted_password(account, &wanted, password);
    hmac(scram->digest, salted, "Client Key", client_key);
    hmac(scram->digest, salted, "Server Key", server_key);
    if (mbedtls_md(info, client_key, len, stored_key) != 0)
        fail("mbedtls_md failed");
    /* "biws" is base64 of "n,,". */
    snprintf(text, sizeof(text), "%s,%s,c=biws,r=%s", scram->first_bare, first, nonce);
    hmac(scram->digest, stored_key, text, signature);
    hmac(scram->digest, server_key, text, scram->server_signature);
    for (size_t i = 0; i < len; i++)
        signature[i] ^= client_key[i];
    encode(signature, len, (char *)proof, sizeof(proof));
    int text_len = snprintf(text, sizeof(text), "c=biws,r=%s,p=%s", nonce, (char *)proof);
    encode(text, (size_t)text_len, out, size);
    return true;
}

bool scram_verify(const struct scram *scram, const char *success)
{
    char text[TEXT_MAX], signature[64], expected[64];
    if (!decode(success, text, sizeof(text)) || !value_of(text, 'v', signature, sizeof(signature)))
        return false;
    encode(scram->server_signature, digest_bytes(scram->digest), expected, sizeof(expected));
    return strcmp(signature, expected) == 0;
}

void fast_initial(const char *user, const char *token, char *out, size_t size)
{
    static const char who[] = "Initiator";
    unsigned char proof[32];
    char text[TEXT_MAX];
    if (mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (const unsigned char *)token,
                        strlen(token), (const unsigned char *)who, sizeof(who) - 1, proof) != 0)
        fail("mbedtls_md_hmac failed");
    int len = snprintf(text, sizeof(text) - sizeof(proof), "%s", user);
    memcpy(text + len + 1, proof, sizeof(proof));
    encode(text, (size_t)len + 1 + sizeof(proof), out, size);
}
