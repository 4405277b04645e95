/* view.c: see view.h. */
#include "wire/view.h"

#include "base/must.h"
#include "wire/names.h"

#define ATTRIBUTES_MAX 65000 /* in one stanza: their index is 16 bits wide */

/* A node while the stanza is read: its attributes follow. */
struct record {
    struct node node;
    struct attribute attributes[];
};

struct name {
    struct span namespace;
    struct span local;
    struct span prefix;
};

static size_t record_bytes(size_t attribute_count)
{
    size_t len = sizeof(struct record) + attribute_count * sizeof(struct attribute);
    return (len + 15) & ~(size_t)15;
}

/* The next node, with room for attributes; zeroed but for its place. */
static enum xml_outcome record_add(struct view *view, size_t attribute_count, struct record **out)
{
    size_t len = record_bytes(attribute_count);

    if (view->nodes >= view->limits.nodes_max ||
        attribute_count > ATTRIBUTES_MAX - view->attributes)
        return XML_TOO_BIG;
    if (len > view->high - view->low)
        return XML_FULL;
    view->high -= len;
    struct record *record = (struct record *)(void *)(view->arena->bytes + view->high);
    memset(record, 0, len);
    record->node.first_attribute = (uint16_t)view->attributes;
    record->node.attribute_count = (uint16_t)attribute_count;
    /* While an element is open, `after` is its own index. */
    record->node.after = (uint16_t)view->nodes;
    record->node.parent = view->depth ? view->open[view->depth - 1]->after : 0;
    view->nodes++;
    view->attributes += (uint32_t)attribute_count;
    *out = record;
    return XML_OK;
}

/* Copies text behind the texts. */
static enum xml_outcome text_add(struct view *view, struct span text, struct span *out)
{
    if (text.len > view->high - view->low)
        return XML_FULL;
    char *copy = view->arena->bytes + view->low;
    if (text.len)
        memcpy(copy, text.bytes, text.len);
    view->low += text.len;
    *out = span_of(copy, text.len);
    return XML_OK;
}

/* The run of text, if one is open, reaches to the next tag, with the brackets of CDATA sections. */
static void text_end(struct view *view, uint32_t at)
{
    if (view->text == NULL)
        return;
    view->text->end = at;
    view->text->after = (uint16_t)view->nodes;
    view->text = NULL;
}

/* Every URI in use was declared in the stanza or by its wrapper, or is that of the prefix xml. */
static struct span namespace_find(const struct view *view, struct span uri)
{
    static const struct span known[] = {
        {NS_CLIENT, sizeof(NS_CLIENT) - 1},
        {NS_STREAM, sizeof(NS_STREAM) - 1},
        {NS_XML, sizeof(NS_XML) - 1},
    };

    for (uint32_t i = view->declarations; i > 0; i--) {
        if (span_equal(view->declared[i - 1].uri, uri))
            return view->declared[i - 1].uri;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (span_equal(known[i], uri))
            return known[i];
    }
    must(false);
}

static enum xml_outcome name_read(struct view *view, const char *triplet, struct name *name)
{
    struct span rest = span_string(triplet);
    size_t at = span_find(rest, VIEW_SEPARATOR);
    enum xml_outcome outcome;

    *name = (struct name){SPAN(""), SPAN(""), SPAN("")};
    if (at < rest.len) {
        name->namespace = namespace_find(view, span_cut(rest, 0, at));
        rest = span_cut(rest, at + 1, rest.len);
        at = span_find(rest, VIEW_SEPARATOR);
    }
    struct span prefix = span_cut(rest, at + 1, rest.len);
    if (at > view->limits.name_bytes_max || prefix.len > view->limits.name_bytes_max)
        return XML_TOO_BIG;
    if (prefix.len && (outcome = text_add(view, prefix, &name->prefix)) != XML_OK)
        return outcome;
    return text_add(view, span_cut(rest, 0, at), &name->local);
}

static enum xml_outcome attributes_read(struct view *view, const char **pairs,
                                        struct record *record)
{
    for (size_t i = 0; i < record->node.attribute_count; i++) {
        struct attribute *attribute = &record->attributes[i];
        struct name name;
        enum xml_outcome outcome = name_read(view, pairs[2 * i], &name);
        if (outcome != XML_OK)
            return outcome;
        attribute->namespace = name.namespace;
        attribute->name = name.local;
        attribute->prefix = name.prefix;
        outcome = text_add(view, span_string(pairs[2 * i + 1]), &attribute->value);
        if (outcome != XML_OK)
            return outcome;
    }
    return XML_OK;
}

static bool is_name_byte(char byte)
{
    return (unsigned char)byte > '>' || byte == ':' || byte == '-' || byte == '.' ||
           (byte >= '0' && byte <= '9');
}

/* ST-5b: each name in a start tag has at most one colon, and something on both sides of it. Expat
 * built without EXPAT_NS does not look. */
static bool tag_names_good(struct span tag)
{
    bool colon = false;     /* the name has one already */
    bool name_byte = false; /* the byte before was of a name, and not its colon */

    for (size_t i = 1; i < tag.len; i++) {
        char byte = tag.bytes[i];
        if (byte == ':') {
            if (colon || !name_byte)
                return false;
            colon = true;
            name_byte = false;
        } else if (is_name_byte(byte)) {
            name_byte = true;
        } else {
            if (colon && !name_byte)
                return false;
            colon = false;
            name_byte = false;
            if (byte == '\'' || byte == '"') /* closed, since expat took the tag */
                i += 1 + span_find(span_cut(tag, i + 1, tag.len), byte);
        }
    }
    return true;
}

void view_begin(struct view *view, struct span source, struct arena *arena)
{
    view->arena = arena;
    view->source = source;
    view->low = arena->used;
    view->high = arena->size & ~(size_t)15;
    if (view->high < view->low)
        view->high = view->low;
    view->text = NULL;
    view->edge = 0;
    view->depth = 0;
    view->nodes = 0;
    view->attributes = 0;
    view->declarations = 0;
    view->element_declarations = 0;
}

enum xml_outcome view_declaration(struct view *view, struct span prefix, struct span uri)
{
    struct declaration declaration;
    enum xml_outcome outcome;

    if (prefix.len && span_is(uri, NS_CLIENT)) /* ST-5, RFC 6120 4.8.5 */
        return XML_BAD_NAMESPACE_PREFIX;
    if (view->declarations >= view->limits.declarations_max ||
        prefix.len > view->limits.name_bytes_max || uri.len > view->limits.name_bytes_max)
        return XML_TOO_BIG;
    if ((outcome = text_add(view, prefix, &declaration.prefix)) != XML_OK)
        return outcome;
    if ((outcome = text_add(view, uri, &declaration.uri)) != XML_OK)
        return outcome;
    view->declared[view->declarations++] = declaration;
    view->element_declarations++;
    return XML_OK;
}

enum xml_outcome view_element(struct view *view, const char *triplet, const char **pairs,
                              size_t attribute_count, uint32_t start, uint32_t inside)
{
    struct record *record;
    struct name name;
    enum xml_outcome outcome;

    must(start <= inside && inside <= view->source.len);
    if (view->depth == 0 && view->nodes > 0) /* the framer cuts one element */
        return XML_NOT_WELL_FORMED;
    if (view->depth >= view->limits.depth_max || attribute_count > view->limits.attributes_max)
        return XML_TOO_BIG;
    if (!tag_names_good(span_cut(view->source, start, inside)))
        return XML_NOT_WELL_FORMED;
    text_end(view, start);
    if ((outcome = record_add(view, attribute_count, &record)) != XML_OK)
        return outcome;
    if ((outcome = name_read(view, triplet, &name)) != XML_OK)
        return outcome;
    if ((outcome = attributes_read(view, pairs, record)) != XML_OK)
        return outcome;
    struct node *node = &record->node;
    node->namespace = name.namespace;
    node->name = name.local;
    node->prefix = name.prefix;
    node->start = start;
    node->inside = inside;
    node->first_declaration = (uint16_t)(view->declarations - view->element_declarations);
    node->declaration_count = (uint16_t)view->element_declarations;
    view->element_declarations = 0;
    view->open[view->depth++] = node;
    view->edge = inside;
    return XML_OK;
}

enum xml_outcome view_element_end(struct view *view, uint32_t start, uint32_t end)
{
    if (view->depth == 0) /* the end of what stands around the stanza */
        return XML_NOT_WELL_FORMED;
    text_end(view, start);
    struct node *node = view->open[--view->depth];
    node->end = end;
    node->after = (uint16_t)view->nodes;
    view->edge = end;
    return XML_OK;
}

enum xml_outcome view_text(struct view *view, struct span text)
{
    struct span added;

    if (view->depth == 0)
        return XML_NOT_WELL_FORMED;
    if (view->text == NULL) {
        struct record *record;
        enum xml_outcome outcome = record_add(view, 0, &record);
        if (outcome != XML_OK)
            return outcome;
        view->text = &record->node;
        view->text->start = view->edge;
        view->text->inside = view->edge;
        view->text->first_declaration = (uint16_t)view->declarations;
        view->text->text = span_of(view->arena->bytes + view->low, 0);
    }
    /* While a run is open nothing else is added to the texts, so its pieces join. */
    if (text_add(view, text, &added) != XML_OK)
        return XML_FULL;
    view->text->text.len += added.len;
    return XML_OK;
}

enum xml_outcome view_finish(struct view *view, struct stanza *out)
{
    struct arena *arena = view->arena;
    size_t used = arena->used;
    size_t size = arena->size;
    size_t at = view->high;

    must(view->depth == 0 && view->nodes > 0);
    arena->used = view->low;
    arena->size = view->high;
    struct node *nodes = arena_take(arena, view->nodes * sizeof(*nodes));
    struct attribute *attributes = arena_take(arena, view->attributes * sizeof(*attributes));
    struct declaration *declarations =
        arena_take(arena, view->declarations * sizeof(*declarations));
    arena->size = size;
    if (arena->used + (size - view->high) > arena->peak)
        arena->peak = arena->used + (size - view->high);
    if (nodes == NULL || attributes == NULL || declarations == NULL) {
        arena->used = used;
        return XML_FULL;
    }
    for (uint32_t i = view->nodes; i > 0; i--) { /* the last record is the lowest */
        const struct record *record = (const struct record *)(const void *)(arena->bytes + at);
        size_t count = record->node.attribute_count;
        nodes[i - 1] = record->node;
        memcpy(attributes + record->node.first_attribute, record->attributes,
               count * sizeof(*attributes));
        at += record_bytes(count);
    }
    memcpy(declarations, view->declared, view->declarations * sizeof(*declarations));
    *out = (struct stanza){view->source, nodes, attributes, declarations, (uint16_t)view->nodes};
    return XML_OK;
}
