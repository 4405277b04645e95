/* jobs.h: the runner of the test world: commands are kept for the dialog to see, never run. */
#ifndef KITH_SIM_JOBS_H
#define KITH_SIM_JOBS_H

#include <stdbool.h>

struct job {
    const char *command;
    const char *input; /* no longer than the first zero byte */
};

/* Forgets everything; part of world_begin. */
void jobs_begin(void);

/* Whether commands can be queued from now on. */
void jobs_possible(bool possible);

/* The oldest one that was not taken yet; NULL: there is none. */
const struct job *job_peek(void);
void job_take(void);

#endif
