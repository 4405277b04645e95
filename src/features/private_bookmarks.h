/* private_bookmarks.h: bookmarks of rooms that a client keeps as private XML (XEP-0048) are the
 * items of the account's node urn:xmpp:bookmarks:1, so that all clients have the same ones
 * (XEP-0402 5.3, BM-1). Limits: those of the node. */
#ifndef KITH_PRIVATE_BOOKMARKS_H
#define KITH_PRIVATE_BOOKMARKS_H

#include "core/pep.h"

/* Whether that is where they are kept: <storage xmlns='storage:bookmarks'/>. */
bool private_bookmarks_are(const struct node *element);

/* What of a <storage/> is kept as private XML: all that is no bookmark of a room. In the arena;
 * bytes NULL: it is full. */
struct span private_bookmarks_rest(struct turn *turn, const struct node *storage);

/* Adds a <storage/> to the payload: what is kept as private XML (bytes NULL: nothing), and the
 * node's items. STORE_FULL: no memory. */
enum store_outcome private_bookmarks_add(struct turn *turn, struct span rest, struct rope *payload);

/* One that is set: what it makes of an item. */
struct bookmark {
    const struct node *conference;
    struct span id;
    bool same; /* as it is there already */
};
struct bookmarks {
    struct pep_node node;
    struct bookmark *list;
    unsigned count;
};
/* Compares the <storage/> with the items. Anything but PEP_DONE: it is not to be had, and nothing
 * is written. */
enum pep_outcome private_bookmarks_read(struct turn *turn, const struct node *storage,
                                        struct bookmarks *bookmarks);
/* Retracts items, publishes new ones and those that are others now, and tells it. */
enum pep_outcome private_bookmarks_put(struct turn *turn, struct bookmarks *bookmarks);

#endif
