/* Tests of src/wire/nickname.c (RFC 8266): which are taken, how they are shown, which are the same.
 */
#include "wire/nickname.h"

#include "test.h"

static char memory[65536];
static struct arena arena;

static bool shown(const char *typed, const char *as)
{
    struct span out;
    arena_init(&arena, memory, sizeof memory);
    return nickname_prepare(span_string(typed), &arena, &out) && span_is(out, as);
}

static bool refused(struct span typed)
{
    struct span out;
    arena_init(&arena, memory, sizeof memory);
    return !nickname_prepare(typed, &arena, &out);
}

static bool same(const char *one, const char *other)
{
    char a[NICKNAME_FOLDED_BYTES_MAX], b[NICKNAME_FOLDED_BYTES_MAX];
    struct span first, second;
    arena_init(&arena, memory, sizeof memory);
    if (!nickname_prepare(span_string(one), &arena, &first) ||
        !nickname_prepare(span_string(other), &arena, &second))
        return false;
    return span_equal(span_of(a, nickname_fold(first, a)), span_of(b, nickname_fold(second, b)));
}

int main(void)
{
    /* RFC 8266 3, tables 1 and 2. */
    CHECK(shown("Foo", "Foo") && shown("foo", "foo") && shown("Foo Bar", "Foo Bar"));
    CHECK(shown("  Foo  Bar ", "Foo Bar") && shown("Foo\xc2\xa0\xe3\x80\x80"
                                                   "Bar",
                                                   "Foo Bar"));
    CHECK(same("Foo Bar", "foo  bar") && !same("Foo", "Foo Bar"));
    CHECK(same("\xce\xa3", "\xcf\x83") && !same("\xcf\x83", "\xcf\x82"));
    CHECK(shown("\xe2\x99\x9a", "\xe2\x99\x9a")); /* BLACK CHESS KING */
    CHECK(refused(SPAN("Richard \xe2\x85\xa3"))); /* ROMAN NUMERAL FOUR: NFKC */
    CHECK(shown("\xef\xbc\xa1"
                "da",
                "Ada") &&
          same("\xef\xbc\xa1"
               "da",
               "ada")); /* width */
    CHECK(shown("\xf0\x9f\x91\xb5 Oma", "\xf0\x9f\x91\xb5 Oma"));
    CHECK(shown("e\xcc\x81", "\xc3\xa9"));

    CHECK(refused(SPAN("")) && refused(SPAN("   ")) && refused(SPAN("a\nb")));
    CHECK(refused(SPAN("\xe2\x80\xae"
                       "abc"))); /* RIGHT-TO-LEFT OVERRIDE */
    CHECK(refused(SPAN("a\xff")) && refused(SPAN("a\0b")));

    char longest[NICKNAME_BYTES_MAX + 1], folded[NICKNAME_FOLDED_BYTES_MAX];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 2 == 0 ? '\xc8' : '\xba'; /* U+023A grows when it is folded */
    CHECK(refused(span_of(longest, sizeof longest)));
    CHECK(!refused(span_of(longest, sizeof longest - 2)));
    CHECK(nickname_fold(span_of(longest, sizeof longest - 2), folded) == 127 * 3);
    return test_end();
}
