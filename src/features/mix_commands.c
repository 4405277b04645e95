/* mix_commands.c: see mix_commands.h. Who may invite sees and revokes what is his own, who keeps
 * the channel everybody's. Limits: INV-5. */
#include "features/mix_commands.h"

#include "base/must.h"
#include "core/channel_invitation.h"
#include "wire/names.h"
#include "wire/uri.h"

#define DAY_SECONDS 86400
#define REVOKE_MAX 20

/* The channel and what who asks is to it: adhoc_allowed has looked. false: it was refused. */
static bool channel_look(struct command_turn *command, struct channel_here *channel, bool *keeper)
{
    struct turn *turn = command->turn;
    enum channel_role role = CHANNEL_ANYONE;
    bool banned;
    enum store_outcome outcome = channel_find(turn->server, jid_local(&turn->to), channel);
    if (outcome == STORE_OK)
        outcome = channel_role(turn->server, &channel->channel, jid_bare(&turn->session->jid),
                               &role, &banned);
    *keeper = role >= CHANNEL_ADMIN;
    if (outcome != STORE_OK)
        command_refuse_store(command, outcome);
    return outcome == STORE_OK;
}

static struct span own_local(const struct command_turn *command)
{
    return jid_local(&command->turn->session->jid);
}

/* --- making --- */

static uint64_t days_max(void)
{
    return config.invite_lifetime / DAY_SECONDS;
}

void mix_invite_ask(struct command_turn *command)
{
    struct build *build = &command->build;
    form_begin(build, "form", "Invite into the channel",
               "Makes a link to be sent to whom you invite.", NODE_MIX);
    form_put(build, "text-single", "uses", "How often it can be used", SPAN("1"), false);
    if (days_max() > 0)
        form_put(build, "text-single", "expire-days", "Valid for so many days", SPAN_NONE, false);
    form_end(build);
}

/* What is asked for. false: it was refused. */
static bool wish_read(struct command_turn *command, struct channel_here *channel,
                      struct invitation_wish *wish)
{
    struct server *server = command->turn->server;
    uint64_t uses = 1, days = 0;
    struct build channels;
    if (!command_number(command, "uses", INVITE_USES_MAX, &uses) ||
        !command_number(command, "expire-days", days_max(), &days))
        return false;
    build_init(&channels, &server->arena, jid_bare_len(&channel->jid) + 1);
    jid_list_put(&channels, jid_bare(&channel->jid));
    *wish = (struct invitation_wish){.owner = own_local(command),
                                     .channels = build_span(&channels),
                                     .uses = (uint16_t)uses,
                                     .seconds = days * DAY_SECONDS};
    if (channels.full) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return false;
    }
    if (config.rate_limits && throttle_full(&server->invitations, SPAN("invitation"), wish->owner,
                                            server->now_ms)) { /* INV-5 */
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT,
                       "These are many invitations for one hour. Try again later.");
        return false;
    }
    return true;
}

void mix_invite_run(struct command_turn *command)
{
    struct server *server = command->turn->server;
    struct channel_here channel;
    struct invitation_wish wish;
    struct invite invite;
    struct build uri;
    char token[TOKEN_CHARS];
    bool keeper;
    if (!channel_look(command, &channel, &keeper) || !wish_read(command, &channel, &wish))
        return;
    build_init(&uri, &server->arena, URI_BYTES_MAX);
    if (uri.full) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return;
    }
    enum invitation_outcome outcome =
        invitation_make(server->store, &wish, server->wall_us, token, &invite);
    if (outcome != INVITATION_MADE) {
        command_refuse(
            command,
            outcome == INVITATION_FAILED ? ERROR_INTERNAL_SERVER_ERROR : ERROR_RESOURCE_CONSTRAINT,
            outcome == INVITATION_TOO_MANY ? "There are too many invitations. Revoke some, or wait."
                                           : NULL);
        return;
    }
    throttle_note(&server->invitations, SPAN("invitation"), wish.owner, server->now_ms);
    invitation_link(&uri, &invite, span_of(token, sizeof token));
    must(!uri.full);
    form_begin(&command->build, "result", "Invitation", NULL, NODE_MIX);
    form_put(&command->build, "text-single", "uri", "Link", build_span(&uri), false);
    form_put_time(&command->build, "text-single", "expire", "Valid until", invite.expires_us);
    form_end(&command->build);
}

/* --- listing and revoking --- */

/* Which invitations are looked at. */
struct look {
    struct command_turn *command;
    struct channel_here channel;
    bool keeper;
};

static bool seen(const struct look *look, const struct invite *invite)
{
    return invite->expires_us > look->command->turn->server->wall_us &&
           jid_list_has(invite->channels, jid_bare(&look->channel.jid)) &&
           (look->keeper || span_equal(invite->owner, own_local(look->command)));
}

static void item_put(struct build *build, const struct invite *invite)
{
    char id[INVITATION_ID_CHARS];
    invitation_id(invite, id);
    build_str(build, "<item>");
    form_put(build, NULL, "id", NULL, span_of(id, sizeof id), false);
    form_put(build, NULL, "start", NULL, span_of(invite->start, sizeof invite->start), false);
    form_put(build, NULL, "owner", NULL, invite->owner, false);
    form_put_time(build, NULL, "expire", NULL, invite->expires_us);
    form_put_number(build, NULL, "uses-left", NULL, invite->uses_left);
    build_str(build, "</item>");
}

static void option_put(struct build *build, const struct invite *invite)
{
    char id[INVITATION_ID_CHARS], text[INVITE_START_CHARS + SESSION_JID_BYTES + 8];
    struct build label = {.bytes = text, .size = sizeof text};
    invitation_id(invite, id);
    build_put(&label, span_of(invite->start, sizeof invite->start));
    if (invite->owner.len > 0) {
        build_str(&label, ", by ");
        build_put(&label, invite->owner);
    }
    form_option(build, build_span(&label), span_of(id, sizeof id));
}

/* Each that is seen, as long as there is room; *more: some found none. */
static enum store_outcome each(struct look *look, bool *more,
                               void (*put)(struct build *, const struct invite *))
{
    struct command_turn *command = look->command;
    struct invite invite;
    struct span after = SPAN_NONE;
    enum store_outcome outcome = STORE_OK;
    *more = false;
    while (!*more &&
           (outcome = invite_next(command->turn->server->store, after, &invite)) == STORE_OK) {
        size_t mark = command->build.used;
        if (seen(look, &invite)) {
            put(&command->build, &invite);
            *more = !command_keep(command, mark);
        }
        after = span_of((const char *)invite.hash, sizeof invite.hash);
    }
    return *more || outcome == STORE_NONE ? STORE_OK : outcome;
}

void mix_list_run(struct command_turn *command)
{
    static const struct {
        const char *var, *label;
    } columns[] = {{"id", "Id"},
                   {"start", "Token begins with"},
                   {"owner", "By"},
                   {"expire", "Valid until"},
                   {"uses-left", "Uses"}};
    struct look look = {.command = command};
    bool more;
    if (!channel_look(command, &look.channel, &look.keeper))
        return;
    form_begin(&command->build, "result", "Invitations", NULL, NODE_MIX);
    build_str(&command->build, "<reported>");
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        form_put(&command->build, "text-single", columns[i].var, columns[i].label, SPAN_NONE,
                 false);
    build_str(&command->build, "</reported>");
    enum store_outcome outcome = each(&look, &more, item_put);
    command_finish(command, outcome, more);
}

void mix_revoke_ask(struct command_turn *command)
{
    struct look look = {.command = command};
    bool more;
    if (!channel_look(command, &look.channel, &look.keeper))
        return;
    form_begin(&command->build, "form", "Revoke invitations", "Their links will be worth nothing.",
               NODE_MIX);
    form_open(&command->build, "list-multi", "ids", "Invitations", true);
    enum store_outcome outcome = each(&look, &more, option_put);
    form_shut(&command->build);
    command_finish(command, outcome, more);
}

/* false: it was refused. */
static bool revoke_one(struct look *look, struct span id)
{
    struct command_turn *command = look->command;
    struct store *store = command->turn->server->store;
    struct invite invite;
    enum store_outcome outcome =
        invitation_find(store, id, look->keeper ? SPAN_NONE : own_local(command), &invite);
    if (outcome == STORE_OK && !seen(look, &invite))
        outcome = STORE_NONE;
    if (outcome == STORE_OK && !store_has_room(store, INVITE_CHANGE_BYTES))
        outcome = STORE_FULL;
    if (outcome == STORE_OK)
        outcome = channel_invitation_revoke(command->turn->server, &look->channel, &invite);
    if (outcome != STORE_OK)
        command_refuse_store(command, outcome);
    return outcome == STORE_OK;
}

void mix_revoke_run(struct command_turn *command)
{
    const struct stanza *stanza = command->turn->stanza;
    const struct node *at = NULL, *field = form_field(stanza, command->form, "ids");
    struct look look = {.command = command};
    struct span id;
    unsigned count = 0;
    if (!channel_look(command, &look.channel, &look.keeper))
        return;
    while (field != NULL &&
           (id = form_values(stanza, field, &at, &command->turn->server->arena)).bytes != NULL) {
        if (count++ == REVOKE_MAX) {
            command_refuse(command, ERROR_NOT_ACCEPTABLE, "These are too many at once.");
            return;
        }
        if (!revoke_one(&look, id))
            return;
    }
    if (count == 0)
        command_refuse_payload(command, "Choose at least one.");
    else
        command_note(command,
                     count == 1 ? "The invitation is revoked." : "The invitations are revoked.");
}

void mix_revoke_all_run(struct command_turn *command)
{
    struct server *server = command->turn->server;
    struct channel_here channel;
    bool keeper;
    if (!channel_look(command, &channel, &keeper))
        return;
    if (!store_has_room(server->store, CHANNEL_CHANGE_BYTES + INVITE_CHANGE_BYTES)) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return;
    }
    enum store_outcome outcome = channel_invitation_revoke_all(server, &channel);
    if (outcome == STORE_OK)
        command_note(command, "All invitations into the channel are revoked.");
    else
        command_refuse_store(command, outcome);
}
