/* commands_channel.c: see commands_channel.h. Who may invite sees and revokes what is his own, who
 * keeps the channel everybody's. */
#include "features/commands_channel.h"

#include "core/channel_invitation.h"
#include "features/commands_invitations.h"
#include "wire/names.h"

/* The channel, and which of its invitations who asks may see: adhoc_allowed has looked. false: it
 * was refused. */
static bool channel_look(struct command_turn *command, struct channel_here *channel,
                         struct invitations *invitations)
{
    struct turn *turn = command->turn;
    enum channel_role role;
    enum store_outcome outcome = channel_find_for(turn->server, jid_local(&turn->to),
                                                  jid_bare(&turn->session->jid), channel, &role);
    if (outcome != STORE_OK) {
        command_refuse_store(command, outcome);
        return false;
    }
    *invitations = (struct invitations){
        .command = command,
        .owner = role >= ROLE_ADMIN ? SPAN_NONE : invitations_asker(command),
        .channel = jid_bare(&channel->jid),
    };
    return true;
}

/* --- making --- */

static uint64_t days_max(void)
{
    return config.invite_lifetime / INVITATION_DAY_SECONDS;
}

void channel_invite_ask(struct command_turn *command)
{
    struct build *build = &command->build;
    form_begin(build, "form", "Invite into the channel",
               "Makes a link to be sent to whom you invite.", NODE_MIX);
    form_put(build, "text-single", "uses", "How often it can be used", SPAN("1"), false);
    if (days_max() > 0)
        form_put(build, "text-single", "expire-days", "Valid for so many days", SPAN_NONE, false);
    form_end(build);
}

void channel_invite_run(struct command_turn *command)
{
    struct channel_here channel;
    struct invitations invitations;
    struct build channels;
    uint64_t uses = 1, days = 0;
    if (!channel_look(command, &channel, &invitations) ||
        !command_number(command, "uses", INVITE_USES_MAX, &uses) ||
        !command_number(command, "expire-days", days_max(), &days))
        return;
    build_init(&channels, &command->turn->server->arena, jid_bare_len(&channel.jid) + 1);
    jid_list_put(&channels, jid_bare(&channel.jid));
    if (channels.full) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return;
    }
    struct invitation_wish wish = {.channels = build_span(&channels),
                                   .uses = (uint16_t)uses,
                                   .seconds = days * INVITATION_DAY_SECONDS};
    invitations_make(command, &wish, NODE_MIX, false);
}

/* --- listing and revoking --- */

void channel_list_run(struct command_turn *command)
{
    struct channel_here channel;
    struct invitations invitations;
    if (channel_look(command, &channel, &invitations))
        invitations_list(&invitations, NODE_MIX);
}

void channel_revoke_ask(struct command_turn *command)
{
    struct channel_here channel;
    struct invitations invitations;
    if (channel_look(command, &channel, &invitations))
        invitations_choose(&invitations, NODE_MIX);
}

static enum store_outcome revoke(const struct invitations *invitations, struct invite *invite)
{
    return channel_invitation_revoke(invitations->command->turn->server, invitations->channel,
                                     invite);
}

void channel_revoke_run(struct command_turn *command)
{
    struct channel_here channel;
    struct invitations invitations;
    if (channel_look(command, &channel, &invitations))
        invitations_revoke(&invitations, revoke);
}

void channel_revoke_all_run(struct command_turn *command)
{
    struct channel_here channel;
    struct invitations invitations;
    if (!channel_look(command, &channel, &invitations))
        return;
    enum store_outcome outcome = channel_invitation_revoke_all(command->turn->server, &channel);
    if (outcome == STORE_OK)
        command_note(command, "All invitations into the channel are revoked.");
    else
        command_refuse_store(command, outcome);
}
