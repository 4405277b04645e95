/* channel_welcome.c: see channel_welcome.h. */
#include "core/channel_welcome.h"

#include "base/log.h"
#include "core/channel_join.h"

#define NODES (1 << CHANNEL_MESSAGES | 1 << CHANNEL_PARTICIPANTS | 1 << CHANNEL_INFO)

static bool copy(struct server *server, struct span from, struct span *to)
{
    char *bytes = arena_take(&server->arena, from.len + 1);
    if (bytes == NULL)
        return false;
    if (from.len > 0)
        memcpy(bytes, from.bytes, from.len);
    *to = span_of(bytes, from.len);
    return true;
}

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
    return copy(server, invite->channels, &welcome->channels) &&
           copy(server, invite->flags & INVITE_TRUSTED ? SPAN("") : invite->owner, &welcome->owner);
}

/* Whether the invitation's owner may still bring somebody in. */
static bool owner_may(struct server *server, const struct channel_here *channel, struct span owner)
{
    enum channel_role role;
    struct jid jid;
    bool banned;
    return owner.len == 0 ||
           (jid_of(owner, span_string(config.domain), SPAN_NONE, &server->arena, &jid) &&
            channel_role(server, &channel->channel, jid_bare(&jid), &role, &banned) == STORE_OK &&
            channel_may_invite(&channel->channel, role, banned));
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
