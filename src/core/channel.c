/* channel.c: see channel.h. */
#include "core/channel.h"

#include "store/accounts.h"
#include "store/record.h"
#include "wire/digest.h"
#include "wire/names.h"

static const char *const node_names[CHANNEL_NODES] = {
    [CHANNEL_MESSAGES] = NS_MIX_NODES "messages",
    [CHANNEL_PARTICIPANTS] = NS_MIX_NODES "participants",
    [CHANNEL_INFO] = NS_MIX_NODES "info",
    [CHANNEL_ALLOWED] = NS_MIX_NODES "allowed",
    [CHANNEL_BANNED] = NS_MIX_NODES "banned",
    [CHANNEL_CONFIG] = NS_MIX_NODES "config",
};

enum channel_node channel_node_of(struct span name)
{
    enum channel_node node = CHANNEL_MESSAGES;
    while (node < CHANNEL_NODES && !span_is(name, node_names[node]))
        node++;
    return node;
}

struct span channel_node_name(enum channel_node node)
{
    return span_string(node_names[node]);
}

bool channel_node_there(const struct channel *channel, enum channel_node node)
{
    return node != CHANNEL_ALLOWED || (channel->flags & CHANNEL_PRIVATE);
}

bool channel_jid(struct server *server, struct span local, struct jid *out)
{
    return jid_of(local, span_string(config.mix_domain), SPAN(""), &server->arena, out);
}

enum store_outcome channel_find(struct server *server, struct span local, struct channel_here *out)
{
    struct channel *channel = &out->channel;
    struct span *const texts[] = {&channel->name,   &channel->description, &channel->contacts,
                                  &channel->owners, &channel->admins,      &channel->changed_by};
    enum store_outcome outcome = channel_get(server->store, local, channel);
    if (outcome != STORE_OK)
        return outcome;
    if (channel->flags & CHANNEL_ENDING)
        return STORE_NONE;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = arena_copy(&server->arena, *texts[i]);
        if (texts[i]->bytes == NULL)
            return STORE_FULL;
    }
    if (!channel_jid(server, local, &out->jid))
        return STORE_FULL;
    out->local = jid_local(&out->jid);
    return STORE_OK;
}

bool channel_id_of(struct server *server, const struct channel *channel, struct span jid,
                   char id[PARTICIPANT_ID_CHARS])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t mac[DIGEST_BYTES_MAX];
    uint8_t data[ACCOUNT_LOCAL_BYTES_MAX + 1 + CONFIG_TEXT_MAX + 9];
    struct account account;
    size_t at = span_find(jid, '@');
    if (at == jid.len || at > ACCOUNT_LOCAL_BYTES_MAX ||
        !span_is(span_cut(jid, at + 1, jid.len), config.domain) ||
        account_get(server->store, span_cut(jid, 0, at), &account) != STORE_OK)
        return false;
    memcpy(data, jid.bytes, jid.len);
    data[jid.len] = 0;
    record_number_put(data + jid.len + 1, 8, account.made_us); /* who comes after is another */
    digest_hmac(DIGEST_SHA256, span_of((const char *)channel->secret, CHANNEL_SECRET_BYTES),
                span_of((const char *)data, jid.len + 9), mac);
    for (size_t i = 0; i < PARTICIPANT_ID_CHARS; i++)
        id[i] = digits[mac[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
    return true;
}

/* By itself or by its domain (MX-21). */
static enum store_outcome entry_match(struct server *server, const struct channel *channel,
                                      enum channel_list list, struct span jid)
{
    enum store_outcome outcome = channel_entry_get(server->store, channel->id, list, jid);
    size_t at = span_find(jid, '@');
    if (outcome == STORE_NONE && at < jid.len)
        outcome =
            channel_entry_get(server->store, channel->id, list, span_cut(jid, at + 1, jid.len));
    return outcome;
}

/* Of those who are neither owners nor administrators. */
static enum store_outcome role_of_others(struct server *server, const struct channel *channel,
                                         struct span jid, enum channel_role *role, bool *banned)
{
    char id[PARTICIPANT_ID_CHARS];
    struct participant participant;
    enum store_outcome outcome = entry_match(server, channel, CHANNEL_LIST_BANNED, jid);
    *banned = outcome == STORE_OK;
    if (outcome != STORE_NONE)
        return outcome;
    if (channel_id_of(server, channel, jid, id))
        outcome = participant_get(server->store, channel->id, id, &participant);
    if (outcome != STORE_NONE) {
        *role = ROLE_PARTICIPANT;
        return outcome;
    }
    if (channel->flags & CHANNEL_PRIVATE)
        outcome = entry_match(server, channel, CHANNEL_LIST_ALLOWED, jid);
    if (outcome == STORE_OK || !(channel->flags & CHANNEL_PRIVATE))
        *role = ROLE_ALLOWED;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome channel_role(struct server *server, const struct channel *channel,
                                struct span jid, enum channel_role *role, bool *banned)
{
    *role = ROLE_ANYONE;
    *banned = false;
    if (jid_list_has(channel->owners, jid))
        *role = ROLE_OWNER;
    else if (jid_list_has(channel->admins, jid))
        *role = ROLE_ADMIN;
    return *role == ROLE_ANYONE ? role_of_others(server, channel, jid, role, banned) : STORE_OK;
}

enum store_outcome channel_find_for(struct server *server, struct span local, struct span jid,
                                    struct channel_here *out, enum channel_role *role)
{
    bool banned = false;
    enum store_outcome outcome = channel_find(server, local, out);
    if (outcome == STORE_OK)
        outcome = channel_role(server, &out->channel, jid, role, &banned);
    return outcome == STORE_OK && !channel_visible(*role, banned) ? STORE_NONE : outcome;
}

bool channel_may_invite(const struct channel *channel, enum channel_role role, bool banned)
{
    return !banned &&
           channel_may(role, channel->flags & CHANNEL_INVITE_ALL ? ROLE_PARTICIPANT : ROLE_ADMIN);
}

struct span channel_archive_name(uint64_t channel, char out[CHANNEL_ARCHIVE_NAME_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\x01';
    for (unsigned i = 0; i < CHANNEL_ARCHIVE_NAME_BYTES - 1; i++)
        out[1 + i] = digits[channel >> (60 - 4 * i) & 0xf];
    return span_of(out, CHANNEL_ARCHIVE_NAME_BYTES);
}
