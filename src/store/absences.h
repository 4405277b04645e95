/* absences.h: since when each account is not there, and what it said when it went (XEP-0012).
 * Key: local. Record: version 1, time 8, status. */
#ifndef KITH_ABSENCES_H
#define KITH_ABSENCES_H

#include "store/store.h"

/* A longer status is not kept at all. */
#define ABSENCE_STATUS_BYTES_MAX 1024

struct absence {
    uint64_t since_us;  /* UTC */
    struct span status; /* characters, unescaped; may be empty; borrowed */
};

enum store_outcome absence_get(struct store *store, struct span local, struct absence *out);
enum store_outcome absence_put(struct store *store, struct span local,
                               const struct absence *absence);
enum store_outcome absence_delete(struct store *store, struct span local);

#endif
