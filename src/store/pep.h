/* pep.h: what an account publishes (XEP-0163): its nodes, each with its configuration and the
 * people it knows, and the items of the nodes in the order of their publication. What is purged or
 * deleted is out of sight at once and goes in steps (pep_reap). How much there may be is for the
 * callers to ask (pep_count); PEP_* below are limits of the records. */
#ifndef KITH_STORE_PEP_H
#define KITH_STORE_PEP_H

#include "store/store.h"

#define PEP_NAME_BYTES_MAX 255
#define PEP_ID_BYTES_MAX 1023
#define PEP_GROUPS_BYTES_MAX 1024
#define PEP_PEOPLE_BYTES_MAX 4096
/* What an item takes beside its id and its payload, and what one change may add beside the item. */
#define PEP_ITEM_NOTE_BYTES 11
#define PEP_CHANGE_BYTES (PEP_GROUPS_BYTES_MAX + PEP_PEOPLE_BYTES_MAX + 4096)
#define PEP_ITEMS_UNLIMITED UINT32_MAX

enum pep_model {
    PEP_PRESENCE, /* who hears of the owner's presence */
    PEP_OPEN,
    PEP_ROSTER, /* of those, who is in one of the groups */
    PEP_WHITELIST,
    PEP_AUTHORIZE, /* whose subscription was approved */
    PEP_MODELS,
};
enum pep_send_last { PEP_LAST_ON_PRESENCE, PEP_LAST_ON_SUBSCRIPTION, PEP_LAST_NEVER, PEP_LASTS };
enum pep_flag {
    PEP_PERSIST = 1,
    PEP_PAYLOADS = 2, /* notifications hold the payload */
    PEP_NOTIFY_RETRACT = 4,
    PEP_NOTIFY_DELETE = 8,
    PEP_NOTIFY_CONFIG = 16,
};

struct pep_config {
    uint8_t model;
    uint8_t send_last;
    uint8_t flags;
    uint32_t items_max;
    struct span groups; /* as rosters.h has them */
};

struct pep_node {
    uint32_t number; /* by which its items are found; 0: not stored yet */
    uint32_t items;
    uint32_t bytes; /* of all its items */
    struct pep_config config;
    struct span people;
};

struct pep_item {
    uint64_t sequence; /* from 1 */
    uint64_t time_us;
    struct span id; /* spans are borrowed until the next write */
    struct span payload;
};

/* Those whom a node knows, one run of bytes: pep_person_add writes one at the end and returns how
 * many bytes it took, pep_person_next takes the first one off. */
enum pep_affiliation { PEP_NOBODY, PEP_MEMBER, PEP_OUTCAST, PEP_AFFILIATIONS };
enum pep_subscription { PEP_NOT_SUBSCRIBED, PEP_PENDING, PEP_SUBSCRIBED, PEP_SUBSCRIPTIONS };
struct pep_person {
    uint8_t affiliation;
    uint8_t subscription;
    struct span jid; /* bare */
};
#define PEP_PERSON_BYTES(jid_len) (4 + (jid_len))
size_t pep_person_add(char *end, const struct pep_person *person);
bool pep_person_next(struct span *people, struct pep_person *person);
/* A jid that is not there is nobody's. */
struct pep_person pep_person_find(struct span people, struct span jid);

/* groups and people are copied to the arena (STORE_FULL: it is full), or borrowed where it is
 * NULL. */
enum store_outcome pep_node_get(struct store *store, struct span local, struct span name,
                                struct arena *arena, struct pep_node *node);
/* A new one gets its number. What its spans hold is not borrowed from the store. */
enum store_outcome pep_node_put(struct store *store, struct span local, struct span name,
                                struct pep_node *node, struct arena *arena);
enum store_outcome pep_node_delete(struct store *store, struct span local, struct span name,
                                   const struct pep_node *node);
/* The node goes on without its items. */
enum store_outcome pep_node_purge(struct store *store, struct span local, struct span name,
                                  struct pep_node *node, struct arena *arena);

/* The nodes of an account in order of their names; name and node are borrowed. */
struct pep_walk {
    char key[511];
    uint16_t local_len;
    uint16_t len;
};
void pep_walk_begin(struct pep_walk *walk, struct span local);
enum store_outcome pep_node_next(struct store *store, struct pep_walk *walk, struct span *name,
                                 struct pep_node *node);

struct pep_use {
    uint32_t nodes;
    uint64_t bytes; /* of all items */
};
enum store_outcome pep_count(struct store *store, struct span local, struct pep_use *use);

/* Bytes of an item in its node. */
static inline uint32_t pep_item_bytes(const struct pep_item *item)
{
    return (uint32_t)(PEP_ITEM_NOTE_BYTES + item->id.len + item->payload.len);
}
/* Puts the item behind all others, instead of one with the same id, and the node with it. The
 * item's spans are not borrowed from the store; its sequence is set. */
enum store_outcome pep_item_put(struct store *store, struct span local, struct span name,
                                struct pep_node *node, struct pep_item *item, struct arena *arena);
/* Deletes what one of the readers below has found, and puts the node. */
enum store_outcome pep_item_delete(struct store *store, struct span local, struct span name,
                                   struct pep_node *node, const struct pep_item *item,
                                   struct arena *arena);
/* The first one whose sequence is > after. */
enum store_outcome pep_item_next(struct store *store, struct span local,
                                 const struct pep_node *node, uint64_t after,
                                 struct pep_item *item);
enum store_outcome pep_item_last(struct store *store, struct span local,
                                 const struct pep_node *node, struct pep_item *item);
enum store_outcome pep_item_find(struct store *store, struct span local,
                                 const struct pep_node *node, struct span id,
                                 struct pep_item *item);

/* At most `max` records of an account that is deleted go; STORE_NONE: none are left. */
enum store_outcome pep_forget(struct store *store, struct span local, unsigned max);
/* The same for items of nodes that were purged or deleted, of whatever account. */
enum store_outcome pep_reap(struct store *store, unsigned max);

#endif
