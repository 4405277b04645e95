/* channel_invitation.c: see channel_invitation.h. */
#include "core/channel_invitation.h"

#include "wire/digest.h"

enum { EXPIRY_BYTES = 4, NONCE_BYTES = 5, MAC_BYTES = 16 };
#define BOUND_BYTES (EXPIRY_BYTES + NONCE_BYTES + MAC_BYTES)
#define PART_MAX 1024 /* of a bare jid */
#define SECOND_US 1000000u

_Static_assert(CHANNEL_BOUND_CHARS == 1 + BOUND_BYTES * 8 / 5, "no bits are left over");

/* --- bound ones --- */

/* Its key is another one after each revocation of all. */
static void bound_key(const struct channel *channel, uint8_t key[DIGEST_BYTES_MAX])
{
    char label[] = "mix-invite-key\0....";
    for (unsigned i = 0; i < 4; i++)
        label[sizeof label - 5 + i] = (char)(channel->revocations >> 8 * i);
    digest_hmac(DIGEST_SHA256, span_of((const char *)channel->secret, sizeof channel->secret),
                span_of(label, sizeof label - 1), key);
}

static void part(struct build *build, struct span text)
{
    build_put(build, text);
    build_put(build, span_of("", 1));
}

static void bound_mac(const struct channel_here *channel, struct span inviter, struct span invitee,
                      const uint8_t *head, uint8_t mac[DIGEST_BYTES_MAX])
{
    char bytes[3 * PART_MAX + 64];
    uint8_t key[DIGEST_BYTES_MAX];
    struct build build = {.bytes = bytes, .size = sizeof bytes};
    part(&build, SPAN("mix-inv1"));
    part(&build, jid_bare(&channel->jid));
    part(&build, inviter);
    part(&build, invitee);
    build_put(&build, span_of((const char *)head, EXPIRY_BYTES + NONCE_BYTES));
    bound_key(&channel->channel, key);
    digest_hmac(DIGEST_SHA256, span_of((const char *)key, sizeof key), build_span(&build), mac);
    secret_forget(key, sizeof key);
}

void channel_bound_make(const struct channel_here *channel, struct span inviter,
                        struct span invitee, uint64_t expires_us, char out[CHANNEL_BOUND_CHARS])
{
    uint8_t bytes[BOUND_BYTES - MAC_BYTES + DIGEST_BYTES_MAX];
    uint64_t seconds = expires_us / SECOND_US;
    for (unsigned i = 0; i < EXPIRY_BYTES; i++)
        bytes[i] = (uint8_t)(seconds >> 8 * (EXPIRY_BYTES - 1 - i));
    plat_random(bytes + EXPIRY_BYTES, NONCE_BYTES);
    bound_mac(channel, inviter, invitee, bytes, bytes + EXPIRY_BYTES + NONCE_BYTES);
    out[0] = 's';
    token_encode(bytes, BOUND_BYTES, out + 1);
}

static bool same(const uint8_t *one, const uint8_t *other, size_t len)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= one[i] ^ other[i];
    return difference == 0;
}

static bool bound_good(const struct server *server, const struct channel_here *channel,
                       const struct channel_presented *presented, struct span who)
{
    uint8_t bytes[BOUND_BYTES], mac[DIGEST_BYTES_MAX];
    uint64_t seconds = 0;
    if (presented->token.len != CHANNEL_BOUND_CHARS || presented->token.bytes[0] != 's' ||
        presented->inviter.len == 0 || presented->inviter.len > PART_MAX ||
        !span_equal(presented->invitee, who) ||
        !span_equal(presented->channel, jid_bare(&channel->jid)) ||
        !token_decode(span_cut(presented->token, 1, presented->token.len), bytes, sizeof bytes))
        return false;
    bound_mac(channel, presented->inviter, who, bytes, mac);
    for (unsigned i = 0; i < EXPIRY_BYTES; i++)
        seconds = seconds << 8 | bytes[i];
    return same(mac, bytes + EXPIRY_BYTES + NONCE_BYTES, MAC_BYTES) &&
           server->wall_us / SECOND_US <= seconds;
}

/* --- both --- */

bool channel_inviter(struct server *server, const struct channel *channel, struct span jid)
{
    enum channel_role role;
    bool banned;
    return channel_role(server, channel, jid, &role, &banned) == STORE_OK &&
           channel_may_invite(channel, role, banned);
}

static bool record_good(struct server *server, const struct channel_here *channel,
                        const struct channel_presented *presented, struct span who,
                        uint8_t hash[INVITE_HASH_BYTES])
{
    struct span token = presented->token;
    struct invite invite;
    struct jid owner;
    if (token.len == CHANNEL_BEARER_CHARS && token.bytes[0] == 'd')
        token = span_cut(token, 1, token.len);
    if (!invitation_enters(server->store, token, jid_bare(&channel->jid), who, server->wall_us,
                           &invite))
        return false;
    if ((presented->channel.bytes != NULL &&
         !span_equal(presented->channel, jid_bare(&channel->jid))) ||
        (presented->invitee.bytes != NULL && !span_equal(presented->invitee, who)))
        return false;
    memcpy(hash, invite.hash, INVITE_HASH_BYTES);
    if (invite.owner.len == 0) /* the command line */
        return presented->inviter.bytes == NULL;
    return jid_of(invite.owner, span_string(config.domain), SPAN_NONE, &server->arena, &owner) &&
           (presented->inviter.bytes == NULL || span_equal(presented->inviter, jid_bare(&owner))) &&
           ((invite.flags & INVITE_TRUSTED) ||
            channel_inviter(server, &channel->channel, jid_bare(&owner)));
}

bool channel_invitation_good(struct server *server, const struct channel_here *channel,
                             const struct channel_presented *presented, struct span who,
                             uint8_t hash[INVITE_HASH_BYTES], bool *is_record)
{
    *is_record = false;
    if (presented->token.len == CHANNEL_BOUND_CHARS)
        return bound_good(server, channel, presented, who) &&
               channel_inviter(server, &channel->channel, presented->inviter);
    return *is_record = record_good(server, channel, presented, who, hash);
}

enum store_outcome channel_invitation_use(struct server *server,
                                          const uint8_t hash[INVITE_HASH_BYTES], struct span who)
{
    struct invite invite;
    enum store_outcome outcome = invite_get(server->store, hash, &invite);
    return outcome == STORE_OK ? invite_use(server->store, &invite, who) : outcome;
}

bool channel_invitation_throttled(struct server *server, struct span who)
{
    return config.rate_limits && throttle_full(&server->tokens, SPAN("mix"), who, server->now_ms);
}

void channel_invitation_failed(struct server *server, struct span who)
{
    if (config.rate_limits)
        throttle_note(&server->tokens, SPAN("mix"), who, server->now_ms);
}

/* --- revoking --- */

enum store_outcome channel_invitation_revoke(struct server *server, struct span channel,
                                             struct invite *invite)
{
    bool more = (invite->flags & (INVITE_ACCOUNT | INVITE_CONTACT)) != 0;
    invite->channels = jid_list_without(invite->channels, channel, &server->arena);
    if (invite->channels.bytes == NULL)
        return STORE_FULL;
    return more || invite->channels.len > 0 ? invite_put(server->store, invite)
                                            : invite_delete(server->store, invite->hash);
}

enum store_outcome channel_invitation_forget(struct server *server, struct span jid)
{
    struct span after = SPAN_NONE;
    struct invite invite;
    uint8_t hash[INVITE_HASH_BYTES];
    enum store_outcome outcome;
    while ((outcome = invite_next(server->store, after, &invite)) == STORE_OK) {
        memcpy(hash, invite.hash, sizeof hash);
        after = span_of((const char *)hash, sizeof hash);
        if (!jid_list_has(invite.channels, jid))
            continue;
        outcome = channel_invitation_revoke(server, jid, &invite);
        if (outcome != STORE_OK)
            return outcome;
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome channel_invitation_revoke_all(struct server *server,
                                                 const struct channel_here *channel)
{
    struct channel changed = channel->channel;
    if (!store_has_room(server->store, CHANNEL_CHANGE_BYTES + INVITE_CHANGE_BYTES))
        return STORE_FULL;
    enum store_outcome outcome = channel_invitation_forget(server, jid_bare(&channel->jid));
    changed.revocations++;
    return outcome == STORE_OK ? channel_put(server->store, channel->local, &changed) : outcome;
}
