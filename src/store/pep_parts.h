/* pep_parts.h: keys that pep.c and pep_items.c share. */
#ifndef KITH_STORE_PEP_PARTS_H
#define KITH_STORE_PEP_PARTS_H

#include "store/pep.h"

#define PEP_NUMBER_BYTES 4

struct pep_key {
    char bytes[511];
    size_t local_len;
    size_t len;
};

static inline struct span pep_key_span(const struct pep_key *key)
{
    return span_of(key->bytes, key->len);
}

/* What all keys of an account begin with. false: no account has such a name. */
bool pep_key_begin(struct pep_key *key, struct span local);
/* And those of a node's items. */
bool pep_key_number(struct pep_key *key, struct span local, uint32_t number);
/* Big-endian. */
void pep_key_add(struct pep_key *key, uint64_t number, unsigned len);

#endif
