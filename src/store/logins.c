/* logins.c: see logins.h. A record is fixed bytes, little-endian: version 1, then the fresh and the
 * current token: mechanism 1, expires 8, count 4, nonce 16. */
#include "store/logins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "platform/platform.h"
#include "store/accounts.h"
#include "store/ending.h"
#include "store/environment.h"
#include "store/record.h"
#include "wire/digest.h"

enum {
    RECORD_VERSION = 1,
    EXPIRES_AT = 1,
    COUNT_AT = 9,
    NONCE_AT = 13,
    SLOT_BYTES = NONCE_AT + LOGIN_NONCE_BYTES,
    RECORD_BYTES = 1 + 2 * SLOT_BYTES,
    PATH_BYTES = 512,
};

_Static_assert(LOGIN_TOKEN_BYTES == DIGEST_BYTES_MAX, "a token is one HMAC-SHA-256");

/* --- the key outside of the database --- */

/* Its bytes are safe before it has its name, so that it is there whole or not at all. */
static int key_make(const char *directory, const char *path, const uint8_t key[LOGIN_KEY_BYTES])
{
    char young[PATH_BYTES];
    snprintf(young, sizeof young, "%s.new", path);
    if (unlink(young) != 0 && errno != ENOENT)
        return errno;
    int file = open(young, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return errno;
    errno = ENOSPC; /* of a write that is short */
    bool written = write(file, key, LOGIN_KEY_BYTES) == LOGIN_KEY_BYTES && fsync(file) == 0;
    int error = errno;
    if (close(file) != 0 || !written)
        return written ? errno : error;
    if (rename(young, path) != 0)
        return errno;
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno;
    error = fsync(folder) == 0 || errno == EINVAL ? 0 : errno; /* EINVAL: has no fsync */
    (void)close(folder);                                       /* only read */
    return error;
}

/* 0, or the system's error; ERANGE: it is no such key. */
static int key_read(const char *path, uint8_t key[LOGIN_KEY_BYTES])
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    int error = fstat(file, &status) != 0 ? errno : status.st_size != LOGIN_KEY_BYTES ? ERANGE : 0;
    if (error == 0 && read(file, key, LOGIN_KEY_BYTES) != LOGIN_KEY_BYTES)
        error = EIO;
    (void)close(file); /* only read */
    return error;
}

bool login_key(const char *directory, uint8_t key[LOGIN_KEY_BYTES], struct arena *arena,
               const char **why)
{
    char path[PATH_BYTES - 8];
    snprintf(path, sizeof path, "%s/token-key", directory);
    int error = key_read(path, key);
    if (error == ENOENT) {
        plat_random(key, LOGIN_KEY_BYTES);
        error = key_make(directory, path, key);
    }
    if (error != 0)
        *why = environment_sentence(arena, "%s: %s", path,
                                    error == ERANGE ? "it is not a key; delete it to have a new one"
                                                    : strerror(error));
    return error == 0;
}

void login_token_of(const uint8_t key[LOGIN_KEY_BYTES], const struct login_client *client,
                    const uint8_t nonce[LOGIN_NONCE_BYTES], uint8_t out[LOGIN_TOKEN_BYTES])
{
    char bytes[LOGIN_NONCE_BYTES + LOGIN_AGENT_BYTES + ACCOUNT_LOCAL_BYTES_MAX];
    size_t len =
        client->local.len < ACCOUNT_LOCAL_BYTES_MAX ? client->local.len : ACCOUNT_LOCAL_BYTES_MAX;
    memcpy(bytes, nonce, LOGIN_NONCE_BYTES);
    memcpy(bytes + LOGIN_NONCE_BYTES, client->agent, LOGIN_AGENT_BYTES);
    if (len > 0)
        memcpy(bytes + LOGIN_NONCE_BYTES + LOGIN_AGENT_BYTES, client->local.bytes, len);
    digest_hmac(DIGEST_SHA256, span_of((const char *)key, LOGIN_KEY_BYTES),
                span_of(bytes, LOGIN_NONCE_BYTES + LOGIN_AGENT_BYTES + len), out);
}

/* --- records --- */

/* false: too long to be of any account. agent NULL: what all of an account begin with. */
static bool key_of(struct record_key *key, struct span local, const uint8_t *agent)
{
    size_t agent_len = agent == NULL ? 0 : LOGIN_AGENT_BYTES;
    return local.len + 1 + LOGIN_AGENT_BYTES <= sizeof key->bytes &&
           record_key_of(key, local, span_of((const char *)agent, agent_len));
}

static void slot_write(uint8_t bytes[SLOT_BYTES], const struct login_token *token)
{
    bytes[0] = token->mechanism;
    record_number_put(bytes + EXPIRES_AT, 8, token->expires_us);
    record_number_put(bytes + COUNT_AT, 4, token->count);
    memcpy(bytes + NONCE_AT, token->nonce, LOGIN_NONCE_BYTES);
}

static void slot_read(const char *bytes, struct login_token *token)
{
    token->mechanism = (uint8_t)bytes[0];
    token->expires_us = record_number(bytes + EXPIRES_AT, 8);
    token->count = (uint32_t)record_number(bytes + COUNT_AT, 4);
    memcpy(token->nonce, bytes + NONCE_AT, LOGIN_NONCE_BYTES);
}

static enum store_outcome record_read(struct span record, struct login_tokens *out)
{
    *out = (struct login_tokens){.fresh = {0}};
    if (record.len != RECORD_BYTES || record.bytes[0] != RECORD_VERSION) {
        log_line(LOG_ERROR, "store: the tokens of a client are damaged (%u bytes)",
                 (unsigned)record.len);
        return STORE_FAILED;
    }
    slot_read(record.bytes + 1, &out->fresh);
    slot_read(record.bytes + 1 + SLOT_BYTES, &out->current);
    return STORE_OK;
}

/* When the last one of them ends; damaged ones have ended. */
static uint64_t record_end(struct span record)
{
    struct login_tokens tokens;
    if (record_read(record, &tokens) != STORE_OK)
        return 0;
    uint64_t fresh = tokens.fresh.mechanism == 0 ? 0 : tokens.fresh.expires_us;
    uint64_t current = tokens.current.mechanism == 0 ? 0 : tokens.current.expires_us;
    return fresh > current ? fresh : current;
}

enum store_outcome login_get(struct store *store, const struct login_client *client,
                             struct login_tokens *out)
{
    struct record_key key;
    struct span record;
    if (!key_of(&key, client->local, client->agent))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_LOGINS, record_key_span(&key), &record);
    return outcome == STORE_OK ? record_read(record, out) : outcome;
}

/* One more client of the account may have tokens. */
static enum store_outcome room_make(struct store *store, struct span local)
{
    struct table_walk walk = {.len = 0}, oldest = {.len = 0};
    struct record_key account;
    struct span found, record;
    uint64_t oldest_us = UINT64_MAX;
    unsigned count = 0;
    enum store_outcome outcome;
    if (!key_of(&account, local, NULL))
        return STORE_FULL;
    memcpy(walk.key, account.bytes, account.len);
    walk.len = (uint16_t)account.len;
    while ((outcome = table_walk_next(store, TABLE_LOGINS, &walk, &found, &record)) == STORE_OK &&
           span_equal(span_cut(found, 0, account.len), record_key_span(&account))) {
        uint64_t end_us = record_end(record);
        count++;
        if (end_us >= oldest_us)
            continue;
        oldest_us = end_us;
        oldest = walk;
    }
    if ((outcome != STORE_OK && outcome != STORE_NONE) || count < LOGINS_MAX || oldest.len == 0)
        return outcome == STORE_NONE ? STORE_OK : outcome;
    return store_delete(store, TABLE_LOGINS, span_of(oldest.key, oldest.len));
}

enum store_outcome login_put(struct store *store, const struct login_client *client,
                             const struct login_tokens *tokens)
{
    struct record_key key;
    struct span old;
    uint8_t bytes[RECORD_BYTES] = {RECORD_VERSION};
    if (!key_of(&key, client->local, client->agent))
        return STORE_FULL;
    slot_write(bytes + 1, &tokens->fresh);
    slot_write(bytes + 1 + SLOT_BYTES, &tokens->current);
    enum store_outcome outcome = store_get(store, TABLE_LOGINS, record_key_span(&key), &old);
    if (outcome == STORE_NONE)
        outcome = room_make(store, client->local);
    if (outcome != STORE_OK)
        return outcome;
    return store_put(store, TABLE_LOGINS, record_key_span(&key),
                     span_of((const char *)bytes, sizeof bytes), false);
}

enum store_outcome login_delete(struct store *store, const struct login_client *client)
{
    struct record_key key;
    if (!key_of(&key, client->local, client->agent))
        return STORE_NONE;
    return store_delete(store, TABLE_LOGINS, record_key_span(&key));
}

enum store_outcome login_forget(struct store *store, struct span local)
{
    struct table_walk walk;
    struct record_key account;
    struct span found, record;
    if (!key_of(&account, local, NULL))
        return STORE_OK;
    memcpy(walk.key, account.bytes, account.len);
    walk.len = (uint16_t)account.len;
    for (;;) {
        enum store_outcome outcome = table_walk_next(store, TABLE_LOGINS, &walk, &found, &record);
        if (outcome == STORE_OK &&
            !span_equal(span_cut(found, 0, account.len), record_key_span(&account)))
            outcome = STORE_NONE;
        if (outcome == STORE_OK)
            outcome = store_delete(store, TABLE_LOGINS, span_of(walk.key, walk.len));
        if (outcome != STORE_OK)
            return outcome == STORE_NONE ? STORE_OK : outcome;
    }
}

static bool has_expired(struct span key, struct span record, const void *context)
{
    const uint64_t *now_us = context;
    (void)key;
    return record_end(record) <= *now_us;
}

enum store_outcome login_sweep(struct store *store, uint64_t now_us, unsigned max)
{
    return table_sweep(store, TABLE_LOGINS, has_expired, &now_us, max);
}
