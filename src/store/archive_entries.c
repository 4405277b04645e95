/* archive_entries.c: the index of the archive, see archive_parts.h. Entry: version (1), place (4),
 * hash of the other side's bare jid (8), hash of its resource (4). */
#include "base/log.h"
#include "store/archive_parts.h"
#include "wire/digest.h"

enum {
    VERSION = 1,
    ENTRY_BYTES = 17,
    PLACE_AT = 1,
    BARE_AT = 5,
    RESOURCE_AT = 13,
    RESOURCE_BYTES = 4,
};

void archive_with(struct archive_with *with, const struct jid *jid)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    digest_hash(DIGEST_SHA1, jid_bare(jid), hash);
    memcpy(with->bare, hash, sizeof with->bare);
    with->resource = 0;
    if (jid->resource_len == 0)
        return;
    digest_hash(DIGEST_SHA1, jid_resource(jid), hash);
    with->resource = (uint32_t)record_number(hash, RESOURCE_BYTES) | 1;
}

/* false: nobody has such a name. */
static bool key_of(struct record_key *key, struct span owner, uint64_t number)
{
    char bytes[ARCHIVE_NUMBER_BYTES];
    archive_number_put(bytes, number);
    return owner.len <= ARCHIVE_LOCAL_BYTES_MAX &&
           record_key_of(key, owner, span_of(bytes, sizeof bytes));
}

static enum store_outcome entry_read(struct span owner, struct span record, struct entry *entry)
{
    if (record.len != ENTRY_BYTES || record.bytes[0] != VERSION) {
        log_line(LOG_ERROR, "store: an entry in the archive of '%.*s' is damaged", (int)owner.len,
                 owner.bytes);
        return STORE_FAILED;
    }
    entry->place = (uint32_t)record_number(record.bytes + PLACE_AT, 4);
    memcpy(entry->with.bare, record.bytes + BARE_AT, sizeof entry->with.bare);
    entry->with.resource = (uint32_t)record_number(record.bytes + RESOURCE_AT, RESOURCE_BYTES);
    return STORE_OK;
}

enum store_outcome entry_put(struct store *store, struct span owner, const struct entry *entry)
{
    struct record_key key;
    uint8_t record[ENTRY_BYTES] = {VERSION};
    record_number_put(record + PLACE_AT, 4, entry->place);
    memcpy(record + BARE_AT, entry->with.bare, sizeof entry->with.bare);
    record_number_put(record + RESOURCE_AT, RESOURCE_BYTES, entry->with.resource);
    return key_of(&key, owner, entry->number)
               ? store_put(store, TABLE_ARCHIVE, record_key_span(&key),
                           span_of((const char *)record, sizeof record), false)
               : STORE_FULL;
}

enum store_outcome entry_get(struct store *store, struct span owner, uint64_t number,
                             struct entry *entry)
{
    struct record_key key;
    struct span record;
    *entry = (struct entry){.number = number};
    if (!key_of(&key, owner, number))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_ARCHIVE, record_key_span(&key), &record);
    return outcome == STORE_OK ? entry_read(owner, record, entry) : outcome;
}

/* The next one in the table from entry->number on, if it is of the same owner. */
static enum store_outcome step(struct store *store, struct span owner, bool forwards,
                               struct entry *entry, struct span *record)
{
    struct record_key key;
    struct span name;
    if (!key_of(&key, owner, entry->number))
        return STORE_NONE;
    enum store_outcome outcome =
        forwards ? store_next(store, TABLE_ARCHIVE, record_key_span(&key), &name, record)
                 : store_previous(store, TABLE_ARCHIVE, record_key_span(&key), &name, record);
    if (outcome != STORE_OK)
        return outcome;
    if (name.len != key.len || memcmp(name.bytes, key.bytes, key.len - ARCHIVE_NUMBER_BYTES) != 0)
        return STORE_NONE;
    entry->number = archive_number_of(name);
    return STORE_OK;
}

enum store_outcome entry_next(struct store *store, struct span owner, bool forwards,
                              struct entry *entry)
{
    struct span record;
    enum store_outcome outcome;
    do {
        outcome = step(store, owner, forwards, entry, &record);
    } while (outcome == STORE_OK && entry_read(owner, record, entry) != STORE_OK);
    return outcome;
}

enum store_outcome entry_drop(struct store *store, struct span owner, uint64_t number)
{
    struct record_key key;
    return key_of(&key, owner, number) ? store_delete(store, TABLE_ARCHIVE, record_key_span(&key))
                                       : STORE_NONE;
}

enum store_outcome entry_owner(struct store *store, struct span after, struct span *owner)
{
    struct record_key key = {.bytes = {0}, .len = 1}; /* behind the record of the index */
    struct span name, record;
    *owner = SPAN_NONE;
    if (after.len > 0 && !key_of(&key, after, UINT64_MAX))
        return STORE_NONE;
    enum store_outcome outcome =
        store_next(store, TABLE_ARCHIVE, record_key_span(&key), &name, &record);
    if (outcome == STORE_OK && name.len > 1 + ARCHIVE_NUMBER_BYTES)
        *owner = span_cut(name, 0, name.len - 1 - ARCHIVE_NUMBER_BYTES);
    return outcome == STORE_OK && owner->len == 0 ? STORE_FAILED : outcome;
}
