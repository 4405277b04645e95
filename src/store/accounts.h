/* accounts.h: who has an account: salted keys, never passwords. Key: prepared localpart.
 * Limit: accounts_max of the plan. Record layout is fixed little-endian bytes, so that it can be
 * dumped and loaded between machines. */
#ifndef KITH_ACCOUNTS_H
#define KITH_ACCOUNTS_H

#include "store/store.h"
#include "wire/scram.h"

/* Longer localparts have no account: account_get says STORE_NONE, account_put STORE_FULL. */
#define ACCOUNT_LOCAL_BYTES_MAX 511

enum account_flag { ACCOUNT_ADMIN = 1, ACCOUNT_DISABLED = 2 };

struct account {
    uint32_t flags;
    uint64_t made_us; /* UTC */
    uint32_t iterations;
    uint8_t salt[SCRAM_SALT_BYTES]; /* one salt for both hashes */
    struct scram_keys sha1;
    struct scram_keys sha256;
};

/* STORE_FAILED also when the one record is damaged; the log says so. */
enum store_outcome account_get(struct store *store, struct span local, struct account *out);
/* STORE_EXISTS if there is one and replace is false. */
enum store_outcome account_put(struct store *store, struct span local,
                               const struct account *account, bool replace);
enum store_outcome account_delete(struct store *store, struct span local);
/* Accounts in order of name; after.bytes NULL: from the beginning. name is borrowed. */
enum store_outcome account_next(struct store *store, struct span after, struct span *name,
                                struct account *out);
enum store_outcome account_count(struct store *store, uint64_t *count);

/* The step from schema 0 (schema.c). */
enum store_outcome account_add_flags(struct store *store);

#endif
