/* command_channel.c: channels by command (XEP-0369 7.3; requirements MT-7, MT-10). Made and
 * destroyed by the running server, since those who are in them are to be told. */
#include <stdio.h>
#include <string.h>

#include "base/line.h"
#include "command_parts.h"
#include "core/channel_invitation.h"
#include "core/channel_make.h"
#include "store/accounts.h"
#include "wire/jid.h"

/* --- what stands on the command line --- */

/* The localpart that a person means by NAME or NAME@mix.…. */
bool channel_read_name(const char *argument, struct arena *arena, struct span *local)
{
    struct span text = span_string(argument), domain;
    size_t at = span_find(text, '@');
    if (at < text.len && jid_prepare_domain(span_cut(text, at + 1, text.len), arena, &domain) &&
        span_is(domain, config.mix_domain))
        text = span_cut(text, 0, at);
    if (text.len > 0 && jid_prepare_new_local(text, arena, local) &&
        local->len <= CHANNEL_LOCAL_BYTES_MAX && span_find(*local, '#') == local->len)
        return true;
    complain("`%s` cannot be the name of a channel; expected one such as family", argument);
    return false;
}

bool channel_prepare_name(const struct options *options, struct arena *arena, struct build *request)
{
    struct span local;
    if (!channel_read_name(options->argument, arena, &local))
        return false;
    build_put(request, local);
    build_str(request, "\n");
    return true;
}

bool channel_prepare_names(const struct options *options, struct arena *arena,
                           struct build *request)
{
    const char *given = options->channel;
    char one[CHANNEL_LOCAL_BYTES_MAX + CONFIG_TEXT_MAX + 2];
    struct span rest = given == NULL ? SPAN("") : span_string(given), local;
    unsigned count = 0;
    if (given == NULL)
        return true;
    build_str(request, "channel");
    do {
        struct span name = span_cut(rest, 0, span_find(rest, ','));
        rest = span_cut(rest, name.len + 1, rest.len);
        if (count++ == INVITE_CHANNELS_MAX || name.len >= sizeof one) {
            complain("--channel takes at most %d names of channels", INVITE_CHANNELS_MAX);
            return false;
        }
        memcpy(one, name.bytes, name.len);
        one[name.len] = '\0';
        if (!channel_read_name(one, arena, &local))
            return false;
        build_str(request, " ");
        build_put(request, local);
    } while (rest.len > 0);
    build_str(request, "\n");
    return true;
}

bool channel_prepare_create(const struct options *options, struct arena *arena,
                            struct build *request)
{
    struct span owner = SPAN("");
    if (!channel_prepare_name(options, arena, request) ||
        (options->owner != NULL && !user_read_name(options->owner, false, arena, &owner)))
        return false;
    build_str(request, options->private ? "private " : "open ");
    build_put(request, owner);
    build_str(request, "\n");
    return true;
}

bool channel_prepare_invite(const struct options *options, struct arena *arena,
                            struct build *request)
{
    return channel_prepare_name(options, arena, request) &&
           invite_prepare_numbers(options, request);
}

/* --- answers --- */

static enum command_exit refused(struct request *request, struct span name, const char *sentence)
{
    reply_line(request->reply, "kith: %s%.*s%s", "the channel ", (int)name.len, name.bytes,
               sentence);
    return COMMAND_FAILED;
}

static enum command_exit refuse_store(struct request *request)
{
    reply_line(request->reply, "kith: the disk failed or the data file is full; nothing was "
                               "changed, see the log");
    return COMMAND_FAILED;
}

static enum command_exit refuse(struct request *request, struct span name,
                                enum channel_outcome outcome)
{
    switch (outcome) {
    case CHANNEL_GONE:
        return refused(request, name, " is not there; `kith channel list` shows all");
    case CHANNEL_NAME_TAKEN:
        return refused(request, name,
                       " is there already, or was destroyed less than 30 days ago: take another "
                       "name");
    case CHANNEL_NAME_BAD:
        return refused(request, name, " cannot be called so");
    case CHANNEL_FULL:
        return refused(request, name,
                       " is one too many; destroy another, or set `channels` in kith.conf");
    case CHANNEL_DONE:
    case CHANNEL_FORBIDDEN:
    case CHANNEL_NO_NODE:
    case CHANNEL_NO_ROOM:
    case CHANNEL_FAILED:
        break;
    }
    return refuse_store(request);
}

/* One that was destroyed is not there, though some of it may be left for a while. */
static enum store_outcome channel_there(struct store *store, struct span name,
                                        struct channel *channel)
{
    enum store_outcome outcome = channel_get(store, name, channel);
    return outcome == STORE_OK && (channel->flags & CHANNEL_ENDING) ? STORE_NONE : outcome;
}

/* --- making and destroying --- */

/* The one who was named, or all who administer the server. Empty: there are none. */
static struct span owners(struct request *request, struct span named)
{
    struct build people;
    struct account account;
    struct span after = SPAN_NONE, name;
    build_init(&people, request->arena, CHANNEL_PEOPLE_BYTES_MAX);
    if (named.len > 0) {
        if (account_get(request->store, named, &account) == STORE_OK)
            jid_list_put_parts(&people, named, span_string(config.domain));
        return build_span(&people);
    }
    for (unsigned count = 0; count < CHANNEL_PEOPLE_MAX; after = name) {
        if (account_next(request->store, after, &name, &account) != STORE_OK)
            break;
        if ((account.flags & ACCOUNT_ADMIN) && !(account.flags & ACCOUNT_DISABLED)) {
            size_t used = people.used;
            jid_list_put_parts(&people, name, span_string(config.domain));
            if (people.full) {
                people.used = used;
                people.full = false;
                break;
            }
            count++;
        }
    }
    return build_span(&people);
}

static enum command_exit create(struct request *request, struct span name, bool private,
                                struct span people)
{
    struct span rest = people, first;
    struct channel_here channel;
    struct jid owner;
    if (!jid_list_next(&rest, &first) || !jid_parse(first, request->arena, &owner))
        return refuse_store(request);
    enum channel_outcome outcome = channel_create(request->server, name, &owner, &channel);
    if (outcome != CHANNEL_DONE)
        return refuse(request, name, outcome);
    channel.channel.owners = channel.channel.contacts = people;
    if (private)
        channel.channel.flags |= CHANNEL_PRIVATE;
    if (channel_put(request->store, channel.local, &channel.channel) != STORE_OK)
        return refuse_store(request);
    reply_line(request->reply, "%.*s@%s is there, %s", (int)name.len, name.bytes, config.mix_domain,
               private ? "for those who are invited" : "for everybody who has an account");
    return COMMAND_DONE;
}

enum command_exit channel_create_command(struct request *request)
{
    struct span how = request->arguments[1];
    size_t space = span_find(how, ' ');
    if (request->count != 2 || space == how.len)
        return reply_malformed(request);
    struct span named = span_cut(how, space + 1, how.len), people = owners(request, named);
    if (people.len > 0)
        return create(request, request->arguments[0], span_is(span_cut(how, 0, space), "private"),
                      people);
    if (named.len > 0)
        reply_line(request->reply, "kith: there is no account %.*s; `kith user list` shows all",
                   (int)named.len, named.bytes);
    else
        reply_line(request->reply, "kith: somebody must own the channel, and nobody administers "
                                   "the server; say who: --owner USER");
    return COMMAND_FAILED;
}

enum command_exit channel_destroy_command(struct request *request)
{
    struct channel_here channel;
    struct span name = request->arguments[0];
    if (request->count != 1)
        return reply_malformed(request);
    enum channel_outcome outcome = channel_outcome(channel_find(request->server, name, &channel));
    if (outcome == CHANNEL_DONE)
        outcome = channel_destroy(request->server, &channel);
    if (outcome != CHANNEL_DONE)
        return refuse(request, name, outcome);
    reply_line(request->reply, "the channel %.*s is gone; those who were in it keep what they read",
               (int)name.len, name.bytes);
    return COMMAND_DONE;
}

/* --- inviting --- */

bool channel_names_fit(struct request *request, struct invitation_wish *wish)
{
    struct span rest = wish->channels;
    struct channel channel;
    struct build build;
    build_init(&build, request->arena, INVITE_CHANNELS_MAX * (CONFIG_TEXT_MAX + 2) + rest.len);
    for (unsigned count = 0; rest.len > 0; count++) {
        struct span name = span_cut(rest, 0, span_find(rest, ' '));
        rest = span_cut(rest, name.len + 1, rest.len);
        enum store_outcome outcome = channel_there(request->store, name, &channel);
        jid_list_put_parts(&build, name, span_string(config.mix_domain));
        if (outcome == STORE_NONE || count == INVITE_CHANNELS_MAX) {
            (void)refuse(request, name, CHANNEL_GONE);
            return false;
        }
        if (outcome != STORE_OK || build.full) {
            (void)refuse_store(request);
            return false;
        }
    }
    if (wish->channels.len > 0) {
        wish->channels = build_span(&build);
        wish->flags |= INVITE_TRUSTED;
    }
    return true;
}

enum command_exit channel_invite_command(struct request *request)
{
    struct invitation_wish wish = {.owner = SPAN(""),
                                   .username = SPAN(""),
                                   .note = SPAN(""),
                                   .channels = request->arguments[0],
                                   .unlimited = true};
    for (unsigned i = 1; i < request->count; i++)
        if (!invite_read_number(request->arguments[i], &wish))
            return reply_malformed(request);
    if (request->count < 1 || wish.channels.len == 0)
        return reply_malformed(request);
    return channel_names_fit(request, &wish) ? invite_reply(request, &wish) : COMMAND_FAILED;
}

/* MT-10: `kith invite revoke` ends one of those that stand in the data; these, and those that stand
 * nowhere. */
enum command_exit channel_revoke_command(struct request *request)
{
    struct channel_here channel;
    struct span name = request->arguments[0];
    if (request->count != 1)
        return reply_malformed(request);
    enum channel_outcome outcome = channel_outcome(channel_find(request->server, name, &channel));
    if (outcome != CHANNEL_DONE)
        return refuse(request, name, outcome);
    if (channel_invitation_revoke_all(request->server, &channel) != STORE_OK)
        return refuse_store(request);
    reply_line(request->reply, "no invitation lets anybody into %.*s any more", (int)name.len,
               name.bytes);
    return COMMAND_DONE;
}

/* --- looking --- */

static void people_print(const char *before, struct span people)
{
    struct span one;
    while (jid_list_next(&people, &one)) {
        printf("%s%.*s", before, (int)one.len, one.bytes);
        before = ", ";
    }
}

static enum store_outcome channel_print(struct store *store, struct span local,
                                        const struct channel *channel)
{
    unsigned count = 0;
    enum store_outcome outcome = participant_count(store, channel->id, &count);
    printf("%.*s  ", (int)local.len, local.bytes);
    if (channel->name.len > 0) {
        printf("\"");
        line_print(stdout, channel->name); /* others than we have written it */
        printf("\"  ");
    }
    printf("%u participant%s, %s%s", count, count == 1 ? "" : "s",
           channel->flags & CHANNEL_PRIVATE ? "private" : "open",
           channel->flags & CHANNEL_UNLISTED ? ", not listed" : "");
    people_print(", owned by ", channel->owners);
    printf("\n");
    return outcome;
}

enum command_exit channel_list_command(struct request *request)
{
    struct span after = SPAN_NONE, local;
    struct channel channel;
    enum store_outcome outcome;
    unsigned shown = 0;
    while ((outcome = channel_next(request->store, after, &local, &channel)) == STORE_OK) {
        after = local;
        if (channel.flags & CHANNEL_ENDING)
            continue;
        outcome = channel_print(request->store, local, &channel);
        if (outcome != STORE_OK)
            break;
        shown++;
    }
    if (outcome == STORE_NONE && shown == 0)
        printf("there are no channels; `kith channel create NAME` makes one\n");
    return reply_printed(request, outcome);
}

enum command_exit channel_members_command(struct request *request)
{
    struct participant participant;
    struct channel channel;
    const char *after = NULL;
    struct span name = request->arguments[0];
    enum store_outcome outcome = channel_there(request->store, name, &channel);
    if (outcome == STORE_NONE)
        return refuse(request, name, CHANNEL_GONE);
    while (outcome == STORE_OK && (outcome = participant_next(request->store, channel.id, after,
                                                              &participant)) == STORE_OK) {
        printf("%.*s", (int)participant.jid.len, participant.jid.bytes);
        if (participant.nick.len > 0) {
            printf("  \"");
            line_print(stdout, participant.nick);
            printf("\"");
        }
        printf("\n");
        after = participant.id;
    }
    return reply_printed(request, outcome);
}
