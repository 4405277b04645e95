/* play.c: a dialog from its first line to the empty house: an own server with an empty store, the
 * statements, then every client gone, everything given back, every handle closed. */
#include "play.h"

#include "house.h"
#include "jobs.h"
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SEEN_OFF_MS 130000 /* longer than any deadline of a stream whose client is gone */

bool play_fail(struct play *play, const char *format, ...)
{
    char line[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    text_format(&play->report, "%s:%d: ", play->path, play->line);
    text_string(&play->report, line);
    text_string(&play->report, "\n");
    return false;
}

/* config lines stand before anything else, since they are about a server that does not run yet. */
static const struct statement *play_settings(struct play *play, const struct statement *statement)
{
    for (; statement; statement = statement->next) {
        const char *rest = statement->parts[0];
        const char *word = script_word(&rest);
        if (strcmp(word, "config") != 0 && strcmp(word, "plan") != 0)
            return statement;
        play->line = statement->line;
        char key[64];
        size_t len = strcspn(rest, " =");
        snprintf(key, sizeof(key), "%.*s", (int)len, rest);
        const char *value = rest + len + strspn(rest + len, " =");
        if (!(strcmp(word, "config") == 0 ? house_configure : house_set)(key, value)) {
            play_fail(play, "no such setting, or not a value for it: %s", rest);
            return NULL;
        }
    }
    return NULL;
}

/* What nobody expected is a failure too. */
static bool play_nothing_unread(struct play *play)
{
    struct client *client;
    for (unsigned i = 0; (client = client_at(i)) != NULL; i++) {
        if (client_peek(client) || (client->reader && client->reader->ended))
            return play_fail(play, "at the end %s has unread:%s", client->name,
                             client_unread(client));
        if (client->link >= 0 && world_closed(client->link))
            return play_fail(play, "the server has closed %s's connection", client->name);
        const char *fault = client_fault(client);
        if (fault)
            return play_fail(play, "%s: %s", client->name, fault);
    }
    return !job_peek() || play_fail(play, "at the end nobody has asked for what the server ran: %s",
                                    job_peek()->command);
}

bool play_speak(struct play *play, const char *path, const struct conditions *conditions)
{
    const char *why;
    memset(play, 0, sizeof(*play));
    memory_forget();
    clients_forget();
    world_begin(conditions->seed);
    world_cut(conditions->read_bytes);
    world_pinch(conditions->send_bytes, conditions->stuck_every);
    play->path = path;
    play->pinched = conditions->send_bytes || conditions->stuck_every;
    play->variables = variables_new();
    text_string(&play->report, "");
    house_begin();
    const struct statement *statement = script_read(path, &why);
    if (!statement)
        return play_fail(play, "%s", why);
    statement = play_settings(play, statement);
    if (play->report.len)
        return false;
    if (!house_open(&why))
        return play_fail(play, "the server does not start: %s", why);
    if (!house_account("romeo", "pencil", 0) || !house_account("juliet", "pencil", 0))
        return play_fail(play, "no accounts can be made");
    for (; statement; statement = statement->next) {
        play->line = statement->line;
        if (!play_statement(play, statement))
            return false;
        if (world_complaint())
            return play_fail(play, "the server misused the platform: %s", world_complaint());
    }
    return play_nothing_unread(play);
}

bool play_see_off(struct play *play)
{
    struct client *client;
    bool fine = true;
    for (unsigned i = 0; (client = client_at(i)) != NULL; i++) {
        client->deaf = false;
        if (client->link >= 0)
            world_reset(client->link);
    }
    if (house_is_open()) {
        const char *complaint =
            house_settle(SEEN_OFF_MS + UINT64_C(1000) * config.resume_seconds, clients_listen);
        if (!complaint && house_is_open())
            complaint = house_leftovers();
        if (complaint)
            fine = play_fail(play, "after the end: %s", complaint);
        house_close();
    }
    if (world_complaint())
        fine = play_fail(play, "the server misused the platform: %s", world_complaint());
    else if (world_handles())
        fine = play_fail(play, "the server left %u handles open", world_handles());
    return fine;
}

bool play_dialog(struct play *play, const char *path, const struct conditions *conditions)
{
    bool spoke = play_speak(play, path, conditions);
    bool left = play_see_off(play);
    return spoke && left;
}
