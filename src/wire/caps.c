/* caps.c: see caps.h. */
#include "wire/caps.h"

#include "wire/build.h"
#include "wire/digest.h"
#include "wire/names.h"

/* What is sorted: an identity by four parts, a feature, field or value by one. */
enum { PARTS = 4 };
struct item {
    struct span parts[PARTS];
    const struct node *node;
};

struct items {
    struct item *list;
    unsigned count;
};

/* i;octet of RFC 4790 9.3. */
static int span_compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.bytes, b.bytes, len) : 0;
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static int item_compare(const struct item *a, const struct item *b)
{
    int order = 0;
    for (unsigned i = 0; i < PARTS && order == 0; i++)
        order = span_compare(a->parts[i], b->parts[i]);
    return order;
}

static bool items_begin(struct items *items, const struct stanza *stanza, const struct node *of,
                        struct arena *arena)
{
    unsigned count = stanza_children(stanza, of);
    items->count = 0;
    items->list = count <= CAPS_ITEMS_MAX ? arena_take(arena, count * sizeof *items->list) : NULL;
    return items->list != NULL;
}

/* Adds it in its place. */
static void items_add(struct items *items, const struct item *item)
{
    unsigned at = items->count++;
    for (; at > 0 && item_compare(&items->list[at - 1], item) > 0; at--)
        items->list[at] = items->list[at - 1];
    items->list[at] = *item;
}

static bool items_differ(const struct items *items)
{
    for (unsigned i = 1; i < items->count; i++)
        if (item_compare(&items->list[i - 1], &items->list[i]) == 0)
            return false;
    return true;
}

static bool identities_put(const struct stanza *stanza, const struct node *query,
                           struct arena *arena, struct build *build)
{
    struct items items;
    if (!items_begin(&items, stanza, query, arena))
        return false;
    for (const struct node *at = stanza_child(stanza, query, NS_DISCO_INFO, "identity"); at != NULL;
         at = stanza_next(stanza, at, NS_DISCO_INFO, "identity"))
        items_add(&items, &(struct item){.parts = {stanza_attribute(stanza, at, "category"),
                                                   stanza_attribute(stanza, at, "type"),
                                                   stanza_lang(stanza, at),
                                                   stanza_attribute(stanza, at, "name")}});
    for (unsigned i = 0; i < items.count; i++)
        for (unsigned part = 0; part < PARTS; part++) {
            build_put(build, items.list[i].parts[part]);
            build_str(build, part + 1 < PARTS ? "/" : "<");
        }
    return items_differ(&items); /* 5.4 rule 3.3 */
}

static bool features_put(const struct stanza *stanza, const struct node *query, struct arena *arena,
                         struct build *build)
{
    struct items items;
    if (!items_begin(&items, stanza, query, arena))
        return false;
    for (const struct node *at = stanza_child(stanza, query, NS_DISCO_INFO, "feature"); at != NULL;
         at = stanza_next(stanza, at, NS_DISCO_INFO, "feature"))
        items_add(&items, &(struct item){.parts = {stanza_attribute(stanza, at, "var")}});
    for (unsigned i = 0; i < items.count; i++) {
        build_put(build, items.list[i].parts[0]);
        build_str(build, "<");
    }
    return items_differ(&items); /* 5.4 rule 3.4 */
}

static bool values_read(const struct stanza *stanza, const struct node *field, struct arena *arena,
                        struct items *items)
{
    if (!items_begin(items, stanza, field, arena))
        return false;
    for (const struct node *at = stanza_child(stanza, field, NS_DATA_FORMS, "value"); at != NULL;
         at = stanza_next(stanza, at, NS_DATA_FORMS, "value")) {
        struct span text = stanza_text(stanza, at, arena);
        if (text.bytes == NULL)
            return false;
        items_add(items, &(struct item){.parts = {text}});
    }
    return true;
}

static bool is_form_type(const struct stanza *stanza, const struct node *field)
{
    return span_is(stanza_attribute(stanza, field, "var"), "FORM_TYPE");
}

/* *type: that of the form; bytes NULL: none by which it is to be taken into account (5.4 rule 3.6).
 * false: ill-formed. */
static bool form_type_read(const struct stanza *stanza, const struct node *form,
                           struct arena *arena, struct span *type)
{
    struct items values;
    *type = SPAN_NONE;
    const struct node *field = stanza_child(stanza, form, NS_DATA_FORMS, "field");
    while (field != NULL && !is_form_type(stanza, field))
        field = stanza_next(stanza, field, NS_DATA_FORMS, "field");
    if (field == NULL || !span_is(stanza_attribute(stanza, field, "type"), "hidden"))
        return true;
    if (!values_read(stanza, field, arena, &values))
        return false;
    if (values.count == 0)
        return true;
    *type = values.list[0].parts[0];
    return item_compare(&values.list[0], &values.list[values.count - 1]) == 0; /* rule 3.5 */
}

static bool fields_put(const struct stanza *stanza, const struct node *form, struct arena *arena,
                       struct build *build)
{
    struct items fields, values;
    if (!items_begin(&fields, stanza, form, arena))
        return false;
    for (const struct node *at = stanza_child(stanza, form, NS_DATA_FORMS, "field"); at != NULL;
         at = stanza_next(stanza, at, NS_DATA_FORMS, "field"))
        if (!is_form_type(stanza, at))
            items_add(&fields, &(struct item){{stanza_attribute(stanza, at, "var")}, at});
    for (unsigned i = 0; i < fields.count; i++) {
        size_t mark = arena->used;
        build_put(build, fields.list[i].parts[0]);
        build_str(build, "<");
        if (!values_read(stanza, fields.list[i].node, arena, &values))
            return false;
        for (unsigned j = 0; j < values.count; j++) {
            build_put(build, values.list[j].parts[0]);
            build_str(build, "<");
        }
        arena_reset(arena, mark);
    }
    return true;
}

static bool forms_put(const struct stanza *stanza, const struct node *query, struct arena *arena,
                      struct build *build)
{
    struct items forms;
    struct span type;
    if (!items_begin(&forms, stanza, query, arena))
        return false;
    for (const struct node *at = stanza_child(stanza, query, NS_DATA_FORMS, "x"); at != NULL;
         at = stanza_next(stanza, at, NS_DATA_FORMS, "x")) {
        if (!form_type_read(stanza, at, arena, &type))
            return false;
        if (type.bytes != NULL)
            items_add(&forms, &(struct item){{type}, at});
    }
    for (unsigned i = 0; i < forms.count; i++) {
        build_put(build, forms.list[i].parts[0]);
        build_str(build, "<");
        if (!fields_put(stanza, forms.list[i].node, arena, build))
            return false;
    }
    return items_differ(&forms); /* rule 3.5 */
}

bool caps_hash(const struct stanza *stanza, const struct node *query, struct arena *arena,
               uint8_t out[CAPS_HASH_BYTES])
{
    size_t mark = arena->used;
    struct build build;
    /* Each part is shorter than the element that it stands in. */
    build_init(&build, arena, stanza->source.len);
    bool good = identities_put(stanza, query, arena, &build) &&
                features_put(stanza, query, arena, &build) &&
                forms_put(stanza, query, arena, &build) && !build.full;
    if (good)
        digest_hash(DIGEST_SHA1, build_span(&build), out);
    arena_reset(arena, mark);
    return good;
}
