/* chunk.h: shared output. A chunk is a fixed piece of bytes with a count of holders; a rope is the
 * queue of what one stream is sent, as segments of chunks, and where it keeps what it has sent, of
 * what is not acknowledged yet. A body that goes to many is written once and shared; every holder
 * is charged for it in full. Owns the pools "chunks" and "segments". When either is empty the
 * caller ends the slowest holder. */
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

enum segment_kind {
    SEGMENT_PART,  /* of a stanza, or of anything where nothing is kept */
    SEGMENT_END,   /* the last one of a stanza */
    SEGMENT_WORTH, /* the same of one that is to be stored if it is never acknowledged */
    SEGMENT_WORD,  /* of what is no stanza: not kept */
};

struct segment {
    struct segment *next;
    struct chunk *chunk;
    unsigned start : 11;
    unsigned end : 11;
    unsigned kind : 2;
    uint16_t second; /* of a stanza's end: when it was said, by the caller's clock, */
    uint16_t place;  /* and a number of the caller's */
};

_Static_assert(CHUNK_BYTES < 1 << 11, "start and end");

/* Where ropes get their memory. */
struct chunks {
    struct pool chunks;
    struct pool segments;
};

struct rope {
    struct segment *first;
    struct segment *last;
    struct segment *sent; /* the last one that has left whole and is kept; NULL: none */
    uint32_t offset;      /* so many bytes of the next one have left */
    uint32_t bytes;       /* to be sent, shared bytes counted in full */
    uint32_t kept_bytes;  /* have left and are still here */
    uint32_t stanzas;     /* all that are here, if it keeps; */
    uint32_t kept;        /* of those, how many have left whole */
    uint32_t safe_bytes;  /* of `bytes`, how many at the front do not wait for the commit */
    bool held;            /* what is added now waits for the commit */
    bool waits;           /* so does what stands behind such words, though it does not hang on it */
    bool keeps;           /* stanzas stay when they have left, until rope_acknowledge */
};

/* Adds a copy of bytes at the end. false: the pools are empty; nothing was added. */
bool rope_add(struct chunks *chunks, struct rope *rope, struct span bytes);
/* The same for what is no stanza. */
bool rope_add_word(struct chunks *chunks, struct rope *rope, struct span bytes);

/* Adds the bytes of `body` at the end without copying them; the body stays as it is.
 * false: no segments left; nothing was added. */
bool rope_share(struct chunks *chunks, struct rope *rope, const struct rope *body);

/* What was added last, up to here, is one stanza; the rope keeps. */
void rope_end(struct rope *rope, uint16_t second, uint16_t place);
/* And it is to be stored if it is never acknowledged. */
void rope_worth(struct rope *rope);

/* What is added from now on, and nothing before it, waits for rope_release (design, idea 1). */
void rope_hold(struct rope *rope);
/* Words that are all there is wait for it, and what is added behind them only for these. */
void rope_wait(struct rope *rope);
void rope_release(struct rope *rope);

/* Bytes that stay even if there is no commit. */
static inline uint32_t rope_safe(const struct rope *rope)
{
    return rope->held ? rope->safe_bytes : rope->bytes;
}

/* Bytes that may leave now. */
static inline uint32_t rope_ready(const struct rope *rope)
{
    return rope->waits ? 0 : rope_safe(rope);
}

/* All bytes for which it holds memory. */
static inline uint32_t rope_total(const struct rope *rope)
{
    return rope->bytes + rope->kept_bytes;
}

/* Copies at most size bytes that may leave now from the front; returns how many. */
size_t rope_peek(const struct rope *rope, char *out, size_t size);
/* The first len of these have left. */
void rope_drop(struct chunks *chunks, struct rope *rope, size_t len);
/* Forgets everything. */
void rope_clear(struct chunks *chunks, struct rope *rope);
/* Forgets what was added since `bytes` bytes were to be sent (an append that did not fit whole). */
void rope_cut(struct chunks *chunks, struct rope *rope, uint32_t bytes);

/* --- ropes that keep --- */

/* Begins to: what was added so far is no stanza. */
void rope_keep(struct rope *rope);
/* Whether what has left ends in the middle of a stanza. */
bool rope_halfway(const struct rope *rope);
/* Forgets the first `stanzas` of those that have left; there are as many. */
void rope_acknowledge(struct chunks *chunks, struct rope *rope, uint32_t stanzas);
/* Everything that is here is to be sent once more, what is no stanza excepted. */
void rope_rewind(struct chunks *chunks, struct rope *rope);
/* Moves the first stanza, or what is no stanza, or what is unfinished at the end, to `piece`.
 * false: nothing is left. */
bool rope_split(struct rope *rope, struct rope *piece);
/* Moves all of `tail` behind the end; nothing of it has left unless all of `rope` has. */
void rope_join(struct rope *rope, struct rope *tail);
/* All bytes, those that have left too; size is rope_total at least. */
void rope_copy(const struct rope *rope, char *out);

#endif
