/* command_copy.c: commands that copy the whole store: backup and dump (also of a server that runs),
 * restore and load (of none that runs). Owns the deadline: a snapshot that is held for long keeps
 * the server from using pages again, so its data file grows. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_parts.h"
#include "plan.h"
#include "store/copy.h"
#include "store/dump.h"

#define SNAPSHOT_SECONDS_MAX 60

static char unfinished[CONFIG_TEXT_MAX + 8]; /* removed when time is up */

/* Time is up, and the library or the file system may be anywhere: only this process's end lets the
 * snapshot go. Only calls that are safe in a signal handler. */
static void snapshot_late(int number)
{
    static const char said[] =
        "kith: this takes too long, and the server must not wait for it; nothing was written. "
        "Write to a faster disk, or stop the server first\n";
    (void)number;
    if (unfinished[0] != '\0')
        (void)unlink(unfinished);
    if (write(STDERR_FILENO, said, sizeof said - 1) < 0)
        _exit(COMMAND_FAILED);
    _exit(COMMAND_FAILED);
}

/* A snapshot is about to be taken, to be written to this file (NULL: to standard output). */
static bool snapshot_begin(const char *file)
{
    struct sigaction action = {.sa_handler = snapshot_late};
    unfinished[0] = '\0';
    if (file != NULL)
        snprintf(unfinished, sizeof unfinished, "%s.new", file);
    if (sigaction(SIGALRM, &action, NULL) != 0)
        return false;
    alarm(SNAPSHOT_SECONDS_MAX);
    return true;
}

static void snapshot_end(void)
{
    alarm(0);
}

bool copy_prepare(const struct options *options, struct arena *arena, struct build *request)
{
    (void)arena;
    struct span file = span_string(options->argument);
    if (options->argument == NULL)
        return true;
    if (file.len == 0 || file.len >= CONFIG_TEXT_MAX || span_find(file, '\n') < file.len) {
        complain("the name of a file has 1 to %d characters and no line end", CONFIG_TEXT_MAX - 1);
        return false;
    }
    build_put(request, file);
    build_str(request, "\n");
    return true;
}

/* The file that was named, with a zero behind it; NULL: none. */
static const char *file_named(const struct request *request, char name[CONFIG_TEXT_MAX])
{
    if (request->count == 0)
        return NULL;
    struct span file = request->arguments[0];
    memcpy(name, file.bytes, file.len);
    name[file.len] = '\0';
    return name;
}

static enum command_exit refused(struct request *request, const char *why)
{
    reply_line(request->reply, "kith: %s", why);
    return COMMAND_FAILED;
}

enum command_exit copy_backup_command(struct request *request)
{
    char name[CONFIG_TEXT_MAX];
    const char *file = file_named(request, name), *why;
    if (!snapshot_begin(file))
        return refused(request, "no signal handler");
    bool done = copy_backup(request->store, file, request->arena, &why);
    snapshot_end();
    if (!done)
        return refused(request, why);
    reply_line(request->reply,
               "%s is a copy of all accounts and what they keep, and as secret as they are; "
               "the keys and certificates in %s are not in it",
               file, config.data);
    return COMMAND_DONE;
}

enum command_exit copy_restore_command(struct request *request)
{
    char name[CONFIG_TEXT_MAX];
    const char *file = file_named(request, name), *why;
    bool kept = false;
    if (!copy_restore(config.data, plan.map_bytes, file, &kept, request->arena, &why))
        return refused(request, why);
    reply_line(request->reply, "%s/kith.mdb is what %s was", config.data, file);
    if (kept)
        reply_line(request->reply, "the one before is kept as %s/kith.mdb.old", config.data);
    return COMMAND_DONE;
}

enum command_exit copy_dump_command(struct request *request)
{
    char name[CONFIG_TEXT_MAX];
    const char *file = file_named(request, name), *why;
    uint64_t records;
    if (!snapshot_begin(file))
        return refused(request, "no signal handler");
    bool done = file == NULL ? dump_write(request->store, stdout, &records, request->arena, &why)
                             : dump_file(request->store, file, &records, request->arena, &why);
    snapshot_end();
    if (!done)
        return refused(request, why);
    if (file != NULL)
        reply_line(request->reply, "%llu records are in %s, which is as secret as the data",
                   (unsigned long long)records, file);
    return COMMAND_DONE;
}

enum command_exit copy_load_command(struct request *request)
{
    char name[CONFIG_TEXT_MAX];
    const char *file = file_named(request, name), *why;
    uint64_t records;
    FILE *in = file == NULL ? stdin : fopen(file, "re");
    if (in == NULL) {
        reply_line(request->reply, "kith: %s: %s", file, strerror(errno));
        return COMMAND_FAILED;
    }
    bool done = dump_load(config.data, plan.map_bytes, in, &records, request->arena, &why);
    if (in != stdin)
        (void)fclose(in);
    if (!done)
        return refused(request, why);
    reply_line(request->reply, "%llu records were loaded into %s", (unsigned long long)records,
               config.data);
    return COMMAND_DONE;
}
