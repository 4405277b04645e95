/* subscription_bond.c: see subscription_bond.h. */
#include "features/subscription_bond.h"

#include "core/contacts.h"
#include "store/accounts.h"
#include "store/consents.h"

#define TAIL(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
const struct forward bond_asking = {.name = "presence", .tail = TAIL(" type='subscribe'/>")};
const struct forward bond_accepted = {.name = "presence", .tail = TAIL(" type='subscribed'/>")};
const struct forward bond_resigned = {.name = "presence", .tail = TAIL(" type='unsubscribe'/>")};
const struct forward bond_refused = {.name = "presence", .tail = TAIL(" type='unsubscribed'/>")};

enum store_outcome bond_read(struct server *server, const struct jid *user,
                             const struct jid *contact, struct bond *bond)
{
    struct span request;
    *bond = (struct bond){.user = *user, .contact = *contact};
    enum store_outcome outcome =
        roster_get(server->store, jid_local(user), jid_bare(contact), &bond->item);
    bond->listed = outcome == STORE_OK;
    bond->relation = bond->item.state;
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    outcome = request_get(server->store, jid_local(user), jid_bare(contact), &request);
    if (outcome == STORE_OK && !(bond->relation & ROSTER_FROM))
        bond->relation |= ROSTER_IN;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome bond_disagree(struct server *server, const struct jid *user,
                                 const struct jid *contact)
{
    struct span local = jid_local(user), text = jid_bare(contact);
    /* Without a record nothing is to be written. */
    enum store_outcome outcome = consent_get(server->store, local, text, 0);
    if (outcome == STORE_OK)
        outcome = consent_delete(server->store, local, text);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome bond_write(struct server *server, struct bond *bond, const struct cell *cell,
                              struct span request, bool *changed)
{
    struct store *store = server->store;
    struct span local = jid_local(&bond->user), contact = jid_bare(&bond->contact), kept;
    struct roster_item *item = &bond->item;
    uint8_t state = cell->next & (uint8_t)~ROSTER_IN;
    bool approved = (item->approved || (cell->actions & APPROVE)) && !(cell->actions & REVOKE);
    enum store_outcome outcome = STORE_OK;

    *changed = state != item->state || approved != item->approved;
    item->state = state;
    item->approved = approved;
    if (*changed) /* before the requests: a write takes away what the item borrows */
        outcome = roster_put(store, local, contact, item);
    if (outcome == STORE_OK && (bond->relation & ROSTER_IN) && !(cell->next & ROSTER_IN))
        outcome = request_delete(store, local, contact);
    if (outcome == STORE_OK && (cell->actions & KEEP) &&
        (request_get(store, local, contact, &kept) != STORE_OK || !span_equal(kept, request)))
        outcome = request_put(store, local, contact, request);
    if (outcome == STORE_OK && (cell->actions & REVOKE))
        outcome = bond_disagree(server, &bond->user, &bond->contact);
    bond->relation = cell->next;
    return outcome;
}

/* Requests to the available resources, the rest also to those that have asked for the roster. */
void bond_deliver(struct server *server, const struct jid *user, const struct jid *contact,
                  enum event event, const struct forward *stanza)
{
    struct forward forward = *stanza;
    struct session *next;
    forward.from = jid_bare(contact);
    for (struct session *at = session_first(server, jid_bare(user)); at != NULL; at = next) {
        next = session_another(at);
        if (at->announced || (at->interested && event != IN_SUBSCRIBE))
            forward_say(server, &forward, jid_bare(user), at, store_urgent(server->store));
    }
}

bool bond_account_exists(struct server *server, const struct jid *user)
{
    struct account account;
    return account_get(server->store, jid_local(user), &account) == STORE_OK;
}

/* INV-13: the user has opened the contact's invitation, and the contact has let the user in. */
static bool agreed(struct server *server, const struct bond *bond)
{
    return config.invite_mutual && (bond->relation & ROSTER_TO) &&
           consent_get(server->store, jid_local(&bond->user), jid_bare(&bond->contact),
                       server->wall_us) == STORE_OK;
}

/* A stanza arrives for a user (A.3). *answer: what goes back, or EVENTS. */
static enum store_outcome arrive_once(struct server *server, const struct jid *user,
                                      const struct jid *contact, enum event event,
                                      const struct forward *stanza, struct span request,
                                      enum event *answer)
{
    struct bond bond;
    bool changed;
    *answer = EVENTS;
    if (!span_is(jid_domain(user), config.domain) || !bond_account_exists(server, user))
        return STORE_OK; /* 8.5.1, SUB-6 */
    enum store_outcome outcome = bond_read(server, user, contact, &bond);
    if (outcome != STORE_OK)
        return outcome;
    if (event == IN_SUBSCRIBE && (bond.item.approved || agreed(server, &bond)))
        event = IN_SUBSCRIBE_APPROVED;
    const struct cell *cell = &subscription_states[event][bond.relation];
    outcome = bond_write(server, &bond, cell, request, &changed);
    if (outcome != STORE_OK)
        return outcome;
    if (cell->actions & PASS)
        bond_deliver(server, user, contact, event, stanza);
    if (changed)
        outcome = contact_push(server, user, jid_bare(contact));
    if (cell->actions & LEAVE)
        contact_farewell(server, user, contact);
    if (cell->actions & ACCEPT)
        *answer = IN_SUBSCRIBED;
    else if (cell->actions & REFUSE)
        *answer = IN_UNSUBSCRIBED;
    return outcome;
}

/* The automatic answer is never answered itself. */
enum store_outcome bond_arrive(struct server *server, const struct jid *user,
                               const struct jid *contact, enum event event,
                               const struct forward *stanza, struct span request)
{
    enum event answer, none;
    enum store_outcome outcome =
        arrive_once(server, user, contact, event, stanza, request, &answer);
    if (outcome != STORE_OK || answer == EVENTS)
        return outcome;
    outcome =
        arrive_once(server, contact, user, answer,
                    answer == IN_SUBSCRIBED ? &bond_accepted : &bond_refused, SPAN_NONE, &none);
    if (outcome == STORE_OK && answer == IN_SUBSCRIBED)
        contact_greet(server, user, contact);
    return outcome;
}
