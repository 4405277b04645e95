/* Tests of src/wire/uri.c: INV-1, the examples of RFC 5122 and of XEP-0106. */
#include "wire/uri.h"

#include <string.h>

#include "test.h"

static _Alignas(16) char memory[8192];
static struct arena arena;

static bool link_is(struct uri_invitation invitation, const char *link)
{
    struct build build;
    arena_init(&arena, memory, sizeof memory);
    build_init(&build, &arena, URI_BYTES_MAX);
    uri_invitation(&build, &invitation);
    bool same = span_is(build_span(&build), link);
    if (!same)
        fprintf(stderr, "%.*s\n%s\n", (int)build.used, build.bytes, link);
    return same;
}

static bool escaped_is(const char *text, const char *escaped)
{
    struct span out;
    arena_init(&arena, memory, sizeof memory);
    return uri_escape_local(span_string(text), &arena, &out) && span_is(out, escaped);
}

static void test_order(void)
{
    struct uri_invitation romeo = {.contact = true,
                                   .local = SPAN("romeo"),
                                   .domain = SPAN("example.com"),
                                   .token = SPAN("TOKEN"),
                                   .name = SPAN(""),
                                   .may_register = false};
    CHECK(link_is(romeo, "xmpp:romeo@example.com?roster;preauth=TOKEN"));
    romeo.may_register = true;
    CHECK(link_is(romeo, "xmpp:romeo@example.com?roster;preauth=TOKEN;ibr=y"));
    romeo.name = SPAN("Romeo Montague");
    CHECK(
        link_is(romeo, "xmpp:romeo@example.com?roster;preauth=TOKEN;name=Romeo%20Montague;ibr=y"));
    romeo.may_register = false;
    CHECK(link_is(romeo, "xmpp:romeo@example.com?roster;preauth=TOKEN;name=Romeo%20Montague"));
    struct uri_invitation juliet = {
        .local = SPAN("juliet"), .domain = SPAN("example.com"), .token = SPAN("TOKEN")};
    CHECK(link_is(juliet, "xmpp:juliet@example.com?register;preauth=TOKEN"));
    juliet.may_register = true; /* says itself that it may */
    CHECK(link_is(juliet, "xmpp:juliet@example.com?register;preauth=TOKEN"));
    juliet.local = SPAN_NONE;
    CHECK(link_is(juliet, "xmpp:example.com?register;preauth=TOKEN"));
}

static void test_percent(void)
{
    struct uri_invitation nasty = {.local = SPAN("nasty!#$%()*+,-.;=?[\\]^_`{|}~node"),
                                   .domain = SPAN("example.com"),
                                   .token = SPAN("TOKEN")};
    CHECK(link_is(nasty, "xmpp:nasty!%23$%25()*+,-.;=%3F%5B%5C%5D%5E_%60%7B%7C%7D~node"
                         "@example.com?register;preauth=TOKEN")); /* 2.7.2 */
    nasty.local = SPAN("ji\xc5\x99i");
    nasty.domain = SPAN("\xc4\x8d"
                        "echy.example");
    CHECK(link_is(nasty, "xmpp:ji%C5%99i@%C4%8Dechy.example?register;preauth=TOKEN")); /* 2.7.3 */
    nasty.name = SPAN("a;ibr=y&b#c?/@");
    CHECK(link_is(nasty, "xmpp:ji%C5%99i@%C4%8Dechy.example?register;preauth=TOKEN"
                         ";name=a%3Bibr%3Dy%26b%23c%3F%2F%40"));
    nasty = (struct uri_invitation){.domain = SPAN("[::1]"), .token = SPAN("TOKEN")};
    CHECK(link_is(nasty, "xmpp:[::1]?register;preauth=TOKEN"));
}

/* The longest parts there are: the buffer is full, nothing is cut. */
static void test_long(void)
{
    static char part[1023];
    struct build build;
    memset(part, '#', sizeof part);
    arena_init(&arena, memory, sizeof memory);
    build_init(&build, &arena, URI_BYTES_MAX);
    uri_invitation(&build, &(struct uri_invitation){.local = span_of(part, sizeof part),
                                                    .domain = SPAN("example.com"),
                                                    .token = SPAN("TOKEN")});
    CHECK(build.full && build_span(&build).bytes == NULL);
}

static void test_escapes(void)
{
    /* XEP-0106 5.1 */
    CHECK(escaped_is("space cadet", "space\\20cadet"));
    CHECK(escaped_is("call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"));
    CHECK(escaped_is("at&t guy", "at\\26t\\20guy"));
    CHECK(escaped_is("d'artagnan", "d\\27artagnan"));
    CHECK(escaped_is("/.fanboy", "\\2f.fanboy"));
    CHECK(escaped_is("::foo::", "\\3a\\3afoo\\3a\\3a"));
    CHECK(escaped_is("<foo>", "\\3cfoo\\3e"));
    CHECK(escaped_is("user@host", "user\\40host"));
    CHECK(escaped_is("c:\\net", "c\\3a\\net"));
    CHECK(escaped_is("c:\\\\net", "c\\3a\\\\net"));
    CHECK(escaped_is("c:\\cool stuff", "c\\3a\\cool\\20stuff"));
    CHECK(escaped_is("c:\\5commas", "c\\3a\\5c5commas"));
    /* 4.2, 4.3, 5.2 */
    CHECK(escaped_is("\\3and\\2is\\5cool@example.com", "\\5c3and\\2is\\5c5cool\\40example.com"));
    CHECK(escaped_is("\\2plus\\2is\\4", "\\2plus\\2is\\4"));
    CHECK(escaped_is("foo\\bar", "foo\\bar"));
    CHECK(escaped_is("foob\\41r", "foob\\41r"));
    CHECK(escaped_is("foob\\3Ar", "foob\\3Ar")); /* 3.1: case is significant */
    CHECK(escaped_is("here's_a_wild_&_/cr%zy/_address@example.com",
                     "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address\\40example.com"));
    CHECK(escaped_is("juliet@capulett.com", "juliet\\40capulett.com"));
    /* 4.1 rule 6 */
    CHECK(escaped_is("  a b ", "a\\20b"));
    CHECK(escaped_is(" ", ""));
    CHECK(escaped_is("", ""));
    CHECK(escaped_is("\\20", "\\5c20"));
    CHECK(escaped_is("\xc3\xa9@x", "\xc3\xa9\\40x"));
}

static void test_escape_full(void)
{
    struct span out;
    arena_init(&arena, memory, 32);
    CHECK(!uri_escape_local(SPAN("@@@@@@@@@@@"), &arena, &out));
    CHECK(out.bytes == NULL);
}

/* MT-7. */
static void test_channel(void)
{
    char bytes[256];
    struct build build = {.bytes = bytes, .size = sizeof bytes};
    uri_channel(&build, SPAN("the coven"), SPAN("mix.shakespeare.lit"), SPAN("dabc"));
    CHECK(span_is(build_span(&build), "xmpp:the%20coven@mix.shakespeare.lit?mix;preauth=dabc"));
}

int main(void)
{
    test_channel();
    test_order();
    test_percent();
    test_long();
    test_escapes();
    test_escape_full();
    return test_end();
}
