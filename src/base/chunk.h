/* chunk.h: shared output. A chunk is a fixed piece of bytes with a count of holders; a rope is the
 * queue of what one stream still has to be sent, as segments of chunks. A body that goes to many is
 * written once and shared; every holder is charged for it in full.
 * Owns the pools "chunks" and "segments". When either is empty the caller ends the slowest holder.
 */
#ifndef KITH_CHUNK_H
#define KITH_CHUNK_H

#include "base/pool.h"
#include "base/span.h"

#define CHUNK_BYTES 1024 /* with the header; what it holds is CHUNK_ROOM */

struct chunk {
    uint32_t holders;
    uint32_t used;
    char bytes[];
};

#define CHUNK_ROOM (CHUNK_BYTES - sizeof(struct chunk))

struct segment {
    struct segment *next;
    struct chunk *chunk;
    uint32_t start;
    uint32_t end;
};

/* Where ropes get their memory. */
struct chunks {
    struct pool chunks;
    struct pool segments;
};

struct rope {
    struct segment *first;
    struct segment *last;
    uint32_t bytes;      /* to be sent, shared bytes counted in full */
    uint32_t safe_bytes; /* of those from the front, how many do not wait for the commit */
    bool held;           /* what is added now waits for the commit */
};

/* Adds a copy of bytes at the end. false: the pools are empty; nothing was added. */
bool rope_add(struct chunks *chunks, struct rope *rope, struct span bytes);

/* Adds the bytes of `body` at the end without copying them; the body stays as it is.
 * false: no segments left; nothing was added. */
bool rope_share(struct chunks *chunks, struct rope *rope, const struct rope *body);

/* What is added from now on, and nothing before it, waits for rope_release (design, idea 1). */
void rope_hold(struct rope *rope);
void rope_release(struct rope *rope);

/* Bytes that may leave now. */
static inline uint32_t rope_ready(const struct rope *rope)
{
    return rope->held ? rope->safe_bytes : rope->bytes;
}

/* Copies at most size bytes that may leave now from the front; returns how many. */
size_t rope_peek(const struct rope *rope, char *out, size_t size);
/* Takes len bytes off the front. */
void rope_drop(struct chunks *chunks, struct rope *rope, size_t len);
/* Forgets everything. */
void rope_clear(struct chunks *chunks, struct rope *rope);
/* Forgets what was added since the rope had `bytes` bytes (an append that did not fit whole). */
void rope_cut(struct chunks *chunks, struct rope *rope, uint32_t bytes);

#endif
