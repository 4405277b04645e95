/* groups.h: what the crash tests share: a store in a directory of its own, and accounts in groups
 * that are always changed together, so that half of a change can be told from a whole one. The
 * accounts of a group are the participants of a channel that is made anew with each change. */
#ifndef KITH_CRASH_GROUPS_H
#define KITH_CRASH_GROUPS_H

#include "store/accounts.h"

enum { GROUPS = 14 };

/* The accounts of a group are written whole and alike: made_us is their version, 0: deleted. */
struct groups {
    uint64_t versions[GROUPS];
};

extern char store_directory[200];

/* Heap, directory and random numbers; ends the program if there is no directory. */
void groups_begin(uint64_t seed);
/* Removes all of it. */
bool groups_end(void);

struct store *store_open_here(bool read_only, const char **why);
struct store *store_open_quietly(const char **why);
/* Removes its files, and the simulated disk under them. */
void store_remove(void);

/* Keeps the log from standard error: what fails is the point. */
void quiet(bool on);

/* Writes every account of one group; false: the store did not take one. */
bool group_write(struct store *store, unsigned group, uint64_t version);
/* One transaction: one to three groups get this version or are deleted. false: not committed;
 * groups is then what it would have been. */
bool groups_change(struct store *store, struct groups *groups, uint64_t version);
/* What the store holds; false: a group is there in part. */
bool groups_read(struct store *store, struct groups *groups);
/* Lets go of all that destroyed channels left; false: more is left than belongs to the groups. */
bool groups_sweep(struct store *store, const struct groups *groups);
bool groups_same(const struct groups *a, const struct groups *b);

uint64_t now_us(void);

#endif
