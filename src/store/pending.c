/* pending.c: see pending.h. A record is fixed bytes, then the texts behind each other:
 * version 1, flags 1, stage 1, channel 1, tries 1, sends 1, four times 8, iterations 4, salt 16,
 * StoredKey and ServerKey of SHA-1, of SHA-256, three hashes 32, network address 16, lengths of
 * e-mail, phone, reason 2 each. */
#include "store/pending.h"

#include "base/log.h"
#include "store/ending.h"
#include "store/record.h"
#include "wire/digest.h"

enum {
    RECORD_VERSION = 1,
    SHA1_BYTES = 20,
    SHA256_BYTES = 32,
    FLAGS_AT = 1,
    STAGE_AT = 2,
    CHANNEL_AT = 3,
    TRIES_AT = 4,
    SENDS_AT = 5,
    MADE_AT = 6,
    EXPIRES_AT = 14,
    CODE_SENT_AT = 22,
    CODE_EXPIRES_AT = 30,
    ITERATIONS_AT = 38,
    SALT_AT = 42,
    SHA1_AT = SALT_AT + SCRAM_SALT_BYTES,
    SHA256_AT = SHA1_AT + 2 * SHA1_BYTES,
    HANDLE_AT = SHA256_AT + 2 * SHA256_BYTES,
    CODE_AT = HANDLE_AT + PENDING_HASH_BYTES,
    INVITE_AT = CODE_AT + PENDING_HASH_BYTES,
    ADDRESS_AT = INVITE_AT + PENDING_HASH_BYTES,
    LENGTHS_AT = ADDRESS_AT + PENDING_ADDRESS_BYTES,
    FIXED_BYTES = LENGTHS_AT + 6,
    RECORD_BYTES_MAX =
        FIXED_BYTES + PENDING_ID_BYTES_MAX + PENDING_PHONE_BYTES_MAX + PENDING_REASON_BYTES_MAX,
};

_Static_assert(RECORD_BYTES_MAX + PENDING_LOCAL_BYTES_MAX <= PENDING_BYTES_MAX,
               "a pending registration is 1 KB at most");

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= PENDING_LOCAL_BYTES_MAX;
}

static void keys_write(uint8_t *bytes, const struct scram_keys *keys, size_t len)
{
    memcpy(bytes, keys->stored_key, len);
    memcpy(bytes + len, keys->server_key, len);
}

static void keys_read(const char *bytes, struct scram_keys *keys, size_t len)
{
    memcpy(keys->stored_key, bytes, len);
    memcpy(keys->server_key, bytes + len, len);
}

/* All but the texts. */
static void fixed_write(const struct pending *pending, uint8_t *bytes)
{
    bytes[0] = RECORD_VERSION;
    bytes[FLAGS_AT] = pending->flags;
    bytes[STAGE_AT] = pending->stage;
    bytes[CHANNEL_AT] = pending->channel;
    bytes[TRIES_AT] = pending->tries_left;
    bytes[SENDS_AT] = pending->sends_left;
    record_number_put(bytes + MADE_AT, 8, pending->made_us);
    record_number_put(bytes + EXPIRES_AT, 8, pending->expires_us);
    record_number_put(bytes + CODE_SENT_AT, 8, pending->code_sent_us);
    record_number_put(bytes + CODE_EXPIRES_AT, 8, pending->code_expires_us);
    record_number_put(bytes + ITERATIONS_AT, 4, pending->iterations);
    memcpy(bytes + SALT_AT, pending->salt, SCRAM_SALT_BYTES);
    keys_write(bytes + SHA1_AT, &pending->sha1, SHA1_BYTES);
    keys_write(bytes + SHA256_AT, &pending->sha256, SHA256_BYTES);
    memcpy(bytes + HANDLE_AT, pending->handle_hash, PENDING_HASH_BYTES);
    memcpy(bytes + CODE_AT, pending->code_hash, PENDING_HASH_BYTES);
    memcpy(bytes + INVITE_AT, pending->invite_hash, PENDING_HASH_BYTES);
    memcpy(bytes + ADDRESS_AT, pending->address, PENDING_ADDRESS_BYTES);
}

static void fixed_read(const char *bytes, struct pending *out)
{
    out->flags = (uint8_t)bytes[FLAGS_AT];
    out->stage = (uint8_t)bytes[STAGE_AT];
    out->channel = (uint8_t)bytes[CHANNEL_AT];
    out->tries_left = (uint8_t)bytes[TRIES_AT];
    out->sends_left = (uint8_t)bytes[SENDS_AT];
    out->made_us = record_number(bytes + MADE_AT, 8);
    out->expires_us = record_number(bytes + EXPIRES_AT, 8);
    out->code_sent_us = record_number(bytes + CODE_SENT_AT, 8);
    out->code_expires_us = record_number(bytes + CODE_EXPIRES_AT, 8);
    out->iterations = (uint32_t)record_number(bytes + ITERATIONS_AT, 4);
    memcpy(out->salt, bytes + SALT_AT, SCRAM_SALT_BYTES);
    keys_read(bytes + SHA1_AT, &out->sha1, SHA1_BYTES);
    keys_read(bytes + SHA256_AT, &out->sha256, SHA256_BYTES);
    memcpy(out->handle_hash, bytes + HANDLE_AT, PENDING_HASH_BYTES);
    memcpy(out->code_hash, bytes + CODE_AT, PENDING_HASH_BYTES);
    memcpy(out->invite_hash, bytes + INVITE_AT, PENDING_HASH_BYTES);
    memcpy(out->address, bytes + ADDRESS_AT, PENDING_ADDRESS_BYTES);
}

/* out->local is there also when the rest is damaged, so that a walk goes on. */
static enum store_outcome pending_read(struct span local, struct span record, struct pending *out)
{
    *out = (struct pending){.local = local};
    size_t at = FIXED_BYTES;
    if (record.len >= FIXED_BYTES && record.bytes[0] == RECORD_VERSION) {
        struct span *const texts[] = {&out->email, &out->phone, &out->reason};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            size_t len = (size_t)record_number(record.bytes + LENGTHS_AT + 2 * i, 2);
            *texts[i] = span_cut(record, at, at + len);
            at += len;
        }
        fixed_read(record.bytes, out);
        if (at == record.len)
            return STORE_OK;
    }
    *out = (struct pending){.local = local};
    log_line(LOG_ERROR, "store: the pending registration of '%.*s' is damaged (%u bytes)",
             (int)local.len, local.bytes, (unsigned)record.len);
    return STORE_FAILED;
}

enum store_outcome pending_get(struct store *store, struct span local, struct pending *out)
{
    struct span record;
    if (!local_fits(local))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_PENDING, local, &record);
    return outcome == STORE_OK ? pending_read(local, record, out) : outcome;
}

enum store_outcome pending_next(struct store *store, struct span after, struct pending *out)
{
    struct span local, record;
    enum store_outcome outcome = store_next(store, TABLE_PENDING, after, &local, &record);
    return outcome == STORE_OK ? pending_read(local, record, out) : outcome;
}

/* All of them in order; a damaged one is passed by: it keeps nobody from registering. */
static enum store_outcome scan_next(struct store *store, struct table_walk *walk,
                                    struct pending *out)
{
    struct span local, record;
    for (;;) {
        enum store_outcome outcome = table_walk_next(store, TABLE_PENDING, walk, &local, &record);
        if (outcome != STORE_OK || pending_read(local, record, out) == STORE_OK)
            return outcome;
    }
}

enum store_outcome pending_by_handle(struct store *store,
                                     const uint8_t handle_hash[PENDING_HASH_BYTES],
                                     struct pending *out)
{
    struct span wanted = span_of((const char *)handle_hash, PENDING_HASH_BYTES);
    struct table_walk walk = {.len = 0};
    enum store_outcome outcome;
    while ((outcome = scan_next(store, &walk, out)) == STORE_OK)
        if (span_equal_secret(span_of((const char *)out->handle_hash, PENDING_HASH_BYTES), wanted))
            break;
    return outcome;
}

enum store_outcome pending_put(struct store *store, const struct pending *pending)
{
    uint8_t bytes[RECORD_BYTES_MAX];
    const struct span texts[] = {pending->email, pending->phone, pending->reason};
    struct span old;
    size_t len = FIXED_BYTES;
    uint64_t count;
    if (!local_fits(pending->local) || pending->email.len > PENDING_ID_BYTES_MAX ||
        pending->phone.len > PENDING_PHONE_BYTES_MAX ||
        pending->reason.len > PENDING_REASON_BYTES_MAX)
        return STORE_FULL;
    enum store_outcome outcome = store_get(store, TABLE_PENDING, pending->local, &old);
    if (outcome == STORE_NONE) {
        outcome = store_count(store, TABLE_PENDING, &count);
        if (outcome == STORE_OK && count >= PENDING_MAX)
            return STORE_FULL;
    }
    if (outcome != STORE_OK)
        return outcome;
    fixed_write(pending, bytes);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        record_number_put(bytes + LENGTHS_AT + 2 * i, 2, texts[i].len);
        if (texts[i].len > 0)
            memcpy(bytes + len, texts[i].bytes, texts[i].len);
        len += texts[i].len;
    }
    char key[PENDING_LOCAL_BYTES_MAX];
    memcpy(key, pending->local.bytes, pending->local.len);
    outcome = store_put(store, TABLE_PENDING, span_of(key, pending->local.len),
                        span_of((const char *)bytes, len), false);
    secret_forget(bytes, len);
    return outcome;
}

enum store_outcome pending_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_PENDING, local) : STORE_NONE;
}

/* RL-1: IPv4 whole, IPv6 by /64. */
static bool address_alike(const uint8_t *a, const uint8_t *b)
{
    static const uint8_t ipv4[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a, b, memcmp(a, ipv4, sizeof ipv4) == 0 ? PENDING_ADDRESS_BYTES : 8) == 0;
}

enum store_outcome pending_count_of(struct store *store,
                                    const uint8_t address[PENDING_ADDRESS_BYTES], uint64_t now_us,
                                    unsigned *count)
{
    struct table_walk walk = {.len = 0};
    struct pending pending;
    enum store_outcome outcome;
    *count = 0;
    while ((outcome = scan_next(store, &walk, &pending)) == STORE_OK)
        if (pending.expires_us > now_us && address_alike(address, pending.address))
            ++*count;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static bool has_expired(struct span key, struct span record, const void *context)
{
    const uint64_t *now_us = context;
    struct pending pending;
    return pending_read(key, record, &pending) != STORE_OK || pending.expires_us <= *now_us;
}

enum store_outcome pending_sweep(struct store *store, uint64_t now_us, unsigned max)
{
    return table_sweep(store, TABLE_PENDING, has_expired, &now_us, max);
}
