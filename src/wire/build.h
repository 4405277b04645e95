/* build.h: writing XML into a bounded buffer. Escapes so that any parser reads back the same
 * characters (ST-6): & < > ' " and TAB, LF, CR in attributes, CR in text.
 * When the buffer is too small, nothing is cut: `full` is set and stays set. */
#ifndef KITH_BUILD_H
#define KITH_BUILD_H

#include "base/arena.h"

struct build {
    char *bytes;
    size_t size;
    size_t used;
    bool full;
};

/* A buffer of `size` bytes from the arena; full at once if there is no room. */
void build_init(struct build *build, struct arena *arena, size_t size);

/* Bytes as they are. */
void build_put(struct build *build, struct span bytes);
void build_str(struct build *build, const char *string);
/* Character data, escaped. */
void build_text(struct build *build, struct span text);
/* ='escaped value', behind a name that was written already. */
void build_value(struct build *build, struct span value);
/* A space, name='escaped value'. Nothing if value.bytes is NULL. */
void build_attr(struct build *build, const char *name, struct span value);
void build_number(struct build *build, uint64_t value);
/* An element that holds that text and no attributes. Nothing if text.bytes is NULL. */
void build_element(struct build *build, const char *name, struct span text);

/* Escaped length bound: at most 6 bytes a byte. */
#define BUILD_ESCAPED_MAX(len) (6 * (len))

static inline struct span build_span(const struct build *build)
{
    return build->full ? SPAN_NONE : span_of(build->bytes, build->used);
}

#endif
