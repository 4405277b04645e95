/* Tests of wire/avatar.c: the hash of an image, which comes as base64. */
#include "wire/avatar.h"

#include "test.h"

static char arena_bytes[4096];

/* hex NULL: it is no image. */
static bool hashes(struct span text, const char *hex)
{
    struct arena arena;
    uint8_t hash[AVATAR_HASH_BYTES];
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    bool good = avatar_hash(text, &arena, hash);
    return arena.used == 0 && (hex == NULL ? !good : good && avatar_is(hash, span_string(hex)));
}

int main(void)
{
    const char *abc = "a9993e364706816aba3e25717850c26c9cd0d89d"; /* RFC 3174 7.3 */
    uint8_t hash[AVATAR_HASH_BYTES] = {0xa9, 0x0f};
    char text[AVATAR_HASH_CHARACTERS];
    CHECK(hashes(SPAN("YWJj"), abc));
    CHECK(hashes(SPAN("\r\n YW\tJ\nj\r\n"), abc));
    CHECK(hashes(SPAN(""), NULL) && hashes(SPAN(" \n"), NULL));
    CHECK(hashes(SPAN("YWJ"), NULL) && hashes(SPAN("YW*j"), NULL));
    CHECK(hashes(span_of(arena_bytes, sizeof arena_bytes + 1), NULL)); /* no memory */
    CHECK(avatar_bytes(SPAN("YWJj")) == 3 && avatar_bytes(SPAN("YWJ\njZA==")) == 4 &&
          avatar_bytes(SPAN("YWJjZGU=")) == 5 && avatar_bytes(SPAN("")) == 0);
    avatar_write(hash, text);
    CHECK(span_starts(span_of(text, sizeof text), "a90f0000"));
    CHECK(avatar_is(hash, span_of(text, sizeof text)) && !avatar_is(hash, SPAN("a90f")));
    return test_end();
}
