/* extract.c: see extract.h. */
#include "wire/extract.h"

#include "wire/build.h"
#include "wire/names.h"

static const struct node *parent_of(const struct stanza *stanza, const struct node *node)
{
    return node == stanza_root(stanza) ? NULL : &stanza->nodes[node->parent];
}

static bool declares(const struct stanza *stanza, const struct node *node, struct span prefix)
{
    for (unsigned i = 0; i < node->declaration_count; i++)
        if (span_equal(stanza->declarations[node->first_declaration + i].prefix, prefix))
            return true;
    return false;
}

/* Whether an element from `inner` outwards, up to but not `outer` itself, declares the prefix. */
static bool hidden(const struct stanza *stanza, const struct node *inner, const struct node *outer,
                   struct span prefix)
{
    for (const struct node *at = inner; at != outer; at = parent_of(stanza, at))
        if (declares(stanza, at, prefix))
            return true;
    return false;
}

static size_t declarations_bytes_max(const struct stanza *stanza, const struct node *node)
{
    size_t len = sizeof " xmlns='" NS_CLIENT "'";
    while ((node = parent_of(stanza, node)) != NULL)
        for (unsigned i = 0; i < node->declaration_count; i++) {
            const struct declaration *at = &stanza->declarations[node->first_declaration + i];
            len += sizeof " xmlns:=''" + at->prefix.len + BUILD_ESCAPED_MAX(at->uri.len);
        }
    return len;
}

/* What the elements around it have declared and it has not declared anew. The prefixes of the
 * stream mean the same on every stream. */
static void declarations_build(const struct stanza *stanza, const struct node *node,
                               struct build *build)
{
    if (!hidden(stanza, node, NULL, SPAN("")))
        build_attr(build, "xmlns", SPAN(NS_CLIENT));
    for (const struct node *outer = parent_of(stanza, node); outer != NULL;
         outer = parent_of(stanza, outer))
        for (unsigned i = 0; i < outer->declaration_count; i++) {
            const struct declaration *at = &stanza->declarations[outer->first_declaration + i];
            if (hidden(stanza, node, outer, at->prefix))
                continue;
            build_str(build, at->prefix.len > 0 ? " xmlns:" : " xmlns");
            build_put(build, at->prefix);
            build_value(build, at->uri);
        }
}

struct span stanza_extract(const struct stanza *stanza, const struct node *node,
                           struct arena *arena)
{
    struct span bytes = stanza_bytes(stanza, node);
    size_t name_end = 1 + node->prefix.len + (node->prefix.len > 0) + node->name.len;
    struct build build;
    build_init(&build, arena, bytes.len + declarations_bytes_max(stanza, node));
    build_put(&build, span_cut(bytes, 0, name_end));
    declarations_build(stanza, node, &build);
    build_put(&build, span_cut(bytes, name_end, bytes.len));
    return build_span(&build);
}
