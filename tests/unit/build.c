/* Tests of wire/build.h: escaping (ST-6), and what a full buffer does. */
#include "wire/build.h"
#include "tests/unit/test.h"
#include "wire/xml.h"

static char memory[65536] __attribute__((aligned(16)));

static void test_escapes(void)
{
    struct arena arena;
    struct build build;

    arena_init(&arena, memory, sizeof(memory));
    build_init(&build, &arena, 1000);
    build_str(&build, "<a");
    build_attr(&build, "b", SPAN("<&>'\"\t\n\r]]>\xf0\x9f\x98\x80"));
    build_attr(&build, "absent", SPAN_NONE);
    build_attr(&build, "empty", SPAN(""));
    build_put(&build, SPAN(">"));
    build_text(&build, SPAN("<&>'\"\t\n\r]]>"));
    build_number(&build, 0);
    build_str(&build, " ");
    build_number(&build, UINT64_MAX);
    build_str(&build, "</a>");
    CHECK(span_is(build_span(&build),
                  "<a b='&lt;&amp;&gt;&apos;&quot;&#9;&#10;&#13;]]&gt;\xf0\x9f\x98\x80' empty=''>"
                  "&lt;&amp;&gt;'\"\t\n&#13;]]&gt;0 18446744073709551615</a>"));
}

/* Whatever characters XML allows, expat reads back the same. */
static void test_read_back(void)
{
    static char region[1 << 20] __attribute__((aligned(4096)));
    static const struct xml_limits limits = {8, 8, 8, 64, 64, 16384};
    struct xml *xml = xml_open(region, sizeof(region), &limits);
    char characters[400];
    size_t len = 0;

    CHECK(xml != NULL);
    for (unsigned c = 1; c < 256; c++) {
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            continue;
        if (c >= 0x80)
            characters[len++] = (char)(0xc0 | c >> 6);
        characters[len++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    struct span text = span_of(characters, len);
    struct arena arena;
    struct build build;
    struct stanza stanza;
    arena_init(&arena, memory, sizeof(memory));
    build_init(&build, &arena, 8000);
    build_str(&build, "<a");
    build_attr(&build, "b", text);
    build_str(&build, ">");
    build_text(&build, text);
    build_str(&build, "</a>");
    CHECK(build_span(&build).len <= 8 + 3 + 2 * BUILD_ESCAPED_MAX(len));
    CHECK(xml_read(xml, XML_CONTENT_DEFAULT, build_span(&build), &arena, &stanza) == XML_OK);
    CHECK(span_equal(stanza_attribute(&stanza, stanza_root(&stanza), "b"), text));
    CHECK(span_equal(stanza_text(&stanza, stanza_root(&stanza), &arena), text));
}

static void test_full(void)
{
    struct arena arena;
    struct build build;

    arena_init(&arena, memory, 64);
    build_init(&build, &arena, 8);
    build_str(&build, "12345678");
    build_str(&build, "");
    CHECK(span_is(build_span(&build), "12345678"));
    build_str(&build, "9");
    CHECK(build.full && build_span(&build).bytes == NULL && build.used == 8);
    build_init(&build, &arena, 8);
    build_str(&build, "123456");
    build_text(&build, SPAN("<"));
    CHECK(build.full);
    build_str(&build, "7"); /* would fit, but what stands before it is missing */
    CHECK(build.full && build_span(&build).bytes == NULL);
    build_init(&build, &arena, 65);
    CHECK(build.full);
    build_str(&build, "");
    CHECK(build.full && build_span(&build).bytes == NULL);
}

int main(void)
{
    test_escapes();
    test_read_back();
    test_full();
    return test_end();
}
