/* heap.h: what malloc is. libc and the three libraries take from one fixed region of the plan;
 * our own code never calls malloc. O(1), real free, 16-byte alignment. Blocks of 8 KB to 17 KB that
 * are taken while an owner is named (TLS record buffers) come page-aligned from slabs of their own,
 * so that the pages of an idle session can be given back. With KITH_SYSTEM_HEAP (sanitizer builds)
 * malloc stays libc's and the functions below do little. */
#ifndef KITH_HEAP_H
#define KITH_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_use {
    size_t bytes;   /* size of the region for small blocks */
    size_t used;    /* in use now, headers included */
    size_t peak;    /* most ever */
    uint32_t slabs; /* record slabs in the plan */
    uint32_t slabs_used;
    uint32_t slabs_peak;
    uint64_t calls;   /* malloc, calloc, realloc, memalign calls since start */
    uint64_t refused; /* calls that were answered NULL */
};

/* Bytes of one record slab (page-aligned), and of the room that must be given for count of them. */
size_t heap_slab_bytes(void);

/* Until this is called (once, at boot) a small static region serves. Afterwards region (aligned to
 * a page, zeroed, never touched) serves small blocks and slabs serves record buffers. */
void heap_extend(void *region, size_t region_bytes, void *slabs, uint32_t slab_count);

void heap_usage(struct heap_use *use);

/* Slabs taken from now on are marked as owner's (0: nobody's). */
void heap_owner(uint32_t owner);

/* Gives back every page but the first of each slab marked as owner's. The caller knows that
 * nothing but the first page matters (TLS record buffers between records). */
void heap_trim(uint32_t owner);

/* For tests: the n-th allocation from now (1 = the next) is answered NULL; 0 switches it off. */
void heap_fail_at(uint64_t n);

#endif
