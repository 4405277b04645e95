/* command.c: the table of commands, and the two ways to them: the command line and the control
 * socket. Exit codes are those of enum command_exit. */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/settings.h"
#include "command_parts.h"
#include "config.h"
#include "help.h"
#include "plan.h"

#define ARENA_BYTES 65536
#define WORDS_MAX 4
/* Of help texts. */
#define HELP_BYTES 512
#define COMMAND_COLUMN 30

enum command_needs {
    NEEDS_NOTHING,
    NEEDS_PLAN,   /* config and plan */
    NEEDS_READER, /* and it reads the store itself, whether or not a server runs */
    NEEDS_COPIER, /* the same, and the store may be one of an older kith */
    NEEDS_STORE,  /* and the server does it, or if none runs we do, with the store */
    NEEDS_SERVER, /* and only a running server can do it */
};

struct command {
    const char *words;
    const char *arguments;
    const char *help;
    enum command_needs needs;
    bool (*prepare)(const struct options *options, struct arena *arena, struct build *request);
    enum command_exit (*handle)(struct request *request); /* NULL: serve */
    /* Prints the reply of a command that was done; NULL: as it is. false: malformed. */
    bool (*show)(struct span reply);
};

static const struct command commands[] = {
    {"serve", "", "run the server; its --help lists kith.conf's keys", NEEDS_PLAN, NULL, NULL,
     NULL},
    {"user add", "[--admin] NAME", "make an account; the password comes from standard input",
     NEEDS_STORE, user_prepare_keys, user_add, NULL},
    {"user del", "NAME", "delete an account and end its streams", NEEDS_STORE, user_prepare_name,
     user_delete, NULL},
    {"user list", "", "show all accounts", NEEDS_READER, NULL, user_list, NULL},
    {"user password", "NAME", "set a new password, from standard input, and end the streams",
     NEEDS_STORE, user_prepare_keys, user_password, NULL},
    {"invite list", "", "show who is invited to what", NEEDS_READER, NULL, invite_list, NULL},
    {"invite revoke", "ID", "end an invitation, by its id in the list", NEEDS_STORE,
     invite_prepare_id, invite_revoke, NULL},
    {"invite",
     "[--for NAME] [--admin] [--uses N] [--days N] [--contact USER] [--channel NAMES] "
     "[--note TEXT]",
     "make a link and a QR code for a new account", NEEDS_STORE, invite_prepare, invite_make,
     invite_answer_show},
    {"channel create", "[--private] [--owner USER] NAME",
     "make a room for several people; without --owner, admins own it", NEEDS_SERVER,
     channel_prepare_create, channel_create_command, NULL},
    {"channel destroy", "NAME", "end a channel and tell those who are in it", NEEDS_SERVER,
     channel_prepare_name, channel_destroy_command, NULL},
    {"channel invite", "[--uses N] [--days N] NAME",
     "make a link into a channel for somebody who has an account", NEEDS_STORE,
     channel_prepare_invite, channel_invite_command, invite_answer_show},
    {"channel revoke", "NAME", "make all invitations into a channel void", NEEDS_SERVER,
     channel_prepare_name, channel_revoke_command, NULL},
    {"channel list", "", "show all channels", NEEDS_READER, NULL, channel_list_command, NULL},
    {"channel members", "NAME", "show who is in a channel", NEEDS_READER, channel_prepare_name,
     channel_members_command, NULL},
    {"pending list", "", "show registrations that wait", NEEDS_READER, NULL, pending_list, NULL},
    {"pending approve", "NAME", "make the account that waits", NEEDS_SERVER, user_prepare_name,
     pending_approve, NULL},
    {"pending refuse", "NAME", "end a registration that waits", NEEDS_SERVER, user_prepare_name,
     pending_refuse, NULL},
    {"plan", "[--memory BYTES] [--profile NAME]", "show how memory is shared out", NEEDS_PLAN, NULL,
     look_plan, NULL},
    {"backup", "FILE", "copy all data to a new file, also while the server runs", NEEDS_COPIER,
     copy_prepare, copy_backup_command, NULL},
    {"restore", "FILE", "make a backup the data again; the server must not run", NEEDS_PLAN,
     copy_prepare, copy_restore_command, NULL},
    {"dump", "[FILE]", "write all data as text that any machine can load", NEEDS_COPIER,
     copy_prepare, copy_dump_command, NULL},
    {"load", "[FILE]", "read a dump where there is no data yet", NEEDS_PLAN, copy_prepare,
     copy_load_command, NULL},
    {"check", "", "look for what would go wrong, and say what to do", NEEDS_PLAN, NULL, look_check,
     NULL},
    {"status", "", "ask the running server how it is", NEEDS_SERVER, NULL, look_status, NULL},
    {"extensions", "", "show which specifications it follows, and how far", NEEDS_NOTHING, NULL,
     look_extensions, NULL},
    {"version", "", "show the versions of kith and its libraries", NEEDS_NOTHING, NULL,
     look_version, NULL},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static const struct {
    const char *name;
    const char *value; /* NULL: a switch */
    size_t field;
    bool everywhere; /* else it stands in the arguments of the commands that take it */
    const char *help;
} switches[] = {
    {"--config", "FILE", offsetof(struct options, line.config), true,
     "the settings; without it, ./kith.conf if there is one, else the defaults"},
    {"--memory", "BYTES", offsetof(struct options, memory), false,
     "instead of kith.conf's (8M, 128M)"},
    {"--profile", "NAME", offsetof(struct options, profile), false, "instead of kith.conf's"},
    {"--admin", NULL, offsetof(struct options, admin), false,
     "the account may administer the server"},
    {"--for", "NAME", offsetof(struct options, invited), false,
     "the account will have this name, which is kept until then"},
    {"--uses", "N", offsetof(struct options, uses), false, "how often it works; once without it"},
    {"--days", "N", offsetof(struct options, days), false,
     "how long it works; as kith.conf says without it"},
    {"--contact", "USER", offsetof(struct options, contact), false,
     "who becomes a contact of the new account"},
    {"--channel", "NAMES", offsetof(struct options, channel), false,
     "channels that who uses the link gets into, up to 4 with commas between"},
    {"--private", NULL, offsetof(struct options, private), false,
     "only who is invited gets in, and nobody else sees that it is there"},
    {"--owner", "USER", offsetof(struct options, owner), false, "who may do everything in it"},
    {"--note", "TEXT", offsetof(struct options, note), false, "shown in the list, to nobody else"},
    {"--help", NULL, offsetof(struct options, help), true, "this text"},
};

#define SWITCH_COUNT (sizeof switches / sizeof switches[0])

static char arena_bytes[ARENA_BYTES];

void reply_line(struct build *reply, const char *format, ...)
{
    char text[1024];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (len < 0)
        return;
    build_put(reply, span_of(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1));
    build_str(reply, "\n");
}

void complain(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "kith: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
}

enum command_exit reply_malformed(struct request *request)
{
    reply_line(request->reply, "kith: this request is malformed: is the server of another version? "
                               "Restart it");
    return COMMAND_FAILED;
}

enum command_exit reply_printed(struct request *request, enum store_outcome outcome)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return COMMAND_FAILED;
    if (outcome == STORE_NONE)
        return COMMAND_DONE;
    reply_line(request->reply, "kith: the data could not be read to its end, see the log");
    return COMMAND_FAILED;
}

/* The n-th word of text, words being parted by one space; len 0: there is none. */
static struct span word_at(const char *text, unsigned n)
{
    struct span rest = span_string(text);
    while (n-- > 0)
        rest = span_cut(rest, span_find(rest, ' ') + 1, rest.len);
    return span_cut(rest, 0, span_find(rest, ' '));
}

/* How many of the words a person gave begin this command; 0 if any differs. */
static unsigned words_match(const struct command *command, char *const *words, unsigned count)
{
    unsigned n = 0;
    while (word_at(command->words, n).len > 0) {
        if (n == count || !span_is(word_at(command->words, n), words[n]))
            return 0;
        n++;
    }
    return n;
}

/* Whether the command begins with these words, as far as it has any. */
static bool command_fits(const struct command *command, char *const *words, unsigned count)
{
    for (unsigned n = 0; n < count && word_at(command->words, n).len > 0; n++)
        if (!span_is(word_at(command->words, n), words[n]))
            return false;
    return true;
}

/* The options of the commands that begin with the given words. */
static void help_options(char *const *words, unsigned count)
{
    printf("\noptions:\n");
    for (unsigned i = 0; i < SWITCH_COUNT; i++) {
        bool taken = switches[i].everywhere;
        for (unsigned n = 0; n < COMMAND_COUNT && !taken; n++)
            taken = command_fits(&commands[n], words, count) &&
                    strstr(commands[n].arguments, switches[i].name) != NULL;
        if (!taken)
            continue;
        char usage[HELP_BYTES];
        snprintf(usage, sizeof usage, "%s %s", switches[i].name,
                 switches[i].value ? switches[i].value : "");
        help_row(usage, switches[i].help, COMMAND_COLUMN);
    }
}

/* Help for the commands that begin with the given words (for all if there are none). */
static enum command_exit help_print(char *const *words, unsigned count)
{
    unsigned shown = 0, last = 0;
    printf("kith: a small XMPP server\n\nusage: kith [--config FILE] COMMAND\n\n");
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        char usage[HELP_BYTES];
        if (!command_fits(&commands[i], words, count))
            continue;
        snprintf(usage, sizeof usage, "%s %s", commands[i].words, commands[i].arguments);
        help_row(usage, commands[i].help, COMMAND_COLUMN);
        shown++;
        last = i;
    }
    help_options(words, count);
    if (shown == 1 && commands[last].handle == NULL)
        help_keys();
    printf("\nexit codes: 0 done, 1 refused or failed, 2 wrong command line or kith.conf\n");
    if (fflush(stdout) != 0)
        return COMMAND_FAILED;
    return shown > 0 ? COMMAND_DONE : COMMAND_USAGE;
}

/* Sorts argv into options and words. false: it has complained. */
static bool options_read(int argc, char **argv, struct options *options, char **words,
                         unsigned *count)
{
    for (int i = 1; i < argc; i++) {
        unsigned n = 0;
        if (argv[i][0] != '-') {
            if (*count == WORDS_MAX) {
                complain("too many words at `%s`; see `kith --help`", argv[i]);
                return false;
            }
            words[(*count)++] = argv[i];
            continue;
        }
        struct span given = span_string(argv[i]);
        size_t equals = span_find(given, '=');
        while (n < SWITCH_COUNT && !span_is(span_cut(given, 0, equals), switches[n].name))
            n++;
        bool takes = n < SWITCH_COUNT && switches[n].value != NULL;
        if (n == SWITCH_COUNT || (!takes && equals < given.len)) {
            complain("unknown option %s; see `kith --help`", argv[i]);
            return false;
        }
        if (takes && equals == given.len && i + 1 == argc) {
            complain("%s needs a value: %s %s", argv[i], argv[i], switches[n].value);
            return false;
        }
        char *field = (char *)options + switches[n].field;
        if (!takes)
            *(bool *)field = true;
        else
            *(const char **)field = equals < given.len ? argv[i] + equals + 1 : argv[++i];
    }
    return true;
}

static bool switch_given(const struct options *options, unsigned n)
{
    const char *field = (const char *)options + switches[n].field;
    return switches[n].value == NULL ? *(const bool *)(const void *)field
                                     : *(const char *const *)(const void *)field != NULL;
}

/* Whether this is how the arguments of a command end. */
static bool arguments_end(const struct command *command, const char *with)
{
    size_t len = strlen(command->arguments), end = strlen(with);
    return len >= end && strcmp(command->arguments + len - end, with) == 0;
}

/* Whether the arguments and options fit the command. false: it has complained. */
static bool options_fit(const struct command *command, struct options *options,
                        char *const *arguments, unsigned count)
{
    bool needed = arguments_end(command, "NAME") || arguments_end(command, "FILE") ||
                  arguments_end(command, "ID");
    bool allowed = needed || arguments_end(command, "[FILE]");
    bool fits = count <= allowed && count >= needed;
    for (unsigned i = 0; i < SWITCH_COUNT && fits; i++)
        fits = switches[i].everywhere || strstr(command->arguments, switches[i].name) ||
               !switch_given(options, i);
    if (!fits) {
        complain("usage: kith [--config FILE] %s%s%s", command->words,
                 command->arguments[0] ? " " : "", command->arguments);
        return false;
    }
    options->argument = count > 0 ? arguments[0] : NULL;
    return true;
}

/* Config, plan and, for the libraries in this process, a heap. */
static bool house_prepare(struct options *options, bool serve)
{
    char why[CONFIG_WHY_BYTES];
    uint64_t memory;
    if (options->line.config == NULL && access("kith.conf", F_OK) == 0)
        options->line.config = "kith.conf";
    if (!config_read(options->line.config, why)) {
        complain("%s", why);
        return false;
    }
    memory = config.memory;
    if (options->memory && (!settings_bytes(span_string(options->memory), &memory) || !memory)) {
        complain("--memory %s; expected bytes, with K, M or G behind", options->memory);
        return false;
    }
    if (!plan_make(options->profile ? options->profile : config.profile, memory, why)) {
        complain("%s", why);
        return false;
    }
    if (serve)
        return true;
    void *region = plat_reserve(plan.heap_bytes);
    if (region == NULL) {
        complain("there is no memory for %zu KB", plan.heap_bytes >> 10);
        return false;
    }
    heap_extend(region, plan.heap_bytes, NULL, 0);
    return true;
}

static const struct command *request_split(struct span text, struct request *request)
{
    struct span words = span_cut(text, 0, span_find(text, '\n'));
    text = span_cut(text, words.len + 1, text.len);
    while (text.len > 0 && text.bytes[0] != '\n') {
        struct span line = span_cut(text, 0, span_find(text, '\n'));
        if (request->count == COMMAND_ARGUMENTS_MAX)
            return NULL;
        request->arguments[request->count++] = line;
        text = span_cut(text, line.len + 1, text.len);
    }
    for (unsigned i = 0; i < COMMAND_COUNT; i++)
        if (span_is(words, commands[i].words))
            return &commands[i];
    return NULL;
}

void command_answer(struct server *server, struct span text, struct build *reply)
{
    struct request request = {
        .server = server, .store = server->store, .arena = &server->arena, .reply = reply};
    const struct command *command = request_split(text, &request);
    enum command_exit code = COMMAND_USAGE;
    if (command != NULL && (command->needs == NEEDS_STORE || command->needs == NEEDS_SERVER))
        code = command->handle(&request);
    else
        reply_line(reply, "kith: the running server does not know this command; restart it");
    reply_line(reply, "exit %d", (int)code);
}

static bool data_there(void)
{
    char path[CONFIG_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/kith.mdb", config.data);
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return true;
    complain("nothing is kept in %s yet; `kith user add NAME` makes the first account",
             config.data);
    return false;
}

/* Prints what a command replied. */
static enum command_exit reply_show(const struct command *command, struct span reply,
                                    enum command_exit code)
{
    FILE *out = code == COMMAND_DONE ? stdout : stderr;
    if (code == COMMAND_DONE && command->show != NULL) {
        if (!command->show(reply)) {
            complain("the answer of the server is malformed: is it of another version? Restart it");
            return COMMAND_FAILED;
        }
    } else if (fwrite(reply.bytes, 1, reply.len, out) != reply.len) {
        return COMMAND_FAILED;
    }
    return fflush(out) == 0 && !ferror(out) ? code : COMMAND_FAILED;
}

/* Handles a request in this process. */
static enum command_exit here(const struct command *command, struct span text, struct arena *arena,
                              struct build *reply)
{
    struct request request = {.arena = arena, .reply = reply};
    const char *why = "";
    (void)request_split(text, &request);
    bool copies = command->needs == NEEDS_COPIER, reads = copies || command->needs == NEEDS_READER;
    if (reads && !data_there())
        return COMMAND_FAILED;
    if (reads || command->needs == NEEDS_STORE) {
        request.store = copies ? store_open_to_copy(config.data, arena, &why)
                               : store_open(config.data, plan.map_bytes, reads, arena, &why);
        if (request.store == NULL) {
            complain("%s", why);
            return COMMAND_FAILED;
        }
    }
    enum command_exit code = command->handle(&request);
    if (request.store != NULL) {
        if (code == COMMAND_DONE && store_commit(request.store) != STORE_OK) {
            reply->used = 0;
            reply_line(reply, "kith: the disk failed; nothing was changed");
            code = COMMAND_FAILED;
        }
        store_close(request.store);
    }
    return reply_show(command, build_span(reply), code);
}

static enum command_exit command_run(const struct command *command, const struct options *options)
{
    struct arena arena;
    struct build request, reply;
    struct span answer;
    enum command_exit code;
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    build_init(&request, &arena, COMMAND_REQUEST_BYTES);
    build_init(&reply, &arena, COMMAND_REPLY_BYTES);
    build_str(&request, command->words);
    build_str(&request, "\n");
    if (command->prepare != NULL && !command->prepare(options, &arena, &request))
        return COMMAND_FAILED;
    build_str(&request, "\n");
    if (command->needs == NEEDS_STORE || command->needs == NEEDS_SERVER) {
        enum control_outcome outcome =
            control_ask(config.control, build_span(&request), &answer, &code);
        if (outcome != CONTROL_NOBODY)
            return outcome == CONTROL_ANSWERED ? reply_show(command, answer, code) : COMMAND_FAILED;
        if (command->needs == NEEDS_SERVER) {
            complain("no server runs (nobody answers at %s); start it with `kith serve`",
                     config.control);
            return COMMAND_FAILED;
        }
    }
    return here(command, build_span(&request), &arena, &reply);
}

static void command_unknown(char *const *words, unsigned count)
{
    bool begun = false;
    for (unsigned i = 0; i < COMMAND_COUNT && count > 0; i++)
        begun = begun || span_is(word_at(commands[i].words, 0), words[0]);
    if (count == 0)
        complain("which command? see `kith --help`");
    else if (begun && count == 1)
        complain("%s what? see `kith %s --help`", words[0], words[0]);
    else
        complain("unknown command `%s%s%s`; see `kith %s%s--help`", words[0], count > 1 ? " " : "",
                 count > 1 ? words[1] : "", begun ? words[0] : "", begun ? " " : "");
}

int command_main(int argc, char **argv, int (*serve)(const struct command_line *line))
{
    struct options options = {.line.program = argv[0]};
    char *words[WORDS_MAX] = {NULL};
    unsigned count = 0, used = 0;
    const struct command *command = NULL;

    if (!options_read(argc, argv, &options, words, &count))
        return COMMAND_USAGE;
    if (options.help || (count > 0 && strcmp(words[0], "help") == 0))
        return help_print(options.help ? words : words + 1, options.help ? count : count - 1);
    for (unsigned i = 0; i < COMMAND_COUNT && used == 0; i++) {
        used = words_match(&commands[i], words, count);
        command = &commands[i];
    }
    if (used == 0) {
        command_unknown(words, count);
        return COMMAND_USAGE;
    }
    if (!options_fit(command, &options, words + used, count - used))
        return COMMAND_USAGE;
    if (command->needs != NEEDS_NOTHING && !house_prepare(&options, command->handle == NULL))
        return COMMAND_USAGE;
    return command->handle == NULL ? serve(&options.line) : (int)command_run(command, &options);
}
