/* archive.c: see archive.h. Keys: bodies: number (8, big-endian); archive: localpart, NUL, number.
 * Body: the stanza, behind it the owners (length (1), localpart), their bytes (2), stamp (8),
 * version (1); the owners are asked whether they still keep it. Entry: version (1), place (4), hash
 * of the other side's bare jid (8), hash of its resource (4). */
#include "store/archive.h"

#include "base/log.h"
#include "base/must.h"
#include "store/environment.h"
#include "store/record.h"
#include "wire/digest.h"

enum {
    VERSION = 1,
    NUMBER_BYTES = 8,
    HASH_BYTES = 8,
    RESOURCE_BYTES = 4,
    NOTE_END_BYTES = 11, /* behind the owners */
    STAMP_AT = 2,        /* in it */
    ENTRY_BYTES = 17,
    PLACE_AT = 1,
    HASH_AT = 5,
    RESOURCE_AT = 13,
    LOCAL_BYTES_MAX = 255,
};

static void number_put(char *bytes, uint64_t number)
{
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (char)(number >> 8 * (NUMBER_BYTES - 1 - i));
}

static uint64_t number_of(struct span key)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        number = number << 8 | (uint8_t)key.bytes[key.len - NUMBER_BYTES + i];
    return number;
}

/* false: no account has such a name. */
static bool key_of(struct record_key *key, const struct archive_view *view, uint64_t number)
{
    struct span local = view->local;
    if (local.len == 0 || local.len > LOCAL_BYTES_MAX)
        return false;
    memcpy(key->bytes, local.bytes, local.len);
    key->bytes[local.len] = 0;
    key->len = local.len + 1;
    number_put(key->bytes + key->len, number);
    key->len += NUMBER_BYTES;
    return true;
}

static uint32_t resource_hash(const struct jid *jid)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    if (jid->resource_len == 0)
        return 0;
    digest_hash(DIGEST_SHA1, jid_resource(jid), hash);
    return (uint32_t)record_number(hash, RESOURCE_BYTES) | 1;
}

void archive_view(struct archive_view *view, struct span local, const struct jid *with)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    *view = (struct archive_view){.local = local, .talk = with != NULL};
    if (with == NULL)
        return;
    digest_hash(DIGEST_SHA1, jid_bare(with), hash);
    memcpy(view->with, hash, HASH_BYTES);
    view->resource = resource_hash(with);
    view->with_resource = with->resource_len > 0;
}

/* STORE_NONE: the record is not of this view. *fits: it is one of those that are looked for. */
static enum store_outcome entry_read(const struct archive_view *view, struct span key,
                                     struct span record, struct archive_entry *entry, bool *fits)
{
    struct record_key own;
    *entry = (struct archive_entry){0};
    if (!key_of(&own, view, 0) || key.len != own.len ||
        memcmp(key.bytes, own.bytes, own.len - NUMBER_BYTES) != 0)
        return STORE_NONE;
    entry->number = number_of(key);
    if (record.len != ENTRY_BYTES || record.bytes[0] != VERSION) {
        log_line(LOG_ERROR, "store: an entry in the archive of '%.*s' is damaged",
                 (int)view->local.len, view->local.bytes);
        return STORE_FAILED;
    }
    entry->place = (uint32_t)record_number(record.bytes + PLACE_AT, 4);
    *fits = (!view->talk || memcmp(record.bytes + HASH_AT, view->with, HASH_BYTES) == 0) &&
            (!view->with_resource ||
             record_number(record.bytes + RESOURCE_AT, RESOURCE_BYTES) == view->resource);
    return STORE_OK;
}

/* Damaged ones are passed over; there is an end to them. */
static enum store_outcome walk(struct store *store, const struct archive_view *view, uint64_t from,
                               bool forwards, struct archive_entry *entry)
{
    struct record_key key;
    struct span name, record;
    bool fits = false;
    enum store_outcome outcome;
    *entry = (struct archive_entry){.number = from};
    do {
        if (!key_of(&key, view, entry->number))
            return STORE_NONE;
        outcome = forwards
                      ? store_next(store, TABLE_ARCHIVE, record_key_span(&key), &name, &record)
                      : store_previous(store, TABLE_ARCHIVE, record_key_span(&key), &name, &record);
        if (outcome != STORE_OK)
            return outcome;
        outcome = entry_read(view, name, record, entry, &fits);
    } while (outcome == STORE_FAILED || (outcome == STORE_OK && !fits));
    return outcome;
}

enum store_outcome archive_after(struct store *store, const struct archive_view *view,
                                 uint64_t after, struct archive_entry *entry)
{
    return walk(store, view, after, true, entry);
}

enum store_outcome archive_before(struct store *store, const struct archive_view *view,
                                  uint64_t before, struct archive_entry *entry)
{
    return walk(store, view, before, false, entry);
}

enum store_outcome archive_has(struct store *store, const struct archive_view *view,
                               uint64_t number)
{
    struct record_key key;
    struct span record;
    struct archive_entry entry;
    bool fits;
    if (!key_of(&key, view, number))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_ARCHIVE, record_key_span(&key), &record);
    if (outcome == STORE_OK)
        outcome = entry_read(view, record_key_span(&key), record, &entry, &fits);
    return outcome == STORE_OK && !fits ? STORE_NONE : outcome;
}

enum store_outcome archive_count(struct store *store, const struct archive_view *view,
                                 uint32_t *count)
{
    struct archive_entry first, last;
    *count = 0;
    enum store_outcome outcome = archive_after(store, view, 0, &first);
    if (outcome == STORE_OK)
        outcome = archive_before(store, view, UINT64_MAX, &last);
    if (outcome == STORE_OK)
        *count = last.place - first.place + 1;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome archive_last(struct store *store, uint64_t *number)
{
    static const char end[NUMBER_BYTES + 1] = "\xff\xff\xff\xff\xff\xff\xff\xff";
    struct span key, record;
    *number = 0;
    enum store_outcome outcome =
        store_previous(store, TABLE_BODIES, span_of(end, sizeof end), &key, &record);
    if (outcome == STORE_OK && key.len == NUMBER_BYTES)
        *number = number_of(key);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* --- putting --- */

static enum store_outcome entry_put(struct store *store, const struct archive_owner *owner,
                                    uint64_t number)
{
    struct archive_view all, talk;
    struct archive_entry last;
    struct record_key key;
    uint8_t record[ENTRY_BYTES] = {VERSION};
    archive_view(&all, owner->local, NULL);
    archive_view(&talk, owner->local, owner->with);
    enum store_outcome outcome = archive_before(store, &all, UINT64_MAX, &last);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    record_number_put(record + PLACE_AT, 4, outcome == STORE_OK ? last.place + 1 : 0);
    memcpy(record + HASH_AT, talk.with, HASH_BYTES);
    record_number_put(record + RESOURCE_AT, RESOURCE_BYTES, talk.resource);
    return key_of(&key, &all, number)
               ? store_put(store, TABLE_ARCHIVE, record_key_span(&key),
                           span_of((const char *)record, sizeof record), true)
               : STORE_FULL;
}

static enum store_outcome body_put(struct store *store, uint64_t number, uint64_t stamp_us,
                                   const struct archive_owner *owners, unsigned count,
                                   struct build *stanza)
{
    char key[NUMBER_BYTES], byte;
    uint8_t end[NOTE_END_BYTES];
    size_t stanza_len = stanza->used;
    for (unsigned i = 0; i < count; i++) {
        must(owners[i].local.len <= LOCAL_BYTES_MAX);
        byte = (char)owners[i].local.len;
        build_put(stanza, span_of(&byte, 1));
        build_put(stanza, owners[i].local);
    }
    record_number_put(end, 2, stanza->used - stanza_len);
    record_number_put(end + STAMP_AT, 8, stamp_us);
    end[NOTE_END_BYTES - 1] = VERSION;
    build_put(stanza, span_of((const char *)end, sizeof end));
    if (stanza->full)
        return STORE_FULL;
    number_put(key, number);
    store->appending = true; /* pages are filled to their ends */
    enum store_outcome outcome =
        store_put(store, TABLE_BODIES, span_of(key, sizeof key), build_span(stanza), true);
    store->appending = false;
    return outcome;
}

enum store_outcome archive_put(struct store *store, uint64_t number, uint64_t stamp_us,
                               const struct archive_owner *owners, unsigned count,
                               struct build *stanza)
{
    must(count > 0 && count <= ARCHIVE_OWNERS_MAX && number <= ARCHIVE_NUMBER_MAX);
    enum store_outcome outcome = body_put(store, number, stamp_us, owners, count, stanza);
    for (unsigned i = 0; i < count && outcome == STORE_OK; i++)
        outcome = entry_put(store, &owners[i], number);
    return outcome;
}

/* --- bodies --- */

static bool owner_next(struct span *owners, struct span *owner)
{
    if (owners->len == 0 || (uint8_t)owners->bytes[0] >= owners->len)
        return false;
    *owner = span_cut(*owners, 1, 1 + (size_t)(uint8_t)owners->bytes[0]);
    *owners = span_cut(*owners, 1 + owner->len, owners->len);
    return true;
}

static bool body_read(struct span record, struct archive_body *body)
{
    if (record.len < NOTE_END_BYTES || record.bytes[record.len - 1] != VERSION)
        return false;
    const char *end = record.bytes + record.len - NOTE_END_BYTES;
    size_t owners_len = (size_t)record_number(end, 2);
    size_t rest = record.len - NOTE_END_BYTES;
    if (owners_len > rest)
        return false;
    body->stamp_us = record_number(end + STAMP_AT, 8);
    body->stanza = span_cut(record, 0, rest - owners_len);
    body->owners = span_cut(record, rest - owners_len, rest);
    return true;
}

enum store_outcome archive_body(struct store *store, uint64_t number, struct archive_body *body)
{
    char key[NUMBER_BYTES];
    struct span record;
    *body = (struct archive_body){0};
    number_put(key, number);
    enum store_outcome outcome = store_get(store, TABLE_BODIES, span_of(key, sizeof key), &record);
    if (outcome != STORE_OK || body_read(record, body))
        return outcome;
    log_line(LOG_ERROR, "store: a message in the archive is damaged (%u bytes)",
             (unsigned)record.len);
    return STORE_FAILED;
}

/* Whether one of the owners but this one keeps it. STORE_OK: yes. */
static enum store_outcome kept_by_others(struct store *store, struct span owners, struct span local,
                                         uint64_t number)
{
    struct archive_view view;
    struct span owner;
    while (owner_next(&owners, &owner)) {
        archive_view(&view, owner, NULL);
        enum store_outcome outcome =
            span_equal(owner, local) ? STORE_NONE : archive_has(store, &view, number);
        if (outcome != STORE_NONE)
            return outcome;
    }
    return STORE_NONE;
}

/* --- dropping --- */

static bool gone(enum store_outcome outcome)
{
    return outcome == STORE_OK || outcome == STORE_NONE;
}

/* Of one account; the body stays. */
static enum store_outcome entry_drop(struct store *store, struct span local, uint64_t number)
{
    struct archive_view all;
    struct record_key key;
    archive_view(&all, local, NULL);
    return key_of(&key, &all, number) ? store_delete(store, TABLE_ARCHIVE, record_key_span(&key))
                                      : STORE_NONE;
}

static enum store_outcome body_drop(struct store *store, uint64_t number)
{
    char key[NUMBER_BYTES];
    number_put(key, number);
    enum store_outcome outcome = store_delete(store, TABLE_BODIES, span_of(key, sizeof key));
    return gone(outcome) ? STORE_OK : outcome;
}

enum store_outcome archive_drop_first(struct store *store, struct span local)
{
    struct archive_view all;
    struct archive_entry first;
    struct archive_body body;
    archive_view(&all, local, NULL);
    enum store_outcome outcome = archive_after(store, &all, 0, &first);
    if (outcome != STORE_OK)
        return outcome;
    outcome = archive_body(store, first.number, &body);
    bool kept = outcome == STORE_OK &&
                kept_by_others(store, body.owners, local, first.number) != STORE_NONE;
    outcome = entry_drop(store, local, first.number);
    if (gone(outcome) && !kept)
        outcome = body_drop(store, first.number);
    return outcome;
}

enum store_outcome archive_drop_oldest(struct store *store, uint64_t before)
{
    char owners[ARCHIVE_OWNERS_MAX * (1 + LOCAL_BYTES_MAX)];
    struct span key, record, rest, owner;
    struct archive_body body = {0};
    enum store_outcome outcome = store_next(store, TABLE_BODIES, SPAN_NONE, &key, &record);
    if (outcome != STORE_OK)
        return outcome;
    uint64_t number = key.len == NUMBER_BYTES ? number_of(key) : 0;
    if (number >= before)
        return STORE_NONE;
    if (!body_read(record, &body) || body.owners.len > sizeof owners)
        body.owners = SPAN("");
    memcpy(owners, body.owners.bytes, body.owners.len); /* the record goes with the first write */
    rest = span_of(owners, body.owners.len);
    while (gone(outcome) && owner_next(&rest, &owner))
        outcome = entry_drop(store, owner, number);
    return gone(outcome) ? body_drop(store, number) : outcome;
}

enum store_outcome archive_forget(struct store *store, struct span local, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        enum store_outcome outcome = archive_drop_first(store, local);
        if (outcome != STORE_OK)
            return outcome;
    }
    return STORE_OK;
}

enum store_outcome archive_usage(struct store *store, struct archive_use *use)
{
    *use = (struct archive_use){0};
    enum store_outcome outcome = store_count(store, TABLE_BODIES, &use->messages);
    if (outcome == STORE_OK)
        outcome = store_count(store, TABLE_ARCHIVE, &use->entries);
    if (outcome == STORE_OK)
        use->bytes =
            store_table_bytes(store, TABLE_BODIES) + store_table_bytes(store, TABLE_ARCHIVE);
    return outcome;
}

bool archive_has_room(struct store *store, size_t bytes)
{
    return store->env != NULL && store->writable && !store->broken &&
           room_left(store, bytes + ARCHIVE_ENTRIES_BYTES, ROOM_WRITE);
}
