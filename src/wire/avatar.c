/* avatar.c: see avatar.h. */
#include "wire/avatar.h"

#include "wire/base64.h"
#include "wire/digest.h"

bool avatar_hash(struct span text, struct arena *arena, uint8_t hash[AVATAR_HASH_BYTES])
{
    size_t mark = arena->used, len = 0;
    char *bytes = arena_take(arena, text.len);
    if (bytes == NULL)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t\r\n", text.bytes[i]) == NULL)
            bytes[len++] = text.bytes[i];
    bool good = base64_decode(span_of(bytes, len), bytes, &len) && len > 0;
    if (good)
        digest_hash(DIGEST_SHA1, span_of(bytes, len), hash);
    arena_reset(arena, mark);
    return good;
}

uint32_t avatar_bytes(struct span text)
{
    uint32_t characters = 0;
    for (size_t i = 0; i < text.len; i++)
        characters += strchr(" \t\r\n=", text.bytes[i]) == NULL;
    return (uint32_t)((uint64_t)characters * 3 / 4);
}

void avatar_write(const uint8_t hash[AVATAR_HASH_BYTES], char out[AVATAR_HASH_CHARACTERS])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < AVATAR_HASH_BYTES; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
}

bool avatar_is(const uint8_t hash[AVATAR_HASH_BYTES], struct span text)
{
    char written[AVATAR_HASH_CHARACTERS];
    avatar_write(hash, written);
    return span_equal(span_of(written, sizeof written), text);
}
