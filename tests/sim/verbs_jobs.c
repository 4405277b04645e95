/* verbs_jobs.c: what a dialog says about the commands that the server has run for it. */
#include "jobs.h"
#include "verbs.h"

#include <string.h>

/* The next line of the input, which must end with a newline; NULL: there is none. */
static const char *line_next(const char **input)
{
    const char *line = *input, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *input = end + 1;
    return memory_string(line, (size_t)(end - line));
}

static bool line_matches(struct play *play, const char *raw, const char *came)
{
    const char *fault = "";
    struct text pattern = script_expand(raw, NULL, &fault);
    if (!pattern.bytes)
        return play_fail(play, "not an expectation: %s", fault);
    return text_matches(pattern.bytes, came, play->variables) ||
           play_fail(play, "the server ran a command with '%s', not '%s'", came, raw);
}

/* parts: the command line, then the lines of its input. */
static bool job_matches(struct play *play, const struct job *job, const char *command,
                        const struct statement *statement)
{
    const char *input = job->input, *line;
    if (!line_matches(play, command, job->command))
        return false;
    for (unsigned i = 1; i < statement->count; i++) {
        if (strcmp(statement->parts[i], "{rest}") == 0)
            return true;
        line = line_next(&input);
        if (!line)
            return play_fail(play, "the command's input has only %u lines", i - 1);
        if (!line_matches(play, statement->parts[i], line))
            return false;
    }
    return !*input || play_fail(play, "the command's input goes on with '%s'", input);
}

bool play_job(struct play *play, const char *command, const struct statement *statement)
{
    if (!play_settle(play, 0) || (!job_peek() && !play_settle(play, PATIENCE_MS)))
        return false;
    const struct job *job = job_peek();
    if (strcmp(command, "nothing") == 0)
        return !job || play_fail(play, "the server ran %s with '%s'", job->command, job->input);
    if (!job)
        return play_fail(play, "the server ran nothing");
    size_t mark = variables_mark(play->variables);
    if (!job_matches(play, job, command, statement)) {
        variables_back(play->variables, mark);
        return false;
    }
    job_take();
    return true;
}
