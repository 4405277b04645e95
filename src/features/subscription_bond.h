/* subscription_bond.h: what stands between a user and a contact, and what becomes of it when a
 * stanza arrives (RFC 6121 A.3, requirements 2.2). For the files of subscription alone. */
#ifndef KITH_SUBSCRIPTION_BOND_H
#define KITH_SUBSCRIPTION_BOND_H

#include "core/turn.h"
#include "features/subscription_states.h"

/* On the user's side; both bare. The item's spans are borrowed until the next write. */
struct bond {
    struct jid user;
    struct jid contact;
    struct roster_item item;
    uint8_t relation;
    bool listed;
};

/* Stanzas of our own. */
extern const struct forward bond_asking;   /* subscribe */
extern const struct forward bond_accepted; /* subscribed */
extern const struct forward bond_resigned; /* unsubscribe */
extern const struct forward bond_refused;  /* unsubscribed */

enum store_outcome bond_read(struct server *server, const struct jid *user,
                             const struct jid *contact, struct bond *bond);
/* Writes what the cell says. request: to be kept. *changed: the item is another one now. */
enum store_outcome bond_write(struct server *server, struct bond *bond, const struct cell *cell,
                              struct span request, bool *changed);
/* The user agrees no more to be asked back (INV-13). */
enum store_outcome bond_disagree(struct server *server, const struct jid *user,
                                 const struct jid *contact);

/* SUB-1: tells the user's resources what came from the contact. */
void bond_deliver(struct server *server, const struct jid *user, const struct jid *contact,
                  enum event event, const struct forward *stanza);
/* A stanza arrives for a user; with the automatic answer, if there is one. */
enum store_outcome bond_arrive(struct server *server, const struct jid *user,
                               const struct jid *contact, enum event event,
                               const struct forward *stanza, struct span request);

bool bond_account_exists(struct server *server, const struct jid *user);

#endif
