/* verbs.c: what a dialog can say. `NAME VERB …` for clients, `server …`, `wait TIME`, `account …`.
 * tests/dialogs/README describes the language; the table of verbs is at the end. */
#include "verbs.h"
#include "house.h"
#include "jobs.h"
#include "store/accounts.h"
#include "tick.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS "http://etherx.jabber.org/streams"

struct verb {
    const char *phrase;
    bool (*play)(struct play *play, struct client *client, const char *rest,
                 const struct statement *statement);
};

bool play_settle(struct play *play, uint64_t ms)
{
    const char *complaint = house_settle(ms, clients_listen);
    return !complaint || play_fail(play, "%s", complaint);
}

/* "61s", "5m", "200ms"; false: none of these. */
static bool read_time(const char *text, uint64_t *ms)
{
    char *unit;
    *ms = strtoull(text, &unit, 10);
    if (strcmp(unit, "s") == 0)
        *ms *= 1000;
    else if (strcmp(unit, "m") == 0)
        *ms *= 60000;
    else if (strcmp(unit, "ms") != 0)
        return false;
    return *ms > 0;
}

bool play_sound(struct play *play, struct client *client)
{
    const char *fault = client_fault(client);
    return !fault || play_fail(play, "%s: %s%s", client->name, fault, client_unread(client));
}

static bool verb_connects(struct play *play, struct client *client, const char *rest,
                          const struct statement *statement)
{
    (void)statement;
    const char *address = strncmp(rest, "from ", 5) == 0 ? rest + 5 : NULL;
    if (!client_connect(client, address))
        return play_fail(play, "nobody listens");
    return play_settle(play, 0);
}

static bool verb_sends_header(struct play *play, struct client *client, const char *rest,
                              const struct statement *statement)
{
    (void)statement;
    if (client_peek(client))
        return play_fail(play, "%s has unread:%s", client->name, client_unread(client));
    if (client->link < 0 && !verb_connects(play, client, "", NULL))
        return false;
    client_say_header(client, *rest ? rest : NULL);
    return play_settle(play, 0);
}

/* A header that the dialog spells out: a new stream is read from here on. */
static bool verb_starts_with(struct play *play, struct client *client, const char *rest,
                             const struct statement *statement)
{
    (void)statement;
    if (client_peek(client))
        return play_fail(play, "%s has unread:%s", client->name, client_unread(client));
    client->from = strstr(rest, " from=");
    client_expect_header(client);
    const char *fault = "";
    struct text text = script_expand(rest, play->variables, &fault);
    if (!text.bytes)
        return play_fail(play, "cannot be sent: %s", fault);
    client_say(client, text.bytes, text.len);
    return play_settle(play, 0);
}

static bool verb_gets_header(struct play *play, struct client *client, const char *rest,
                             const struct statement *statement)
{
    struct text like = {0};
    const char *fault;
    (void)statement;
    if (!client->reader || !client->reader->header)
        return play_fail(play, "%s got no stream header", client->name);
    if (!play_sound(play, client))
        return false;
    text_format(&like, "<header %s/>", rest);
    const struct tree *expected = tree_parse(like.bytes, like.len, &fault);
    if (!expected)
        return play_fail(play, "these are no attributes: %s", fault);
    for (const struct tree_attribute *a = expected->attributes; a; a = a->next) {
        const char *value = NULL;
        for (const struct tree_attribute *b = client->reader->header->attributes; b; b = b->next) {
            if (strcmp(a->name, b->name) == 0)
                value = b->value;
        }
        value = value ? value : "(none)";
        if (!text_matches(a->value, value, play->variables))
            return play_fail(play, "the header has %s='%s', not '%s'", a->name, value, a->value);
    }
    return true;
}

bool verb_opens(struct play *play, struct client *client, const char *rest,
                const struct statement *statement)
{
    if (!verb_sends_header(play, client, rest, statement) ||
        !verb_gets_header(play, client, "", NULL))
        return false;
    const struct tree *features = client_take(client);
    const char *version = tree_attribute(client->reader->header, "version");
    if (!version || strcmp(version, "1.0") != 0)
        return play_fail(play, "the header's version is %s", version ? version : "(none)");
    if (!features || strcmp(features->name, "features") != 0 ||
        strcmp(features->namespace, STREAMS) != 0)
        return play_fail(play, "%s got no features", client->name);
    return true;
}

static bool verb_skips(struct play *play, struct client *client, const char *rest,
                       const struct statement *statement)
{
    unsigned skipped = 0;
    struct tree *tree;
    (void)statement;
    while ((tree = client_peek(client)) != NULL && strcmp(tree->name, rest) == 0) {
        client_take(client);
        skipped++;
    }
    return skipped > 0 || play_fail(play, "nothing to skip:%s", client_unread(client));
}

static bool verb_stops_reading(struct play *play, struct client *client, const char *rest,
                               const struct statement *statement)
{
    (void)play, (void)rest, (void)statement;
    client->deaf = true;
    return true;
}

static bool verb_reads_again(struct play *play, struct client *client, const char *rest,
                             const struct statement *statement)
{
    (void)rest, (void)statement;
    client->deaf = false;
    clients_listen();
    return play_settle(play, 0);
}

/* --- what is said --- */

static bool verb_sends(struct play *play, struct client *client, const char *rest,
                       const struct statement *statement)
{
    const char *fault = "";
    (void)statement;
    struct text text = script_expand(rest, play->variables, &fault);
    if (!text.bytes)
        return play_fail(play, "cannot be sent: %s", fault);
    if (client->link < 0)
        return play_fail(play, "%s is not connected", client->name);
    client_say(client, text.bytes, text.len);
    return play_settle(play, 0);
}

static bool unexpected(struct play *play, const struct client *client, const char *differs,
                       const char *expected)
{
    return play_fail(play, "%s\n    expected\n        %.2000s\n    came%s", differs, expected,
                     client_unread(client));
}

/* Takes the first of the oldest `among` unread ones that is as expected. */
static bool client_gets(struct play *play, struct client *client, const char *raw, unsigned among)
{
    const char *fault = "", *first_difference = NULL;
    struct text text = script_expand(raw, NULL, &fault);
    const struct tree *expected = text.bytes ? tree_parse(text.bytes, text.len, &fault) : NULL;
    if (!expected)
        return play_fail(play, "not an expectation: %s", fault);
    const struct tree *came = client_peek(client);
    for (unsigned i = 0; came && i < among; i++, came = came->next) {
        size_t mark = variables_mark(play->variables);
        const char *differs = tree_differs(expected, came, play->variables);
        if (!differs) {
            client_take_this(client, came);
            return true;
        }
        variables_back(play->variables, mark);
        if (!first_difference)
            first_difference = differs;
    }
    return unexpected(play, client, first_difference ? first_difference : "nothing came", raw);
}

static bool verb_gets(struct play *play, struct client *client, const char *rest,
                      const struct statement *statement)
{
    unsigned unread = 0;
    if (!play_settle(play, 0))
        return false;
    for (const struct tree *tree = client_peek(client); tree; tree = tree->next)
        unread++;
    if (unread < statement->count && !play_settle(play, PATIENCE_MS))
        return false;
    if (!play_sound(play, client))
        return false;
    for (unsigned i = 0; i < statement->count; i++) {
        const char *raw = i == 0 ? rest : statement->parts[i];
        if (!client_gets(play, client, raw, statement->count - i))
            return false;
    }
    return true;
}

static bool verb_gets_nothing(struct play *play, struct client *client, const char *rest,
                              const struct statement *statement)
{
    uint64_t ms = 0;
    (void)statement;
    if (*rest && (strncmp(rest, "for ", 4) != 0 || !read_time(rest + 4, &ms)))
        return play_fail(play, "gets nothing [for TIME]");
    if (!play_settle(play, ms) || !play_sound(play, client))
        return false;
    if (client_peek(client) || (client->reader && client->reader->ended) ||
        world_closed(client->link))
        return play_fail(play, "%s got:%s", client->name, client_unread(client));
    return true;
}

static bool verb_got_segments(struct play *play, struct client *client, const char *rest,
                              const struct statement *statement)
{
    (void)statement;
    if (!play->pinched && world_segments(client->link) != strtoul(rest, NULL, 10))
        return play_fail(play, "%s got %u segments", client->name, world_segments(client->link));
    return true;
}

/* --- the server, the time --- */

static bool play_server(struct play *play, const char *rest, const struct statement *statement)
{
    const char *why;
    if (strncmp(rest, "runs ", 5) == 0)
        return play_job(play, rest + 5, statement);
    if (strcmp(rest, "can run commands") == 0 || strcmp(rest, "cannot run commands") == 0) {
        jobs_possible(strncmp(rest, "can ", 4) == 0);
        return true;
    }
    if (strcmp(rest, "stops") == 0) {
        server_stop(house_server());
        return play_settle(play, 0);
    }
    if (strcmp(rest, "has stopped") == 0) {
        if (!play_settle(play, 60000))
            return false;
        return !house_is_open() || play_fail(play, "the server still runs");
    }
    if (strcmp(rest, "restarts") == 0) {
        house_close();
        return house_open(&why) || play_fail(play, "the server does not start: %s", why);
    }
    return play_fail(play, "the server cannot do that: %s", rest);
}

static bool play_wait(struct play *play, const char *rest)
{
    uint64_t ms;
    if (!read_time(rest, &ms))
        return play_fail(play, "not a time: %s", rest);
    return play_settle(play, ms);
}

static bool play_account(struct play *play, const char *rest)
{
    const char *name = script_word(&rest);
    const char *password = script_word(&rest);
    if (!name || !password)
        return play_fail(play, "account NAME PASSWORD");
    unsigned flags = strcmp(rest, "disabled") == 0 ? ACCOUNT_DISABLED
                     : strcmp(rest, "admin") == 0  ? ACCOUNT_ADMIN
                                                   : 0;
    return house_account(name, password, flags) || play_fail(play, "no account can be made");
}

static bool play_verb(struct play *play, const char *name, const char *rest,
                      const struct statement *statement)
{
    static const struct verb verbs[] = {
        {"connects", verb_connects},
        {"opens", verb_opens},
        {"starts with", verb_starts_with},
        {"sends header", verb_sends_header},
        {"sends and resets", verb_sends_and_resets},
        {"sends", verb_sends},
        {"gets header", verb_gets_header},
        {"gets nothing", verb_gets_nothing},
        {"gets", verb_gets},
        {"got segments:", verb_got_segments},
        {"authenticates", verb_authenticates},
        {"binds", verb_binds},
        {"logs in", verb_logs_in},
        {"comes online", verb_comes_online},
        {"closes", verb_closes},
        {"ends", verb_ends},
        {"is ended with", verb_is_ended_with},
        {"was closed", verb_was_closed},
        {"was cut off", verb_was_cut_off},
        {"was turned away with", verb_was_turned_away},
        {"skips", verb_skips},
        {"resets", verb_resets},
        {"hangs up", verb_hangs_up},
        {"shuts its side", verb_shuts_its_side},
        {"stops reading", verb_stops_reading},
        {"reads again", verb_reads_again},
    };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        size_t len = strlen(verbs[i].phrase);
        if (strncmp(rest, verbs[i].phrase, len) == 0 && (!rest[len] || rest[len] == ' ')) {
            rest += len + strspn(rest + len, " ");
            return verbs[i].play(play, client_named(name, strlen(name)), rest, statement);
        }
    }
    return play_fail(play, "a client cannot do that: %s", rest);
}

bool play_statement(struct play *play, const struct statement *statement)
{
    const char *rest = statement->parts[0];
    const char *word = script_word(&rest);
    unsigned long times = strtoul(word, NULL, 10);
    if (times > 0 && strncmp(rest, "times ", 6) == 0) {
        struct statement once = *statement;
        once.parts[0] = rest + 6;
        for (unsigned long i = 0; i < times; i++) {
            if (!play_statement(play, &once))
                return false;
        }
        return true;
    }
    if (strcmp(word, "server") == 0)
        return play_server(play, rest, statement);
    if (strcmp(word, "wait") == 0)
        return play_wait(play, rest);
    if (strcmp(word, "account") == 0)
        return play_account(play, rest);
    if (strcmp(word, "invite") == 0)
        return play_invite(play, rest);
    return play_verb(play, word, rest, statement);
}
