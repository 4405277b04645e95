/* private.h: what clients keep on the server for themselves (XEP-0049): one record an element.
 * Key: local NUL SHA-1 of namespace NUL name. Record: version 1, XML. Limits: PRIVATE_ELEMENTS_MAX
 * an account; their bytes are for the callers to ask (plan.private_bytes). */
#ifndef KITH_PRIVATE_H
#define KITH_PRIVATE_H

#include "store/store.h"

/* So that an account's elements can be counted at once. */
#define PRIVATE_ELEMENTS_MAX 64

/* What an element is called; namespace and name longer than that together are refused: STORE_FULL
 * from put, STORE_NONE from get. */
#define PRIVATE_NAME_BYTES_MAX 1024
struct private_name {
    struct span namespace;
    struct span name;
};

struct private_use {
    uint32_t elements;
    uint32_t bytes;
};

/* xml is borrowed until the next write. */
enum store_outcome private_get(struct store *store, struct span local,
                               const struct private_name *name, struct span *xml);
/* Replaces an older one. The arena is for a moment's copy; STORE_FULL where it is full. */
enum store_outcome private_put(struct store *store, struct span local,
                               const struct private_name *name, struct span xml,
                               struct arena *arena);
/* All elements of the account but those of these names. */
enum store_outcome private_count(struct store *store, struct span local,
                                 const struct private_name *without, unsigned without_count,
                                 struct private_use *use);
/* At most `max` of an account's are deleted; STORE_NONE: none are left. */
enum store_outcome private_forget(struct store *store, struct span local, unsigned max);

#endif
