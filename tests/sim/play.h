/* play.h: plays one dialog under given conditions. Shared by the dialog runner and the fault
 * runs. */
#ifndef KITH_SIM_PLAY_H
#define KITH_SIM_PLAY_H

#include "client.h"
#include "script.h"

struct conditions {
    uint64_t seed;
    size_t read_bytes;    /* one read of the server brings at most this; 0: whole */
    size_t send_bytes;    /* one send takes at most this; 0: all */
    unsigned stuck_every; /* every so manyth send takes nothing; 0: none */
};

struct play {
    const char *path;
    int line;
    bool pinched; /* sends are cut, so that segments cannot be counted */
    struct variables *variables;
    struct text report; /* what went wrong, for people; empty: nothing */
};

/* Plays the file to its end or first failure. false: play->report says what happened, unless
 * finished: the server was then seen off and gave everything back. */
bool play_dialog(struct play *play, const char *path, const struct conditions *conditions);

/* The two halves, for runs that look at the server in between: play_speak leaves it running. */
bool play_speak(struct play *play, const char *path, const struct conditions *conditions);
bool play_see_off(struct play *play);

__attribute__((format(printf, 2, 3))) bool play_fail(struct play *play, const char *format, ...);

/* One statement (verbs.c). */
bool play_statement(struct play *play, const struct statement *statement);

#endif
