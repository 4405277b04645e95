/* pep.h: who may see what an account publishes, and who hears of it at once (XEP-0163 4): resources
 * of the account and of its contacts whose clients say so (caps.h), and subscribers. Requirements
 * 3.7. Limits: PEP_ARRIVAL_CONTACTS a session and tick; nothing more for who reads too slowly. */
#ifndef KITH_PEP_H
#define KITH_PEP_H

#include "core/turn.h"
#include "store/pep.h"

enum pep_access {
    PEP_GRANTED,
    PEP_NEEDS_PRESENCE,
    PEP_NEEDS_GROUP,
    PEP_NEEDS_WHITELIST,
    PEP_NEEDS_SUBSCRIPTION,
    PEP_BLOCKED, /* an outcast */
};

/* What the asker (a bare jid) may see of the owner's node. */
enum pep_access pep_access(struct server *server, const struct jid *owner,
                           const struct pep_node *node, struct span asker);

/* What goes to everybody who is to hear of a node: the pieces are what stands in <event/>. */
struct pep_event {
    const struct jid *owner;
    struct span name;
    const struct pep_node *node;
    const struct span *pieces;
    unsigned piece_count;
    uint64_t time_us; /* XEP-0203; 0: it has just happened */
};
#define PEP_PIECES 4
void pep_tell(struct server *server, const struct pep_event *event);

/* <items node=… up to the payload, in the arena. */
struct span pep_item_head(struct server *server, struct span name, struct span id, bool payload);

enum pep_outcome {
    PEP_DONE,
    PEP_TOO_MANY_NODES,
    PEP_NODE_FULL,
    PEP_TOO_BIG,
    PEP_NO_ROOM,
    PEP_FAILED,
};

extern const struct pep_config pep_default;

/* A node that is not stored yet (number 0), without items. */
enum pep_outcome pep_create(struct server *server, const struct jid *owner, struct span name,
                            struct pep_node *node);
/* Keeps the item and tells it; a node that is not stored yet is created. */
enum pep_outcome pep_publish(struct server *server, const struct jid *owner, struct span name,
                             struct pep_node *node, struct pep_item *item);

/* Deletes an item that was found there, and tells it if that is wanted. */
enum store_outcome pep_retract(struct server *server, const struct jid *owner, struct span name,
                               struct pep_node *node, const struct pep_item *item, bool tells);

/* The last item of one node, to one session. */
void pep_last_tell(struct server *server, const struct jid *owner, struct span name,
                   const struct pep_node *node, struct session *session);

/* What a client can is known now, or the user hears of the contact's presence now: it is to get
 * the last items. */
void pep_arrive(struct server *server, struct session *session);
void pep_greet(struct server *server, const struct jid *user, const struct jid *contact);

/* Once a tick: tells those who have arrived, deletes what is left of nodes that are gone. */
void pep_arrivals(struct server *server);
bool pep_due(const struct server *server);
void pep_sweep(struct server *server);

#endif
