/* view.h: filling a stanza's view while the parser goes through it; used by xml.c alone. Knows
 * nothing of expat. In the free part of the arena texts grow upwards and records of nodes
 * downwards; at the end the records are sorted into arrays behind the texts, so that a view takes
 * just what it holds. Limits: struct xml_limits. */
#ifndef KITH_VIEW_H
#define KITH_VIEW_H

#include "wire/xml.h"

/* Between URI, local name and prefix of a name; no XML character, so in none of them. */
#define VIEW_SEPARATOR '\x1f'

struct view {
    struct xml_limits limits;
    struct node **open;           /* open elements; room for depth_max */
    struct declaration *declared; /* of the whole stanza; room for declarations_max */
    struct arena *arena;
    struct span source;
    size_t low;        /* end of the texts in the arena */
    size_t high;       /* start of the records */
    struct node *text; /* the run of text that is open, or NULL */
    uint32_t edge;     /* end of the last tag */
    uint32_t depth;
    uint32_t nodes;
    uint32_t attributes;
    uint32_t declarations;
    uint32_t element_declarations; /* of those, how many belong to the element to come */
};

void view_begin(struct view *view, struct span source, struct arena *arena);

/* Offsets are into source. Names are "local", "URI local" or "URI local prefix". `pairs` are
 * attribute_count names and values. The declarations of an element come before it. */
enum xml_outcome view_declaration(struct view *view, struct span prefix, struct span uri);
enum xml_outcome view_element(struct view *view, const char *name, const char **pairs,
                              size_t attribute_count, uint32_t start, uint32_t inside);
enum xml_outcome view_element_end(struct view *view, uint32_t start, uint32_t end);
enum xml_outcome view_text(struct view *view, struct span text);

/* Every element has ended and there is one at least. Until now the arena was not changed. */
enum xml_outcome view_finish(struct view *view, struct stanza *out);

#endif
