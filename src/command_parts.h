/* command_parts.h: what the files of the commands know of each other. A command is prepared in the
 * process of the command line (passwords are asked for and keys derived there) and then handled:
 * by the server if one runs, else in the same process. */
#ifndef KITH_COMMAND_PARTS_H
#define KITH_COMMAND_PARTS_H

#include "command.h"

#define COMMAND_ARGUMENTS_MAX 8
#define COMMAND_REQUEST_BYTES 4096
#define COMMAND_REPLY_BYTES 16384

/* What stood on the command line. */
struct options {
    struct command_line line;
    const char *argument; /* the one after the words, or NULL */
    const char *memory;
    const char *profile;
    bool admin;
    bool help;
};

/* A command to be handled. */
struct request {
    struct span arguments[COMMAND_ARGUMENTS_MAX];
    unsigned count;
    struct server *server; /* NULL: we are the command line's process */
    struct store *store;   /* NULL if the command needs none */
    struct arena *arena;
    struct build *reply;
};

/* One line of the reply. */
__attribute__((format(printf, 2, 3))) void reply_line(struct build *reply, const char *format, ...);
/* The same on standard error, behind "kith: ". */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* command_user.c. The prepare functions add lines to the request; false: they have complained. */
bool user_prepare_name(const struct options *options, struct arena *arena, struct build *request);
bool user_prepare_keys(const struct options *options, struct arena *arena, struct build *request);
enum command_exit user_add(struct request *request);
enum command_exit user_delete(struct request *request);
enum command_exit user_password(struct request *request);
enum command_exit user_list(struct request *request);

/* command_look.c */
enum command_exit look_status(struct request *request);
enum command_exit look_version(struct request *request);
enum command_exit look_plan(struct request *request);
enum command_exit look_check(struct request *request);

/* command_copy.c. The prepare function adds the file's name, if one was given. */
bool copy_prepare(const struct options *options, struct arena *arena, struct build *request);
enum command_exit copy_backup_command(struct request *request);
enum command_exit copy_restore_command(struct request *request);
enum command_exit copy_dump_command(struct request *request);
enum command_exit copy_load_command(struct request *request);

/* control.c: the command line's end of the control socket. */
enum control_outcome {
    CONTROL_ANSWERED,
    CONTROL_NOBODY, /* no server listens there */
    CONTROL_FAILED, /* it has complained */
};
/* Sends the request and prints the answer. */
enum control_outcome control_ask(const char *path, struct span request, enum command_exit *code);
/* Whether a server listens there. */
bool control_answers(const char *path);

#endif
