/* offline.c: see offline.h. Key: localpart, NUL, number (8 bytes, big-endian, so that they sort).
 * A record is the stanza and behind it the note: the sender, its length (2), the bytes of all
 * stanzas up to this one since the queue was empty (8), number in the archive (8), version (1). */
#include "store/offline.h"

#include "base/log.h"
#include "store/record.h"

enum { VERSION = 2, NUMBER_BYTES = 8, NOTE_BYTES = OFFLINE_NOTE_BYTES(0) };

/* What is known of a record. */
struct entry {
    struct offline_message message;
    uint64_t end; /* bytes up to and with this one */
};

/* false: no account can have such a name. */
static bool key_of(struct record_key *key, struct span local, uint64_t number)
{
    char bytes[NUMBER_BYTES];
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (char)(number >> 8 * (NUMBER_BYTES - 1 - i));
    return record_key_of(key, local, span_of(bytes, NUMBER_BYTES));
}

/* STORE_NONE: a record of another account. */
static enum store_outcome entry_read(struct span local, struct span key, struct span record,
                                     struct entry *out)
{
    const uint8_t *number = (const uint8_t *)key.bytes + key.len - NUMBER_BYTES;
    *out = (struct entry){0};
    if (key.len != local.len + 1 + NUMBER_BYTES || memcmp(key.bytes, local.bytes, local.len) != 0 ||
        key.bytes[local.len] != 0)
        return STORE_NONE;
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        out->message.number = out->message.number << 8 | number[i];
    if (record.len >= NOTE_BYTES && record.bytes[record.len - 1] == VERSION) {
        size_t from_len = (size_t)record_number(record.bytes + record.len - NOTE_BYTES, 2);
        size_t rest = record.len - NOTE_BYTES;
        out->end = record_number(record.bytes + record.len - NOTE_BYTES + 2, 8);
        if (from_len <= rest) {
            out->message.archived = record_number(record.bytes + record.len - NOTE_BYTES + 10, 8);
            out->message.stanza = span_cut(record, 0, rest - from_len);
            out->message.from = span_cut(record, rest - from_len, rest);
            return STORE_OK;
        }
    }
    log_line(LOG_ERROR, "store: an offline message of '%.*s' is damaged", (int)local.len,
             local.bytes);
    return STORE_FAILED;
}

static enum store_outcome entry_after(struct store *store, struct span local, uint64_t after,
                                      struct entry *out)
{
    struct record_key key;
    struct span name, record;
    if (!key_of(&key, local, after))
        return STORE_NONE;
    enum store_outcome outcome =
        store_next(store, TABLE_OFFLINE, record_key_span(&key), &name, &record);
    return outcome == STORE_OK ? entry_read(local, name, record, out) : outcome;
}

static enum store_outcome entry_last(struct store *store, struct span local, struct entry *out)
{
    struct record_key key;
    struct span name, record;
    if (!key_of(&key, local, UINT64_MAX))
        return STORE_NONE;
    enum store_outcome outcome =
        store_previous(store, TABLE_OFFLINE, record_key_span(&key), &name, &record);
    return outcome == STORE_OK ? entry_read(local, name, record, out) : outcome;
}

enum store_outcome offline_look(struct store *store, struct span local, struct offline_queue *queue)
{
    struct entry first, last;
    *queue = (struct offline_queue){0};
    enum store_outcome outcome = entry_last(store, local, &last);
    if (outcome == STORE_OK)
        outcome = entry_after(store, local, 0, &first);
    if (outcome != STORE_OK)
        return outcome == STORE_NONE ? STORE_OK : outcome;
    queue->messages = last.message.number - first.message.number + 1;
    queue->bytes = last.end - first.end + first.message.stanza.len;
    return STORE_OK;
}

enum store_outcome offline_put(struct store *store, struct span local, struct build *stanza,
                               struct span from, uint64_t archived)
{
    struct record_key key;
    struct entry last = {0};
    uint8_t note[NOTE_BYTES];
    uint64_t len = stanza->used;
    enum store_outcome outcome = entry_last(store, local, &last);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    if (!key_of(&key, local, last.message.number + 1))
        return STORE_FULL;
    record_number_put(note, 2, from.len);
    record_number_put(note + 2, 8, last.end + len);
    record_number_put(note + 10, 8, archived);
    note[NOTE_BYTES - 1] = VERSION;
    build_put(stanza, from);
    build_put(stanza, span_of((const char *)note, sizeof note));
    if (stanza->full)
        return STORE_FULL;
    return store_put(store, TABLE_OFFLINE, record_key_span(&key), build_span(stanza), true);
}

enum store_outcome offline_next(struct store *store, struct span local, uint64_t after,
                                struct offline_message *message)
{
    struct entry entry;
    enum store_outcome outcome = entry_after(store, local, after, &entry);
    *message = entry.message;
    return outcome;
}

enum store_outcome offline_drop(struct store *store, struct span local, uint64_t up_to,
                                unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        struct record_key key;
        struct entry entry;
        enum store_outcome outcome = entry_after(store, local, 0, &entry);
        /* One that is damaged must not stand in the way of the others for ever. */
        if ((outcome != STORE_OK && (outcome != STORE_FAILED || entry.message.number == 0)) ||
            !key_of(&key, local, entry.message.number))
            return outcome;
        if (entry.message.number > up_to)
            return STORE_NONE;
        outcome = store_delete(store, TABLE_OFFLINE, record_key_span(&key));
        if (outcome != STORE_OK)
            return outcome;
    }
    return STORE_OK;
}
