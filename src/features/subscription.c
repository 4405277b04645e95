/* subscription.c: see subscription.h. First the sender's side goes its step, then the receiver's,
 * then at most one automatic answer goes back. */
#include "features/subscription.h"

#include "core/channel_member.h"
#include "core/contacts.h"
#include "features/subscription_bond.h"
#include "features/subscription_pars.h"

#define REAP_ITEMS 16       /* contacts of deleted accounts in one tick */
#define REAP_RETRY_MS 10000 /* when the store takes nothing */

static bool event_of(struct span type, enum event *out, enum event *in)
{
    static const struct {
        const char *type;
        enum event out, in;
    } events[] = {
        {"subscribe", OUT_SUBSCRIBE, IN_SUBSCRIBE},
        {"subscribed", OUT_SUBSCRIBED, IN_SUBSCRIBED},
        {"unsubscribe", OUT_UNSUBSCRIBE, IN_UNSUBSCRIBE},
        {"unsubscribed", OUT_UNSUBSCRIBED, IN_UNSUBSCRIBED},
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (span_is(type, events[i].type)) {
            *out = events[i].out;
            *in = events[i].in;
            return true;
        }
    return false;
}

/* The stanza as it is kept for the contact. bytes NULL: too long, or no memory. */
static struct span request_build(struct turn *turn, const struct forward *forward,
                                 struct span contact)
{
    struct build build;
    size_t body = forward->body.bytes;
    build_init(&build, &turn->server->arena, ROSTER_REQUEST_BYTES_MAX);
    build_str(&build, "<presence");
    build_attr(&build, "from", forward->from);
    build_attr(&build, "to", contact);
    build_put(&build, forward->tail);
    if (build.full || body > build.size - build.used)
        return SPAN_NONE;
    build.used += rope_peek(&forward->body, build.bytes + build.used, body);
    return build_span(&build);
}

/* Whether both sides have room for it, before either is changed. */
static bool room(struct turn *turn, const struct bond *bond, const struct cell *cell,
                 struct span request)
{
    struct store *store = turn->server->store;
    struct span own = jid_bare(&bond->user), kept;
    struct roster_head head;
    bool creates = !bond->listed && ((cell->next & ~ROSTER_IN) != 0 || (cell->actions & APPROVE));
    if (!contact_has_arena(turn->server) ||
        !store_has_room(store, 2 * ROSTER_CHANGE_BYTES + request.len))
        return false;
    if (creates &&
        (roster_head(store, jid_local(&bond->user), &head) != STORE_OK ||
         !contact_fits(&head, true, roster_weight(jid_bare(&bond->contact), &bond->item))))
        return false;
    return request.bytes == NULL ||
           roster_head(store, jid_local(&bond->contact), &head) != STORE_OK ||
           head.requests < SUBSCRIPTION_REQUESTS_MAX ||
           request_get(store, jid_local(&bond->contact), own, &kept) == STORE_OK;
}

/* The sender's step (A.2), then the receiver's. */
static enum store_outcome send(struct turn *turn, struct bond *bond, enum event out, enum event in,
                               const struct forward *stanza, struct span request)
{
    struct server *server = turn->server;
    const struct cell *cell = &subscription_states[out][bond->relation];
    bool changed;
    enum store_outcome outcome = bond_write(server, bond, cell, SPAN_NONE, &changed);
    if (outcome == STORE_OK && changed)
        outcome = contact_push(server, &bond->user, jid_bare(&bond->contact));
    if (outcome != STORE_OK)
        return outcome;
    if (out == OUT_UNSUBSCRIBE)
        outcome = bond_disagree(server, &bond->user, &bond->contact);
    if (cell->actions & LEAVE) /* SUB-3 */
        contact_farewell(server, &bond->user, &bond->contact);
    if (outcome == STORE_OK && (cell->actions & PASS))
        outcome = bond_arrive(server, &bond->contact, &bond->user, in, stanza, request);
    if (outcome == STORE_OK && (cell->actions & SHOW)) /* SUB-2 */
        contact_greet(server, &bond->user, &bond->contact);
    return outcome;
}

static void tell_sender(struct turn *turn, enum store_outcome outcome)
{
    if (outcome == STORE_FULL)
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    else if (outcome != STORE_OK)
        reply_error(turn, ERROR_INTERNAL_SERVER_ERROR);
}

void subscription_stanza(struct turn *turn)
{
    const struct jid user = jid_to_bare(&turn->session->jid), contact = jid_to_bare(&turn->to);
    struct span request = SPAN_NONE;
    struct forward forward;
    struct invite invite;
    struct bond bond;
    enum event out, in;
    if (!event_of(turn->type, &out, &in) ||
        span_equal(jid_bare(&user), jid_bare(&contact))) /* SUB-7 */
        return;
    enum store_outcome outcome = bond_read(turn->server, &user, &contact, &bond);
    if (outcome != STORE_OK) {
        tell_sender(turn, outcome);
        return;
    }
    struct span token = in == IN_SUBSCRIBE ? pars_token(turn) : SPAN_NONE;
    if (pars_opens(turn, &bond, token, &invite)) {
        tell_sender(turn, pars_redeem(turn, &bond, &invite));
        return;
    }
    if (!forward_begin(turn, &forward))
        return;
    forward.from = jid_bare(&user);
    if (in == IN_SUBSCRIBE)
        request = request_build(turn, &forward, jid_bare(&contact));
    if ((in == IN_SUBSCRIBE && request.bytes == NULL) ||
        !room(turn, &bond, &subscription_states[out][bond.relation], request)) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    } else {
        outcome = send(turn, &bond, out, in, &forward, request);
        if (outcome == STORE_OK && token.bytes != NULL)
            outcome = pars_agree(turn, &bond);
        tell_sender(turn, outcome);
    }
    forward_end(turn, &forward);
}

/* The user's side is gone already: the contact hears it. */
static enum store_outcome take_leave(struct server *server, const struct bond *bond)
{
    enum store_outcome outcome = STORE_OK;
    if (bond->relation & (ROSTER_TO | ROSTER_OUT))
        outcome = bond_arrive(server, &bond->contact, &bond->user, IN_UNSUBSCRIBE, &bond_resigned,
                              SPAN_NONE);
    if (outcome == STORE_OK && (bond->relation & ROSTER_FROM))
        contact_farewell(server, &bond->user, &bond->contact);
    if (outcome == STORE_OK && (bond->relation & (ROSTER_FROM | ROSTER_IN)))
        outcome = bond_arrive(server, &bond->contact, &bond->user, IN_UNSUBSCRIBED, &bond_refused,
                              SPAN_NONE);
    return outcome;
}

enum store_outcome subscription_remove(struct turn *turn, const struct jid *contact)
{
    struct server *server = turn->server;
    const struct jid user = jid_to_bare(&turn->session->jid);
    struct bond bond = {.relation = NONE};
    enum store_outcome outcome = STORE_OK;
    uint64_t version;
    if (contact->resource_len == 0) /* with one it is an item, but nothing stands between them */
        outcome = bond_read(server, &user, contact, &bond);
    if (outcome == STORE_OK)
        outcome = roster_remove(server->store, jid_local(&user), jid_full(contact), &version);
    if (outcome == STORE_OK && (bond.relation & ROSTER_IN))
        outcome = request_delete(server->store, jid_local(&user), jid_bare(contact));
    if (outcome == STORE_OK)
        outcome = bond_disagree(server, &user, contact);
    if (outcome == STORE_OK)
        outcome = contact_push(server, &user, jid_full(contact));
    return outcome == STORE_OK ? take_leave(server, &bond) : outcome;
}

/* One contact, request or tombstone of an account that leaves. STORE_NONE: there was none. */
static enum store_outcome reap(struct server *server, const struct jid *user)
{
    struct store *store = server->store;
    struct span local = jid_local(user), text, stanza;
    struct roster_walk walk;
    struct roster_item item = {0};
    struct jid contact;
    struct bond bond = {.relation = NONE};
    roster_walk_begin(&walk, local);
    enum store_outcome outcome = roster_next(store, &walk, &text, &item);
    if (outcome == STORE_NONE)
        outcome = request_next(store, &walk, &text, &stanza);
    if (outcome != STORE_OK)
        return outcome;
    if (!jid_parse(text, &server->arena, &contact))
        return STORE_FAILED;
    if (contact.resource_len == 0 && !item.removed)
        outcome = bond_read(server, user, &contact, &bond);
    if (outcome == STORE_OK)
        outcome = roster_forget(store, local, text);
    if (outcome == STORE_OK)
        outcome = take_leave(server, &bond);
    return outcome == STORE_FULL ? STORE_OK : outcome; /* deleting goes on in a full store */
}

/* Some of them. STORE_NONE: there are no more. */
static enum store_outcome reap_some(struct server *server, const struct jid *user)
{
    enum store_outcome outcome;
    unsigned done = 0; /* one is always done, even if the store is full */
    do {
        outcome = reap(server, user);
        done++;
    } while (outcome == STORE_OK && done < REAP_ITEMS &&
             store_has_room(server->store, 2 * ROSTER_CHANGE_BYTES));
    return outcome;
}

/* A step of an account's leave: one channel, for which many may be told, or some contacts, or some
 * of what it kept, which makes room where a channel can only be left later. */
static enum store_outcome leave_step(struct server *server, const struct jid *user)
{
    enum store_outcome channels = channel_member_leave_next(server, user); /* PAM-8 */
    if (channels == STORE_OK)
        return STORE_OK;
    enum store_outcome outcome = reap_some(server, user);
    if (outcome != STORE_NONE)
        return outcome;
    if (channels != STORE_FULL)
        return leaving_finish(server->store, jid_local(user));
    outcome = leaving_drop(server->store, jid_local(user));
    return outcome == STORE_NONE ? STORE_FULL : outcome;
}

void subscription_reap(struct server *server)
{
    struct span name;
    struct jid user;
    size_t mark = server->arena.used;
    if (server->now_ms >= server->reap_ms) {
        enum store_outcome outcome = leaving_first(server->store, &name);
        if (outcome == STORE_OK &&
            !jid_of(name, span_string(config.domain), SPAN(""), &server->arena, &user))
            outcome = STORE_FULL;
        if (outcome == STORE_OK)
            outcome = leave_step(server, &user);
        server->reap_ms = outcome == STORE_NONE ? UINT64_MAX
                          : outcome == STORE_OK ? server->now_ms
                                                : server->now_ms + REAP_RETRY_MS;
    }
    if (server->reap_ms != UINT64_MAX)
        session_due(server, server->reap_ms);
    arena_reset(&server->arena, mark);
}
