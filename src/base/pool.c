/* pool.c: see pool.h. */
#include "base/pool.h"

#include "base/must.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOL_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_POISON 1
#endif
#endif
#ifdef POOL_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

size_t pool_stride(size_t object_bytes)
{
    return (object_bytes + 15) & ~(size_t)15;
}

void pool_init(struct pool *pool, const char *name, void *bytes, size_t object_bytes,
               uint32_t count)
{
    *pool = (struct pool){
        .name = name, .objects = bytes, .object_bytes = pool_stride(object_bytes), .count = count};
    must(object_bytes >= sizeof(void *));
    ASAN_POISON_MEMORY_REGION(bytes, pool->object_bytes * count);
}

void *pool_take(struct pool *pool)
{
    void *object = pool->free;
    if (object != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(object, pool->object_bytes);
        pool->free = *(void **)object;
    } else if (pool->fresh < pool->count) {
        object = pool->objects + pool->object_bytes * pool->fresh++;
        ASAN_UNPOISON_MEMORY_REGION(object, pool->object_bytes);
    } else {
        pool->refused++;
        return NULL;
    }
    if (++pool->used > pool->peak)
        pool->peak = pool->used;
    return object;
}

void pool_return(struct pool *pool, void *object)
{
    must(pool->used > 0 && pool_index(pool, object) < pool->fresh);
    pool->used--;
    *(void **)object = pool->free;
    pool->free = object;
    ASAN_POISON_MEMORY_REGION(object, pool->object_bytes);
}

uint32_t pool_index(const struct pool *pool, const void *object)
{
    size_t offset = (size_t)((const char *)object - pool->objects);
    must(offset % pool->object_bytes == 0);
    return (uint32_t)(offset / pool->object_bytes);
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    must(index < pool->count);
    return pool->objects + pool->object_bytes * index;
}
