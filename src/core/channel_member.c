/* channel_member.c: see channel_member.h. */
#include "core/channel_member.h"

#include "store/memberships.h"

bool channel_address(const struct jid *jid)
{
    struct span local = jid_local(jid);
    return span_is(jid_domain(jid), config.mix_domain) && jid->resource_len == 0 && local.len > 0 &&
           local.len <= CHANNEL_LOCAL_BYTES_MAX && span_find(local, '#') == local.len;
}

struct span channel_member_id(struct store *store, struct span local, struct span contact,
                              char id[PARTICIPANT_ID_CHARS])
{
    struct membership membership;
    const struct stay *stay;
    size_t at = span_find(contact, '@');
    if (at > CHANNEL_LOCAL_BYTES_MAX || at == contact.len ||
        !span_is(span_cut(contact, at + 1, contact.len), config.mix_domain) ||
        membership_get(store, local, span_cut(contact, 0, at), &membership) != STORE_OK ||
        (stay = membership_stay(&membership)) == NULL)
        return SPAN_NONE;
    memcpy(id, stay->id, PARTICIPANT_ID_CHARS);
    return span_of(id, PARTICIPANT_ID_CHARS);
}

enum channel_outcome channel_member_leave(struct server *server, const struct jid *who,
                                          const struct jid *channel)
{
    struct channel_here here;
    enum store_outcome outcome = channel_find(server, jid_local(channel), &here);
    if (outcome == STORE_OK)
        return channel_leave(server, &here, who, false);
    if (outcome == STORE_NONE)
        return channel_member_end(server, who, channel);
    return channel_outcome(outcome);
}

static bool channel_knows(struct store *store, const struct channel *channel, struct span jid)
{
    return jid_list_has(channel->owners, jid) || jid_list_has(channel->admins, jid) ||
           jid_list_has(channel->contacts, jid) ||
           channel_entry_get(store, channel->id, CHANNEL_LIST_ALLOWED, jid) == STORE_OK;
}

/* The first channel to which it is somebody. */
static enum store_outcome channel_of_role(struct server *server, struct span jid,
                                          struct channel_here *out)
{
    struct channel channel;
    struct span local = SPAN_NONE;
    enum store_outcome outcome;
    do
        outcome = channel_next(server->store, local, &local, &channel);
    while (outcome == STORE_OK &&
           (channel.flags & CHANNEL_ENDING || !channel_knows(server->store, &channel, jid)));
    return outcome == STORE_OK ? channel_find(server, local, out) : outcome;
}

static enum store_outcome role_end(struct server *server, const struct channel_here *here,
                                   struct span jid)
{
    struct channel channel = here->channel;
    struct span heir = span_string(config.domain), rest;
    channel.owners = jid_list_without(channel.owners, jid, &server->arena);
    channel.contacts = jid_list_without(channel.contacts, jid, &server->arena);
    rest = channel.admins = jid_list_without(channel.admins, jid, &server->arena);
    if (channel.owners.bytes == NULL || channel.contacts.bytes == NULL ||
        channel.admins.bytes == NULL || !store_has_room(server->store, CHANNEL_CHANGE_BYTES))
        return STORE_FULL;
    if (channel.owners.len == 0) {
        bool has_heir = jid_list_next(&rest, &heir);
        channel.owners = span_of(heir.bytes, heir.len + 1);
        if (has_heir)
            channel.admins = rest;
    }
    enum store_outcome outcome = channel_put(server->store, here->local, &channel);
    if (outcome == STORE_OK)
        outcome = channel_entry_delete(server->store, channel.id, CHANNEL_LIST_ALLOWED, jid);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome channel_member_leave_next(struct server *server, const struct jid *who)
{
    struct membership membership;
    struct channel_here here;
    struct span name;
    struct jid channel;
    enum store_outcome outcome =
        membership_first_present(server->store, jid_local(who), &name, &membership);
    if (outcome == STORE_NONE) {
        outcome = channel_of_role(server, jid_bare(who), &here);
        return outcome == STORE_OK ? role_end(server, &here, jid_bare(who)) : outcome;
    }
    if (outcome != STORE_OK)
        return outcome;
    if (!channel_jid(server, name, &channel))
        return STORE_FULL;
    switch (channel_member_leave(server, who, &channel)) {
    case CHANNEL_DONE:
        return STORE_OK;
    case CHANNEL_NO_ROOM:
        return STORE_FULL;
    default:
        return STORE_FAILED;
    }
}
