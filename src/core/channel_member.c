/* channel_member.c: see channel_member.h. */
#include "core/channel_member.h"

#include "store/memberships.h"

bool channel_address(const struct jid *jid)
{
    struct span local = jid_local(jid);
    return span_is(jid_domain(jid), config.mix_domain) && jid->resource_len == 0 && local.len > 0 &&
           local.len <= CHANNEL_LOCAL_BYTES_MAX && span_find(local, '#') == local.len;
}

struct span channel_participant(struct store *store, struct span local, struct span contact,
                                char id[PARTICIPANT_ID_CHARS])
{
    struct membership membership;
    size_t at = span_find(contact, '@');
    if (at > CHANNEL_LOCAL_BYTES_MAX || at == contact.len ||
        !span_is(span_cut(contact, at + 1, contact.len), config.mix_domain) ||
        membership_get(store, local, span_cut(contact, 0, at), &membership) != STORE_OK ||
        !membership_present(&membership))
        return SPAN_NONE;
    memcpy(id, membership.stays[membership.count - 1].id, PARTICIPANT_ID_CHARS);
    return span_of(id, PARTICIPANT_ID_CHARS);
}

enum channel_outcome channel_quit(struct server *server, const struct jid *who,
                                  const struct jid *channel)
{
    struct channel_here here;
    enum store_outcome outcome = channel_find(server, jid_local(channel), &here);
    if (outcome == STORE_OK)
        return channel_leave(server, &here, who, false);
    if (outcome == STORE_NONE)
        return channel_part(server, who, channel);
    return outcome == STORE_FULL ? CHANNEL_NO_ROOM : CHANNEL_FAILED;
}

/* The first channel that it is in. */
static enum store_outcome channel_first(struct server *server, const struct jid *who,
                                        struct channel_here *out)
{
    struct membership membership;
    struct span name = SPAN_NONE;
    for (;;) {
        enum store_outcome outcome =
            membership_next(server->store, jid_local(who), name, &name, &membership);
        if (outcome != STORE_OK)
            return outcome;
        if (membership_present(&membership) &&
            (outcome = channel_find(server, name, out)) != STORE_NONE)
            return outcome;
    }
}

enum store_outcome channel_quit_next(struct server *server, const struct jid *who)
{
    struct channel_here here;
    enum store_outcome outcome = channel_first(server, who, &here);
    if (outcome != STORE_OK)
        return outcome;
    switch (channel_leave(server, &here, who, false)) {
    case CHANNEL_DONE:
        return STORE_OK;
    case CHANNEL_NO_ROOM:
        return STORE_FULL;
    default:
        return STORE_FAILED;
    }
}
