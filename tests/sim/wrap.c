/* wrap.c: see wrap.h. */
#include "wrap.h"

#include "base/arena.h"
#include "base/chunk.h"
#include "base/heap.h"
#include "base/pool.h"
#include "core/turn.h"
#include "house.h"

#define GARBAGE 0xdd

void *__real_pool_take(struct pool *pool);
void *__wrap_pool_take(struct pool *pool);
void __real_pool_return(struct pool *pool, void *object);
void __wrap_pool_return(struct pool *pool, void *object);
void *__real_arena_take(struct arena *arena, size_t len);
void *__wrap_arena_take(struct arena *arena, size_t len);
void __real_arena_reset(struct arena *arena, size_t mark);
void __wrap_arena_reset(struct arena *arena, size_t mark);
bool __real_rope_add(struct chunks *chunks, struct rope *rope, struct span bytes);
bool __real_rope_add_word(struct chunks *chunks, struct rope *rope, struct span bytes);
bool __wrap_rope_add(struct chunks *chunks, struct rope *rope, struct span bytes);
bool __wrap_rope_add_word(struct chunks *chunks, struct rope *rope, struct span bytes);
bool __real_rope_share(struct chunks *chunks, struct rope *rope, const struct rope *body);
bool __wrap_rope_share(struct chunks *chunks, struct rope *rope, const struct rope *body);

static struct {
    bool counting;
    bool ticking;
    enum wrap_kind kind;
    uint64_t at; /* 0: nothing is to be refused any more */
    uint64_t counts[WRAP_KINDS];
    uint64_t heap_calls; /* when the tick began */
    size_t arena_size;   /* with what it keeps for answers */
} wrap;

/* Counts a request; true: this is the one to refuse. */
static bool refuse(enum wrap_kind kind)
{
    if (!wrap.counting || !wrap.ticking)
        return false;
    wrap.counts[kind]++;
    return wrap.kind == kind && wrap.at == wrap.counts[kind];
}

/* As many as there are sessions, never empty when there is a session to ask; or asked for how much
 * is left before it is taken (ropes, refused as a whole below); or waited for until somebody gives
 * one back (leases, which a dialog exhausts in earnest). */
static bool certain(const struct pool *pool)
{
    static const char *const names[] = {"inputs", "tls", "chunks", "segments", "leases"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(pool->name, names[i]) == 0)
            return true;
    }
    return false;
}

void *__wrap_pool_take(struct pool *pool)
{
    if (!certain(pool) && refuse(WRAP_POOL))
        return NULL;
    void *object = __real_pool_take(pool);
    if (object)
        memset(object, GARBAGE, pool->object_bytes);
    return object;
}

/* The first word is the pool's own link. */
void __wrap_pool_return(struct pool *pool, void *object)
{
    memset(object, GARBAGE, pool->object_bytes);
    __real_pool_return(pool, object);
}

void *__wrap_arena_take(struct arena *arena, size_t len)
{
    if (house_is_open() && arena == &house_server()->arena && refuse(WRAP_ARENA)) {
        size_t kept = arena->size == wrap.arena_size ? ARENA_RESERVE : 0;
        if (arena->used < arena->size - kept)
            arena->used = arena->size - kept;
    }
    return __real_arena_take(arena, len);
}

void __wrap_arena_reset(struct arena *arena, size_t mark)
{
    if (mark < arena->used)
        memset(arena->bytes + mark, GARBAGE, arena->used - mark);
    __real_arena_reset(arena, mark);
}

bool __wrap_rope_add(struct chunks *chunks, struct rope *rope, struct span bytes)
{
    return !refuse(WRAP_POOL) && __real_rope_add(chunks, rope, bytes);
}

bool __wrap_rope_add_word(struct chunks *chunks, struct rope *rope, struct span bytes)
{
    return !refuse(WRAP_POOL) && __real_rope_add_word(chunks, rope, bytes);
}

bool __wrap_rope_share(struct chunks *chunks, struct rope *rope, const struct rope *body)
{
    return !refuse(WRAP_POOL) && __real_rope_share(chunks, rope, body);
}

static void wrap_tick(bool begins)
{
    struct heap_use use;
    heap_usage(&use);
    wrap.ticking = begins;
    if (begins) {
        uint64_t done = wrap.counts[WRAP_HEAP];
        wrap.arena_size = house_server()->arena.size;
        wrap.heap_calls = use.calls;
        if (wrap.kind == WRAP_HEAP && wrap.at > done)
            heap_fail_at(wrap.at - done);
        return;
    }
    heap_fail_at(0);
    wrap.counts[WRAP_HEAP] += use.calls - wrap.heap_calls;
}

void wrap_begin(enum wrap_kind kind, uint64_t n)
{
    memset(&wrap, 0, sizeof(wrap));
    wrap.counting = true;
    wrap.kind = kind;
    wrap.at = n;
    house_tick_hook = wrap_tick;
}

void wrap_end(void)
{
    wrap.counting = false;
    house_tick_hook = NULL;
}

uint64_t wrap_count(enum wrap_kind kind)
{
    return wrap.counts[kind];
}
