/* released.h: names of deleted accounts, which nobody else gets for a while (REG-12), and those of
 * destroyed channels, behind a slash. Key: localpart.
 * Limit: RELEASED_MAX; when there are more, the one that ends first makes room. */
#ifndef KITH_RELEASED_H
#define KITH_RELEASED_H

#include "store/store.h"

#define RELEASED_MAX 500
#define RELEASED_DAYS 30

enum store_outcome released_put(struct store *store, struct span local, uint64_t until_us);
/* STORE_OK: still to be kept free. */
enum store_outcome released_get(struct store *store, struct span local, uint64_t now_us);
enum store_outcome released_delete(struct store *store, struct span local);
/* At most `max` that have ended are deleted; STORE_NONE: none are left. */
enum store_outcome released_sweep(struct store *store, uint64_t now_us, unsigned max);

#endif
