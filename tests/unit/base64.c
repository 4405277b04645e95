/* base64.c: RFC 4648 section 10 and what strict means. */
#include "wire/base64.h"

#include "tests/unit/test.h"

static bool decodes(const char *text, const char *bytes)
{
    char out[64];
    size_t len = 99;
    return base64_decode(span_string(text), out, &len) && span_is(span_of(out, len), bytes);
}

static bool refused(const char *text)
{
    char out[64];
    size_t len;
    return !base64_decode(span_string(text), out, &len);
}

static void test_vectors(void)
{
    /* RFC 4648 10 */
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char out[16];
        struct span bytes = span_string(vectors[i][0]);
        size_t len = base64_encode(bytes, out);
        CHECK(len == BASE64_BYTES(bytes.len));
        CHECK(span_is(span_of(out, len), vectors[i][1]));
        CHECK(decodes(vectors[i][1], vectors[i][0]));
    }
}

static void test_every_byte(void)
{
    char bytes[258], text[BASE64_BYTES(sizeof(bytes))], back[sizeof(bytes) + 2];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        size_t back_len = 0;
        size_t text_len = base64_encode(span_of(bytes, len), text);
        CHECK(base64_decode(span_of(text, text_len), back, &back_len));
        CHECK(span_equal(span_of(bytes, len), span_of(back, back_len)));
    }
}

static void test_strict(void)
{
    CHECK(refused("Zg"));
    CHECK(refused("Zg="));
    CHECK(refused("Zh==")); /* padding bits */
    CHECK(refused("Zm9="));
    CHECK(refused("=Zm9"));
    CHECK(refused("Z==="));
    CHECK(refused("===="));
    CHECK(refused("Zg==Zg=="));
    CHECK(refused("Zm=v"));
    CHECK(refused("Zm9v\n"));
    CHECK(refused("Zm9v    "));
    CHECK(refused("Zm-_"));
    CHECK(refused("\xC3\xA4\xC3\xA4"));
    char out[4];
    size_t len;
    CHECK(!base64_decode(span_of("Zm9\0", 4), out, &len));
}

int main(void)
{
    test_vectors();
    test_every_byte();
    test_strict();
    return test_end();
}
