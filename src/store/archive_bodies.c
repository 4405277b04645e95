/* archive_bodies.c: the bodies of the archive, see archive_parts.h. Body: the stanza, behind it its
 * owners (length (1), name, hash of the other side's bare jid (8), hash of its resource (4)), their
 * bytes (2), stamp (8), version (2). In version 1 owners had no hashes. */
#include "base/log.h"
#include "base/must.h"
#include "store/archive_parts.h"

enum {
    VERSION = 2,
    VERSION_WITHOUT_HASHES = 1,
    BARE_BYTES = 8,
    RESOURCE_BYTES = 4,
    NOTE_END_BYTES = 11, /* behind the owners */
    STAMP_AT = 2,        /* in it */
};

_Static_assert(ARCHIVE_NOTE_BYTES(0) ==
                   NOTE_END_BYTES + ARCHIVE_OWNERS_MAX * (1 + BARE_BYTES + RESOURCE_BYTES),
               "what a note takes");

bool keeper_next(struct archive_body *body, struct keeper *keeper)
{
    struct span *owners = &body->owners;
    size_t hashes = body->version == VERSION ? BARE_BYTES + RESOURCE_BYTES : 0;
    if (owners->len == 0 || 1 + (uint8_t)owners->bytes[0] + hashes > owners->len)
        return false;
    keeper->local = span_cut(*owners, 1, 1 + (size_t)(uint8_t)owners->bytes[0]);
    *owners = span_cut(*owners, 1 + keeper->local.len, owners->len);
    keeper->with = (struct archive_with){.resource = 0};
    if (hashes > 0) {
        memcpy(keeper->with.bare, owners->bytes, BARE_BYTES);
        keeper->with.resource = (uint32_t)record_number(owners->bytes + BARE_BYTES, RESOURCE_BYTES);
    }
    *owners = span_cut(*owners, hashes, owners->len);
    return true;
}

/* --- reading --- */

static bool body_read(struct span record, struct archive_body *body)
{
    *body = (struct archive_body){0};
    if (record.len < NOTE_END_BYTES)
        return false;
    const char *end = record.bytes + record.len - NOTE_END_BYTES;
    size_t owners_len = (size_t)record_number(end, 2);
    size_t rest = record.len - NOTE_END_BYTES;
    uint8_t version = (uint8_t)end[NOTE_END_BYTES - 1];
    if ((version != VERSION && version != VERSION_WITHOUT_HASHES) || owners_len > rest)
        return false;
    body->version = version;
    body->stamp_us = record_number(end + STAMP_AT, 8);
    body->stanza = span_cut(record, 0, rest - owners_len);
    body->owners = span_cut(record, rest - owners_len, rest);
    return true;
}

static enum store_outcome damaged(struct span record)
{
    log_line(LOG_ERROR, "store: a message in the archive is damaged (%u bytes)",
             (unsigned)record.len);
    return STORE_FAILED;
}

enum store_outcome archive_body(struct store *store, uint64_t number, struct archive_body *body)
{
    char key[ARCHIVE_NUMBER_BYTES];
    struct span record;
    *body = (struct archive_body){0};
    archive_number_put(key, number);
    enum store_outcome outcome = store_get(store, TABLE_BODIES, span_of(key, sizeof key), &record);
    return outcome != STORE_OK || body_read(record, body) ? outcome : damaged(record);
}

static enum store_outcome found(enum store_outcome outcome, struct span key, struct span record,
                                uint64_t *number, struct archive_body *body)
{
    *body = (struct archive_body){0};
    if (outcome != STORE_OK)
        return outcome;
    if (key.len != ARCHIVE_NUMBER_BYTES)
        return damaged(key);
    *number = archive_number_of(key);
    (void)body_read(record, body); /* else it has no owners */
    return STORE_OK;
}

enum store_outcome body_next(struct store *store, uint64_t after, uint64_t *number,
                             struct archive_body *body)
{
    char bytes[ARCHIVE_NUMBER_BYTES];
    struct span key, record;
    archive_number_put(bytes, after);
    enum store_outcome outcome =
        store_next(store, TABLE_BODIES, span_of(bytes, sizeof bytes), &key, &record);
    return found(outcome, key, record, number, body);
}

enum store_outcome body_previous(struct store *store, uint64_t before, uint64_t *number,
                                 struct archive_body *body)
{
    char bytes[ARCHIVE_NUMBER_BYTES];
    struct span key, record;
    archive_number_put(bytes, before);
    enum store_outcome outcome =
        store_previous(store, TABLE_BODIES, span_of(bytes, sizeof bytes), &key, &record);
    return found(outcome, key, record, number, body);
}

enum store_outcome archive_last(struct store *store, uint64_t *number)
{
    struct archive_body body;
    *number = 0;
    enum store_outcome outcome = body_previous(store, UINT64_MAX, number, &body);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* --- writing --- */

static void owner_build(struct build *stanza, const struct archive_owner *owner)
{
    struct archive_with with;
    char len = (char)owner->local.len;
    uint8_t resource[RESOURCE_BYTES];
    must(owner->local.len > 0 && owner->local.len <= ARCHIVE_LOCAL_BYTES_MAX);
    archive_with(&with, owner->with);
    record_number_put(resource, sizeof resource, with.resource);
    build_put(stanza, span_of(&len, 1));
    build_put(stanza, owner->local);
    build_put(stanza, span_of((const char *)with.bare, BARE_BYTES));
    build_put(stanza, span_of((const char *)resource, sizeof resource));
}

static void note_build(struct build *stanza, size_t owners_len, uint64_t stamp_us, uint8_t version)
{
    uint8_t end[NOTE_END_BYTES];
    record_number_put(end, 2, owners_len);
    record_number_put(end + STAMP_AT, 8, stamp_us);
    end[NOTE_END_BYTES - 1] = version;
    build_put(stanza, span_of((const char *)end, sizeof end));
}

enum store_outcome archive_put(struct store *store, uint64_t number, uint64_t stamp_us,
                               const struct archive_owner *owners, unsigned count,
                               struct build *stanza)
{
    char key[ARCHIVE_NUMBER_BYTES];
    size_t stanza_len = stanza->used;
    must(count > 0 && count <= ARCHIVE_OWNERS_MAX && number <= ARCHIVE_NUMBER_MAX);
    for (unsigned i = 0; i < count; i++)
        owner_build(stanza, &owners[i]);
    note_build(stanza, stanza->used - stanza_len, stamp_us, VERSION);
    if (stanza->full)
        return STORE_FULL;
    archive_number_put(key, number);
    store->appending = true; /* pages are filled to their ends */
    enum store_outcome outcome =
        store_put(store, TABLE_BODIES, span_of(key, sizeof key), build_span(stanza), true);
    store->appending = false;
    if (outcome == STORE_OK)
        index_behind(store, 1);
    return outcome;
}

enum store_outcome archive_replace(struct store *store, uint64_t number, struct build *stanza)
{
    char key[ARCHIVE_NUMBER_BYTES];
    struct archive_body body;
    enum store_outcome outcome = archive_body(store, number, &body);
    if (outcome != STORE_OK)
        return outcome;
    build_put(stanza, body.owners);
    note_build(stanza, body.owners.len, body.stamp_us, body.version);
    if (stanza->full)
        return STORE_FULL;
    archive_number_put(key, number);
    outcome = store_put(store, TABLE_BODIES, span_of(key, sizeof key), build_span(stanza), false);
    store_hasten(store); /* who has asked for it hears of it */
    return outcome;
}

enum store_outcome body_drop(struct store *store, uint64_t number)
{
    char key[ARCHIVE_NUMBER_BYTES];
    uint64_t end;
    archive_number_put(key, number);
    enum store_outcome outcome = index_end(store, &end);
    if (outcome == STORE_OK)
        outcome = store_delete(store, TABLE_BODIES, span_of(key, sizeof key));
    if (outcome == STORE_OK && number > end)
        index_behind(store, -1);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}
