/* command.h: what a person can tell kith, on the command line and, through the control socket, a
 * running server. One table of commands serves both. */
#ifndef KITH_COMMAND_H
#define KITH_COMMAND_H

#include "core/server.h"
#include "wire/build.h"

enum command_exit {
    COMMAND_DONE = 0,
    COMMAND_FAILED = 1, /* refused, or it went wrong */
    COMMAND_USAGE = 2,  /* the command line or kith.conf is wrong */
};

/* What `serve` needs to know to say how it is called. */
struct command_line {
    const char *program; /* as it was called */
    const char *config;  /* path of kith.conf; NULL: there is none */
};

/* The command line of this process; returns its exit code. The global config is filled; serve runs
 * the server. */
int command_main(int argc, char **argv, int (*serve)(const struct command_line *line));

/* Answers one request that came through the control socket: a line of words, a line for each
 * argument, an empty line. The reply is text with `exit N` as its last line. What it changes is not
 * committed yet: the reply must wait for the tick's commit. */
void command_answer(struct server *server, struct span request, struct build *reply);

#endif
