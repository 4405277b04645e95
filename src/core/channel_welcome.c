/* channel_welcome.c: see channel_welcome.h. */
#include "core/channel_welcome.h"

#include "base/log.h"
#include "core/channel_join.h"

#define NODES (1 << CHANNEL_MESSAGES | 1 << CHANNEL_PARTICIPANTS | 1 << CHANNEL_INFO)

size_t channel_welcome_bytes(struct span channels)
{
    struct span one;
    size_t bytes = 0;
    while (jid_list_next(&channels, &one))
        bytes += CHANNEL_JOIN_BYTES;
    return bytes;
}

bool channel_welcome_keep(struct server *server, const struct invite *invite,
                          struct channel_welcome *welcome)
{
    welcome->bytes = channel_welcome_bytes(invite->channels);
    welcome->channels = arena_copy(&server->arena, invite->channels);
    welcome->owner =
        arena_copy(&server->arena, invite->flags & INVITE_TRUSTED ? SPAN("") : invite->owner);
    return welcome->channels.bytes != NULL && welcome->owner.bytes != NULL;
}

/* Whether the invitation's owner may still bring somebody in. */
static bool owner_may(struct server *server, const struct channel_here *channel, struct span owner)
{
    struct jid jid;
    return owner.len == 0 ||
           (jid_of(owner, span_string(config.domain), SPAN_NONE, &server->arena, &jid) &&
            channel_inviter(server, &channel->channel, jid_bare(&jid)));
}

static bool enter(struct server *server, struct span owner, struct span name,
                  const struct jid *newcomer)
{
    struct channel_joining joining = {.who = *newcomer,
                                      .nick = SPAN_NONE,
                                      .nick_any = true,
                                      .invited = true,
                                      .nodes = NODES,
                                      .nodes_asked = true};
    struct channel_here channel;
    struct jid jid;
    return jid_parse(name, &server->arena, &jid) && span_is(jid_domain(&jid), config.mix_domain) &&
           channel_find(server, jid_local(&jid), &channel) == STORE_OK &&
           owner_may(server, &channel, owner) &&
           channel_join(server, &channel, &joining) == CHANNEL_DONE;
}

void channel_welcome(struct server *server, const struct channel_welcome *welcome,
                     const struct jid *newcomer)
{
    struct span channels = welcome->channels, one;
    while (jid_list_next(&channels, &one)) {
        size_t mark = server->arena.used;
        if (!enter(server, welcome->owner, one, newcomer))
            log_line(LOG_NOTE, "'%.*s' came by an invitation into %.*s, which could not be entered",
                     newcomer->local_len, newcomer->text, (int)one.len, one.bytes);
        arena_reset(&server->arena, mark);
    }
}
