/* verbs_end.c: the verbs about how a stream ends: by whom, with which error, or with none. */
#include "house.h"
#include "verbs.h"
#include "world.h"

#include <string.h>

static void client_is_gone(struct client *client)
{
    client->link = -1;
    client->reader = NULL;
}

static bool client_gone(struct play *play, struct client *client)
{
    client_say_string(client, "</stream:stream>");
    if (!play_settle(play, 0))
        return false;
    if (client_peek(client) || !play_sound(play, client))
        return play_fail(play, "%s got more before the end:%s", client->name,
                         client_unread(client));
    if (!client->reader || !client->reader->ended)
        return play_fail(play, "the server did not end %s's stream", client->name);
    if (!world_closed(client->link))
        return play_fail(play, "both ends said, but %s's connection stays", client->name);
    world_leave(client->link);
    client_is_gone(client);
    return play_settle(play, 0);
}

/* The server has ended the stream by itself, without an error. */
bool verb_ends(struct play *play, struct client *client, const char *rest,
               const struct statement *statement)
{
    (void)rest, (void)statement;
    if (!play_settle(play, 0))
        return false;
    if (!client->reader || !client->reader->ended)
        return play_fail(play, "the server did not end %s's stream:%s", client->name,
                         client_unread(client));
    return client_gone(play, client);
}

bool verb_closes(struct play *play, struct client *client, const char *rest,
                 const struct statement *statement)
{
    (void)rest, (void)statement;
    return client_gone(play, client);
}

/* A stream error, the end tag, and the connection once the client has said its end tag too. The
 * condition may be {any}. */
bool verb_is_ended_with(struct play *play, struct client *client, const char *rest,
                        const struct statement *statement)
{
    struct text like = {0};
    const char *fault;
    (void)statement;
    size_t len = strcspn(rest, " ");
    text_string(&like, "<stream:error><");
    text_add(&like, rest, len);
    text_format(&like, " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>%s</stream:error>",
                rest + len + strspn(rest + len, " "));
    const struct tree *expected = tree_parse(like.bytes, like.len, &fault);
    if (!expected)
        return play_fail(play, "not a condition: %s", fault);
    if (!play_settle(play, client_peek(client) ? 0 : PATIENCE_MS) || !play_sound(play, client))
        return false;
    const struct tree *error = client_peek(client);
    if (!error)
        return play_fail(play, "%s got no stream error:%s", client->name, client_unread(client));
    const char *differs = tree_differs(expected, error, play->variables);
    if (differs)
        return play_fail(play, "%s: %s\n    expected\n        %s\n    came%s", client->name,
                         differs, like.bytes, client_unread(client));
    client_take(client);
    if (!client->reader->ended)
        return play_fail(play, "no end tag after the stream error");
    if (world_closed(client->link))
        return play_fail(play, "closed without waiting for the client's end tag (ST-11)");
    return client_gone(play, client);
}

/* The connection was closed, by an end of the stream or without one. */
static bool client_was_closed(struct play *play, struct client *client, bool ended)
{
    if (!play_settle(play, 0))
        return false;
    if (client_peek(client))
        return play_fail(play, "%s has unread:%s", client->name, client_unread(client));
    if (!world_closed(client->link))
        return play_fail(play, "%s is still connected", client->name);
    if (client->reader && client->reader->ended != ended)
        return play_fail(play, ended ? "no end tag" : "an end tag");
    client_is_gone(client);
    return true;
}

bool verb_was_closed(struct play *play, struct client *client, const char *rest,
                     const struct statement *statement)
{
    (void)rest, (void)statement;
    return client_was_closed(play, client, true);
}

bool verb_was_cut_off(struct play *play, struct client *client, const char *rest,
                      const struct statement *statement)
{
    (void)rest, (void)statement;
    return client_was_closed(play, client, false);
}

/* Sends without letting the server get to anything but the reading, and resets. */
bool verb_sends_and_resets(struct play *play, struct client *client, const char *rest,
                           const struct statement *statement)
{
    const char *fault = "";
    (void)statement;
    struct text text = script_expand(rest, play->variables, &fault);
    if (!text.bytes)
        return play_fail(play, "cannot be sent: %s", fault);
    client_say(client, text.bytes, text.len);
    (void)house_tick();
    world_reset(client->link);
    client_is_gone(client);
    return play_settle(play, 0);
}

/* Header, error and end at once, before the client has said a word (GR-1). The doorman sends once,
 * so that a send that is cut takes the rest away; a fresh socket of a real system takes it all. */
bool verb_was_turned_away(struct play *play, struct client *client, const char *rest,
                          const struct statement *statement)
{
    (void)statement;
    if (!play_settle(play, 3000)) /* a doorman holds the door a little */
        return false;
    if (play->pinched && world_closed(client->link)) {
        client_is_gone(client);
        return true;
    }
    const struct tree *error = client_take(client);
    if (!error || !error->child || strcmp(error->child->name, rest) != 0)
        return play_fail(play, "%s got no error %s:%s", client->name, rest, client_unread(client));
    client->spoke = true;
    return play_sound(play, client) && client_was_closed(play, client, true);
}

bool verb_resets(struct play *play, struct client *client, const char *rest,
                 const struct statement *statement)
{
    (void)rest, (void)statement;
    world_reset(client->link);
    client_is_gone(client);
    return play_settle(play, 0);
}

bool verb_hangs_up(struct play *play, struct client *client, const char *rest,
                   const struct statement *statement)
{
    (void)rest, (void)statement;
    world_leave(client->link);
    client_is_gone(client);
    return play_settle(play, 0);
}

/* Half close: it hears on. */
bool verb_shuts_its_side(struct play *play, struct client *client, const char *rest,
                         const struct statement *statement)
{
    (void)rest, (void)statement;
    world_finish(client->link);
    return play_settle(play, 0);
}
