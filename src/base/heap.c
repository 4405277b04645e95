/* heap.c: see heap.h. The malloc family for libc and libraries, over blocks.c and record slabs.
 * Owns a small static region, which serves before main. One thread only: there are no locks.
 * Compiled with -fno-builtin, or the compiler makes our calloc call itself. */
#include "base/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/must.h"
#include "platform/platform.h"

/* TLS record buffers with the library's overhead: 16,429 to 16,765 bytes were measured. */
#define RECORD_BYTES_MIN 8193
#define RECORD_BYTES_MAX 17408

size_t heap_slab_bytes(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (RECORD_BYTES_MAX + page - 1) / page * page;
}

#ifdef KITH_SYSTEM_HEAP

void heap_extend(void *region, size_t region_bytes, void *slabs, uint32_t slab_count)
{
    (void)region, (void)region_bytes, (void)slabs, (void)slab_count;
}

void heap_usage(struct heap_use *use)
{
    *use = (struct heap_use){0};
}

void heap_owner(uint32_t owner)
{
    (void)owner;
}

void heap_trim(uint32_t owner)
{
    (void)owner;
}

void heap_fail_at(uint64_t n)
{
    (void)n;
}

#else

#define BOOT_BYTES 65536

struct slab {
    uint32_t owner; /* 0: free */
    uint32_t next;  /* of the free ones; slab_count: none */
};

static _Alignas(BLOCK_ALIGNMENT) char boot_bytes[BOOT_BYTES];

static struct {
    bool booted;
    char *slabs;
    char *slabs_end;
    size_t slab_bytes;
    struct slab *slab; /* one a slab */
    uint32_t slab_free;
    uint32_t owner; /* of slabs taken now */
    uint64_t fail_at;
    struct heap_use use;
} heap;

static void boot(void)
{
    if (!heap.booted)
        blocks_add(boot_bytes, sizeof boot_bytes);
    heap.booted = true;
}

static void *refuse(void)
{
    heap.use.refused++;
    errno = ENOMEM;
    return NULL;
}

/* Counts a call; false: it is the one that a test wants to fail. */
static bool call_begin(void)
{
    boot();
    heap.use.calls++;
    return heap.fail_at == 0 || --heap.fail_at != 0;
}

/* Slabs in the free list are all zero. NULL: not a record buffer of a session, or none left. */
static void *slab_take(size_t size)
{
    if (heap.owner == 0 || size < RECORD_BYTES_MIN || size > RECORD_BYTES_MAX ||
        heap.slab_free == heap.use.slabs)
        return NULL;
    uint32_t index = heap.slab_free;
    heap.slab_free = heap.slab[index].next;
    heap.slab[index].owner = heap.owner;
    if (++heap.use.slabs_used > heap.use.slabs_peak)
        heap.use.slabs_peak = heap.use.slabs_used;
    return heap.slabs + heap.slab_bytes * index;
}

static bool slab_holds(const void *at)
{
    return (const char *)at >= heap.slabs && (const char *)at < heap.slabs_end;
}

/* The pages go back to the system, which zeroes them for the next taker: what no session uses is
 * not resident, and of the next one's buffers only the pages that it touches. */
static void slab_give(void *at)
{
    size_t offset = (size_t)((char *)at - heap.slabs);
    uint32_t index = (uint32_t)(offset / heap.slab_bytes);
    must(offset % heap.slab_bytes == 0 && heap.slab[index].owner != 0);
    plat_give_back(at, heap.slab_bytes);
    heap.slab[index] = (struct slab){.owner = 0, .next = heap.slab_free};
    heap.slab_free = index;
    heap.use.slabs_used--;
}

static void *take(size_t size, bool zero)
{
    void *at = slab_take(size);
    if (at == NULL)
        at = blocks_take(size, zero);
    return at ? at : refuse();
}

void *malloc(size_t size)
{
    return call_begin() ? take(size, false) : refuse();
}

void *calloc(size_t count, size_t each)
{
    size_t size;
    if (!call_begin() || __builtin_mul_overflow(count, each, &size))
        return refuse();
    return take(size, true);
}

void free(void *at)
{
    if (at == NULL)
        return;
    if (slab_holds(at))
        slab_give(at);
    else if (blocks_hold(at))
        blocks_give(at);
    /* Else it is from the dynamic linker's own heap, which served before us: left alone. */
}

size_t malloc_usable_size(void *at)
{
    if (slab_holds(at))
        return heap.slab_bytes;
    return blocks_hold(at) ? blocks_room(at) : 0;
}

void *realloc(void *at, size_t size)
{
    if (at == NULL)
        return malloc(size);
    if (size == 0) {
        free(at);
        return NULL;
    }
    size_t had = malloc_usable_size(at);
    if (!call_begin() || had == 0)
        return refuse();
    if (slab_holds(at) ? size <= had : blocks_resize(at, size))
        return at;
    void *moved = take(size, false);
    if (moved == NULL)
        return NULL;
    memcpy(moved, at, had < size ? had : size);
    free(at);
    return moved;
}

void *memalign(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= BLOCK_ALIGNMENT)
        return malloc(size);
    void *at = call_begin() ? blocks_take_aligned(alignment, size) : NULL;
    return at ? at : refuse();
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    int before = errno;
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    void *at = memalign(alignment, size);
    errno = before;
    if (at == NULL)
        return ENOMEM;
    *out = at;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

void *valloc(size_t size)
{
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size); /* musl has no such function and does not declare it */

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > BLOCK_REQUEST_MAX)
        return refuse();
    return memalign(page, (size + page - 1) & ~(page - 1));
}

void heap_extend(void *region, size_t region_bytes, void *slabs, uint32_t slab_count)
{
    boot();
    blocks_add(region, region_bytes);
    if (slab_count == 0)
        return;
    heap.slab = malloc(slab_count * sizeof *heap.slab);
    must(heap.slab != NULL);
    for (uint32_t i = 0; i < slab_count; i++)
        heap.slab[i] = (struct slab){.owner = 0, .next = i + 1};
    heap.use.slabs = slab_count;
    heap.slab_bytes = heap_slab_bytes();
    heap.slabs = slabs;
    heap.slabs_end = heap.slabs + heap.slab_bytes * slab_count;
}

void heap_usage(struct heap_use *use)
{
    blocks_usage(&heap.use.bytes, &heap.use.used, &heap.use.peak);
    *use = heap.use;
}

void heap_owner(uint32_t owner)
{
    heap.owner = owner;
}

void heap_trim(uint32_t owner)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (owner == 0)
        return;
    for (uint32_t i = 0; i < heap.use.slabs; i++)
        if (heap.slab[i].owner == owner)
            plat_give_back(heap.slabs + heap.slab_bytes * i + page, heap.slab_bytes - page);
}

void heap_fail_at(uint64_t n)
{
    heap.fail_at = n;
}

#endif
