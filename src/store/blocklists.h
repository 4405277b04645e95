/* blocklists.h: the addresses that an account blocks, one record an account. How many is for the
 * callers to ask. */
#ifndef KITH_BLOCKLISTS_H
#define KITH_BLOCKLISTS_H

#include "store/store.h"
#include "wire/build.h"
#include "wire/jid.h"

/* What a record takes, once and for each address beside its bytes. */
#define BLOCKLIST_RECORD_BYTES 1
#define BLOCKLIST_ITEM_BYTES 2

/* The addresses in one run of bytes; empty: none. Borrowed until the next write. */
enum store_outcome blocklist_get(struct store *store, struct span local, struct span *addresses);
/* Whether there may be any; when in doubt there may. */
bool blocklist_exists(struct store *store, struct span local);
/* Takes the first one off. */
bool blocklist_next(struct span *addresses, struct span *address);
bool blocklist_has(struct span addresses, struct span address);

/* A new list: begun, filled, written in place of the old one; an empty one leaves no record. */
void blocklist_begin(struct build *build);
void blocklist_add(struct build *build, struct span address);
enum store_outcome blocklist_put(struct store *store, struct span local, const struct build *build);
enum store_outcome blocklist_delete(struct store *store, struct span local);

/* XEP-0191 6: whether one of the addresses is this one, or the account or the domain it belongs
 * to. */
bool blocklist_match(struct store *store, struct span local, const struct jid *jid);

#endif
