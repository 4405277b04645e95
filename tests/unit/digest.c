/* digest.c: the published vectors, slicing, and the speed (printed, not judged).
 * Vectors: FIPS 180-4 examples, RFC 2202, RFC 4231, RFC 6070, RFC 7914 11, RFC 5802 5, RFC 7677 3.
 */
#include "wire/digest.h"

#include <time.h>

#include "tests/unit/test.h"

static bool bytes_are(const uint8_t *bytes, const char *hex)
{
    char text[2 * DIGEST_BYTES_MAX + 1];
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return strcmp(text, hex) == 0;
}

struct hash_vector {
    enum digest digest;
    struct span data;
    const char *hex;
};

static const struct hash_vector hashes[] = {
    {DIGEST_SHA1, {"abc", 3}, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {DIGEST_SHA1, {NULL, 0}, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {DIGEST_SHA1,
     {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {DIGEST_SHA256, {"abc", 3}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {DIGEST_SHA256, {NULL, 0}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {DIGEST_SHA256,
     {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

struct hmac_vector {
    enum digest digest;
    char key_byte;
    size_t key_len;
    const char *data;
    const char *hex;
};

#define LONG_KEY "Test Using Larger Than Block-Size Key - Hash Key First"

static const struct hmac_vector hmacs[] = {
    {DIGEST_SHA1, 0x0b, 20, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
    {DIGEST_SHA1, '\xaa', 80, LONG_KEY, "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
    {DIGEST_SHA256, 0x0b, 20, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {DIGEST_SHA256, '\xaa', 131, LONG_KEY,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

struct derive_vector {
    enum digest digest;
    struct span password, salt;
    uint32_t iterations;
    const char *hex;
};

static const struct derive_vector derivations[] = {
    {DIGEST_SHA1, {"password", 8}, {"salt", 4}, 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
    {DIGEST_SHA1, {"password", 8}, {"salt", 4}, 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
    {DIGEST_SHA1, {"password", 8}, {"salt", 4}, 4096, "4b007901b765489abead49d926f721d065a429c1"},
    {DIGEST_SHA1,
     {"passwordPASSWORDpassword", 24},
     {"saltSALTsaltSALTsaltSALTsaltSALTsalt", 36},
     4096,
     "3d2eec4fe41c849b80c8d83662c0e44a8b291a96"},
    {DIGEST_SHA256,
     {"passwd", 6},
     {"salt", 4},
     1,
     "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
    {DIGEST_SHA256,
     {"Password", 8},
     {"NaCl", 4},
     80000,
     "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"},
};

static void check_vectors(void)
{
    uint8_t out[DIGEST_BYTES_MAX];
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        digest_hash(hashes[i].digest, hashes[i].data, out);
        CHECK(bytes_are(out, hashes[i].hex));
    }
    for (size_t i = 0; i < sizeof(hmacs) / sizeof(hmacs[0]); i++) {
        char key[131];
        memset(key, hmacs[i].key_byte, sizeof(key));
        digest_hmac(hmacs[i].digest, span_of(key, hmacs[i].key_len), span_string(hmacs[i].data),
                    out);
        CHECK(bytes_are(out, hmacs[i].hex));
    }
}

/* Any way of slicing gives the same result. */
static void check_derivations(void)
{
    static const uint32_t slices[] = {1, 7, 500, UINT32_MAX};
    for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++) {
        for (size_t j = 0; j < sizeof(slices) / sizeof(slices[0]); j++) {
            const struct derive_vector *vector = &derivations[i];
            struct derive derive;
            derive_begin(&derive, vector->digest, vector->password, vector->salt,
                         vector->iterations);
            uint32_t before = derive.left;
            while (!derive_slice(&derive, slices[j])) {
                CHECK(derive.left + slices[j] == before);
                before = derive.left;
            }
            CHECK(bytes_are(derive.out, vector->hex));
            derive_forget(&derive);
            CHECK(derive.u[0] == 0 && derive.out[0] == 0 && derive.inner[0] == 0);
        }
    }
}

/* ServerSignature of the example of RFC 7677 3. */
static void check_scram(void)
{
    static const char salt[] = "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";
    struct derive derive;
    uint8_t key[DIGEST_BYTES_MAX];
    uint8_t server_key[DIGEST_BYTES_MAX];
    uint8_t signature[DIGEST_BYTES_MAX];
    static const char exchange[] =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    derive_begin(&derive, DIGEST_SHA256, SPAN("pencil"), span_of(salt, 16), 4096);
    CHECK(derive_slice(&derive, UINT32_MAX));
    memcpy(key, derive.out, sizeof(key));
    digest_hmac(DIGEST_SHA256, span_of((char *)key, sizeof(key)), SPAN("Server Key"), server_key);
    digest_hmac(DIGEST_SHA256, span_of((char *)server_key, sizeof(server_key)),
                span_string(exchange), signature);
    /* base64 6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4= */
    CHECK(bytes_are(signature, "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e"));
}

static void print_speed(enum digest digest, const char *name)
{
    struct timespec from, to;
    struct derive derive;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    derive_begin(&derive, digest, SPAN("correct horse"), SPAN("0123456789abcdef"), 10000);
    derive_slice(&derive, UINT32_MAX);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    printf("10,000 iterations %s: %ld us\n", name,
           (to.tv_sec - from.tv_sec) * 1000000L + (to.tv_nsec - from.tv_nsec) / 1000);
}

int main(void)
{
    CHECK(digest_bytes(DIGEST_SHA1) == 20);
    CHECK(digest_bytes(DIGEST_SHA256) == 32);
    check_vectors();
    check_derivations();
    check_scram();
    print_speed(DIGEST_SHA1, "SHA-1");
    print_speed(DIGEST_SHA256, "SHA-256");
    return test_end();
}
