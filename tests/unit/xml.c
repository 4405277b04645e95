/* Tests of wire/xml.h and wire/stanza.h: each answer, each limit, exact offsets, full memory. */
#include "wire/xml.h"
#include "base/heap.h"
#include "tests/unit/test.h"
#include "wire/names.h"

#include <stdlib.h>

#define MEMORY_BYTES (8 << 20)
#define WRITTEN_BYTES (1 << 19)

static char region[4 << 20] __attribute__((aligned(4096)));
static char memory[MEMORY_BYTES] __attribute__((aligned(16)));
static char written[WRITTEN_BYTES];
static size_t written_len;
static struct arena arena;
static struct stanza stanza;

static const struct xml_limits small = {
    .depth_max = 5,
    .attributes_max = 4,
    .declarations_max = 3,
    .nodes_max = 8,
    .name_bytes_max = 70,
    .stanza_bytes_max = 10000,
};

struct sample {
    const char *source;
    enum xml_outcome outcome;
};

static const struct sample stanzas[] = {
    {"<a/>", XML_OK},
    {"<a></a >", XML_OK},
    {"<stream:features/>", XML_OK},
    {"<a xmlns:xml='" NS_XML "'/>", XML_OK},
    {"<a>\xf4\x8f\xbf\xbd\xe2\x80\xa8\xc2\x85&#x10FFFF;</a>", XML_OK},
    {"<a>&lt;&gt;&amp;&apos;&quot;&#9;&#x0d;</a>", XML_OK},
    {"<a><![CDATA[]] ></a>]]></a>", XML_OK},
    {"", XML_NOT_WELL_FORMED},
    {"<a>", XML_NOT_WELL_FORMED},
    {"<a", XML_NOT_WELL_FORMED},
    {"<a/><b/>", XML_NOT_WELL_FORMED},
    {"<a/> ", XML_NOT_WELL_FORMED},
    {" <a/>", XML_NOT_WELL_FORMED},
    {"x<a/>", XML_NOT_WELL_FORMED},
    {"<a/><b", XML_NOT_WELL_FORMED},
    {"<![CDATA[]]><a/>", XML_NOT_WELL_FORMED},
    {"<a/><![CDATA[]]>", XML_NOT_WELL_FORMED},
    {"</stream:stream>", XML_NOT_WELL_FORMED},
    {"<a/></stream:stream>", XML_NOT_WELL_FORMED},
    {"<a></b>", XML_NOT_WELL_FORMED},
    {"<a b/>", XML_NOT_WELL_FORMED},
    {"<a b=c/>", XML_NOT_WELL_FORMED},
    {"<a b='<'/>", XML_NOT_WELL_FORMED},
    {"<a b=':<'/>", XML_NOT_WELL_FORMED},
    {"<a b=:/>", XML_NOT_WELL_FORMED},
    {"<a b=''c=''/>", XML_NOT_WELL_FORMED},
    {"<a>]]></a>", XML_NOT_WELL_FORMED},
    {"<a>:]]></a>", XML_NOT_WELL_FORMED},
    {"<a>:</b>", XML_NOT_WELL_FORMED},
    {"<a>&</a>", XML_NOT_WELL_FORMED},
    {"<a>&#0;</a>", XML_NOT_WELL_FORMED},
    {"<a>&#xD800;</a>", XML_NOT_WELL_FORMED},
    {"<a>&#x110000;</a>", XML_NOT_WELL_FORMED},
    {"<a>\x01</a>", XML_NOT_WELL_FORMED},
    {"<a>:\x01</a>", XML_NOT_WELL_FORMED},
    {"<a>\xef\xbf\xbe</a>", XML_NOT_WELL_FORMED}, /* U+FFFE */
    {"<a>\xef\xbf\xbf</a>", XML_NOT_WELL_FORMED}, /* U+FFFF */
    {"\xef\xbb\xbf<a/>", XML_NOT_WELL_FORMED},    /* ST-12 */
    {"<p:a/>", XML_NOT_WELL_FORMED},
    {"<a p:b=''/>", XML_NOT_WELL_FORMED},
    {"<a b='' b=''/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", XML_NOT_WELL_FORMED},
    {"<a xmlns='u' xmlns='u'/>", XML_NOT_WELL_FORMED},
    {"<a><!-- --></a>", XML_RESTRICTED},
    {"<!-- --><a/>", XML_RESTRICTED},
    {"<a><?x y?></a>", XML_RESTRICTED},
    {"<?xml version='1.0'?><a/>", XML_RESTRICTED},
    {"<a><!DOCTYPE x></a>", XML_RESTRICTED},
    {"<!DOCTYPE x><a/>", XML_RESTRICTED},
    {"<a>&foo;</a>", XML_RESTRICTED},
    {"<a b='&foo;'/>", XML_RESTRICTED},
    {"<a xmlns:p='u' p:b:c=''/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:p='u' p:=''/>", XML_NOT_WELL_FORMED},
    {"<p:a:b xmlns:p='u'/>", XML_NOT_WELL_FORMED},
    {"<p: xmlns:p='u'/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:p=''/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:='u'/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:xml='u'/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:xmlns='u'/>", XML_NOT_WELL_FORMED},
    {"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", XML_NOT_WELL_FORMED},
    {"<p:message xmlns:p='jabber:client'/>", XML_BAD_NAMESPACE_PREFIX},
    {"<a><b xmlns:p='jabber&#58;client'/></a>", XML_BAD_NAMESPACE_PREFIX},
    {"<a>\xff</a>", XML_UNSUPPORTED_ENCODING},
    {"<a>\xc0\x80</a>", XML_UNSUPPORTED_ENCODING},         /* overlong */
    {"<a>\xe0\x80\x80</a>", XML_UNSUPPORTED_ENCODING},     /* overlong */
    {"<a>\xed\xa0\x80</a>", XML_UNSUPPORTED_ENCODING},     /* surrogate */
    {"<a>\xf4\x90\x80\x80</a>", XML_UNSUPPORTED_ENCODING}, /* over U+10FFFF */
    {"<a>\xf5\x80\x80\x80</a>", XML_UNSUPPORTED_ENCODING},
    {"<a b='\xe2\x82'/>", XML_UNSUPPORTED_ENCODING}, /* cut off */
    {"<a\x80/>", XML_UNSUPPORTED_ENCODING},
    {"<a><b><c><d><e/></d></c></b></a>", XML_OK}, /* the limits of `small`, just reached ... */
    {"<a><b><c><d><e><f/></e></d></c></b></a>", XML_TOO_BIG}, /* ... and passed */
    {"<a b='' c='' d='' e='' xmlns='u'/>", XML_OK},
    {"<a b='' c='' d='' e='' f=''/>", XML_TOO_BIG},
    {"<a xmlns='u' xmlns:p='u'><b xmlns='u'/></a>", XML_OK},
    {"<a xmlns='u' xmlns:p='u'><b xmlns='u'/><b xmlns='u'/></a>", XML_TOO_BIG},
    {"<a>1<b/>2<b/>3<b/>4</a>", XML_OK},
    {"<a>1<b/>2<b/>3<b/>4<b/></a>", XML_TOO_BIG},
    {"<a>1<b/>2<b/>3<b/><b/>4</a>", XML_TOO_BIG},
};

static const struct sample headers[] = {
    {"<s>", XML_OK},
    {"\r\n\t <s>", XML_OK},
    {"<?xml version='1.0'?><s >", XML_OK},
    {"<?xml version=\"1.0\" encoding='utf-8' standalone='no'?>\n<s>", XML_OK},
    {"<?xml version='1.0' encoding='UTF-8' standalone='yes'?><s>", XML_OK},
    {"<stream:stream xmlns='jabber:client' xmlns:stream='" NS_STREAM "' to='a'>", XML_OK},
    {"<?xml version='1.0' encoding='UTF-16'?><s>", XML_UNSUPPORTED_ENCODING},
    {"<?xml version='1.0' encoding='ISO-8859-1'?><s>", XML_UNSUPPORTED_ENCODING},
    {"<s a='\xff'>", XML_UNSUPPORTED_ENCODING},
    {"", XML_NOT_WELL_FORMED},
    {" ", XML_NOT_WELL_FORMED},
    {"<s", XML_NOT_WELL_FORMED},
    {"<s/>", XML_NOT_WELL_FORMED},
    {"<s> ", XML_NOT_WELL_FORMED},
    {"<s><a>", XML_NOT_WELL_FORMED},
    {"<s></s>", XML_NOT_WELL_FORMED},
    {"x<s>", XML_NOT_WELL_FORMED},
    {"\xef\xbb\xbf<s>", XML_NOT_WELL_FORMED},
    {"\xff\xfe<\0s\0>\0", XML_NOT_WELL_FORMED},
    {"<?xml encoding='UTF-8'?><s>", XML_NOT_WELL_FORMED},
    {"<?xml version='1.0' encoding='?'?><s>", XML_NOT_WELL_FORMED},
    {"<?xml version='1.0' version='1.0'?><s>", XML_NOT_WELL_FORMED},
    {"<s:s>", XML_NOT_WELL_FORMED},
    {"<s a='' a=''>", XML_NOT_WELL_FORMED},
    {" <?xml version='1.0'?><s>", XML_RESTRICTED},
    {"<!-- --><s>", XML_RESTRICTED},
    {"<?x y?><s>", XML_RESTRICTED},
    {"<!DOCTYPE s [<!ENTITY e 'x'>]><s a='&e;'>", XML_RESTRICTED},
    {"<!DOCTYPE s SYSTEM 'file:///etc/passwd'><s>", XML_RESTRICTED},
    {"<s a='&e;'>", XML_RESTRICTED},
    {"<s xmlns:p=''>", XML_NOT_WELL_FORMED},
    {"<s xmlns:p='jabber:client'>", XML_BAD_NAMESPACE_PREFIX},
    {"<s a='' b='' c='' d='' e=''>", XML_TOO_BIG},
    {"<s xmlns='u' xmlns:a='u' xmlns:b='u' xmlns:c='u'>", XML_TOO_BIG},
};

/* For these an expat without EXPAT_NS misses the prefix and one with it the name: both may be said.
 */
static const char *const misnamed[] = {
    "<a:b:c/>", "<:a/>", "<a:/>", "<a: b=''/>", "<a :b=''/>", "<a b:=''/>", "<a ::=''/>", "<a: :/>",
};

static void write_str(const char *string)
{
    size_t len = strlen(string);
    if (len > sizeof(written) - written_len)
        abort();
    memcpy(written + written_len, string, len);
    written_len += len;
}

static void write_fill(size_t len)
{
    if (len > sizeof(written) - written_len)
        abort();
    memset(written + written_len, 'x', len);
    written_len += len;
}

static void write_number(const char *before, unsigned number, const char *after)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%u", number);
    write_str(before);
    write_str(digits);
    write_str(after);
}

static enum xml_outcome read(struct xml *xml, const char *source, size_t len)
{
    arena_init(&arena, memory, sizeof(memory));
    return xml_read(xml, XML_CONTENT_DEFAULT, span_of(source, len), &arena, &stanza);
}

static enum xml_outcome read_written(struct xml *xml)
{
    enum xml_outcome outcome = read(xml, written, written_len);
    written_len = 0;
    return outcome;
}

/* Each one twice, so that each is read after all kinds of others. */
static void test_outcomes(struct xml *xml)
{
    for (size_t i = 0; i < 2 * sizeof(stanzas) / sizeof(stanzas[0]); i++) {
        const struct sample *sample = &stanzas[i / 2];
        enum xml_outcome outcome = read(xml, sample->source, strlen(sample->source));
        CHECK(outcome == sample->outcome);
        if (outcome != sample->outcome)
            fprintf(stderr, "%s: %d, not %d\n", sample->source, outcome, sample->outcome);
        CHECK(outcome == XML_OK || arena.used == 0);
        CHECK(read(xml, "<message><body/></message>", 26) == XML_OK && stanza.node_count == 2);
    }
    for (size_t i = 0; i < 2 * sizeof(headers) / sizeof(headers[0]); i++) {
        const struct sample *sample = &headers[i / 2];
        struct span source = span_string(sample->source);
        arena_init(&arena, memory, sizeof(memory));
        enum xml_outcome outcome = xml_read_header(xml, source, &arena, &stanza);
        CHECK(outcome == sample->outcome);
        if (outcome != sample->outcome)
            fprintf(stderr, "%s: %d, not %d\n", sample->source, outcome, sample->outcome);
        if (outcome == XML_OK)
            CHECK(stanza.node_count == 1 && stanza.nodes[0].inside == source.len &&
                  stanza.nodes[0].end == source.len && stanza.source.bytes == source.bytes &&
                  source.bytes[stanza.nodes[0].start] == '<');
    }
    for (size_t i = 0; i < sizeof(misnamed) / sizeof(misnamed[0]); i++) {
        enum xml_outcome outcome = read(xml, misnamed[i], strlen(misnamed[i]));
        CHECK(outcome == XML_NOT_WELL_FORMED);
    }
    CHECK(read(xml, "<a>\0</a>", 8) == XML_NOT_WELL_FORMED);
}

static void test_name_limit(struct xml *xml)
{
    for (unsigned over = 0; over < 2; over++) {
        enum xml_outcome expected = over ? XML_TOO_BIG : XML_OK;
        static const char *const shapes[][2] = {
            {"<", "/>"},
            {"<a ", "=''/>"},
            {"<a xmlns='", "'/>"},
            {"<a xmlns:", "='u'/>"},
            {"<a xmlns:p='u'><p:", "/></a>"},
            {"<a xmlns:p='u' p:", "=''/>"},
        };
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            write_str(shapes[i][0]);
            write_fill(small.name_bytes_max + over);
            write_str(shapes[i][1]);
            CHECK(read_written(xml) == expected);
        }
        write_str("<a>");
        write_fill(small.stanza_bytes_max - 7 + over);
        write_str("</a>");
        CHECK(read_written(xml) == expected);
    }
}

static void test_view(struct xml *xml)
{
    static const char source[] =
        "<message to='a&amp;b' xml:lang='en' xmlns:p='u:p' p:q=\"'\">"
        "x<![CDATA[<&>]]>\r\ny&#x159;<p:e xmlns='u:e'><f/></p:e> <![CDATA[]]><g\n></g\t>"
        "</message>";
    static const struct {
        const char *bytes;
        unsigned after, parent;
    } expected[] = {
        {source, 7, 0},
        {"x<![CDATA[<&>]]>\r\ny&#x159;", 2, 0},
        {"<p:e xmlns='u:e'><f/></p:e>", 4, 0},
        {"<f/>", 4, 2},
        {" <![CDATA[]]>", 5, 0},
        {"<g\n></g\t>", 6, 0},
    };
    CHECK(read(xml, source, strlen(source)) == XML_OK);
    CHECK(stanza.node_count == 6);
    for (unsigned i = 0; i < stanza.node_count; i++) {
        CHECK(span_is(stanza_bytes(&stanza, &stanza.nodes[i]), expected[i].bytes));
        CHECK(stanza.nodes[i].after == (i == 0 ? 6 : expected[i].after));
        CHECK(stanza.nodes[i].parent == expected[i].parent);
    }
    const struct node *root = stanza_root(&stanza);
    const struct node *e = stanza_child(&stanza, root, "u:p", "e");
    CHECK(e == &stanza.nodes[2] && span_is(e->prefix, "p") && e->declaration_count == 1);
    CHECK(stanza_child(&stanza, root, "u:e", NULL) == NULL);
    CHECK(stanza_child(&stanza, root, NULL, NULL) == e);
    CHECK(node_is(stanza_child(&stanza, e, NULL, NULL), "u:e", "f"));
    CHECK(stanza_next(&stanza, e, NULL, NULL) == &stanza.nodes[5]);
    CHECK(stanza_next(&stanza, &stanza.nodes[3], NULL, NULL) == NULL);
    CHECK(stanza_next(&stanza, &stanza.nodes[5], NULL, NULL) == NULL);
    CHECK(stanza_next(&stanza, root, NULL, NULL) == NULL);
    CHECK(stanza_children(&stanza, root) == 2 && stanza_children(&stanza, e) == 1);
    CHECK(node_is(root, NS_CLIENT, "message") && root->prefix.len == 0);
    CHECK(stanza.nodes[3].inside == stanza.nodes[3].end);
    CHECK(stanza.nodes[5].inside == stanza.nodes[5].start + 4);
    CHECK(source[root->inside] == 'x' && root->attribute_count == 3);
    CHECK(span_is(stanza_attribute(&stanza, root, "to"), "a&b"));
    CHECK(stanza_attribute(&stanza, root, "q").bytes == NULL);
    CHECK(stanza_attribute(&stanza, root, "lang").bytes == NULL);
    CHECK(span_is(stanza_lang(&stanza, root), "en"));
    CHECK(stanza_lang(&stanza, e).bytes == NULL);
    CHECK(span_is(stanza.attributes[2].namespace, "u:p"));
    CHECK(span_is(stanza.attributes[2].prefix, "p") && span_is(stanza.attributes[2].value, "'"));
    CHECK(root->declaration_count == 1 && span_is(stanza.declarations[0].uri, "u:p"));
    CHECK(span_is(stanza.declarations[e->first_declaration].uri, "u:e"));
    CHECK(stanza.declarations[e->first_declaration].prefix.len == 0);
    CHECK(span_is(stanza.nodes[1].text, "x<&>\ny\xc5\x99"));
    CHECK(span_is(stanza_text(&stanza, root, &arena), "x<&>\ny\xc5\x99 "));
    CHECK(span_is(stanza_text(&stanza, e, &arena), ""));
    arena.size = arena.used;
    CHECK(stanza_text(&stanza, root, &arena).bytes == NULL);
}

static void test_wrappers(struct xml *xml)
{
    arena_init(&arena, memory, sizeof(memory));
    CHECK(xml_read(xml, XML_STREAM_DEFAULT, SPAN("<features><a xmlns=''/></features>"), &arena,
                   &stanza) == XML_OK);
    CHECK(node_is(stanza_root(&stanza), NS_STREAM, "features"));
    CHECK(node_is(&stanza.nodes[1], "", "a"));
    CHECK(xml_read(xml, XML_STREAM_DEFAULT, SPAN("<stream:a/>"), &arena, &stanza) ==
          XML_NOT_WELL_FORMED);
    CHECK(xml_read(xml, XML_CONTENT_DEFAULT, SPAN("<stream:a/>"), &arena, &stanza) == XML_OK);
    CHECK(node_is(stanza_root(&stanza), NS_STREAM, "a"));
    CHECK(span_is(stanza.nodes[0].prefix, "stream"));
}

/* An arena of every size, until one suffices: nothing is taken of those that do not. */
static void test_arena(struct xml *xml)
{
    struct span source = SPAN("<a b='1' c='2' xmlns:p='u'>text<p:d e='3'/>more<f/></a>");
    enum xml_outcome outcome = XML_FULL;
    size_t size = 0;

    for (; outcome == XML_FULL && size < 8192; size++) {
        arena_init(&arena, memory, size);
        arena.used = size < 40 ? size : 40;
        size_t used = arena.used;
        outcome = xml_read(xml, XML_CONTENT_DEFAULT, source, &arena, &stanza);
        CHECK(outcome == XML_OK ? arena.used > used : arena.used == used);
        CHECK(arena.size == size && arena.peak <= size && arena.used <= size);
    }
    CHECK(outcome == XML_OK && stanza.node_count == 5 && size > 500);
    CHECK(arena.peak <= size && arena.used <= arena.peak);
}

/* Fills each limit in turn, then all of them in one stanza. */
enum fill { FILL_TEXT = 1, FILL_TAG = 2, FILL_NAMES = 4, FILL_DEPTH = 8, FILL_SPACES = 16 };

static void write_stanza(const struct xml_limits *limits, unsigned fill)
{
    size_t room = limits->stanza_bytes_max - 128; /* for the tags around */
    size_t tag = room < XML_TAG_BYTES ? room : XML_TAG_BYTES;
    unsigned names = limits->nodes_max / 8;

    if (fill != FILL_TAG && fill != FILL_TEXT)
        tag = tag < limits->stanza_bytes_max / 4 ? tag : limits->stanza_bytes_max / 4;
    write_str("<root");
    for (unsigned i = 0; i < limits->attributes_max && fill & FILL_TAG; i++) {
        write_number(" attribute", i, "='");
        size_t left = tag > written_len ? (tag - written_len) / (limits->attributes_max - i) : 0;
        write_fill(left > 16 ? left - 16 : 0);
        write_str("'");
    }
    write_str("><spaces");
    for (unsigned i = 0; i < limits->declarations_max && fill & FILL_SPACES; i++)
        write_number(" xmlns:p", i, "='urn:example:a-namespace-of-usual-length'");
    write_str("/>");
    for (unsigned i = 0; i < names && fill & FILL_NAMES; i++)
        write_number(i % 2 ? "<e name" : "<element", i, i % 2 ? "=''/>" : "/>");
    for (unsigned i = 1; i < limits->depth_max && fill & FILL_DEPTH; i++)
        write_number("<deeper", i, ">");
    for (unsigned i = limits->depth_max; i > 1 && fill & FILL_DEPTH; i--)
        write_number("</deeper", i - 1, ">");
    if (fill & FILL_TEXT && written_len + 7 < limits->stanza_bytes_max)
        write_fill(limits->stanza_bytes_max - written_len - 7);
    write_str("</root>");
}

static void test_region(void)
{
    static const unsigned fills[] = {
        FILL_TEXT,  FILL_TAG,    FILL_NAMES,
        FILL_DEPTH, FILL_SPACES, FILL_TEXT | FILL_TAG | FILL_NAMES | FILL_DEPTH | FILL_SPACES};
    static const struct xml_limits limits[] = {
        {64, 64, 64, 2000, 512, 262144}, {64, 64, 256, 4000, 256, 65536},
        {64, 64, 64, 1000, 512, 32768},  {32, 16, 16, 600, 256, 16384},
        {64, 64, 64, 2000, 512, 500000},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        size_t bytes = xml_region_bytes(&limits[i]);
        CHECK(xml_open(region, bytes - 1, &limits[i]) == NULL);
        struct xml *xml = xml_open(region, bytes, &limits[i]);
        CHECK(xml != NULL);
        for (size_t j = 0; j < sizeof(fills) / sizeof(fills[0]); j++) {
            write_stanza(&limits[i], fills[j]);
            CHECK(written_len <= limits[i].stanza_bytes_max);
            CHECK(read_written(xml) == XML_OK);
        }
        CHECK(xml_peak(xml) <= bytes);
    }
    CHECK(xml_region_bytes(&limits[0]) == xml_region_bytes(&limits[4]));
}

/* Stanzas that need more of the region than there is, of many sizes, leave the parser sound. */
static void test_region_full(void)
{
    static const struct xml_limits limits = {5, 64, 3, 8, 70, 400000};
    size_t bytes = xml_region_bytes(&limits);
    struct xml *xml = xml_open(region, bytes, &limits);
    unsigned refused = 0;

    CHECK(xml != NULL);
    for (size_t len = 1000; len < 300000; len += 1777) {
        write_str("<a b='");
        write_fill(len);
        write_str("'/>");
        enum xml_outcome outcome = read_written(xml);
        CHECK(outcome == XML_TOO_BIG || (outcome == XML_OK && refused == 0));
        refused += outcome == XML_TOO_BIG;
        CHECK(xml_peak(xml) <= bytes);
        CHECK(read(xml, "<a b='1'>&#65;<c/></a>", 22) == XML_OK && stanza.node_count == 3);
        CHECK(span_is(stanza.nodes[1].text, "A"));
    }
    CHECK(refused > 100);
}

/* Longer than what expat is given at a time, with characters, line ends and tags at every seam. */
static void test_pieces(struct xml *xml)
{
    for (unsigned shift = 0; shift < 12; shift++) {
        write_str("<a>");
        write_fill(8192 - 3 - shift);
        write_str("\xf0\x9f\x98\x80\r\n<b c='\xc5\x99'/>");
        size_t at = written_len - strlen("<b c='\xc5\x99'/>");
        write_str("y</a>");
        CHECK(read_written(xml) == XML_OK && stanza.node_count == 4);
        CHECK(stanza.nodes[1].text.len == 8192 - 3 - shift + 5 && stanza.nodes[1].end == at);
        CHECK(memcmp(stanza.nodes[1].text.bytes + 8192 - 3 - shift, "\xf0\x9f\x98\x80\n", 5) == 0);
        CHECK(span_is(stanza_bytes(&stanza, &stanza.nodes[2]), "<b c='\xc5\x99'/>"));
        CHECK(stanza.nodes[3].end == at + 12);
    }
}

/* Neither expat nor we call malloc for a stanza, known names or not. */
static void test_allocations(struct xml *xml)
{
    struct heap_use before, after;

    heap_usage(&before);
    void *volatile block = malloc(100); /* volatile, or the compiler leaves both out */
    free(block);
    heap_usage(&after);
#ifndef KITH_SYSTEM_HEAP
    CHECK(after.calls == before.calls + 1); /* the count counts */
#endif
    unsigned bad = 0;
    for (unsigned i = 0; i < 10000; i++) {
        write_number("<message id='", i, "'");
        write_number(" to", i, "='x'>");
        write_number("<body", i, "/>text</message>");
        bad += read_written(xml) != XML_OK;
        arena_init(&arena, memory, sizeof(memory));
        bad += xml_read_header(xml, SPAN("<?xml version='1.0'?><s xmlns='u'>"), &arena, &stanza) !=
               XML_OK;
        bad += read(xml, "<a><b></a>", 10) != XML_NOT_WELL_FORMED;
    }
    heap_usage(&before);
    CHECK(bad == 0);
    CHECK(before.calls == after.calls);
}

int main(void)
{
    struct xml *xml = xml_open(region, xml_region_bytes(&small), &small);

    CHECK(xml != NULL);
    test_outcomes(xml);
    test_name_limit(xml);
    test_view(xml);
    test_wrappers(xml);
    test_arena(xml);
    test_allocations(xml);
    test_region();
    test_region_full();
    static const struct xml_limits large = {5, 4, 3, 8, 70, 20000};
    test_pieces(xml_open(region, xml_region_bytes(&large), &large));
    return test_end();
}
