/* Tests of src/wire/extract.c: an element means the same outside of its stanza. */
#include "wire/extract.h"

#include <string.h>

#include "test.h"
#include "wire/xml.h"

#define REGION_BYTES ((size_t)4 << 20)
#define ARENA_BYTES ((size_t)1 << 20)

static _Alignas(4096) char region[REGION_BYTES];
static _Alignas(16) char arena_bytes[ARENA_BYTES];
static struct xml *xml;
static struct arena arena;

static struct stanza read_as(enum xml_wrapper wrapper, struct span source)
{
    struct stanza stanza = {0};
    CHECK(xml_read(xml, wrapper, source, &arena, &stanza) == XML_OK);
    return stanza;
}

/* Same names, attributes and texts all through. */
static bool means_same(const struct stanza *a, const struct node *at, const struct stanza *b)
{
    const struct node *other = stanza_root(b);
    size_t count = (size_t)(at->after - (at - a->nodes));
    bool same = count == b->node_count;
    for (size_t i = 0; same && i < count; i++, at++, other++) {
        same = span_equal(at->name, other->name) && span_equal(at->namespace, other->namespace) &&
               span_equal(at->text, other->text) && at->attribute_count == other->attribute_count;
        for (unsigned n = 0; same && n < at->attribute_count; n++) {
            const struct attribute *one = &a->attributes[at->first_attribute + n];
            const struct attribute *two = &b->attributes[other->first_attribute + n];
            same = span_equal(one->namespace, two->namespace) && span_equal(one->name, two->name) &&
                   span_equal(one->value, two->value);
        }
    }
    return same;
}

/* The first grandchild of the stanza, alone. wanted: its bytes, or NULL. */
static void check(enum xml_wrapper wrapper, const char *source, const char *wanted)
{
    arena_reset(&arena, 0);
    struct stanza stanza = read_as(wrapper, span_string(source));
    const struct node *child = stanza_child(&stanza, stanza_root(&stanza), NULL, NULL);
    const struct node *inner = stanza_child(&stanza, child, NULL, NULL);
    struct span alone = stanza_extract(&stanza, inner, &arena);
    CHECK(alone.bytes != NULL);
    if (wanted != NULL && !span_is(alone, wanted))
        fprintf(stderr, "%s\n is %.*s\n", source, (int)alone.len, alone.bytes);
    CHECK(wanted == NULL || span_is(alone, wanted));
    /* In both kinds of streams it is read back as what it was. */
    struct stanza back = read_as(XML_CONTENT_DEFAULT, alone);
    CHECK(means_same(&stanza, inner, &back));
    back = read_as(XML_STREAM_DEFAULT, alone);
    CHECK(means_same(&stanza, inner, &back));
}

static void test_declarations(void)
{
    check(XML_CONTENT_DEFAULT, "<iq><q xmlns='q'><a xmlns='a'>t<b/></a></q></iq>",
          "<a xmlns='a'>t<b/></a>");
    check(XML_CONTENT_DEFAULT, "<iq><q xmlns='q'><a><b/></a></q></iq>", "<a xmlns='q'><b/></a>");
    check(XML_CONTENT_DEFAULT, "<iq><q><a/></q></iq>", "<a xmlns='jabber:client'/>");
    check(XML_CONTENT_DEFAULT, "<iq xmlns:p='p'><q xmlns='q'><p:a p:x='1' y='2'/></q></iq>",
          "<p:a xmlns='q' xmlns:p='p' p:x='1' y='2'/>");
    /* The nearest declaration of a prefix, and only that. */
    check(XML_CONTENT_DEFAULT,
          "<iq xmlns:p='far' xmlns:r='r'><q xmlns='q' xmlns:p='near'><a "
          "xmlns='a'><p:b/></a></q></iq>",
          "<a xmlns:p='near' xmlns:r='r' xmlns='a'><p:b/></a>");
    check(XML_CONTENT_DEFAULT, "<iq xmlns:p='p'><q xmlns='q'><a xmlns:p='own'><p:b/></a></q></iq>",
          "<a xmlns='q' xmlns:p='own'><p:b/></a>");
    check(XML_CONTENT_DEFAULT, "<iq><q xmlns='q'><a xmlns=''><b/></a></q></iq>",
          "<a xmlns=''><b/></a>");
    check(XML_CONTENT_DEFAULT, "<iq><q xmlns:p='&lt;&apos;&amp;'><p:a/></q></iq>", NULL);
    check(XML_STREAM_DEFAULT,
          "<iq xmlns='jabber:client'><q xmlns='q' xmlns:p='p'><p:a><b/></p:a></q></iq>",
          "<p:a xmlns='q' xmlns:p='p'><b/></p:a>");
    check(XML_CONTENT_DEFAULT, "<iq><q xmlns='q'><a \n z='>&#10;'  /></q></iq>", NULL);
}

static void test_full(void)
{
    char room[16];
    struct arena small;
    arena_reset(&arena, 0);
    struct stanza stanza = read_as(XML_CONTENT_DEFAULT, SPAN("<iq><q xmlns='q'><a/></q></iq>"));
    arena_init(&small, room, sizeof room);
    CHECK(stanza_extract(&stanza, &stanza.nodes[1], &small).bytes == NULL);
}

int main(void)
{
    struct xml_limits limits = {64, 64, 64, 4000, 512, 65536};
    arena_init(&arena, arena_bytes, ARENA_BYTES);
    xml = xml_open(region, REGION_BYTES, &limits);
    CHECK(xml != NULL);
    test_declarations();
    test_full();
    return test_end();
}
