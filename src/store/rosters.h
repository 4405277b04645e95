/* rosters.h: the contacts of each account, what stands between them, and the requests that wait for
 * an answer. One record an item, one head an account; what was removed is remembered for a while
 * (XEP-0237). Limits: ROSTER_* below; how many items is for the callers to ask (head.items). */
#ifndef KITH_ROSTERS_H
#define KITH_ROSTERS_H

#include "store/store.h"

/* A contact's jid that fits behind any account's name into a key; each of our own users' does. */
#define ROSTER_CONTACT_BYTES_MAX 383
/* Name and groups of one item together. */
#define ROSTER_ITEM_BYTES_MAX 4096
#define ROSTER_TOMBSTONES_MAX 64
#define ROSTER_REQUEST_BYTES_MAX 8192
/* What one change of an item may add to the store. */
#define ROSTER_CHANGE_BYTES (ROSTER_ITEM_BYTES_MAX + 2048)

/* RFC 6121 Appendix A. Pending-in stands here for completeness: it is no part of an item, but that
 * there is a request. */
enum roster_state {
    ROSTER_TO = 1,   /* the user hears of the contact's presence */
    ROSTER_FROM = 2, /* the contact hears of the user's */
    ROSTER_OUT = 4,  /* the user has asked */
    ROSTER_IN = 8,   /* the contact has asked */
};

struct roster_item {
    uint8_t state;    /* mask of enum roster_state, without ROSTER_IN */
    bool approved;    /* RFC 6121 3.4 */
    bool removed;     /* a tombstone: only from roster_next */
    uint64_t version; /* of the last change */
    struct span name; /* may be empty */
    struct span groups;
};

/* Groups are one run of bytes: roster_group_add writes one at the end and returns how many bytes it
 * took, roster_group_next takes the first one off. */
#define ROSTER_GROUP_BYTES(len) (2 + (len))
size_t roster_group_add(char *end, struct span group);
bool roster_group_next(struct span *groups, struct span *group);

struct roster_head {
    uint64_t version; /* of the last change; 0: there never was one */
    uint64_t horizon; /* of older versions it is not known any more what was removed */
    uint32_t items;
    uint32_t bytes; /* of them all, by roster_weight */
    uint16_t tombstones;
    uint16_t requests;
};

/* Bytes of an item as XML, at most. */
uint32_t roster_weight(struct span contact, const struct roster_item *item);

/* Spans are borrowed until the next write. An account without a roster has a head of zeros. */
enum store_outcome roster_head(struct store *store, struct span local, struct roster_head *out);
enum store_outcome roster_get(struct store *store, struct span local, struct span contact,
                              struct roster_item *out);
/* Whether the contact may see the user: From or Both in the user's roster. */
bool roster_hears(struct store *store, struct span local, struct span contact);
/* Gives the item the next version. Its spans may be borrowed from roster_get. */
enum store_outcome roster_put(struct store *store, struct span local, struct span contact,
                              struct roster_item *item);
/* Leaves a tombstone; *version is that of the removal. */
enum store_outcome roster_remove(struct store *store, struct span local, struct span contact,
                                 uint64_t *version);

/* All items of an account in order of their jids; tombstones too. The contact stays until the next
 * step, so one may write meanwhile. */
struct roster_walk {
    char key[511];
    uint16_t local_len;
    uint16_t len;
};
void roster_walk_begin(struct roster_walk *walk, struct span local);
enum store_outcome roster_next(struct store *store, struct roster_walk *walk, struct span *contact,
                               struct roster_item *item);

/* Requests: complete stanzas (SUB-4). */
enum store_outcome request_get(struct store *store, struct span local, struct span contact,
                               struct span *stanza);
/* Replaces an older one. */
enum store_outcome request_put(struct store *store, struct span local, struct span contact,
                               struct span stanza);
enum store_outcome request_delete(struct store *store, struct span local, struct span contact);
enum store_outcome request_next(struct store *store, struct roster_walk *walk, struct span *contact,
                                struct span *stanza);

/* An account that is deleted takes leave of its contacts in small steps; until they are done its
 * name stands here. roster_forget drops what there is of one contact: item or tombstone, request;
 * the head does not count it any more. */
enum store_outcome leaving_put(struct store *store, struct span local);
enum store_outcome leaving_get(struct store *store, struct span local);
enum store_outcome leaving_first(struct store *store, struct span *local);
enum store_outcome roster_forget(struct store *store, struct span local, struct span contact);
/* What it kept for itself goes a step: stored messages, private elements, nodes, archive.
 * STORE_NONE: nothing is left. */
enum store_outcome leaving_drop(struct store *store, struct span local);
/* When no items and requests are left and it is in no channel: the same, then where it was, whom it
 * blocks, head and name; in several steps if there is much. */
enum store_outcome leaving_finish(struct store *store, struct span local);

#endif
