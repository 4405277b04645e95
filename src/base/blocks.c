/* blocks.c: see blocks.h. Two-level segregated lists of free blocks (TLSF: Masmano, Ripoll, Crespo,
 * Real 2004), neighbours merged when given back. One thread only: there are no locks. */
#include "base/blocks.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "platform/platform.h"

/* Sizes under SMALL_BYTES have a list for each multiple of 16; above, each power of two has 32. */
#define SECOND_BITS 5
#define SECOND_COUNT (1u << SECOND_BITS)
#define SMALL_BITS 9
#define SMALL_BYTES ((size_t)1 << SMALL_BITS)
#define FIRST_COUNT 24 /* up to 2^32 bytes */

#define LARGE_BYTES 65536

#define BLOCK_FREE ((size_t)1)        /* this block is free */
#define BLOCK_BEFORE_FREE ((size_t)2) /* the one before it is, and `before` is valid */
#define BLOCK_FLAGS ((size_t)15)

/* What is handed out begins at `next` and ends after `before` of the following block. */
struct block {
    size_t before;      /* bytes of the block before, while that is free; else its last word */
    size_t bytes;       /* from this header to the next one, and the flags */
    struct block *next; /* the links of a free block */
    struct block *previous;
};

#define BLOCK_HEAD offsetof(struct block, next)
#define BLOCK_BYTES_MIN                                                                            \
    ((sizeof(struct block) + BLOCK_ALIGNMENT - 1) & ~(size_t)(BLOCK_ALIGNMENT - 1))

struct region {
    char *start;
    char *end;
    char *virgin; /* from here on nothing was ever written: still zero, and no page is taken */
};

static struct {
    struct region regions[2];
    unsigned region_count;
    size_t bytes;
    size_t used;
    size_t peak;
    uint32_t first_map;
    uint32_t second_map[FIRST_COUNT];
    struct block *lists[FIRST_COUNT][SECOND_COUNT];
} blocks;

static size_t block_bytes(const struct block *block)
{
    return block->bytes & ~BLOCK_FLAGS;
}

static struct block *block_after(struct block *block)
{
    return (struct block *)((char *)block + block_bytes(block));
}

static void *block_payload(struct block *block)
{
    return (char *)block + BLOCK_HEAD;
}

static struct block *payload_block(void *payload)
{
    return (struct block *)((char *)payload - BLOCK_HEAD);
}

static unsigned log2_of(size_t bytes)
{
    return 63u - (unsigned)__builtin_clzll((unsigned long long)bytes);
}

/* The list that a block of `bytes` belongs to. */
static void list_of(size_t bytes, unsigned *first, unsigned *second)
{
    if (bytes < SMALL_BYTES) {
        *first = 0;
        *second = (unsigned)(bytes / BLOCK_ALIGNMENT);
    } else {
        unsigned log2 = log2_of(bytes);
        *first = log2 - SMALL_BITS + 1;
        *second = (unsigned)(bytes >> (log2 - SECOND_BITS)) - SECOND_COUNT;
    }
}

static void list_add(struct block *block)
{
    unsigned first, second;
    list_of(block_bytes(block), &first, &second);
    block->previous = NULL;
    block->next = blocks.lists[first][second];
    if (block->next != NULL)
        block->next->previous = block;
    blocks.lists[first][second] = block;
    blocks.first_map |= 1u << first;
    blocks.second_map[first] |= 1u << second;
}

static void list_remove(struct block *block)
{
    unsigned first, second;
    list_of(block_bytes(block), &first, &second);
    if (block->next != NULL)
        block->next->previous = block->previous;
    if (block->previous != NULL) {
        block->previous->next = block->next;
        return;
    }
    blocks.lists[first][second] = block->next;
    if (block->next == NULL) {
        blocks.second_map[first] &= ~(1u << second);
        if (blocks.second_map[first] == 0)
            blocks.first_map &= ~(1u << first);
    }
}

/* A free block of at least `bytes`, still in its list; NULL: none. */
static struct block *list_find(size_t bytes)
{
    unsigned first, second;
    /* Rounded up to the next list, so that any block in it is large enough. */
    if (bytes >= SMALL_BYTES)
        bytes += ((size_t)1 << (log2_of(bytes) - SECOND_BITS)) - 1;
    list_of(bytes, &first, &second);
    uint32_t map = blocks.second_map[first] & (~0u << second);
    if (map == 0) {
        uint32_t higher = blocks.first_map & (~0u << (first + 1));
        if (higher == 0)
            return NULL;
        first = (unsigned)__builtin_ctz(higher);
        map = blocks.second_map[first];
    }
    return blocks.lists[first][__builtin_ctz(map)];
}

static struct region *region_of(const void *at)
{
    for (unsigned i = blocks.region_count; i > 0; i--)
        if ((const char *)at >= blocks.regions[i - 1].start &&
            (const char *)at < blocks.regions[i - 1].end)
            return &blocks.regions[i - 1];
    return NULL;
}

/* Marks a block free and makes it known to its neighbour and its list. */
static void block_release(struct block *block, size_t bytes, size_t flags)
{
    block->bytes = bytes | flags | BLOCK_FREE;
    block_after(block)->before = bytes;
    block_after(block)->bytes |= BLOCK_BEFORE_FREE;
    list_add(block);
}

/* Cuts what is over `bytes` off a block in use, if it makes a block of its own. */
static void block_trim(struct block *block, size_t bytes)
{
    size_t rest = block_bytes(block) - bytes;
    if (rest < BLOCK_BYTES_MIN)
        return;
    block->bytes = bytes | (block->bytes & BLOCK_FLAGS);
    struct block *tail = block_after(block);
    struct block *after = (struct block *)((char *)tail + rest);
    if (after->bytes & BLOCK_FREE) {
        list_remove(after);
        rest += block_bytes(after);
    }
    block_release(tail, rest, 0);
}

static size_t bytes_for(size_t size)
{
    size_t bytes =
        (size + BLOCK_HEAD - sizeof(size_t) + BLOCK_ALIGNMENT - 1) & ~(size_t)(BLOCK_ALIGNMENT - 1);
    return bytes < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : bytes;
}

/* Counts a block that is now in use up to its end. */
static void block_used(struct block *block, struct region *region)
{
    char *written = (char *)block_after(block) + sizeof *block;
    if (written > region->virgin)
        region->virgin = written;
    blocks.used += block_bytes(block);
    if (blocks.used > blocks.peak)
        blocks.peak = blocks.used;
}

/* Of large pieces the pages go back to the system, which zeroes them when they are used: LMDB asks
 * for 2 MB each time it opens its file and touches next to nothing of them. */
static void bytes_zero(char *bytes, size_t len)
{
    size_t page = len < LARGE_BYTES ? 0 : (size_t)sysconf(_SC_PAGESIZE);
    if (len < LARGE_BYTES || len < 2 * page) {
        memset(bytes, 0, len);
        return;
    }
    size_t before = (size_t)(-(uintptr_t)bytes & (page - 1));
    size_t whole = (len - before) / page * page;
    memset(bytes, 0, before);
    plat_give_back(bytes + before, whole);
    memset(bytes + before + whole, 0, len - before - whole);
}

void blocks_add(void *bytes, size_t len)
{
    must(blocks.region_count < 2 && len > 4 * BLOCK_BYTES_MIN && len >> 31 == 0);
    /* The first payload is aligned; all blocks are multiples of the alignment. */
    uintptr_t start =
        ((uintptr_t)bytes + BLOCK_HEAD + BLOCK_ALIGNMENT - 1) & ~(uintptr_t)(BLOCK_ALIGNMENT - 1);
    struct block *block = payload_block((void *)start);
    /* A block in use without a payload closes the region. */
    size_t room = (size_t)((char *)bytes + len - (char *)block) - BLOCK_HEAD;
    room &= ~(size_t)(BLOCK_ALIGNMENT - 1);
    ((struct block *)((char *)block + room))->bytes = 0;
    blocks.regions[blocks.region_count++] = (struct region){
        .start = bytes, .end = (char *)bytes + len, .virgin = (char *)block + sizeof *block};
    block_release(block, room, 0);
    blocks.bytes += len;
}

void *blocks_take(size_t size, bool zero)
{
    if (size > BLOCK_REQUEST_MAX)
        return NULL;
    size_t bytes = bytes_for(size);
    struct block *block = list_find(bytes);
    if (block == NULL)
        return NULL;
    char *payload = block_payload(block);
    struct region *region = region_of(block);
    char *virgin = region->virgin;
    list_remove(block);
    block->bytes &= ~BLOCK_FREE;
    block_after(block)->bytes &= ~BLOCK_BEFORE_FREE;
    block_trim(block, bytes);
    block_used(block, region);
    if (zero) {
        if (virgin > payload)
            bytes_zero(payload,
                       size < (size_t)(virgin - payload) ? size : (size_t)(virgin - payload));
        /* The last word may hold our own mark, even where nobody else ever wrote. */
        block_after(block)->before = 0;
    }
    return payload;
}

void blocks_give(void *payload)
{
    struct block *block = payload_block(payload);
    struct block *after = block_after(block);
    size_t bytes = block_bytes(block);
    size_t flags = 0;
    /* Given back twice, or written over. */
    must(!(block->bytes & BLOCK_FREE) && !(after->bytes & BLOCK_BEFORE_FREE));
    blocks.used -= bytes;
    if (after->bytes & BLOCK_FREE) {
        list_remove(after);
        bytes += block_bytes(after);
    }
    if (block->bytes & BLOCK_BEFORE_FREE) {
        block = (struct block *)((char *)block - block->before);
        list_remove(block);
        bytes += block_bytes(block);
        flags = block->bytes & BLOCK_BEFORE_FREE;
    }
    block_release(block, bytes, flags);
}

bool blocks_resize(void *payload, size_t size)
{
    struct block *block = payload_block(payload);
    struct block *after = block_after(block);
    size_t had = block_bytes(block);
    if (size > BLOCK_REQUEST_MAX)
        return false;
    if (bytes_for(size) > had) {
        if (!(after->bytes & BLOCK_FREE) || had + block_bytes(after) < bytes_for(size))
            return false;
        list_remove(after);
        block->bytes += block_bytes(after);
        block_after(block)->bytes &= ~BLOCK_BEFORE_FREE;
    }
    block_trim(block, bytes_for(size));
    blocks.used -= had;
    block_used(block, region_of(block));
    return true;
}

void *blocks_take_aligned(size_t alignment, size_t size)
{
    if (alignment > BLOCK_REQUEST_MAX || size > BLOCK_REQUEST_MAX)
        return NULL;
    /* Room for the alignment and for a block of its own before it. */
    void *taken = blocks_take(size + alignment + BLOCK_BYTES_MIN, false);
    if (taken == NULL)
        return NULL;
    uintptr_t payload = (uintptr_t)taken;
    uintptr_t aligned = (payload + alignment - 1) & ~(uintptr_t)(alignment - 1);
    if (aligned != payload && aligned - payload < BLOCK_BYTES_MIN)
        aligned += alignment;
    if (aligned != payload) {
        struct block *block = payload_block(taken);
        struct block *rest = payload_block((void *)aligned);
        size_t gap = aligned - payload;
        rest->bytes = block_bytes(block) - gap;
        block->bytes = gap | (block->bytes & BLOCK_FLAGS);
        blocks_give(taken);
    }
    must(blocks_resize((void *)aligned, size));
    return (void *)aligned;
}

bool blocks_hold(const void *at)
{
    return region_of(at) != NULL;
}

size_t blocks_room(void *payload)
{
    return block_bytes(payload_block(payload)) - BLOCK_HEAD + sizeof(size_t);
}

void blocks_usage(size_t *bytes, size_t *used, size_t *peak)
{
    *bytes = blocks.bytes;
    *used = blocks.used;
    *peak = blocks.peak;
}
