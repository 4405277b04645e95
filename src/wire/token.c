/* token.c: see token.h. */
#include "wire/token.h"

#include "platform/platform.h"
#include "wire/digest.h"

/* RFC 4648 6, in lower case; 32 of them, so that five random bits choose one. */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* What people, keyboards and line breaks put between the groups of a code. */
static const char *const separators[] = {
    " ",
    "\t",
    "\r",
    "\n",
    "-",
    "\xc2\xa0",     /* U+00A0 no-break space */
    "\xe2\x80\xaf", /* U+202F narrow no-break space */
    "\xe3\x80\x80", /* U+3000 ideographic space */
    "\xe2\x80\x90", /* U+2010 hyphen */
    "\xe2\x80\x91", /* U+2011 non-breaking hyphen */
    "\xe2\x80\x93", /* U+2013 en dash */
    "\xe2\x80\x94", /* U+2014 em dash */
    "\xef\xbc\x8d", /* U+FF0D full-width hyphen */
};

/* How many bytes of a separator stand at the start; 0: none. */
static size_t separator_len(struct span text)
{
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
        if (span_starts(text, separators[i]))
            return strlen(separators[i]);
    return 0;
}

/* The character at the start, in lower case and half width; *len: its bytes. */
static char character_read(struct span text, size_t *len)
{
    char byte = text.bytes[0];
    *len = 1;
    if (text.len >= 3 && span_starts(text, "\xef\xbc")) { /* U+FF10 … U+FF19 */
        unsigned digit = (unsigned char)text.bytes[2] - 0x90u;
        if (digit < 10) {
            *len = 3;
            return (char)('0' + digit);
        }
    }
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* Exactly `count` characters of those allowed. */
static bool typed_read(struct span typed, const char *allowed, size_t count, char *out)
{
    size_t done = 0, len;
    for (size_t at = 0; at < typed.len; at += len) {
        struct span rest = span_cut(typed, at, typed.len);
        len = separator_len(rest);
        if (len > 0)
            continue;
        char character = character_read(rest, &len);
        if (done == count || character == '\0' || strchr(allowed, character) == NULL)
            return false;
        out[done++] = character;
    }
    return done == count;
}

/* Of a link what stands behind the last "preauth=": a localpart may have the same in it, while in
 * the values behind it every '=' is encoded (RFC 5122 2.2). */
static struct span link_token(struct span typed)
{
    static const char key[] = "preauth=";
    size_t start = 0;
    for (size_t at = 0; at < typed.len; at++)
        if (span_starts(span_cut(typed, at, typed.len), key))
            start = at + sizeof key - 1;
    if (start == 0)
        return typed;
    struct span rest = span_cut(typed, start, typed.len);
    return span_cut(rest, 0, span_find(rest, ';'));
}

void token_make(char out[TOKEN_CHARS])
{
    uint8_t random[TOKEN_CHARS];
    plat_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        out[i] = alphabet[random[i] % 32];
    secret_forget(random, sizeof random);
}

bool token_read(struct span typed, char out[TOKEN_CHARS])
{
    return typed_read(link_token(typed), alphabet, TOKEN_CHARS, out);
}

void token_encode(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len * 8; i += 5) {
        unsigned two = (unsigned)bytes[i / 8] << 8 | (i / 8 + 1 < len ? bytes[i / 8 + 1] : 0);
        out[i / 5] = alphabet[two >> (11 - i % 8) & 31];
    }
}

bool token_decode(struct span text, uint8_t *bytes, size_t len)
{
    if (text.len * 5 != len * 8)
        return false;
    memset(bytes, 0, len);
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(alphabet, text.bytes[i], sizeof alphabet - 1);
        if (at == NULL)
            return false;
        for (unsigned bit = 0; bit < 5; bit++)
            if ((at - alphabet) >> (4 - bit) & 1)
                bytes[(5 * i + bit) / 8] |= (uint8_t)(128u >> (5 * i + bit) % 8);
    }
    return true;
}

void token_hash(struct span token, uint8_t out[TOKEN_HASH_BYTES])
{
    digest_hash(DIGEST_SHA256, token, out);
}

void code_make(char out[CODE_CHARS])
{
    for (size_t i = 0; i < CODE_CHARS; i++) {
        uint8_t random;
        do
            plat_random(&random, sizeof random);
        while (random >= 250); /* else the lower digits were likelier */
        out[i] = (char)('0' + random % 10);
    }
}

bool code_read(struct span typed, char out[CODE_CHARS])
{
    return typed_read(typed, "0123456789", CODE_CHARS, out);
}

void code_hash(struct span code, struct span local, const uint8_t handle_hash[TOKEN_HASH_BYTES],
               uint8_t out[TOKEN_HASH_BYTES])
{
    uint8_t key[TOKEN_HASH_BYTES];
    digest_hmac(DIGEST_SHA256, span_of((const char *)handle_hash, TOKEN_HASH_BYTES), local, key);
    digest_hmac(DIGEST_SHA256, span_of((const char *)key, sizeof key), code, out);
    secret_forget(key, sizeof key);
}
