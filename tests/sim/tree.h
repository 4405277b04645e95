/* tree.h: XML as the test side reads it: small trees out of expat, and the comparison of what came
 * with what a dialog expects. Expected text and attribute values may hold {any} and {variables}.
 * Lives in memory.h. */
#ifndef KITH_SIM_TREE_H
#define KITH_SIM_TREE_H

#include "memory.h"

#include <expat.h>
#include <stdbool.h>

struct tree_attribute {
    const char *namespace; /* "" for plain ones */
    const char *name;
    const char *value;
    struct tree_attribute *next;
};

/* An element, or a run of text (name NULL). */
struct tree {
    const char *namespace;
    const char *name;
    const char *prefix; /* "" for none */
    struct text text;
    struct tree_attribute *attributes;
    struct tree *parent;
    struct tree *child; /* first */
    struct tree *last;
    struct tree *next;
};

/* A stream being read: its header, and each first-level element as it is completed. */
struct tree_reader {
    XML_Parser parser;
    struct tree *header;  /* NULL until the root's start tag */
    struct tree *current; /* open element */
    struct tree *first;   /* completed ones, oldest first, linked by next */
    struct tree *last;
    struct text loose; /* first-level text that is not white space */
    bool declared;     /* an XML declaration came first */
    bool ended;        /* the root's end tag came */
    char fault[160];   /* "" or what expat says */
};

struct tree_reader *tree_reader(void);
/* Expat keeps nothing outside memory.h, so a reader needs no closing. */
bool tree_read(struct tree_reader *reader, const char *bytes, size_t len);

/* The first element of `xml` as it would be read inside a client stream; NULL: *fault says why. */
struct tree *tree_parse(const char *xml, size_t len, const char **fault);

/* Variables: bound by the first match, compared by later ones. */
struct variables;
struct variables *variables_new(void);
const char *variable(const struct variables *variables, const char *name, size_t len);
void variable_set(struct variables *variables, const char *name, size_t len, const char *value);
/* What was bound after the mark is forgotten by variables_back. */
size_t variables_mark(const struct variables *variables);
void variables_back(struct variables *variables, size_t mark);

/* NULL: alike. Otherwise what differs first, in words. */
const char *tree_differs(const struct tree *expected, const struct tree *came,
                         struct variables *variables);
bool text_matches(const char *pattern, const char *came, struct variables *variables);

const char *tree_attribute(const struct tree *tree, const char *name);
const struct tree *tree_child(const struct tree *tree, const char *name);
/* All text directly inside. */
const char *tree_text(const struct tree *tree);
void tree_print(struct text *out, const struct tree *tree);

#endif
