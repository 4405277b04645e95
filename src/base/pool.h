/* pool.h: a fixed number of objects of one size, taken and returned in any order.
 * Last returned is first taken, so only as many pages are touched as were ever in use at once.
 * Limit: count. */
#ifndef KITH_POOL_H
#define KITH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
    const char *name; /* as `kith status` shows it */
    char *objects;
    size_t object_bytes;
    uint32_t count;
    uint32_t used;
    uint32_t peak;    /* most ever in use at once */
    uint32_t refused; /* how often it was empty */
    uint32_t fresh;   /* objects from here on were never taken */
    void *free;       /* first of the returned ones, linked through their first word */
};

/* bytes holds count * pool_stride(object_bytes) bytes, aligned to 16. */
void pool_init(struct pool *pool, const char *name, void *bytes, size_t object_bytes,
               uint32_t count);

/* object_bytes rounded up to what one object occupies. */
size_t pool_stride(size_t object_bytes);

/* An object (contents undefined), or NULL when all are in use. */
void *pool_take(struct pool *pool);
void pool_return(struct pool *pool, void *object);

/* Objects that can still be taken. */
static inline uint32_t pool_left(const struct pool *pool)
{
    return pool->count - pool->used;
}

/* The place of an object in its pool, and back. */
uint32_t pool_index(const struct pool *pool, const void *object);
void *pool_at(const struct pool *pool, uint32_t index);

#endif
