/* vcards.h: the vCard of each account (XEP-0054), and the hash of its photo (XEP-0153).
 * Key: local. Record: version 1, photo 1, hash 20, XML. Limit: plan.vcard_bytes, for the callers
 * to ask. */
#ifndef KITH_VCARDS_H
#define KITH_VCARDS_H

#include "store/store.h"

#define VCARD_HASH_BYTES 20

struct vcard {
    bool has_photo;
    uint8_t photo[VCARD_HASH_BYTES]; /* SHA-1 of the image */
    struct span xml;                 /* <vCard/>, with its namespaces; borrowed */
};

enum store_outcome vcard_get(struct store *store, struct span local, struct vcard *out);
/* Replaces an older one. The arena is for a moment's copy; STORE_FULL where it is full. */
enum store_outcome vcard_put(struct store *store, struct span local, const struct vcard *vcard,
                             struct arena *arena);
enum store_outcome vcard_delete(struct store *store, struct span local);

#endif
