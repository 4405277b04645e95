/* Tests of wire/framer.h: every outcome, each stream read whole and cut at every byte. */
#include "wire/framer.h"
#include "tests/unit/test.h"

#define HEADER "<?xml version='1.0'?> <stream:stream to='>/' a=\"'/>\">"

/* What a whole stream gives: one letter an item, "." white space, and "?" where more is awaited. */
struct sample {
    const char *stream;
    const char *items;
};

static const char letters[] = {
    [FRAME_MORE] = '?', [FRAME_HEADER] = 'H', [FRAME_STANZA] = 'S',     [FRAME_SPACE] = '.',
    [FRAME_END] = 'E',  [FRAME_TEXT] = 'T',   [FRAME_RESTRICTED] = 'R', [FRAME_BAD] = 'B',
};

static const struct sample samples[] = {
    {HEADER, "H?"},
    {"<s>", "H?"},
    {" \r\n\t<s\n>", ".H?"},
    {"\n <?xml version='1.0'?>\n<s>", ".H?"},
    {"<s><presence/>", "HS?"},
    {"<s><presence />\n<a></a >", "HS.S?"},
    {"<s>  \t\r\n", "H.?"},
    {"<s><a></a></s>", "HSE"},
    {"<s></s >", "HE"},
    {HEADER "<a b='/>' c=\"</a>\"><b/></a><c/></stream:stream>", "HSSE"},
    {"<s><a><b><c/></b><b/>text</a><a/>", "HSS?"},
    {"<s><a><![CDATA[</a>]]></a>", "HS?"},
    {"<s><a><![CDATA[]]]]]></a>]]>", "HST"},
    {"<s><a><![CDATA[]]></a>", "HS?"},
    {"<s><a><![CDATA[]>]] >]]]></a>", "HS?"},
    {"<s><a><![CDATA[]]", "H?"},
    {"<s><a b='/'></a>", "HS?"},
    {"<s><a b='/'/><a c/></a>", "HSSE"},
    {"<s><a", "H?"},
    {"<s>x", "HT"},
    {"<s> x", "H.T"},
    {"<s>&#32;", "HT"},
    {"<s><![CDATA[x]]>", "HT"},
    {"<s><a/>\xef\xbb\xbf", "HST"},
    {"<s><!-- -->", "HR"},
    {"<s><a><!-- --></a>", "HR"},
    {"<s><a><!DOCTYPE x></a>", "HR"},
    {"<s><a><![CDATAx", "HR"},
    {"<s><a><?x ?></a>", "HR"},
    {"<s><?xml version='1.0'?>", "HR"},
    {"<!DOCTYPE s><s>", "R"},
    {"<!-- --><s>", "R"},
    {"<?xml version='1.0'?><!-- --><s>", "R"},
    {"<?xml version='1.0'?><?x y?><s>", "R"},
    {"<?x y?><s>", "R"},
    {"<?xml-stylesheet?><s>", "R"},
    {"<?xml?><s>", "B"},
    {"<![CDATA[x]]><s>", "B"},
    {"<?xml version='?>'?><s>", "B"},
    {"\xef\xbb\xbf<s>", "B"},
    {"\xff\xfe<", "B"},
    {"x<s>", "B"},
    {" x", ".B"},
    {"</s>", "B"},
    {"<s/>", "B"},
    {"<?xml version='1.0'?>", "?"},
};

/* The items of a stream, of which `seen` bytes come at first and then `step` at a time. */
static void items_of(struct span stream, size_t seen, size_t step, char *items)
{
    struct framer framer = {0};
    size_t from = 0, len, count = 0;

    for (;;) {
        enum frame_outcome outcome =
            frame_next(&framer, span_of(stream.bytes + from, seen - from), &len);
        from += len;
        if (outcome == FRAME_MORE) {
            CHECK(from == seen && framer.scanned == len);
            from -= len;
            if (seen == stream.len)
                break;
            seen = step < stream.len - seen ? seen + step : stream.len;
            continue;
        }
        CHECK(framer.scanned == 0);
        if (outcome != FRAME_SPACE || count == 0 || items[count - 1] != '.')
            items[count++] = letters[outcome];
        if (outcome >= FRAME_END)
            goto end;
    }
    items[count++] = '?';
end:
    items[count] = 0;
}

static void test_samples(void)
{
    char items[128];

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct span stream = span_string(samples[i].stream);
        for (size_t cut = 0; cut <= stream.len; cut++) {
            items_of(stream, cut, stream.len, items);
            CHECK(strcmp(items, samples[i].items) == 0);
        }
        for (size_t step = 1; step < 8; step++) {
            items_of(stream, 0, step, items);
            CHECK(strcmp(items, samples[i].items) == 0);
        }
        if (strcmp(items, samples[i].items) != 0)
            fprintf(stderr, "%s: %s, not %s\n", samples[i].stream, items, samples[i].items);
    }
}

static void test_lengths(void)
{
    struct framer framer = {0};
    struct span bytes = SPAN("<?xml version='1.0'?><s><a b='>'>x</a> <b/></s>");
    static const size_t lengths[] = {24, 14, 1, 4, 4};
    size_t len;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        frame_next(&framer, bytes, &len);
        CHECK(len == lengths[i]);
        bytes = span_cut(bytes, len, bytes.len);
    }
    CHECK(bytes.len == 0);
}

/* Skip-and-bounce: of a stanza that is too big the bytes are thrown away as they come. */
static void test_dropped(void)
{
    struct framer framer = {.depth = 1};
    struct span stanza = SPAN("<a b='>'><![CDATA[]] ></a>]]><c/>/></a><d/>");
    size_t len;

    for (size_t i = 0; i < stanza.len - 5; i++) {
        enum frame_outcome outcome = frame_next(&framer, span_cut(stanza, i, i + 1), &len);
        CHECK(len == 1);
        CHECK(outcome == (i == stanza.len - 5 ? FRAME_STANZA : FRAME_MORE));
        if (outcome == FRAME_MORE)
            framer_dropped(&framer, 1);
        else
            break;
        CHECK(framer.scanned == 0);
    }
    CHECK(framer.depth == 2);
    CHECK(frame_next(&framer, SPAN(">"), &len) == FRAME_STANZA && len == 1);
    CHECK(frame_next(&framer, SPAN("<d/>"), &len) == FRAME_STANZA && len == 4);
}

static void test_depth(void)
{
    struct framer framer = {.depth = 1};
    size_t len;
    unsigned depth = 1;
    enum frame_outcome outcome = FRAME_MORE;

    while (outcome == FRAME_MORE && depth < 100000) {
        outcome = frame_next(&framer, SPAN("<a>"), &len);
        if (outcome == FRAME_MORE) {
            framer_dropped(&framer, 3);
            depth++;
        }
    }
    CHECK(outcome == FRAME_BAD && depth == 65000);
    framer_restart(&framer);
    CHECK(framer.depth == 0 && framer.scanned == 0);
    CHECK(frame_next(&framer, SPAN("<s>"), &len) == FRAME_HEADER && len == 3);
}

int main(void)
{
    CHECK(sizeof(struct framer) <= 12);
    test_samples();
    test_lengths();
    test_dropped();
    test_depth();
    return test_end();
}
