/* jobs.c: see jobs.h. Limit: JOBS that nobody has taken, the real runner's.
 * Asking for a command that the runner was not given ends the test program. */
#include "jobs.h"

#include "memory.h"
#include "platform/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS 20

static struct {
    const char *const *commands;
    unsigned command_count;
    bool impossible;
    struct job waiting[JOBS];
    unsigned count;
} jobs;

/* platform.h */

bool plat_runner_open(const char *const *commands, unsigned count, unsigned ms_max,
                      void (*failed)(const char *command, enum plat_ending ending, int number))
{
    (void)ms_max, (void)failed;
    jobs.commands = commands;
    jobs.command_count = count;
    return true;
}

bool plat_run(unsigned command, const void *input, size_t len)
{
    if (jobs.command_count > 0 && (command >= jobs.command_count || len > PLAT_INPUT_BYTES_MAX)) {
        fprintf(stderr, "plat_run of command %u of %u with %zu bytes\n", command,
                jobs.command_count, len);
        exit(2);
    }
    errno = EAGAIN;
    if (jobs.command_count == 0 || jobs.impossible || jobs.count == JOBS)
        return false;
    jobs.waiting[jobs.count++] =
        (struct job){.command = jobs.commands[command], .input = memory_string(input, len)};
    return true;
}

void plat_runner_shut(void)
{
    jobs.command_count = 0;
}

/* jobs.h */

void jobs_begin(void)
{
    memset(&jobs, 0, sizeof(jobs));
}

void jobs_possible(bool possible)
{
    jobs.impossible = !possible;
}

const struct job *job_peek(void)
{
    return jobs.count > 0 ? &jobs.waiting[0] : NULL;
}

void job_take(void)
{
    jobs.count--;
    memmove(&jobs.waiting[0], &jobs.waiting[1], jobs.count * sizeof(jobs.waiting[0]));
}
