/* blocks.h: blocks of any size from fixed regions, taken and given back in O(1): what heap.c makes
 * malloc of. Aligned to 16. Refused when no free block is large enough; never grows. */
#ifndef KITH_BLOCKS_H
#define KITH_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#define BLOCK_ALIGNMENT 16
#define BLOCK_REQUEST_MAX ((size_t)1 << 30)

/* Adds a zeroed, never touched region of at most 2 GB; at most two in all. */
void blocks_add(void *region, size_t len);

/* size bytes; NULL: no room. zero: they are zero, and pages never written stay untouched. */
void *blocks_take(size_t size, bool zero);
/* Alignment is a power of two. */
void *blocks_take_aligned(size_t alignment, size_t size);
void blocks_give(void *payload);
/* Whether the block could be made to hold `size` bytes where it stands. */
bool blocks_resize(void *payload, size_t size);

bool blocks_hold(const void *at);
/* How much a taken block can hold, at least what was asked for. */
size_t blocks_room(void *payload);

/* Bytes of the regions, in use with their headers, and most ever in use. */
void blocks_usage(size_t *bytes, size_t *used, size_t *peak);

#endif
