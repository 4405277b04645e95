/* cuts.h: the power goes at each write and sync of a story that people live with a whole server, on
 * each disk that may come of it, and in half of them once more; afterwards the story is told to its
 * end. For programs that link cuts.c and disk.c. Limit: one story at a time. */
#ifndef KITH_SIM_CUTS_H
#define KITH_SIM_CUTS_H

#include "crowd.h"
#include "house.h"

struct story {
    const char *name;
    /* Settings; then, with the server open, what is there before the power may go. */
    void (*set)(void);
    bool (*begin)(uint64_t seed);
    /* What the people do, each as far as it gets; once more after each cut. */
    void (*live)(void);
    /* What is in the store, right after a start. */
    void (*judge)(void);
    /* No power went since the last live: all must have come to its end. */
    void (*end)(void);
};

/* Adds an account whose keys are quick to derive. */
bool cuts_account(const char *name, const char *password);

/* The server comes to rest; what it says instead is a complaint. */
void cuts_settle(void);
/* Counts as an exception; the first words of a run are printed. */
void cuts_complain(const char *words);
/* The same, unless this holds. */
void cuts_require(bool holds, const char *words);

/* Lives the stories in turn, cut at each event, until there were as many cuts as KITH_CUTS in the
 * environment says (or `cuts`); then once more on a disk that lies, which must show. What main
 * returns. */
int cuts_main(const struct story *stories, unsigned count, unsigned cuts);

#endif
