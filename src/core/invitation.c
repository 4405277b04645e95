/* invitation.c: see invitation.h. */
#include "core/invitation.h"

#include "base/log.h"
#include "base/must.h"
#include "core/contacts.h"
#include "core/username.h"
#include "store/accounts.h"
#include "wire/uri.h"

#define SECOND_US 1000000u

_Static_assert(TOKEN_HASH_BYTES == INVITE_HASH_BYTES, "they are kept by the hash of the token");

/* --- making --- */

/* The wish with what it leaves open filled in. */
static struct invite invite_of(const struct invitation_wish *wish, uint64_t now_us)
{
    uint64_t seconds = wish->seconds == 0 ? config.invite_lifetime : wish->seconds;
    uint16_t uses = wish->uses == 0 ? 1 : wish->uses;
    if (!wish->unlimited && seconds > config.invite_lifetime)
        seconds = config.invite_lifetime;
    if (seconds > (UINT64_MAX - now_us) / SECOND_US)
        seconds = (UINT64_MAX - now_us) / SECOND_US;
    if (uses > INVITE_USES_MAX)
        uses = INVITE_USES_MAX;
    return (struct invite){
        .flags = wish->flags,
        .made_us = now_us,
        .expires_us = now_us + seconds * SECOND_US,     /* INV-3 */
        .uses_left = wish->username.len > 0 ? 1 : uses, /* a name can be had once */
        .owner = wish->owner,
        .username = wish->username,
        .note = wish->note,
        .channels = wish->channels,
    };
}

enum invitation_outcome invitation_make(struct store *store, const struct invitation_wish *wish,
                                        uint64_t now_us, char token[TOKEN_CHARS],
                                        struct invite *made)
{
    unsigned count = 0;
    must(wish->owner.len > 0 || !(wish->flags & INVITE_CONTACT));
    if (!wish->unlimited && invite_count_of(store, wish->owner, now_us, &count) != STORE_OK)
        return INVITATION_FAILED;
    if (!wish->unlimited && count >= config.invites_per_account) /* INV-5 */
        return INVITATION_TOO_MANY;
    if (wish->username.len > 0) { /* INV-8 */
        enum username_fate fate = username_look(store, wish->username, now_us, NULL, false);
        if (fate != USERNAME_FREE)
            return fate == USERNAME_TAKEN ? INVITATION_NAME_TAKEN : INVITATION_FAILED;
    }
    if (!store_has_room(store, INVITE_CHANGE_BYTES))
        return INVITATION_NO_ROOM;
    *made = invite_of(wish, now_us);
    token_make(token);
    token_hash(span_of(token, TOKEN_CHARS), made->hash);
    memcpy(made->start, token, INVITE_START_CHARS);
    enum store_outcome outcome = invite_put(store, made);
    return outcome == STORE_OK     ? INVITATION_MADE
           : outcome == STORE_FULL ? INVITATION_TOO_MANY /* there was room: of INVITES_MAX */
                                   : INVITATION_FAILED;
}

bool invitation_throttled(struct server *server, struct span local)
{
    return config.rate_limits &&
           throttle_full(&server->invitations, SPAN("invitation"), local, server->now_ms);
}

void invitation_note(struct server *server, struct span local)
{
    throttle_note(&server->invitations, SPAN("invitation"), local, server->now_ms);
}

/* It lets into channels and does nothing else: its token has a letter before it that says so. */
static bool only_enters(const struct invite *invite)
{
    return !(invite->flags & (INVITE_ACCOUNT | INVITE_CONTACT));
}

struct span invitation_start(const struct invite *invite, char out[INVITATION_START_CHARS])
{
    size_t letter = only_enters(invite);
    out[0] = 'd';
    memcpy(out + letter, invite->start, INVITE_START_CHARS);
    return span_of(out, letter + INVITE_START_CHARS);
}

/* MT-7: into the first of the channels; with the letter that says what kind of token it is. */
static void channel_link(struct build *build, struct span channels, struct span token)
{
    struct span jid = span_cut(channels, 0, span_find(channels, '\0'));
    size_t at = span_find(jid, '@');
    char text[1 + TOKEN_CHARS] = "d";
    must(token.len == TOKEN_CHARS);
    memcpy(text + 1, token.bytes, TOKEN_CHARS);
    uri_channel(build, span_cut(jid, 0, at), span_cut(jid, at + 1, jid.len),
                span_of(text, sizeof text));
}

void invitation_link(struct build *build, const struct invite *invite, struct span token)
{
    bool contact = (invite->flags & INVITE_CONTACT) && invite->username.len == 0;
    if (only_enters(invite)) {
        channel_link(build, invite->channels, token);
        return;
    }
    const struct uri_invitation link = {
        .contact = contact,
        .local = contact ? invite->owner : invite->username,
        .domain = span_string(config.domain),
        .token = token,
        .may_register = contact && (invite->flags & INVITE_ACCOUNT),
    };
    uri_invitation(build, &link);
}

/* --- finding --- */

void invitation_id(const struct invite *invite, char out[INVITATION_ID_CHARS])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < INVITATION_ID_CHARS; i++)
        out[i] = digits[invite->hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
}

enum store_outcome invitation_find(struct store *store, struct span id, struct span owner,
                                   struct invite *out)
{
    struct invite invite;
    struct span after = SPAN_NONE;
    enum store_outcome outcome;
    bool found = false;
    while ((outcome = invite_next(store, after, &invite)) == STORE_OK) {
        char text[INVITATION_ID_CHARS];
        after = span_of((const char *)invite.hash, sizeof invite.hash);
        invitation_id(&invite, text);
        if (!span_equal(span_of(text, sizeof text), id) ||
            (owner.bytes != NULL && !span_equal(invite.owner, owner)))
            continue;
        if (found)
            return STORE_EXISTS;
        found = true;
        *out = invite;
    }
    return outcome == STORE_NONE && found ? STORE_OK : outcome;
}

/* The doors of an account are closed with it: of those it made more may be left than were deleted
 * with it, and whoever is locked out lets nobody in. */
static bool owner_stands(struct store *store, struct span owner)
{
    struct account account;
    return owner.len == 0 ||
           (account_get(store, owner, &account) == STORE_OK && !(account.flags & ACCOUNT_DISABLED));
}

/* Whether such a token was made, and is still to be had. */
static bool opens(struct store *store, struct span token, uint64_t now_us, struct invite *out)
{
    char text[TOKEN_CHARS];
    uint8_t hash[INVITE_HASH_BYTES];
    if (!token_read(token, text))
        return false;
    token_hash(span_of(text, sizeof text), hash);
    return invite_get(store, hash, out) == STORE_OK && now_us < out->expires_us &&
           out->uses_left > 0 && owner_stands(store, out->owner);
}

bool invitation_opens(struct store *store, struct span token, uint64_t now_us, struct invite *out)
{
    return opens(store, token, now_us, out) && (out->flags & INVITE_ACCOUNT);
}

bool invitation_enters(struct store *store, struct span token, struct span channel, struct span who,
                       uint64_t now_us, struct invite *out)
{
    return opens(store, token, now_us, out) && jid_list_has(out->channels, channel) &&
           (out->bound.len == 0 || span_equal(out->bound, who)); /* INV-4 */
}

bool invitation_befriends(struct store *store, struct span token, struct span owner,
                          struct span who, uint64_t now_us, struct invite *out)
{
    return opens(store, token, now_us, out) && (out->flags & INVITE_CONTACT) &&
           span_equal(out->owner, owner) &&
           (out->bound.len == 0 || span_equal(out->bound, who)) && /* INV-4 */
           !invite_used_by(out, who);
}

/* --- redeeming --- */

static bool roster_takes(struct store *store, const struct jid *user, const struct jid *contact)
{
    struct roster_item item = {0};
    struct roster_head head;
    enum store_outcome outcome = roster_get(store, jid_local(user), jid_bare(contact), &item);
    return outcome == STORE_OK ||
           (outcome == STORE_NONE && roster_head(store, jid_local(user), &head) == STORE_OK &&
            contact_fits(&head, true, roster_weight(jid_bare(contact), &item)));
}

bool invitation_fits(struct store *store, const struct jid *one, const struct jid *other)
{
    return roster_takes(store, one, other) && roster_takes(store, other, one);
}

/* The item is made if there is none; name and groups are kept. */
static enum store_outcome item_both(struct store *store, const struct jid *user,
                                    const struct jid *contact)
{
    struct span local = jid_local(user), text = jid_bare(contact), request;
    struct roster_item item = {0};
    enum store_outcome outcome = roster_get(store, local, text, &item);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    item.state = ROSTER_TO | ROSTER_FROM;
    item.approved = false;
    outcome = roster_put(store, local, text, &item);
    if (outcome == STORE_OK && request_get(store, local, text, &request) == STORE_OK)
        outcome = request_delete(store, local, text);
    return outcome;
}

/* INV-22. */
static enum store_outcome befriend(struct server *server, const struct jid *owner,
                                   const struct jid *newcomer)
{
    struct store *store = server->store;
    if (!invitation_fits(store, owner, newcomer)) {
        log_line(LOG_NOTE, "'%.*s' came by invitation, but the roster of '%.*s' is full",
                 newcomer->local_len, newcomer->text, owner->local_len, owner->text);
        return STORE_OK;
    }
    enum store_outcome outcome = item_both(store, owner, newcomer);
    if (outcome == STORE_OK)
        outcome = item_both(store, newcomer, owner);
    if (outcome == STORE_OK)
        outcome = contact_push(server, owner, jid_bare(newcomer));
    return outcome == STORE_FULL ? STORE_OK : outcome; /* of the push: what is written stands */
}

enum store_outcome invitation_redeem_account(struct server *server,
                                             const uint8_t hash[INVITE_HASH_BYTES],
                                             const struct jid *newcomer, bool *is_admin)
{
    struct store *store = server->store;
    struct invite invite;
    struct account account;
    struct jid owner = {0};
    enum store_outcome outcome = invite_get(store, hash, &invite);
    if (outcome != STORE_OK)
        return outcome;
    if (invite.uses_left == 0 ||
        (invite.bound.len > 0 && !span_equal(invite.bound, jid_bare(newcomer))))
        return STORE_NONE;
    bool befriends = (invite.flags & INVITE_CONTACT) &&
                     !span_equal(invite.owner, jid_local(newcomer)) &&
                     account_get(store, invite.owner, &account) == STORE_OK;
    if (!contact_has_arena(server) || !store_has_room(store, INVITATION_REDEEM_BYTES) ||
        (befriends &&
         !jid_of(invite.owner, span_string(config.domain), SPAN(""), &server->arena, &owner)))
        return STORE_FULL;
    *is_admin = (invite.flags & INVITE_ADMIN) != 0;
    outcome = invite_use(store, &invite, jid_bare(newcomer));
    return outcome == STORE_OK && befriends ? befriend(server, &owner, newcomer) : outcome;
}
