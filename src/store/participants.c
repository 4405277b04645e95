/* participants.c: see participants.h. Keys: the channel's number, 8 bytes big-endian, and the id.
 * A participant: version 1, nodes 1, length of the jid 2, jid, nick. A former one: version 1, how
 * many had left before it 8, jid. */
#include "store/participants.h"

#include "base/log.h"
#include "store/ending.h"
#include "store/record.h"

enum {
    VERSION = 1,
    NODES_AT = 1,
    JID_LEN_AT = 2,
    JID_AT = 4,
    ORDER_AT = 1,
    FORMER_JID_AT = 9,
    CHANNEL_BYTES = 8,
    RECORD_BYTES_MAX = PARTICIPANT_CHANGE_BYTES,
    JID_BYTES_FIT = RECORD_BYTES_MAX - JID_AT - PARTICIPANT_NICK_BYTES_MAX,
};

_Static_assert(FORMER_JID_AT + JID_BYTES_FIT <= RECORD_BYTES_MAX, "who leaves is remembered");

/* `id` NULL: what the keys of all of a channel begin with. */
static void key_of(struct record_key *key, uint64_t channel, const char *id)
{
    record_key_of_number(key, channel);
    if (id != NULL)
        (void)record_key_add(key, span_of(id, PARTICIPANT_ID_CHARS)); /* it fits */
}

static enum store_outcome damaged(const char *what, struct span record)
{
    log_line(LOG_ERROR, "store: a %s of a channel is damaged (%u bytes)", what,
             (unsigned)record.len);
    return STORE_FAILED;
}

static enum store_outcome participant_read(struct span key, struct span record,
                                           struct participant *out)
{
    *out = (struct participant){.nodes = 0};
    struct span id = span_cut(key, CHANNEL_BYTES, CHANNEL_BYTES + PARTICIPANT_ID_CHARS);
    memcpy(out->id, id.bytes, id.len);
    if (key.len != CHANNEL_BYTES + PARTICIPANT_ID_CHARS || record.len < JID_AT ||
        record.bytes[0] != VERSION)
        return damaged("participant", record);
    size_t jid_len = (size_t)record_number(record.bytes + JID_LEN_AT, 2);
    struct span jid = span_cut(record, JID_AT, JID_AT + jid_len);
    struct span nick = span_cut(record, JID_AT + jid_len, record.len);
    if (jid_len == 0 || jid.len != jid_len || nick.len > PARTICIPANT_NICK_BYTES_MAX)
        return damaged("participant", record);
    out->nodes = (uint8_t)record.bytes[NODES_AT];
    out->jid = jid;
    out->nick = nick;
    return STORE_OK;
}

enum store_outcome participant_get(struct store *store, uint64_t channel,
                                   const char id[PARTICIPANT_ID_CHARS], struct participant *out)
{
    struct record_key key; /* id may be out->id */
    struct span record;
    key_of(&key, channel, id);
    enum store_outcome outcome =
        store_get(store, TABLE_PARTICIPANTS, record_key_span(&key), &record);
    return outcome == STORE_OK ? participant_read(record_key_span(&key), record, out) : outcome;
}

enum store_outcome participant_put(struct store *store, uint64_t channel,
                                   const struct participant *participant)
{
    uint8_t bytes[RECORD_BYTES_MAX] = {VERSION, participant->nodes};
    const struct span jid = participant->jid, nick = participant->nick;
    struct record_key key;
    struct span old;
    if (jid.len == 0 || jid.len > JID_BYTES_FIT || nick.len > PARTICIPANT_NICK_BYTES_MAX)
        return STORE_FULL;
    record_number_put(bytes + JID_LEN_AT, 2, jid.len);
    memcpy(bytes + JID_AT, jid.bytes, jid.len);
    if (nick.len > 0)
        memcpy(bytes + JID_AT + jid.len, nick.bytes, nick.len);
    key_of(&key, channel, participant->id);
    enum store_outcome outcome =
        store_put(store, TABLE_PARTICIPANTS, record_key_span(&key),
                  span_of((const char *)bytes, JID_AT + jid.len + nick.len), false);
    if (outcome != STORE_OK)
        return outcome;
    /* Asked first: to delete is reckoned as pages of the transaction. */
    outcome = store_get(store, TABLE_FORMER, record_key_span(&key), &old);
    if (outcome == STORE_OK)
        outcome = store_delete(store, TABLE_FORMER, record_key_span(&key));
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome participant_next(struct store *store, uint64_t channel, const char *after,
                                    struct participant *out)
{
    struct record_key last, all;
    struct span key, record;
    enum store_outcome outcome;
    key_of(&all, channel, NULL);
    key_of(&last, channel, after); /* after may be out->id */
    key = record_key_span(&last);
    do
        outcome =
            table_next_of(store, TABLE_PARTICIPANTS, record_key_span(&all), key, &key, &record);
    while (outcome == STORE_OK && participant_read(key, record, out) != STORE_OK);
    return outcome;
}

enum store_outcome participant_count(struct store *store, uint64_t channel, unsigned *count)
{
    struct record_key all;
    struct span key, record;
    enum store_outcome outcome;
    key_of(&all, channel, NULL);
    key = record_key_span(&all);
    *count = 0;
    while ((outcome = table_next_of(store, TABLE_PARTICIPANTS, record_key_span(&all), key, &key,
                                    &record)) == STORE_OK)
        ++*count;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* --- who left --- */

static enum store_outcome former_read(struct span record, uint64_t *order, struct span *jid)
{
    *order = 0;
    *jid = span_cut(record, FORMER_JID_AT, record.len);
    if (jid->len == 0 || record.bytes[0] != VERSION) {
        *jid = SPAN_NONE;
        return damaged("former participant", record);
    }
    *order = record_number(record.bytes + ORDER_AT, 8);
    return STORE_OK;
}

enum store_outcome participant_former(struct store *store, uint64_t channel,
                                      const char id[PARTICIPANT_ID_CHARS], struct span *jid)
{
    struct record_key key;
    struct span record;
    uint64_t order;
    *jid = SPAN_NONE;
    key_of(&key, channel, id);
    enum store_outcome outcome = store_get(store, TABLE_FORMER, record_key_span(&key), &record);
    return outcome == STORE_OK ? former_read(record, &order, jid) : outcome;
}

/* What is known of all who left a channel: never more than PARTICIPANT_FORMER_MAX are looked at. */
struct formers {
    struct record_key first; /* who left longest ago */
    unsigned count;
    uint64_t order; /* the next one's */
};

static enum store_outcome formers_look(struct store *store, uint64_t channel,
                                       struct formers *formers)
{
    struct record_key all;
    struct span key, record, jid;
    uint64_t order, first = UINT64_MAX;
    enum store_outcome outcome;
    formers->count = 0;
    formers->order = 1;
    key_of(&all, channel, NULL);
    key = record_key_span(&all);
    while ((outcome = table_next_of(store, TABLE_FORMER, record_key_span(&all), key, &key,
                                    &record)) == STORE_OK) {
        (void)former_read(record, &order, &jid); /* a damaged one goes first */
        formers->count++;
        if (order >= formers->order)
            formers->order = order + 1;
        if (order >= first)
            continue;
        first = order;
        formers->first.len = 0;
        (void)record_key_add(&formers->first, key); /* it is no longer than any key */
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static enum store_outcome former_put(struct store *store, uint64_t channel,
                                     const struct record_key *key, struct span jid)
{
    uint8_t bytes[RECORD_BYTES_MAX] = {VERSION};
    struct formers formers;
    memcpy(bytes + FORMER_JID_AT, jid.bytes, jid.len); /* borrowed from the store */
    enum store_outcome outcome = formers_look(store, channel, &formers);
    if (outcome != STORE_OK)
        return outcome;
    record_number_put(bytes + ORDER_AT, 8, formers.order);
    outcome = store_put(store, TABLE_FORMER, record_key_span(key),
                        span_of((const char *)bytes, FORMER_JID_AT + jid.len), false);
    if (outcome != STORE_OK || formers.count < PARTICIPANT_FORMER_MAX)
        return outcome;
    return store_delete(store, TABLE_FORMER, record_key_span(&formers.first));
}

enum store_outcome participant_leave(struct store *store, uint64_t channel,
                                     const char id[PARTICIPANT_ID_CHARS])
{
    struct record_key key;
    struct participant participant;
    struct span record;
    key_of(&key, channel, id);
    enum store_outcome outcome =
        store_get(store, TABLE_PARTICIPANTS, record_key_span(&key), &record);
    if (outcome != STORE_OK)
        return outcome;
    /* A damaged one can leave too; whose it was nobody knows. */
    if (participant_read(record_key_span(&key), record, &participant) == STORE_OK &&
        participant.jid.len <= JID_BYTES_FIT)
        outcome = former_put(store, channel, &key, participant.jid);
    if (outcome != STORE_OK)
        return outcome;
    return store_delete(store, TABLE_PARTICIPANTS, record_key_span(&key));
}

static bool is_damaged(struct span key, struct span record, const void *context)
{
    struct participant participant;
    struct span jid;
    uint64_t order;
    const enum store_table *table = context;
    return (*table == TABLE_FORMER ? former_read(record, &order, &jid)
                                   : participant_read(key, record, &participant)) != STORE_OK;
}

enum store_outcome participant_damage(struct store *store, uint64_t *damaged)
{
    static const enum store_table tables[] = {TABLE_PARTICIPANTS, TABLE_FORMER};
    enum store_outcome outcome = STORE_OK;
    uint64_t count;
    *damaged = 0;
    for (size_t i = 0; outcome == STORE_OK && i < sizeof tables / sizeof tables[0]; i++) {
        outcome = table_count(store, tables[i], is_damaged, &tables[i], &count);
        *damaged += count;
    }
    return outcome;
}
