/* jid.c: the examples of RFC 7622 3.5, RFC 8265 3.6 and 4.3, RFC 4013 3 and RFC 3492 7.1, and the
 * rules around them (requirements ST-15 to ST-17, SA-15). */
#include "wire/jid.h"

#include "tests/unit/test.h"

static char memory[16384];

typedef bool prepare(struct span text, struct arena *arena, struct span *out);

static bool gives_span(prepare *function, struct span text, const char *wanted)
{
    struct arena arena;
    struct span out = SPAN_NONE;
    arena_init(&arena, memory, sizeof(memory));
    if (!function(text, &arena, &out))
        return wanted == NULL;
    /* What is prepared once stays as it is. */
    struct span again = SPAN_NONE;
    return wanted != NULL && span_is(out, wanted) && function(out, &arena, &again) &&
           span_equal(out, again);
}

static bool gives(prepare *function, const char *text, const char *wanted)
{
    return gives_span(function, span_string(text), wanted);
}

#define LOCAL(text, wanted) CHECK(gives(jid_prepare_local, text, wanted))
#define NEW_LOCAL(text, wanted) CHECK(gives(jid_prepare_new_local, text, wanted))
#define DOMAIN(text, wanted) CHECK(gives(jid_prepare_domain, text, wanted))
#define RESOURCE(text, wanted) CHECK(gives(jid_prepare_resource, text, wanted))
#define PASSWORD(text, wanted) CHECK(gives(jid_prepare_password, text, wanted))

static bool parses(const char *text, const char *local, const char *domain, const char *resource)
{
    struct arena arena;
    struct jid jid, again;
    arena_init(&arena, memory, sizeof(memory));
    return jid_parse(span_string(text), &arena, &jid) && jid_present(&jid) &&
           span_is(jid_local(&jid), local) && span_is(jid_domain(&jid), domain) &&
           span_is(jid_resource(&jid), resource) && jid_parse(jid_full(&jid), &arena, &again) &&
           span_equal(jid_full(&jid), jid_full(&again)) &&
           jid_of(jid_local(&jid), jid_domain(&jid), jid_resource(&jid), &arena, &again) &&
           span_equal(jid_full(&jid), jid_full(&again));
}

static bool refused(struct span text)
{
    struct arena arena;
    struct jid jid;
    arena_init(&arena, memory, sizeof(memory));
    return !jid_parse(text, &arena, &jid) && !jid_present(&jid) && arena.used == 0;
}

static void test_legal(void)
{
    /* RFC 7622 3.5 table 1 */
    CHECK(parses("juliet@example.com", "juliet", "example.com", ""));
    CHECK(parses("juliet@example.com/foo", "juliet", "example.com", "foo"));
    CHECK(parses("juliet@example.com/foo bar", "juliet", "example.com", "foo bar"));
    CHECK(parses("juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"));
    CHECK(parses("foo\\20bar@example.com", "foo\\20bar", "example.com", ""));
    CHECK(parses("fussball@example.com", "fussball", "example.com", ""));
    CHECK(parses("fu\u00DFball@example.com", "fu\u00DFball", "example.com", ""));
    CHECK(parses("\u03C0@example.com", "\u03C0", "example.com", ""));
    CHECK(parses("\u03A3@example.com/foo", "\u03C3", "example.com", "foo"));
    CHECK(parses("\u03C3@example.com/foo", "\u03C3", "example.com", "foo"));
    CHECK(parses("\u03C2@example.com/foo", "\u03C2", "example.com", "foo"));
    CHECK(parses("king@example.com/\u265A", "king", "example.com", "\u265A"));
    CHECK(parses("example.com", "", "example.com", ""));
    CHECK(parses("example.com/foobar", "", "example.com", "foobar"));
    CHECK(parses("a.example.com/b@example.net", "", "a.example.com", "b@example.net"));
    /* Example 18 is legal: erratum 4560; OpaqueString has no rule against it. */
    CHECK(parses("juliet@example.com/ foo", "juliet", "example.com", " foo"));
    /* ST-17 */
    CHECK(parses("Juliet@EXAMPLE.com/Balcony", "juliet", "example.com", "Balcony"));
    CHECK(parses("juliet@example.com./a/b@c", "juliet", "example.com", "a/b@c"));
    CHECK(parses("J\u00DCLIET@EXAMPLE.com", "j\u00FCliet", "example.com", ""));
}

static void test_illegal(void)
{
    /* RFC 7622 3.5 table 2 */
    static const char *const texts[] = {
        "\"juliet\"@example.com", "foo bar@example.com", "@example.com/", "henry\u2163@example.com",
        "\u265A@example.com", "juliet@", "/foobar",
        /* ST-16 */
        "", "@", "/", "@example.com", "a@", "a@b/", "a@/b", "a@b@c", "a@b c", "a@.", "a@b..",
        "a\u00AD@b", "a\t@b", "a@b/\n", "a@b/\x7F", "a&b@c", "a'b@c", "a:b@c", "a<b@c", "a>b@c",
        "\uFF20@b" /* fullwidth @ */, "a@b\uFF0Fc", "a\u3000b@c"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        CHECK(refused(span_string(texts[i])));
    CHECK(refused(SPAN("jul\0iet@example.com")));
    CHECK(refused(SPAN("juliet@exam\0ple.com")));
    CHECK(refused(SPAN("juliet@example.com/a\0b")));
    CHECK(refused(SPAN("\u00FC\0@example.com")));
    CHECK(refused(SPAN("a@[::1\0]")));
}

static void test_utf8(void)
{
    static const char *const broken[] = {
        "\x80",     "\xC3",         "\xC0\x80",         "\xC1\xBF",
        "\xE2\x82", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xFF",
        "a\xC3z",   "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        LOCAL(broken[i], NULL);
        DOMAIN(broken[i], NULL);
        RESOURCE(broken[i], NULL);
        PASSWORD(broken[i], NULL);
    }
    RESOURCE("\U0010FFFD", NULL); /* well-formed, but for private use */
    RESOURCE("\U0001F600", "\U0001F600");
}

static void test_local(void)
{
    LOCAL("abcXYZ019!#$%()*+,-.;=?[\\]^_`{|}~", "abcxyz019!#$%()*+,-.;=?[\\]^_`{|}~");
    LOCAL("\uFF21\uFF42", "ab"); /* width */
    LOCAL("e\u0301", "\u00E9");  /* NFC */
    LOCAL("E\u0301", "\u00E9");
    LOCAL("\u0130", "i\u0307"); /* lower case that is two */
    LOCAL("\u01C5", NULL);      /* compatibility character */
    LOCAL("\u0BB5\u0BC7", "\u0BB5\u0BC7");
    LOCAL("\u1100\u1161\u11A8", "\uAC01");  /* Hangul composes */
    LOCAL("\u1100", NULL);                  /* RFC 8264 9.9 */
    LOCAL("a\u0315\u0300", "\u00E0\u0315"); /* canonical order */
    LOCAL("\u0378", NULL);                  /* unassigned */
    LOCAL("\u221E", NULL);                  /* RFC 8265 3.6 example 11 */
    /* RFC 5892 A */
    LOCAL("l\u00B7l", "l\u00B7l");
    LOCAL("L\u00B7L", "l\u00B7l");
    LOCAL("l\u00B7a", NULL);
    LOCAL("\u00B7", NULL);
    LOCAL("\u0375\u03B1", "\u0375\u03B1");
    LOCAL("a\u0375", NULL);
    LOCAL("\u05D0\u05F3", "\u05D0\u05F3");
    LOCAL("\u05F3\u05D0", NULL);
    LOCAL("\u30FB\u30A2", "\u30FB\u30A2");
    LOCAL("\u30FB", NULL);
    LOCAL("\u0627\u0660", "\u0627\u0660");
    LOCAL("\u0627\u0660\u06F0", NULL);
    LOCAL("\u0646\u200C\u0627", "\u0646\u200C\u0627"); /* between letters that join */
    LOCAL("a\u200Cb", NULL);
    LOCAL("\u0915\u094D\u200D\u0937", "\u0915\u094D\u200D\u0937"); /* after a virama */
    LOCAL("\u0915\u200D\u0937", NULL);
    /* RFC 5893 2 */
    LOCAL("\u05D0\u05D1", "\u05D0\u05D1");
    LOCAL("\u05D01", "\u05D01");
    LOCAL("1\u05D0", NULL);
    LOCAL("a\u05D0", NULL);
    LOCAL("\u05D0a\u05D1", NULL);
    LOCAL("\u05D0-", NULL);
    LOCAL("\u05D01\u0661", NULL);
}

static void test_new_local(void)
{
    NEW_LOCAL("Juliet", "juliet");
    NEW_LOCAL("j\u00FCliet", "j\u00FCliet");
    NEW_LOCAL("\u0416\u0443\u043A", "\u0436\u0443\u043A");
    NEW_LOCAL("\u5F20\u4E09", "\u5F20\u4E09");
    NEW_LOCAL("\u01F0", "\u01F0");         /* folded to two, and composed again */
    NEW_LOCAL("fu\u00DFball", NULL);       /* Nodeprep: fussball */
    NEW_LOCAL("\u03C2", NULL);             /* Nodeprep: the other sigma */
    NEW_LOCAL("\u0646\u200C\u0627", NULL); /* Nodeprep drops joiners */
    NEW_LOCAL("\u05D01", NULL);            /* RFC 3454 6 */
    NEW_LOCAL("\u05D01\u05D1", "\u05D01\u05D1");
    NEW_LOCAL("\u0221", NULL);             /* not yet in Unicode 3.2 */
    NEW_LOCAL("\u0B47\u0300\u0B3E", NULL); /* Corrigendum 5 */
    LOCAL("\u0B47\u0300\u0B3E", "\u0B47\u0300\u0B3E");
    NEW_LOCAL("a b", NULL);
    NEW_LOCAL("", NULL);
}

static void test_domain(void)
{
    DOMAIN("EXAMPLE.Com.", "example.com");
    DOMAIN("localhost", "localhost");
    DOMAIN("192.0.2.1", "192.0.2.1");
    DOMAIN("[::1]", "[::1]");
    DOMAIN("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]");
    DOMAIN("[::1", NULL);
    DOMAIN("[]", NULL);
    DOMAIN("[192.0.2.1]", NULL);
    DOMAIN("[fe80::1%25eth0]", NULL);
    DOMAIN("[v1.x]", NULL);
    DOMAIN("::1", NULL);
    DOMAIN(".", NULL);
    DOMAIN("a..b", NULL);
    DOMAIN(".a", NULL);
    DOMAIN("-a.b", NULL);
    DOMAIN("a-.b", NULL);
    DOMAIN("a.b-", NULL);
    DOMAIN("a-b.c--d.abc-d", "a-b.c--d.abc-d");
    DOMAIN("ab--cd", NULL); /* RFC 5890 2.3.1 */
    DOMAIN("a_b", NULL);
    DOMAIN("a b", NULL);
    /* U-labels and A-labels */
    DOMAIN("B\u00DCcher.example", "b\u00FCcher.example");
    DOMAIN("XN--BCHER-KVA.example", "b\u00FCcher.example");
    DOMAIN("bu\u0308cher\u3002example", "b\u00FCcher.example");
    DOMAIN("xn--fuball-cta.example", "fu\u00DFball.example");
    DOMAIN("\uFF45xample\uFF0Ecom", "example.com");
    DOMAIN("xn--", NULL);
    DOMAIN("xn--a", NULL);
    DOMAIN("xn--foo-", NULL); /* stands for plain ASCII */
    DOMAIN("xn--xn---2mg", NULL);
    DOMAIN("xn--BCHER-KVA9.example", NULL);
    DOMAIN("xn--ls8h.la", NULL); /* a symbol is no letter (RFC 5892) */
    DOMAIN("\U0001F4A9.la", NULL);
    DOMAIN("xn--99999999999", NULL);
    DOMAIN("\u0300a", NULL);                /* RFC 5891 4.2.3.2 */
    DOMAIN("\u13A0\u13A1", "\u13A0\u13A1"); /* Cherokee capitals stay */
    /* RFC 5893 1.4: every label obeys when one is from right to left */
    DOMAIN("\u05D0.com", "\u05D0.com");
    DOMAIN("\u05D0.1com", NULL);
    DOMAIN("1com.com", "1com.com");
}

/* RFC 3492 7.1, without what RFC 5892 refuses. */
static void test_punycode(void)
{
    DOMAIN("xn--ihqwcrb4cv8a8dqg056pqjye",
           "\u4ED6\u4EEC\u4E3A\u4EC0\u4E48\u4E0D\u8BF4\u4E2D\u6587");
    DOMAIN("xn--ihqwctvzc91f659drss3x8bo0yb",
           "\u4ED6\u5011\u7232\u4EC0\u9EBD\u4E0D\u8AAA\u4E2D\u6587");
    DOMAIN("xn--Proprostnemluvesky-uyb24dma41a", "pro\u010Dprost\u011Bnemluv\u00ED\u010Desky");
    DOMAIN("xn--4dbcagdahymbxekheh6e0a7fei0b",
           "\u05DC\u05DE\u05D4\u05D4\u05DD\u05E4\u05E9\u05D5\u05D8\u05DC\u05D0\u05DE\u05D3\u05D1"
           "\u05E8\u05D9\u05DD\u05E2\u05D1\u05E8\u05D9\u05EA");
    DOMAIN("xn--n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa",
           "\u306A\u305C\u307F\u3093\u306A\u65E5\u672C\u8A9E\u3092\u8A71\u3057\u3066\u304F\u308C"
           "\u306A\u3044\u306E\u304B");
    DOMAIN("xn--b1abfaaepdrnnbgefbadotcwatmq2g4l",
           "\u043F\u043E\u0447\u0435\u043C\u0443\u0436\u0435\u043E\u043D\u0438\u043D\u0435\u0433"
           "\u043E\u0432\u043E\u0440\u044F\u0442\u043F\u043E\u0440\u0443\u0441\u0441\u043A\u0438");
    DOMAIN("xn--3B-ww4c5e180e575a65lsy2b", "3\u5E74b\u7D44\u91D1\u516B\u5148\u751F");
    DOMAIN("xn--d9juau41awczczp", "\u305D\u306E\u30B9\u30D4\u30FC\u30C9\u3067");
}

static void test_opaque(void)
{
    /* RFC 8265 4.3 */
    RESOURCE("correct horse battery staple", "correct horse battery staple");
    RESOURCE("Correct Horse Battery Staple", "Correct Horse Battery Staple");
    RESOURCE("\u03C0\u00DF\u00E5", "\u03C0\u00DF\u00E5");
    RESOURCE("Jack of \u2666s", "Jack of \u2666s");
    RESOURCE("foo\u1680bar", "foo bar");
    RESOURCE("", NULL);
    RESOURCE("my cat is a \tby", NULL);
    RESOURCE("A\u0308", "\u00C4");
    RESOURCE("\uFF21", "\uFF21"); /* no width mapping */
    RESOURCE("\u2163", "\u2163");
    RESOURCE("a\u200Bb", NULL);   /* default ignorable */
    RESOURCE("\uF900", "\u8C48"); /* canonical mapping to one */
    RESOURCE("\U0002F800", "\u4E3D");
}

static void test_password(void)
{
    /* RFC 8265 4.3 */
    PASSWORD("correct horse battery staple", "correct horse battery staple");
    PASSWORD("\u03C0\u00DF\u00E5", "\u03C0\u00DF\u00E5");
    PASSWORD("Jack of \u2666s", "Jack of \u2666s");
    PASSWORD("foo\u1680bar", "foo bar");
    PASSWORD("", NULL);
    PASSWORD("my cat is a \tby", NULL);
    /* RFC 4013 3; in 4 and 5 RFC 8265 gives another result than SASLprep: refused */
    PASSWORD("I\u00ADX", "IX");
    PASSWORD("user", "user");
    PASSWORD("USER", "USER");
    PASSWORD("\u00AA", NULL);
    PASSWORD("\u2168", NULL);
    PASSWORD("\x07", NULL);
    PASSWORD("\u06271", NULL);
    PASSWORD("\u00AD", NULL); /* nothing left */
    PASSWORD("p\u00A0ss", "p ss");
    PASSWORD("a\u00B7b", "a\u00B7b"); /* RFC 8265 asks for a context, SASLprep does not */
    PASSWORD("a\u200Bb", NULL);       /* RFC 3454 has it in B.1 and in C.1.2 */
    PASSWORD("a\uFFFDb", NULL);
    PASSWORD("\u0378", NULL);
    PASSWORD("\U0001F600", "\U0001F600");
    PASSWORD("\u2764\uFE0F", "\u2764");
}

static void test_limits(void)
{
    static char text[8 * JID_PART_BYTES_MAX];
    memset(text, 'a', sizeof(text));
    struct arena arena;
    struct span out;
    arena_init(&arena, memory, sizeof(memory));
    CHECK(jid_prepare_local(span_of(text, 1023), &arena, &out) && out.len == 1023);
    CHECK(!jid_prepare_local(span_of(text, 1024), &arena, &out));
    CHECK(jid_prepare_resource(span_of(text, 1023), &arena, &out) && out.len == 1023);
    CHECK(!jid_prepare_resource(span_of(text, sizeof(text)), &arena, &out));
    CHECK(!jid_prepare_domain(span_of(text, 64), &arena, &out));
    CHECK(jid_prepare_domain(span_of(text, 63), &arena, &out) && out.len == 63);
    for (size_t i = 63; i < sizeof(text); i += 64)
        text[i] = '.';
    CHECK(jid_prepare_domain(span_of(text, 253), &arena, &out) && out.len == 253);
    CHECK(jid_prepare_domain(span_of(text, 252), &arena, &out) && out.len == 252);
    CHECK(!jid_prepare_domain(span_of(text, 254), &arena, &out));
    /* After preparation, not before: 511 letters of two bytes from 511 of three. */
    for (size_t i = 0; i < 512; i++)
        memcpy(text + 3 * i, "A\u0308", 3);
    CHECK(jid_prepare_local(span_of(text, 3 * 511), &arena, &out) && out.len == 1022);
    CHECK(!jid_prepare_local(span_of(text, 3 * 512), &arena, &out));
    /* And the other way round: U+023A has two bytes, in lower case three. */
    for (size_t i = 0; i < 342; i++)
        memcpy(text + 2 * i, "\u023A", 2);
    CHECK(jid_prepare_local(span_of(text, 2 * 341), &arena, &out) && out.len == 1023);
    CHECK(!jid_prepare_local(span_of(text, 2 * 342), &arena, &out));
}

static void test_arena_full(void)
{
    struct arena arena;
    struct jid jid;
    struct span out;
    arena_init(&arena, memory, 8);
    CHECK(!jid_parse(SPAN("juliet@example.com"), &arena, &jid) && !jid_present(&jid));
    CHECK(jid_parse(SPAN("a@b.c/d"), &arena, &jid));
    arena_init(&arena, memory, 4);
    CHECK(!jid_prepare_local(SPAN("juliet"), &arena, &out));
    CHECK(!jid_of(SPAN("juliet"), SPAN("example.com"), SPAN(""), &arena, &jid));
    CHECK(!jid_of(SPAN("juliet"), SPAN(""), SPAN(""), &arena, &jid));
}

int main(void)
{
    test_legal();
    test_illegal();
    test_utf8();
    test_local();
    test_new_local();
    test_domain();
    test_punycode();
    test_opaque();
    test_password();
    test_limits();
    test_arena_full();
    return test_end();
}
