/* chunk.c: see chunk.h. */
#include "base/chunk.h"

#include "base/must.h"

/* Room left at the end of the rope's last chunk that nobody else sees. */
static size_t tail_room(const struct rope *rope)
{
    const struct segment *last = rope->last;
    if (last == NULL || last->chunk->holders != 1 || last->end != last->chunk->used)
        return 0;
    return CHUNK_ROOM - last->chunk->used;
}

static void rope_append(struct rope *rope, struct segment *segment)
{
    segment->next = NULL;
    if (rope->last != NULL)
        rope->last->next = segment;
    else
        rope->first = segment;
    rope->last = segment;
}

static void segment_free(struct chunks *chunks, struct segment *segment)
{
    must(segment->chunk->holders > 0);
    if (--segment->chunk->holders == 0)
        pool_return(&chunks->chunks, segment->chunk);
    pool_return(&chunks->segments, segment);
}

bool rope_add(struct chunks *chunks, struct rope *rope, struct span bytes)
{
    size_t room = tail_room(rope);
    size_t rest = bytes.len > room ? bytes.len - room : 0;
    size_t wanted = (rest + CHUNK_ROOM - 1) / CHUNK_ROOM;
    if (wanted > pool_left(&chunks->chunks) || wanted > pool_left(&chunks->segments)) {
        chunks->chunks.refused++;
        return false;
    }
    rope->bytes += (uint32_t)bytes.len;
    while (bytes.len > 0) {
        room = tail_room(rope);
        if (room == 0) {
            struct segment *segment = pool_take(&chunks->segments);
            struct chunk *chunk = pool_take(&chunks->chunks);
            must(segment != NULL && chunk != NULL);
            *chunk = (struct chunk){.holders = 1};
            *segment = (struct segment){.chunk = chunk};
            rope_append(rope, segment);
            room = CHUNK_ROOM;
        }
        size_t len = bytes.len < room ? bytes.len : room;
        struct chunk *chunk = rope->last->chunk;
        memcpy(chunk->bytes + chunk->used, bytes.bytes, len);
        chunk->used += (uint32_t)len;
        rope->last->end = chunk->used;
        bytes = span_cut(bytes, len, bytes.len);
    }
    return true;
}

bool rope_share(struct chunks *chunks, struct rope *rope, const struct rope *body)
{
    uint32_t wanted = 0;
    for (const struct segment *from = body->first; from != NULL; from = from->next)
        wanted++;
    if (wanted > pool_left(&chunks->segments)) {
        chunks->segments.refused++;
        return false;
    }
    for (const struct segment *from = body->first; from != NULL; from = from->next) {
        struct segment *segment = pool_take(&chunks->segments);
        must(segment != NULL);
        *segment = *from;
        segment->chunk->holders++;
        rope_append(rope, segment);
    }
    rope->bytes += body->bytes;
    return true;
}

void rope_hold(struct rope *rope)
{
    if (!rope->held) {
        rope->held = true;
        rope->safe_bytes = rope->bytes;
    }
}

void rope_release(struct rope *rope)
{
    rope->held = false;
}

size_t rope_peek(const struct rope *rope, char *out, size_t size)
{
    size_t ready = rope_ready(rope);
    size_t copied = 0;
    if (size > ready)
        size = ready;
    for (const struct segment *at = rope->first; at != NULL && copied < size; at = at->next) {
        size_t len = at->end - at->start;
        if (len > size - copied)
            len = size - copied;
        memcpy(out + copied, at->chunk->bytes + at->start, len);
        copied += len;
    }
    return copied;
}

void rope_drop(struct chunks *chunks, struct rope *rope, size_t len)
{
    must(len <= rope->bytes);
    rope->bytes -= (uint32_t)len;
    rope->safe_bytes -= len < rope->safe_bytes ? (uint32_t)len : rope->safe_bytes;
    while (rope->first != NULL) {
        struct segment *first = rope->first;
        size_t has = first->end - first->start;
        if (len < has) {
            first->start += (uint32_t)len;
            return;
        }
        len -= has;
        rope->first = first->next;
        if (rope->first == NULL)
            rope->last = NULL;
        segment_free(chunks, first);
    }
}

void rope_clear(struct chunks *chunks, struct rope *rope)
{
    rope_drop(chunks, rope, rope->bytes);
    *rope = (struct rope){0};
}

void rope_cut(struct chunks *chunks, struct rope *rope, uint32_t bytes)
{
    struct segment *keep = NULL;
    uint32_t left = bytes;
    must(bytes <= rope->bytes);
    struct segment *at = rope->first;
    while (at != NULL && left > 0) {
        uint32_t has = at->end - at->start;
        if (left < has) {
            at->end = at->start + left;
            has = left;
        }
        left -= has;
        keep = at;
        at = at->next;
    }
    while (at != NULL) {
        struct segment *next = at->next;
        segment_free(chunks, at);
        at = next;
    }
    rope->last = keep;
    if (keep != NULL)
        keep->next = NULL;
    else
        rope->first = NULL;
    rope->bytes = bytes;
    if (rope->safe_bytes > bytes)
        rope->safe_bytes = bytes;
}
