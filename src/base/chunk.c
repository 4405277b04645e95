/* chunk.c: see chunk.h. */
#include "base/chunk.h"

#include "base/must.h"

static uint32_t segment_bytes(const struct segment *segment)
{
    return (uint32_t)segment->end - segment->start;
}

static bool segment_ends(const struct segment *segment)
{
    return segment->kind == SEGMENT_END || segment->kind == SEGMENT_WORTH;
}

/* The first one that has not left whole. */
static struct segment *rope_next(const struct rope *rope)
{
    return rope->sent != NULL ? rope->sent->next : rope->first;
}

/* Room behind the rope's last byte that nobody has written to; others who hold the chunk do not
 * look there. */
static size_t tail_room(const struct rope *rope)
{
    const struct segment *last = rope->last;
    return last == NULL || last->end != last->chunk->used ? 0 : CHUNK_ROOM - last->chunk->used;
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

/* Takes the segment behind `before` (NULL: the first) out. */
static struct segment *rope_unlink(struct rope *rope, struct segment *before)
{
    struct segment *taken = before != NULL ? before->next : rope->first;
    if (before != NULL)
        before->next = taken->next;
    else
        rope->first = taken->next;
    if (rope->last == taken)
        rope->last = before;
    return taken;
}

/* A segment in the last chunk if there is room in it, else in one of its own. */
static void segment_begin(struct chunks *chunks, struct rope *rope, enum segment_kind kind)
{
    bool joins = tail_room(rope) > 0;
    struct chunk *chunk = joins ? rope->last->chunk : pool_take(&chunks->chunks);
    struct segment *segment = pool_take(&chunks->segments);
    must(segment != NULL && chunk != NULL);
    if (!joins)
        *chunk = (struct chunk){0};
    chunk->holders++;
    *segment =
        (struct segment){.chunk = chunk, .start = chunk->used, .end = chunk->used, .kind = kind};
    rope_append(rope, segment);
}

static bool append(struct chunks *chunks, struct rope *rope, struct span bytes,
                   enum segment_kind kind)
{
    size_t room = tail_room(rope);
    size_t rest = bytes.len > room ? bytes.len - room : 0;
    size_t wanted = (rest + CHUNK_ROOM - 1) / CHUNK_ROOM;
    bool goes_on = room > 0 && rope->last->kind == kind;
    if (wanted > pool_left(&chunks->chunks) ||
        wanted + (room > 0 && !goes_on) > pool_left(&chunks->segments)) {
        chunks->chunks.refused++;
        return false;
    }
    rope->bytes += (uint32_t)bytes.len;
    while (bytes.len > 0) {
        if (!goes_on)
            segment_begin(chunks, rope, kind);
        struct chunk *chunk = rope->last->chunk;
        room = CHUNK_ROOM - chunk->used;
        size_t len = bytes.len < room ? bytes.len : room;
        memcpy(chunk->bytes + chunk->used, bytes.bytes, len);
        chunk->used += (uint32_t)len;
        rope->last->end = chunk->used;
        bytes = span_cut(bytes, len, bytes.len);
        goes_on = false;
    }
    return true;
}

bool rope_add(struct chunks *chunks, struct rope *rope, struct span bytes)
{
    return append(chunks, rope, bytes, SEGMENT_PART);
}

bool rope_add_word(struct chunks *chunks, struct rope *rope, struct span bytes)
{
    return append(chunks, rope, bytes, SEGMENT_WORD);
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
        segment->kind = SEGMENT_PART;
        segment->chunk->holders++;
        rope_append(rope, segment);
    }
    rope->bytes += body->bytes;
    return true;
}

void rope_end(struct rope *rope, uint16_t second, uint16_t place)
{
    must(rope->keeps && rope->last != NULL && rope->last->kind == SEGMENT_PART);
    rope->last->kind = SEGMENT_END;
    rope->last->second = second;
    rope->last->place = place;
    rope->stanzas++;
}

void rope_worth(struct rope *rope)
{
    must(rope->last != NULL && segment_ends(rope->last));
    rope->last->kind = SEGMENT_WORTH;
}

void rope_hold(struct rope *rope)
{
    if (!rope->held) {
        rope->held = true;
        rope->safe_bytes = rope->bytes;
    }
}

void rope_wait(struct rope *rope)
{
    must(rope->stanzas == 0);
    rope->waits = true;
    rope->held = false;
}

void rope_release(struct rope *rope)
{
    rope->held = rope->waits = false;
}

size_t rope_peek(const struct rope *rope, char *out, size_t size)
{
    size_t ready = rope_ready(rope);
    size_t copied = 0, skip = rope->offset;
    if (size > ready)
        size = ready;
    for (const struct segment *at = rope_next(rope); at != NULL && copied < size; at = at->next) {
        size_t len = segment_bytes(at) - skip;
        if (len > size - copied)
            len = size - copied;
        memcpy(out + copied, at->chunk->bytes + at->start + skip, len);
        copied += len;
        skip = 0;
    }
    return copied;
}

void rope_drop(struct chunks *chunks, struct rope *rope, size_t len)
{
    must(len <= rope->bytes);
    rope->bytes -= (uint32_t)len;
    rope->kept_bytes += (uint32_t)len;
    rope->safe_bytes -= len < rope->safe_bytes ? (uint32_t)len : rope->safe_bytes;
    len += rope->offset;
    rope->offset = 0;
    for (struct segment *next = rope_next(rope); next != NULL; next = rope_next(rope)) {
        size_t has = segment_bytes(next);
        if (len < has) {
            rope->offset = (uint32_t)len;
            return;
        }
        len -= has;
        if (rope->keeps && next->kind != SEGMENT_WORD) {
            rope->sent = next;
            rope->kept += segment_ends(next);
        } else {
            rope->kept_bytes -= (uint32_t)has;
            segment_free(chunks, rope_unlink(rope, rope->sent));
        }
    }
}

void rope_clear(struct chunks *chunks, struct rope *rope)
{
    while (rope->first != NULL)
        segment_free(chunks, rope_unlink(rope, NULL));
    *rope = (struct rope){0};
}

void rope_cut(struct chunks *chunks, struct rope *rope, uint32_t bytes)
{
    struct segment *keep = rope->sent;
    uint32_t left = bytes + rope->offset;
    must(bytes <= rope->bytes);
    struct segment *at = rope_next(rope);
    while (at != NULL && left > 0) {
        uint32_t has = segment_bytes(at);
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
        rope->stanzas -= segment_ends(at);
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

/* --- ropes that keep --- */

void rope_keep(struct rope *rope)
{
    must(!rope->keeps && rope->sent == NULL);
    rope->keeps = true;
    for (struct segment *at = rope->first; at != NULL; at = at->next)
        at->kind = SEGMENT_WORD;
}

bool rope_halfway(const struct rope *rope)
{
    return rope->offset > 0 || (rope->sent != NULL && rope->sent->kind == SEGMENT_PART);
}

/* The first segment goes, whatever it is. */
static void first_free(struct chunks *chunks, struct rope *rope)
{
    struct segment *first = rope_unlink(rope, NULL);
    rope->kept_bytes -= segment_bytes(first);
    if (rope->sent == first)
        rope->sent = NULL;
    segment_free(chunks, first);
}

void rope_acknowledge(struct chunks *chunks, struct rope *rope, uint32_t stanzas)
{
    must(stanzas <= rope->kept);
    while (stanzas > 0) {
        if (segment_ends(rope->first)) {
            stanzas--;
            rope->stanzas--;
            rope->kept--;
        }
        first_free(chunks, rope);
    }
}

void rope_rewind(struct chunks *chunks, struct rope *rope)
{
    struct segment *before = NULL;
    uint32_t passed = 0;
    rope->bytes += rope->kept_bytes;
    rope->safe_bytes += rope->kept_bytes;
    rope->kept_bytes = rope->kept = rope->offset = 0;
    rope->sent = NULL;
    for (struct segment *at = rope->first; at != NULL; at = before ? before->next : rope->first) {
        uint32_t len = segment_bytes(at);
        if (at->kind != SEGMENT_WORD) {
            passed += len;
            before = at;
            continue;
        }
        rope->bytes -= len;
        rope->safe_bytes -= passed < rope->safe_bytes ? len : 0; /* one side or the other */
        segment_free(chunks, rope_unlink(rope, before));
    }
}

/* Moves the first segment of one rope to the end of another, with what is known of it. */
static void first_move(struct rope *from, struct rope *to)
{
    bool left = from->sent != NULL;
    struct segment *first = rope_unlink(from, NULL);
    uint32_t len = segment_bytes(first);
    uint32_t gone = left ? len : from->offset;
    uint32_t safe = from->held && from->safe_bytes < len - gone ? from->safe_bytes : len - gone;
    rope_append(to, first);
    from->stanzas -= segment_ends(first);
    to->stanzas += segment_ends(first);
    from->kept_bytes -= gone;
    to->kept_bytes += gone;
    if (left) {
        from->kept -= segment_ends(first);
        to->kept += segment_ends(first);
        to->sent = first;
        from->sent = from->sent == first ? NULL : from->sent;
    } else {
        to->offset += from->offset; /* of one of them only */
        from->offset = 0;
    }
    if (!to->held && safe < len - gone) {
        to->held = true;
        to->safe_bytes = to->bytes + safe;
    }
    from->safe_bytes -= from->held ? safe : 0;
    from->bytes -= len - gone;
    to->bytes += len - gone;
}

bool rope_split(struct rope *rope, struct rope *piece)
{
    *piece = (struct rope){.keeps = rope->keeps, .waits = rope->waits};
    while (rope->first != NULL) {
        bool last = rope->first->kind != SEGMENT_PART;
        first_move(rope, piece);
        if (last)
            break;
    }
    return piece->first != NULL;
}

void rope_join(struct rope *rope, struct rope *tail)
{
    while (tail->first != NULL)
        first_move(tail, rope);
    if (tail->held)
        rope_hold(rope);
    rope->waits |= tail->waits;
    *tail = (struct rope){0};
}

void rope_copy(const struct rope *rope, char *out)
{
    for (const struct segment *at = rope->first; at != NULL; at = at->next) {
        memcpy(out, at->chunk->bytes + at->start, segment_bytes(at));
        out += segment_bytes(at);
    }
}
