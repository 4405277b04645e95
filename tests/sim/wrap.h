/* wrap.h: what hands out the server's memory, with an eye on it. The sim programs are linked with
 * --wrap for the functions of wrap.c: what is given back is overwritten, so that a use after it
 * shows, and the n-th request of a kind can be refused. */
#ifndef KITH_SIM_WRAP_H
#define KITH_SIM_WRAP_H

#include <stdint.h>

enum wrap_kind {
    WRAP_POOL,  /* pool_take, rope_add, rope_share find nothing left */
    WRAP_ARENA, /* the tick's arena is full but for what it keeps for answers */
    WRAP_HEAP,  /* malloc and its kin answer NULL */
    WRAP_KINDS,
};

/* From now on requests within ticks are counted, and the n-th of this kind is refused; n 0: only
 * counted. */
void wrap_begin(enum wrap_kind kind, uint64_t n);
void wrap_end(void);
/* Requests within ticks since wrap_begin. */
uint64_t wrap_count(enum wrap_kind kind);

#endif
