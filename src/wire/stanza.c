/* stanza.c: see stanza.h. */
#include "wire/stanza.h"

#include "wire/names.h"

static bool node_is_element(const struct node *node)
{
    return node->name.len != 0;
}

static uint16_t node_index(const struct stanza *stanza, const struct node *node)
{
    return (uint16_t)(node - stanza->nodes);
}

/* The first element that fits among the siblings from index `at` on, before `end`. */
static const struct node *stanza_find(const struct stanza *stanza, uint16_t at, uint16_t end,
                                      const char *namespace, const char *name)
{
    for (; at < end; at = stanza->nodes[at].after) {
        const struct node *node = &stanza->nodes[at];
        if (node_is_element(node) && node_is(node, namespace, name))
            return node;
    }
    return NULL;
}

static struct span attribute_find(const struct stanza *stanza, const struct node *of,
                                  const char *namespace, const char *name)
{
    const struct attribute *attributes = stanza->attributes + of->first_attribute;

    for (uint16_t i = 0; i < of->attribute_count; i++) {
        if (span_is(attributes[i].name, name) && span_is(attributes[i].namespace, namespace))
            return attributes[i].value;
    }
    return SPAN_NONE;
}

bool node_is(const struct node *node, const char *namespace, const char *name)
{
    return (name == NULL || span_is(node->name, name)) &&
           (namespace == NULL || span_is(node->namespace, namespace));
}

const struct node *stanza_child(const struct stanza *stanza, const struct node *of,
                                const char *namespace, const char *name)
{
    uint16_t first = (uint16_t)(node_index(stanza, of) + 1);
    return stanza_find(stanza, first, of->after, namespace, name);
}

const struct node *stanza_next(const struct stanza *stanza, const struct node *node,
                               const char *namespace, const char *name)
{
    if (node == stanza_root(stanza))
        return NULL;
    return stanza_find(stanza, node->after, stanza->nodes[node->parent].after, namespace, name);
}

unsigned stanza_children(const struct stanza *stanza, const struct node *of)
{
    unsigned count = 0;

    for (uint16_t at = (uint16_t)(node_index(stanza, of) + 1); at < of->after;
         at = stanza->nodes[at].after) {
        if (node_is_element(&stanza->nodes[at]))
            count++;
    }
    return count;
}

struct span stanza_attribute(const struct stanza *stanza, const struct node *of, const char *name)
{
    return attribute_find(stanza, of, "", name);
}

struct span stanza_lang(const struct stanza *stanza, const struct node *of)
{
    return attribute_find(stanza, of, NS_XML, "lang");
}

struct span stanza_text(const struct stanza *stanza, const struct node *of, struct arena *arena)
{
    uint16_t first = (uint16_t)(node_index(stanza, of) + 1);
    struct span only = SPAN("");
    unsigned runs = 0;
    size_t len = 0;

    for (uint16_t at = first; at < of->after; at = stanza->nodes[at].after) {
        if (node_is_element(&stanza->nodes[at]))
            continue;
        only = stanza->nodes[at].text;
        len += only.len;
        runs++;
    }
    if (runs <= 1)
        return only;

    char *joined = arena_take(arena, len);
    if (joined == NULL)
        return SPAN_NONE;
    len = 0;
    for (uint16_t at = first; at < of->after; at = stanza->nodes[at].after) {
        const struct node *node = &stanza->nodes[at];
        if (node_is_element(node))
            continue;
        memcpy(joined + len, node->text.bytes, node->text.len);
        len += node->text.len;
    }
    return span_of(joined, len);
}
