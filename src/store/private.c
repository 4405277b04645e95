/* private.c: see private.h. */
#include "store/private.h"

#include "base/log.h"
#include "wire/digest.h"

enum { RECORD_VERSION = 1, HASH_BYTES = 20, KEY_BYTES_MAX = 511 };

struct key {
    char bytes[KEY_BYTES_MAX];
    size_t len;
};

static struct span key_span(const struct key *key)
{
    return span_of(key->bytes, key->len);
}

/* What all keys of an account begin with. false: no account has such a name. */
static bool key_begin(struct key *key, struct span local)
{
    if (local.len == 0 || local.len + 1 + HASH_BYTES > KEY_BYTES_MAX)
        return false;
    memcpy(key->bytes, local.bytes, local.len);
    key->bytes[local.len] = 0;
    key->len = local.len + 1;
    return true;
}

static bool key_of(struct key *key, struct span local, const struct private_name *name)
{
    char text[PRIVATE_NAME_BYTES_MAX + 1];
    size_t len = name->namespace.len;
    if (len + name->name.len > PRIVATE_NAME_BYTES_MAX || !key_begin(key, local))
        return false;
    if (len > 0)
        memcpy(text, name->namespace.bytes, len);
    text[len++] = 0;
    memcpy(text + len, name->name.bytes, name->name.len);
    len += name->name.len;
    digest_hash(DIGEST_SHA1, span_of(text, len), (uint8_t *)key->bytes + key->len);
    key->len += HASH_BYTES;
    return true;
}

/* The next record of the account whose keys begin with `account`; *key goes along. */
static enum store_outcome next_of(struct store *store, const struct key *account, struct key *key,
                                  struct span *record)
{
    struct span found;
    enum store_outcome outcome = store_next(store, TABLE_PRIVATE, key_span(key), &found, record);
    if (outcome != STORE_OK)
        return outcome;
    if (found.len != account->len + HASH_BYTES ||
        memcmp(found.bytes, account->bytes, account->len) != 0)
        return STORE_NONE;
    memcpy(key->bytes, found.bytes, found.len);
    key->len = found.len;
    return STORE_OK;
}

enum store_outcome private_get(struct store *store, struct span local,
                               const struct private_name *name, struct span *xml)
{
    struct key key;
    struct span record;
    *xml = SPAN_NONE;
    if (!key_of(&key, local, name))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_PRIVATE, key_span(&key), &record);
    if (outcome != STORE_OK)
        return outcome;
    if (record.len < 2 || record.bytes[0] != RECORD_VERSION) {
        log_line(LOG_ERROR, "store: a private element of '%.*s' is damaged (%u bytes)",
                 (int)local.len, local.bytes, (unsigned)record.len);
        return STORE_FAILED;
    }
    *xml = span_cut(record, 1, record.len);
    return STORE_OK;
}

enum store_outcome private_put(struct store *store, struct span local,
                               const struct private_name *name, struct span xml,
                               struct arena *arena)
{
    struct key key;
    size_t mark = arena->used;
    char *record = key_of(&key, local, name) ? arena_take(arena, 1 + xml.len) : NULL;
    if (record == NULL)
        return STORE_FULL;
    record[0] = RECORD_VERSION;
    memcpy(record + 1, xml.bytes, xml.len);
    enum store_outcome outcome =
        store_put(store, TABLE_PRIVATE, key_span(&key), span_of(record, 1 + xml.len), false);
    arena_reset(arena, mark);
    return outcome;
}

static bool is_one_of(struct span key, struct span local, const struct private_name *names,
                      unsigned count)
{
    struct key at;
    for (unsigned i = 0; i < count; i++)
        if (key_of(&at, local, &names[i]) && span_equal(key_span(&at), key))
            return true;
    return false;
}

enum store_outcome private_count(struct store *store, struct span local,
                                 const struct private_name *without, unsigned without_count,
                                 struct private_use *use)
{
    struct key account, key;
    struct span record;
    enum store_outcome outcome;
    *use = (struct private_use){0};
    if (!key_begin(&account, local))
        return STORE_FULL;
    key = account;
    while ((outcome = next_of(store, &account, &key, &record)) == STORE_OK) {
        if (is_one_of(key_span(&key), local, without, without_count))
            continue;
        use->elements++;
        use->bytes += (uint32_t)record.len;
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome private_forget(struct store *store, struct span local, unsigned max)
{
    struct key account, key;
    struct span record;
    if (!key_begin(&account, local))
        return STORE_NONE;
    key = account;
    for (unsigned i = 0; i < max; i++) {
        enum store_outcome outcome = next_of(store, &account, &key, &record);
        if (outcome == STORE_OK)
            outcome = store_delete(store, TABLE_PRIVATE, key_span(&key));
        if (outcome != STORE_OK)
            return outcome;
    }
    return STORE_OK;
}
