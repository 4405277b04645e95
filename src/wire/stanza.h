/* stanza.h: a stanza is a view: a flat array of nodes and attributes in the tick's arena, and the
 * exact bytes they came from. Filled by xml.c, read by everybody, changed by nobody. */
#ifndef KITH_STANZA_H
#define KITH_STANZA_H

#include "base/arena.h"

/* All text is unescaped UTF-8. No namespace or no prefix: len 0. */
struct attribute {
    struct span namespace; /* len 0 for plain attributes */
    struct span name;
    struct span prefix;
    struct span value;
};

/* A namespace declaration on an element: xmlns='uri' (prefix.len 0) or xmlns:prefix='uri'. */
struct declaration {
    struct span prefix;
    struct span uri;
};

/* Nodes stand in document order; node 0 is the stanza element. A child of a node stands after it;
 * `after` is the index of the first node that is neither it nor inside it. */
struct node {
    struct span name;      /* local name; text nodes: len 0 */
    struct span namespace; /* text nodes: len 0 */
    struct span prefix;
    struct span text; /* text nodes only: the characters */
    uint32_t start;   /* first byte '<' in stanza->source */
    uint32_t inside;  /* first byte after the start tag (== end for <a/>) */
    uint32_t end;     /* one past the last byte */
    uint16_t after;
    uint16_t parent; /* of node 0: 0 */
    uint16_t first_attribute;
    uint16_t attribute_count;
    uint16_t first_declaration;
    uint16_t declaration_count;
};

struct stanza {
    struct span source; /* the exact bytes, '<' to '>' */
    const struct node *nodes;
    const struct attribute *attributes;
    const struct declaration *declarations;
    uint16_t node_count;
};

static inline const struct node *stanza_root(const struct stanza *stanza)
{
    return &stanza->nodes[0];
}

/* First child element of `of` that fits; namespace or name NULL: any. NULL: none. */
const struct node *stanza_child(const struct stanza *stanza, const struct node *of,
                                const char *namespace, const char *name);
/* The next sibling element after `node` that fits. */
const struct node *stanza_next(const struct stanza *stanza, const struct node *node,
                               const char *namespace, const char *name);
/* How many child elements `of` has. */
unsigned stanza_children(const struct stanza *stanza, const struct node *of);

bool node_is(const struct node *node, const char *namespace, const char *name);

/* Value of an attribute without namespace; bytes NULL: absent. */
struct span stanza_attribute(const struct stanza *stanza, const struct node *of, const char *name);
/* Value of xml:lang; bytes NULL: absent. */
struct span stanza_lang(const struct stanza *stanza, const struct node *of);

/* All characters directly inside `of` (not inside its children); "" if none; bytes NULL: arena
 * full. A single run costs nothing. */
struct span stanza_text(const struct stanza *stanza, const struct node *of, struct arena *arena);

/* The exact bytes of one element. */
static inline struct span stanza_bytes(const struct stanza *stanza, const struct node *node)
{
    return span_of(stanza->source.bytes + node->start, node->end - node->start);
}

#endif
