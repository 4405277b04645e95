/* subscription_pars.c: see subscription_pars.h. The guest is who sends the token, the host who made
 * it. Both are accounts of this server, so that all of it happens in one turn and one commit. */
#include "features/subscription_pars.h"

#include "base/log.h"
#include "core/channel_welcome.h"
#include "core/contacts.h"
#include "features/subscription.h"
#include "store/consents.h"
#include "wire/names.h"

#define TOKEN_BYTES_MAX 128 /* INV-14 */
#define CONSENT_US (CONSENT_DAYS * UINT64_C(86400000000))
/* What a request that the server writes itself takes. */
#define REQUEST_BYTES_MAX (64 + 2 * BUILD_ESCAPED_MAX(SESSION_JID_BYTES))

/* Where the two are to stand in the end. */
struct pact {
    const struct jid *guest;
    const struct jid *host;
    uint8_t guest_next; /* enum relation */
    uint8_t host_next;
    bool tells_guest; /* the host's presence is news for the guest */
    bool tells_host;
    bool asks; /* the guest's client is to decide whether the host may hear of it */
};

struct span pars_token(const struct turn *turn)
{
    const struct node *preauth =
        stanza_child(turn->stanza, stanza_root(turn->stanza), NS_PARS, "preauth");
    struct span token =
        preauth == NULL ? SPAN_NONE : stanza_attribute(turn->stanza, preauth, "token");
    return token.len > 0 ? token : SPAN_NONE;
}

/* Steps 5 and 6. known: the door is open already (steps 3 and 4); then only channels that the
 * invitation lets into are a reason to use it (MT-8), and nothing is held against who has none. */
static bool is_good(struct server *server, const struct bond *bond, struct span token, bool known,
                    struct invite *invite)
{
    struct span guest = jid_bare(&bond->user);
    if (config.rate_limits &&
        throttle_full(&server->tokens, SPAN("pars"), guest, server->now_ms)) /* INV-16 */
        return false;
    if (token.len <= TOKEN_BYTES_MAX &&
        invitation_befriends(server->store, token, jid_local(&bond->contact), guest,
                             server->wall_us, invite))
        return !known || invite->channels.len > 0;
    if (config.rate_limits && !known)
        throttle_note(&server->tokens, SPAN("pars"), guest, server->now_ms);
    return false;
}

/* Where the guest decides, the host's request is kept for it (SUB-4). */
static bool request_fits(struct server *server, const struct jid *guest)
{
    struct roster_head head;
    return config.invite_mutual ||
           (roster_head(server->store, jid_local(guest), &head) == STORE_OK &&
            head.requests < SUBSCRIPTION_REQUESTS_MAX);
}

bool pars_opens(struct turn *turn, const struct bond *bond, struct span token,
                struct invite *invite)
{
    struct server *server = turn->server;
    struct bond host;
    if (token.bytes == NULL || !bond_account_exists(server, &bond->contact) ||
        bond_read(server, &bond->contact, &bond->user, &host) != STORE_OK)
        return false;
    bool known = (host.relation & ROSTER_FROM) || host.item.approved; /* steps 3 and 4 */
    return is_good(server, bond, token, known, invite) && contact_has_arena(server) &&
           store_has_room(server->store,
                          INVITATION_REDEEM_BYTES + channel_welcome_bytes(invite->channels)) &&
           invitation_fits(server->store, &bond->user, &bond->contact) &&
           request_fits(server, &bond->user);
}

/* The guest asks, like anybody (A.2). */
static enum store_outcome ask(struct server *server, struct bond *guest)
{
    bool changed;
    enum store_outcome outcome = bond_write(
        server, guest, &subscription_states[OUT_SUBSCRIBE][guest->relation], SPAN_NONE, &changed);
    return outcome == STORE_OK && changed
               ? contact_push(server, &guest->user, jid_bare(&guest->contact))
               : outcome;
}

/* Step 7. The host lets the guest in; the guest has agreed to the same, by having opened the link
 * (INV-13) or in so many words (RFC 6121 3.4). */
static struct pact pact_of(const struct bond *guest, const struct bond *host)
{
    bool agreed =
        config.invite_mutual || guest->item.approved || (guest->relation & ROSTER_FROM) != 0;
    bool hears = (host->relation & ROSTER_TO) != 0;
    struct pact pact = {
        .guest = &guest->user,
        .host = &host->user,
        .guest_next = agreed ? BOTH : subscription_states[IN_SUBSCRIBED][guest->relation].next,
        .host_next = hears || agreed ? BOTH : FROM_OUT,
        .tells_guest = !(guest->relation & ROSTER_TO),
        .tells_host = agreed && !hears,
        .asks = !agreed && !hears && !(host->relation & ROSTER_OUT),
    };
    return pact;
}

static enum store_outcome settle(struct server *server, const struct jid *user,
                                 const struct jid *contact, uint8_t next)
{
    const struct cell cell = {next, REVOKE};
    struct bond bond;
    bool changed;
    enum store_outcome outcome = bond_read(server, user, contact, &bond);
    return outcome == STORE_OK ? bond_write(server, &bond, &cell, SPAN_NONE, &changed) : outcome;
}

/* What one side hears: that the other has said yes (RFC 6121 3.1.6: before the push), the item as
 * it stands now, the other's presence. */
static enum store_outcome tell(struct server *server, const struct jid *user,
                               const struct jid *contact, bool accepted)
{
    if (accepted)
        bond_deliver(server, user, contact, IN_SUBSCRIBED, &bond_accepted);
    enum store_outcome outcome = contact_push(server, user, jid_bare(contact));
    if (outcome == STORE_OK && accepted)
        contact_greet(server, contact, user);
    return outcome;
}

/* The host's own request, which waits for the guest's client. */
static enum store_outcome ask_back(struct server *server, const struct jid *guest,
                                   const struct jid *host)
{
    struct build build;
    build_init(&build, &server->arena, REQUEST_BYTES_MAX);
    build_str(&build, "<presence");
    build_attr(&build, "from", jid_bare(host));
    build_attr(&build, "to", jid_bare(guest));
    build_put(&build, bond_asking.tail);
    struct span request = build_span(&build);
    return request.bytes == NULL
               ? STORE_FULL
               : bond_arrive(server, guest, host, IN_SUBSCRIBE, &bond_asking, request);
}

enum store_outcome pars_redeem(struct turn *turn, const struct bond *bond,
                               const struct invite *invite)
{
    struct server *server = turn->server;
    const struct jid *user = &bond->user, *contact = &bond->contact;
    struct channel_welcome welcome;
    struct bond guest, host;
    struct pact pact;
    if (!channel_welcome_keep(server, invite, &welcome))
        return STORE_FULL;
    enum store_outcome outcome = invite_use(server->store, invite, jid_bare(user));
    if (outcome == STORE_OK)
        outcome = bond_read(server, user, contact, &guest);
    if (outcome == STORE_OK)
        outcome = ask(server, &guest);
    if (outcome == STORE_OK)
        outcome = bond_read(server, contact, user, &host);
    if (outcome != STORE_OK)
        return outcome;
    pact = pact_of(&guest, &host);
    outcome = settle(server, contact, user, pact.host_next);
    if (outcome == STORE_OK)
        outcome = settle(server, user, contact, pact.guest_next);
    if (outcome == STORE_OK)
        outcome = tell(server, contact, user, pact.tells_host);
    if (outcome == STORE_OK)
        outcome = tell(server, user, contact, pact.tells_guest);
    if (outcome == STORE_OK && pact.asks)
        outcome = ask_back(server, user, contact);
    if (outcome == STORE_OK)
        channel_welcome(server, &welcome, user);
    if (outcome == STORE_OK)
        log_line(LOG_NOTE, "'%.*s' has used an invitation of '%.*s'", user->local_len, user->text,
                 contact->local_len, contact->text);
    return outcome;
}

enum store_outcome pars_agree(struct turn *turn, const struct bond *bond)
{
    struct server *server = turn->server;
    if (!config.invite_mutual || (bond->relation & ROSTER_FROM) ||
        !bond_account_exists(server, &bond->contact))
        return STORE_OK;
    enum store_outcome outcome =
        consent_put(server->store, jid_local(&bond->user), jid_bare(&bond->contact),
                    server->wall_us + CONSENT_US);
    return outcome == STORE_FULL ? STORE_OK : outcome; /* then its client is asked */
}
