/* Tests of src/wire/token.c: what is made, what people type, what is kept. */
#include "wire/token.h"

#include <string.h>

#include "test.h"
#include "wire/digest.h"

#define TOKEN "abcdefghijklmnopqrstuvwx27"

static bool token_is(const char *typed, const char *token)
{
    char out[TOKEN_CHARS];
    return token_read(span_string(typed), out) && memcmp(out, token, TOKEN_CHARS) == 0;
}

static bool token_refused(const char *typed)
{
    char out[TOKEN_CHARS];
    return !token_read(span_string(typed), out);
}

static bool code_is(const char *typed, const char *code)
{
    char out[CODE_CHARS];
    return code_read(span_string(typed), out) && memcmp(out, code, CODE_CHARS) == 0;
}

static bool code_refused(const char *typed)
{
    char out[CODE_CHARS];
    return !code_read(span_string(typed), out);
}

/* Each character comes up, about as often as every other, and is one that is read back. */
static void test_made(void)
{
    enum { ROUNDS = 4000 };
    unsigned counts[256] = {0}, digits[256] = {0};
    char token[TOKEN_CHARS], code[CODE_CHARS], again[TOKEN_CHARS];
    bool good = true;
    for (int i = 0; i < ROUNDS; i++) {
        token_make(token);
        code_make(code);
        good = good && token_read(span_of(token, sizeof token), again) &&
               memcmp(token, again, sizeof token) == 0 &&
               code_read(span_of(code, sizeof code), again) &&
               memcmp(code, again, sizeof code) == 0;
        for (size_t at = 0; at < sizeof token; at++)
            counts[(unsigned char)token[at]]++;
        for (size_t at = 0; at < sizeof code; at++)
            digits[(unsigned char)code[at]]++;
    }
    CHECK(good);
    /* 3,250 and 2,400 are expected, with a deviation of 56 and 46. */
    for (const char *at = "abcdefghijklmnopqrstuvwxyz234567"; *at != '\0'; at++)
        CHECK(counts[(unsigned char)*at] > 2800 && counts[(unsigned char)*at] < 3700);
    for (char digit = '0'; digit <= '9'; digit++)
        CHECK(digits[(unsigned char)digit] > 2000 && digits[(unsigned char)digit] < 2800);
}

/* RFC 4648 10, in lower case. */
static void test_encoded(void)
{
    char text[16];
    uint8_t bytes[10];
    token_encode((const uint8_t *)"foobafooba", 10, text);
    CHECK(memcmp(text, "mzxw6ytbmzxw6ytb", 16) == 0);
    CHECK(token_decode(span_of(text, 16), bytes, 10) && memcmp(bytes, "foobafooba", 10) == 0);
    CHECK(!token_decode(span_of(text, 15), bytes, 10) &&
          !token_decode(span_of(text, 16), bytes, 5));
    text[3] = '1';
    CHECK(!token_decode(span_of(text, 16), bytes, 10));
}

static void test_typed_token(void)
{
    CHECK(token_is(TOKEN, TOKEN));
    CHECK(token_is("ABCDEFGHIJKLMNOPQRSTUVWX27", TOKEN));
    CHECK(token_is(" abcde-fghij\tklmno pqrst\r\nuvwx27 ", TOKEN));
    CHECK(token_is("abcde\xe2\x80\x93"
                   "fghij\xc2\xa0"
                   "klmnopqrstuvwx27",
                   TOKEN));
    CHECK(token_is("abcdefghijklmnopqrstuvwx\xef\xbc\x92\xef\xbc\x97", TOKEN));
    CHECK(token_refused(""));
    CHECK(token_refused("abcdefghijklmnopqrstuvwx2"));
    CHECK(token_refused(TOKEN "a"));
    CHECK(token_refused("abcdefghijklmnopqrstuvwx21")); /* no 1 in base32 */
    CHECK(token_refused("abcdefghijklmnopqrstuvwx\xef\xbc"));
    CHECK(token_refused("abcdefghijklmnopqrstuvwx2\xc3"));
    char out[TOKEN_CHARS];
    CHECK(!token_read(SPAN("abcdefghijklmnopqrstuvwx2\0"), out));
    CHECK(!token_read(SPAN_NONE, out));
}

static void test_typed_link(void)
{
    CHECK(token_is("xmpp:example.com?register;preauth=" TOKEN, TOKEN));
    CHECK(token_is("xmpp:romeo@example.com?roster;preauth=" TOKEN ";name=Romeo%20M;ibr=y", TOKEN));
    CHECK(token_is("xmpp:romeo@example.com?roster;preauth=" TOKEN "\n", TOKEN));
    CHECK(token_is("xmpp:preauth=x@example.com?register;preauth=" TOKEN, TOKEN));
    CHECK(token_is("preauth=" TOKEN, TOKEN));
    CHECK(token_refused("xmpp:example.com?register;preauth="));
    CHECK(token_refused("xmpp:example.com?register;ibr=y"));
    CHECK(token_refused("xmpp:example.com?register;preauth=abc;name=" TOKEN));
}

static void test_typed_code(void)
{
    CHECK(code_is("493817", "493817"));
    CHECK(code_is(" 493 817\n", "493817"));
    CHECK(code_is("49-38-17", "493817"));
    CHECK(code_is("\xef\xbc\x94\xef\xbc\x99\xef\xbc\x93\xe3\x80\x80\xef\xbc\x98\xef\xbc\x91\xef\xbc"
                  "\x90",
                  "493810"));
    CHECK(code_refused(""));
    CHECK(code_refused("49381"));
    CHECK(code_refused("4938170"));
    CHECK(code_refused("49381a"));
    CHECK(code_refused("49381\xef\xbc\x9a")); /* U+FF1A is behind the digits */
    CHECK(code_refused("49381\xef\xbc\x8f")); /* U+FF0F before them */
}

static void test_hashes(void)
{
    uint8_t hash[TOKEN_HASH_BYTES], again[TOKEN_HASH_BYTES], handle[TOKEN_HASH_BYTES];
    token_hash(SPAN("abc"), hash); /* FIPS 180-4's example */
    CHECK(memcmp(hash, "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23", 16) ==
          0);
    token_hash(SPAN("handle"), handle);
    code_hash(SPAN("493817"), SPAN("juliet"), handle, hash);
    code_hash(SPAN("493817"), SPAN("juliet"), handle, again);
    CHECK(memcmp(hash, again, sizeof hash) == 0);
    code_hash(SPAN("493818"), SPAN("juliet"), handle, again);
    CHECK(memcmp(hash, again, sizeof hash) != 0);
    code_hash(SPAN("493817"), SPAN("romeo"), handle, again);
    CHECK(memcmp(hash, again, sizeof hash) != 0);
    handle[31] ^= 1;
    code_hash(SPAN("493817"), SPAN("juliet"), handle, again);
    CHECK(memcmp(hash, again, sizeof hash) != 0);
}

int main(void)
{
    test_made();
    test_encoded();
    test_typed_token();
    test_typed_link();
    test_typed_code();
    test_hashes();
    return test_end();
}
