/* arena.c: see arena.h. */
#include "base/arena.h"

void arena_init(struct arena *arena, void *bytes, size_t size)
{
    *arena = (struct arena){.bytes = bytes, .size = size};
}

void *arena_take(struct arena *arena, size_t len)
{
    size_t at = (arena->used + 15) & ~(size_t)15;
    if (at > arena->size || len > arena->size - at)
        return NULL;
    arena->used = at + len;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return arena->bytes + at;
}

struct span arena_copy(struct arena *arena, struct span text)
{
    char *copy = arena_take(arena, text.len ? text.len : 1);
    if (copy == NULL)
        return SPAN_NONE;
    if (text.len)
        memcpy(copy, text.bytes, text.len);
    return span_of(copy, text.len);
}

void arena_reset(struct arena *arena, size_t mark)
{
    arena->used = mark;
}
