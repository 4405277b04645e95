/* command_parts.h: what the files of the commands know of each other. A command is prepared in the
 * process of the command line (passwords are asked for and keys derived there) and then handled:
 * by the server if one runs, else in the same process. */
#ifndef KITH_COMMAND_PARTS_H
#define KITH_COMMAND_PARTS_H

#include "command.h"
#include "core/invitation.h"

#define COMMAND_ARGUMENTS_MAX 8
#define COMMAND_REQUEST_BYTES 4096
#define COMMAND_REPLY_BYTES 16384

/* What stood on the command line. */
struct options {
    struct command_line line;
    const char *argument; /* the one after the words, or NULL */
    const char *memory;
    const char *profile;
    const char *invited; /* --for */
    const char *contact;
    const char *uses;
    const char *days;
    const char *note;
    const char *channel; /* --channel: names with commas between */
    const char *owner;
    bool private;
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
/* To a request that no prepare function wrote. */
enum command_exit reply_malformed(struct request *request);
/* Behind what was printed while the data were read; STORE_NONE: to their end. */
enum command_exit reply_printed(struct request *request, enum store_outcome outcome);
/* One line on standard error, behind "kith: ". */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* command_user.c. The prepare functions add lines to the request; false: they have complained. */
/* The localpart that a person means by NAME or NAME@domain. */
bool user_read_name(const char *argument, bool is_new, struct arena *arena, struct span *local);
bool user_prepare_name(const struct options *options, struct arena *arena, struct build *request);
bool user_prepare_keys(const struct options *options, struct arena *arena, struct build *request);
enum command_exit user_add(struct request *request);
enum command_exit user_delete(struct request *request);
enum command_exit user_password(struct request *request);
enum command_exit user_list(struct request *request);

/* command_pending.c */
enum command_exit pending_list(struct request *request);
enum command_exit pending_approve(struct request *request);
enum command_exit pending_refuse(struct request *request);

/* command_invite.c */
/* What the one who gets an invitation is told. */
struct invite_slip {
    struct span link;
    struct span token;
    struct span does; /* "makes an account on …" */
    uint64_t expires_us;
    uint64_t uses;
};
bool invite_prepare(const struct options *options, struct arena *arena, struct build *request);
/* --uses and --days; invite_read_number reads one line of them back. */
bool invite_prepare_numbers(const struct options *options, struct build *request);
bool invite_read_number(struct span line, struct invitation_wish *wish);
/* Makes it and replies what invite_answer_show shows. */
enum command_exit invite_reply(struct request *request, const struct invitation_wish *wish);
bool invite_prepare_id(const struct options *options, struct arena *arena, struct build *request);
enum command_exit invite_make(struct request *request);
bool invite_answer_show(struct span answer);
enum command_exit invite_list(struct request *request);
enum command_exit invite_revoke(struct request *request);
/* Makes one; what the slip holds is good until the next is made. */
enum invitation_outcome invite_slip_make(struct store *store, const struct invitation_wish *wish,
                                         struct invite_slip *slip);
/* On standard output, with a QR code if that is a terminal. */
void invite_show(const struct invite_slip *slip);

/* command_channel.c */
/* The localpart that a person means by NAME or NAME@mix.…. */
bool channel_read_name(const char *argument, struct arena *arena, struct span *local);
bool channel_prepare_name(const struct options *options, struct arena *arena,
                          struct build *request);
/* --channel: one line of their names; channels that are not there are the server's to refuse. */
bool channel_prepare_names(const struct options *options, struct arena *arena,
                           struct build *request);
bool channel_prepare_create(const struct options *options, struct arena *arena,
                            struct build *request);
bool channel_prepare_invite(const struct options *options, struct arena *arena,
                            struct build *request);
/* The wish's channels, as that line has them, by their addresses; each must be there. false: the
 * reply says which is not. */
bool channel_names_fit(struct request *request, struct invitation_wish *wish);
enum command_exit channel_create_command(struct request *request);
enum command_exit channel_destroy_command(struct request *request);
enum command_exit channel_invite_command(struct request *request);
enum command_exit channel_revoke_command(struct request *request);
enum command_exit channel_list_command(struct request *request);
enum command_exit channel_members_command(struct request *request);

/* command_look.c */
enum command_exit look_status(struct request *request);
enum command_exit look_version(struct request *request);
enum command_exit look_extensions(struct request *request);
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
/* Sends the request; the answer is good until the next. */
enum control_outcome control_ask(const char *path, struct span request, struct span *answer,
                                 enum command_exit *code);
/* Whether a server listens there. */
bool control_answers(const char *path);

#endif
