/* rope.c: a rope that keeps what it has sent until it is acknowledged (base/chunk.h). */
#include "base/chunk.h"
#include "test.h"

#include <string.h>

#define COUNT 64

static struct chunks chunks;

static void pools_begin(void)
{
    static _Alignas(16) char chunk_bytes[COUNT * CHUNK_BYTES];
    static _Alignas(16) char segment_bytes[COUNT * (sizeof(struct segment) + 16)];
    pool_init(&chunks.chunks, "chunks", chunk_bytes, CHUNK_BYTES, COUNT);
    pool_init(&chunks.segments, "segments", segment_bytes, sizeof(struct segment), COUNT);
}

static void stanza(struct rope *rope, const char *text)
{
    CHECK(rope_add(&chunks, rope, span_string(text)));
    rope_end(rope, 7, 3);
}

/* What leaves next, all of it. */
static bool leaves(struct rope *rope, const char *text)
{
    char out[8192];
    size_t len = rope_peek(rope, out, sizeof out);
    bool same = span_is(span_of(out, len), text);
    rope_drop(&chunks, rope, len);
    return same;
}

static void acknowledged(void)
{
    struct rope rope = {0};
    CHECK(rope_add(&chunks, &rope, SPAN("<bound/>")));
    rope_keep(&rope);
    CHECK(rope_add_word(&chunks, &rope, SPAN("<enabled/>")));
    stanza(&rope, "<one/>");
    stanza(&rope, "<two/>");
    CHECK(rope.stanzas == 2 && rope.kept == 0);
    rope_drop(&chunks, &rope, strlen("<bound/><enabled/><one/><t"));
    CHECK(rope.kept == 1 && rope_halfway(&rope) && rope_total(&rope) == strlen("<one/><two/>"));
    CHECK(leaves(&rope, "wo/>"));
    CHECK(rope.kept == 2 && !rope_halfway(&rope) && chunks.chunks.used == 1);
    rope_acknowledge(&chunks, &rope, 1);
    stanza(&rope, "<three/>");
    rope_rewind(&chunks, &rope);
    CHECK(rope.bytes == strlen("<two/><three/>") && rope.kept == 0);
    CHECK(leaves(&rope, "<two/><three/>"));
    rope_acknowledge(&chunks, &rope, 2);
    CHECK(rope.stanzas == 0 && rope_total(&rope) == 0);
    CHECK(chunks.chunks.used == 0 && chunks.segments.used == 0);
}

/* What waits for the commit goes on waiting for it in another rope, and only that. */
static void joined(void)
{
    struct rope rope = {0}, to = {0}, piece;
    rope_keep(&rope);
    rope_keep(&to);
    stanza(&rope, "<one/>");
    rope_drop(&chunks, &rope, 3);
    CHECK(rope_add_word(&chunks, &rope, SPAN("<a/>")));
    rope_hold(&rope);
    stanza(&rope, "<two/>");
    rope_rewind(&chunks, &rope);
    CHECK(rope_ready(&rope) == strlen("<one/>"));
    CHECK(rope_add_word(&chunks, &to, SPAN("<resumed/>")));
    rope_join(&to, &rope);
    CHECK(leaves(&to, "<resumed/><one/>") && to.kept == 1 && to.stanzas == 2);
    CHECK(rope_split(&to, &piece) && piece.kept == 1 && piece.bytes == 0);
    rope_clear(&chunks, &piece);
    CHECK(rope_split(&to, &piece) && piece.kept_bytes == 0 && piece.held);
    CHECK(rope_ready(&piece) == 0 && piece.last->second == 7 && piece.last->place == 3);
    rope_clear(&chunks, &piece);
    CHECK(!rope_split(&to, &piece));
    CHECK(chunks.chunks.used == 0 && chunks.segments.used == 0);
}

/* What stood in a rope before the tick outlives a commit that fails, also behind words that hang on
 * that commit. */
static void no_commit(void)
{
    struct rope rope = {0}, to = {0};
    rope_keep(&rope);
    stanza(&rope, "<one/>");
    rope_hold(&rope);
    stanza(&rope, "<two/>");
    rope_hold(&to);
    CHECK(rope_add_word(&chunks, &to, SPAN("<resumed/>")));
    rope_wait(&to);
    rope_keep(&to);
    rope_join(&to, &rope);
    stanza(&to, "<three/>");
    CHECK(rope_ready(&to) == 0 && rope_safe(&to) == strlen("<resumed/><one/>"));
    rope_cut(&chunks, &to, rope_safe(&to));
    rope_release(&to);
    CHECK(leaves(&to, "<resumed/><one/>") && to.stanzas == 1);
    rope_clear(&chunks, &to);
    CHECK(chunks.chunks.used == 0 && chunks.segments.used == 0);
}

/* Two ropes that hold a chunk write behind its end in turn; neither sees the other's words. */
static void shared(void)
{
    struct rope body = {0}, one = {0}, two = {0};
    CHECK(rope_add(&chunks, &body, SPAN("<body/>")));
    CHECK(rope_share(&chunks, &one, &body) && rope_share(&chunks, &two, &body));
    CHECK(rope_add(&chunks, &one, SPAN("<one/>")) && rope_add(&chunks, &two, SPAN("<two/>")));
    CHECK(leaves(&one, "<body/><one/>") && leaves(&two, "<body/><two/>"));
    CHECK(leaves(&body, "<body/>") && chunks.chunks.used == 0 && chunks.segments.used == 0);
}

int main(void)
{
    pools_begin();
    acknowledged();
    joined();
    no_commit();
    shared();
    return test_end();
}
