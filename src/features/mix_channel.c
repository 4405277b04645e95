/* mix_channel.c: see mix_channel.h. */
#include "features/mix_channel.h"

bool mix_channel_find(struct turn *turn, struct span local, struct channel_here *channel,
                      enum channel_role *role)
{
    struct jid asker = jid_to_bare(&turn->session->jid);
    bool banned = false;
    enum store_outcome outcome = channel_find(turn->server, local, channel);
    if (outcome == STORE_OK)
        outcome = channel_role(turn->server, &channel->channel, jid_bare(&asker), role, &banned);
    if (outcome == STORE_OK && channel_visible(*role, banned))
        return true;
    reply_error(turn, outcome == STORE_FULL     ? ERROR_RESOURCE_CONSTRAINT
                      : outcome == STORE_FAILED ? ERROR_INTERNAL_SERVER_ERROR
                                                : ERROR_ITEM_NOT_FOUND);
    return false;
}

void mix_reply(struct turn *turn, const struct build *build)
{
    if (build->full)
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    else
        reply_result(turn, build_span(build));
}
