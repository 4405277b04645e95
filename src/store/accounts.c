/* accounts.c: see accounts.h. A record is fixed bytes, little-endian:
 * version 1, flags 4, made 8, iterations 4, salt 16, StoredKey and ServerKey of SHA-1, of SHA-256.
 */
#include "store/accounts.h"

#include "base/log.h"

enum {
    ACCOUNT_VERSION = 1,
    SHA1_BYTES = 20,
    SHA256_BYTES = 32,
    FLAGS_AT = 1,
    MADE_AT = 5,
    ITERATIONS_AT = 13,
    SALT_AT = 17,
    SHA1_AT = SALT_AT + SCRAM_SALT_BYTES,
    SHA256_AT = SHA1_AT + 2 * SHA1_BYTES,
    ACCOUNT_BYTES = SHA256_AT + 2 * SHA256_BYTES,
    /* Schema 0: no flags. */
    OLD_ACCOUNT_BYTES = ACCOUNT_BYTES - 4,
};

_Static_assert(SHA256_BYTES == DIGEST_BYTES_MAX, "keys fill their arrays");

static void number_write(uint8_t *bytes, size_t len, uint64_t number)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t number_read(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

static void account_write(const struct account *account, uint8_t bytes[ACCOUNT_BYTES])
{
    bytes[0] = ACCOUNT_VERSION;
    number_write(bytes + FLAGS_AT, 4, account->flags);
    number_write(bytes + MADE_AT, 8, account->made_us);
    number_write(bytes + ITERATIONS_AT, 4, account->iterations);
    memcpy(bytes + SALT_AT, account->salt, SCRAM_SALT_BYTES);
    memcpy(bytes + SHA1_AT, account->sha1.stored_key, SHA1_BYTES);
    memcpy(bytes + SHA1_AT + SHA1_BYTES, account->sha1.server_key, SHA1_BYTES);
    memcpy(bytes + SHA256_AT, account->sha256.stored_key, SHA256_BYTES);
    memcpy(bytes + SHA256_AT + SHA256_BYTES, account->sha256.server_key, SHA256_BYTES);
}

static enum store_outcome account_read(struct span local, struct span record, struct account *out)
{
    const uint8_t *bytes = (const uint8_t *)record.bytes;
    *out = (struct account){0};
    if (record.len != ACCOUNT_BYTES || bytes[0] != ACCOUNT_VERSION) {
        log_line(LOG_ERROR, "store: the account record of '%.*s' is damaged (%u bytes)",
                 (int)local.len, local.bytes, (unsigned)record.len);
        return STORE_FAILED;
    }
    out->flags = (uint32_t)number_read(bytes + FLAGS_AT, 4);
    out->made_us = number_read(bytes + MADE_AT, 8);
    out->iterations = (uint32_t)number_read(bytes + ITERATIONS_AT, 4);
    memcpy(out->salt, bytes + SALT_AT, SCRAM_SALT_BYTES);
    memcpy(out->sha1.stored_key, bytes + SHA1_AT, SHA1_BYTES);
    memcpy(out->sha1.server_key, bytes + SHA1_AT + SHA1_BYTES, SHA1_BYTES);
    memcpy(out->sha256.stored_key, bytes + SHA256_AT, SHA256_BYTES);
    memcpy(out->sha256.server_key, bytes + SHA256_AT + SHA256_BYTES, SHA256_BYTES);
    return STORE_OK;
}

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= ACCOUNT_LOCAL_BYTES_MAX;
}

enum store_outcome account_get(struct store *store, struct span local, struct account *out)
{
    struct span record;
    if (!local_fits(local))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_ACCOUNTS, local, &record);
    return outcome == STORE_OK ? account_read(local, record, out) : outcome;
}

enum store_outcome account_put(struct store *store, struct span local,
                               const struct account *account, bool replace)
{
    uint8_t record[ACCOUNT_BYTES];
    if (!local_fits(local))
        return STORE_FULL;
    account_write(account, record);
    return store_put(store, TABLE_ACCOUNTS, local, span_of((const char *)record, sizeof record),
                     !replace);
}

enum store_outcome account_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_ACCOUNTS, local) : STORE_NONE;
}

enum store_outcome account_next(struct store *store, struct span after, struct span *name,
                                struct account *out)
{
    struct span record;
    enum store_outcome outcome = store_next(store, TABLE_ACCOUNTS, after, name, &record);
    return outcome == STORE_OK ? account_read(*name, record, out) : outcome;
}

enum store_outcome account_count(struct store *store, uint64_t *count)
{
    return store_count(store, TABLE_ACCOUNTS, count);
}

enum store_outcome account_add_flags(struct store *store)
{
    struct span name = SPAN_NONE, old;
    char key[ACCOUNT_LOCAL_BYTES_MAX];
    uint8_t record[ACCOUNT_BYTES] = {ACCOUNT_VERSION};

    for (;;) {
        enum store_outcome outcome = store_next(store, TABLE_ACCOUNTS, name, &name, &old);
        if (outcome != STORE_OK)
            return outcome == STORE_NONE ? STORE_OK : outcome;
        if (old.len != OLD_ACCOUNT_BYTES || old.bytes[0] != 0) {
            log_line(LOG_ERROR, "store: the account record of '%.*s' is damaged", (int)name.len,
                     name.bytes);
            return STORE_FAILED;
        }
        memcpy(record + MADE_AT, old.bytes + 1, OLD_ACCOUNT_BYTES - 1);
        /* LMDB may move what name borrows while it writes. */
        name = span_of(memcpy(key, name.bytes, name.len), name.len);
        outcome = store_put(store, TABLE_ACCOUNTS, name,
                            span_of((const char *)record, sizeof record), false);
        if (outcome != STORE_OK)
            return outcome;
    }
}
