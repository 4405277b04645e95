/* tally.h: what passed and failed in a test that is a program, and the world's own complaints. */
#ifndef KITH_SIM_TALLY_H
#define KITH_SIM_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/* What stands before a failure: the part of the test that runs now. */
extern const char *tally_part;

/* Counts, and says what is wrong if it is not fine; returns fine. */
__attribute__((format(printf, 2, 3))) bool check(bool fine, const char *format, ...);

/* Lets the house come to rest, and a crowd listen; a complaint of either is a failure. */
bool settle(uint64_t ms);

/* The last line of main: the sums; 0 if all is well. */
int tally_end(void);

#endif
