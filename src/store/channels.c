/* channels.c: see channels.h. A channel is fixed bytes, then the texts behind each other: version
 * 1, id 8, secret 32, revocations 4, flags 1, subscribe 6, info_update 1, retract_any 1, made 8,
 * info 8, config 8, lengths of name, description, contacts, owners, admins, changed_by 2 each.
 * Key of an entry: the channel's number, 8 bytes big-endian, list 1, jid; it holds version 1. */
#include "store/channels.h"

#include "base/log.h"
#include "store/ending.h"
#include "store/record.h"

enum {
    VERSION = 1,
    ID_AT = 1,
    SECRET_AT = ID_AT + 8,
    REVOCATIONS_AT = SECRET_AT + CHANNEL_SECRET_BYTES,
    FLAGS_AT = REVOCATIONS_AT + 4,
    SUBSCRIBE_AT = FLAGS_AT + 1,
    INFO_UPDATE_AT = SUBSCRIBE_AT + CHANNEL_NODES,
    RETRACT_ANY_AT,
    MADE_AT,
    INFO_AT = MADE_AT + 8,
    CONFIG_AT = INFO_AT + 8,
    LENGTHS_AT = CONFIG_AT + 8,
    TEXTS = 6,
    FIXED_BYTES = LENGTHS_AT + 2 * TEXTS,
    RECORD_BYTES_MAX = CHANNEL_CHANGE_BYTES,
    NUMBER_BYTES = 8,
    ENTRY_PREFIX_BYTES = NUMBER_BYTES + 1,
};

static const char version_record[] = {VERSION};

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= CHANNEL_LOCAL_BYTES_MAX;
}

/* --- people --- */

static bool people_sound(struct span people)
{
    struct span jid;
    unsigned count = 0;
    if (people.len > CHANNEL_PEOPLE_BYTES_MAX)
        return false;
    for (; jid_list_next(&people, &jid); count++)
        if (jid.len == 0)
            return false;
    return people.len == 0 && count <= CHANNEL_PEOPLE_MAX;
}

/* --- channels --- */

static bool channel_sound(const struct channel *channel)
{
    for (size_t i = 0; i < CHANNEL_NODES; i++)
        if (channel->subscribe[i] > ROLE_NOBODY)
            return false;
    return channel->info_update <= ROLE_NOBODY && channel->retract_any <= ROLE_NOBODY &&
           channel->name.len <= CHANNEL_TEXT_BYTES_MAX &&
           channel->description.len <= CHANNEL_TEXT_BYTES_MAX && channel->owners.len > 0 &&
           people_sound(channel->owners) && people_sound(channel->admins) &&
           people_sound(channel->contacts);
}

static void fixed_write(uint8_t *bytes, const struct channel *channel)
{
    bytes[0] = VERSION;
    record_number_put(bytes + ID_AT, 8, channel->id);
    memcpy(bytes + SECRET_AT, channel->secret, CHANNEL_SECRET_BYTES);
    record_number_put(bytes + REVOCATIONS_AT, 4, channel->revocations);
    bytes[FLAGS_AT] = channel->flags;
    memcpy(bytes + SUBSCRIBE_AT, channel->subscribe, CHANNEL_NODES);
    bytes[INFO_UPDATE_AT] = channel->info_update;
    bytes[RETRACT_ANY_AT] = channel->retract_any;
    record_number_put(bytes + MADE_AT, 8, channel->made_us);
    record_number_put(bytes + INFO_AT, 8, channel->info_us);
    record_number_put(bytes + CONFIG_AT, 8, channel->config_us);
}

static void fixed_read(const char *bytes, struct channel *out)
{
    out->id = record_number(bytes + ID_AT, 8);
    memcpy(out->secret, bytes + SECRET_AT, CHANNEL_SECRET_BYTES);
    out->revocations = (uint32_t)record_number(bytes + REVOCATIONS_AT, 4);
    out->flags = (uint8_t)bytes[FLAGS_AT];
    memcpy(out->subscribe, bytes + SUBSCRIBE_AT, CHANNEL_NODES);
    out->info_update = (uint8_t)bytes[INFO_UPDATE_AT];
    out->retract_any = (uint8_t)bytes[RETRACT_ANY_AT];
    out->made_us = record_number(bytes + MADE_AT, 8);
    out->info_us = record_number(bytes + INFO_AT, 8);
    out->config_us = record_number(bytes + CONFIG_AT, 8);
}

static enum store_outcome channel_read(struct span local, struct span record, struct channel *out)
{
    struct span *const texts[TEXTS] = {&out->name,   &out->description, &out->contacts,
                                       &out->owners, &out->admins,      &out->changed_by};
    *out = (struct channel){.id = 0};
    if (record.len >= FIXED_BYTES && record.bytes[0] == VERSION) {
        size_t at = FIXED_BYTES;
        fixed_read(record.bytes, out);
        for (size_t i = 0; i < TEXTS; i++) {
            size_t len = (size_t)record_number(record.bytes + LENGTHS_AT + 2 * i, 2);
            *texts[i] = span_cut(record, at, at + len);
            at += len;
        }
        if (at == record.len && channel_sound(out))
            return STORE_OK;
    }
    *out = (struct channel){.id = 0};
    log_line(LOG_ERROR, "store: the channel '%.*s' is damaged (%u bytes)", (int)local.len,
             local.bytes, (unsigned)record.len);
    return STORE_FAILED;
}

enum store_outcome channel_get(struct store *store, struct span local, struct channel *out)
{
    struct span record;
    if (!local_fits(local))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_CHANNELS, local, &record);
    return outcome == STORE_OK ? channel_read(local, record, out) : outcome;
}

enum store_outcome channel_put(struct store *store, struct span local,
                               const struct channel *channel)
{
    uint8_t bytes[RECORD_BYTES_MAX];
    char key[CHANNEL_LOCAL_BYTES_MAX]; /* local may be borrowed from the store */
    const struct span texts[TEXTS] = {channel->name,   channel->description, channel->contacts,
                                      channel->owners, channel->admins,      channel->changed_by};
    size_t len = FIXED_BYTES;
    if (!local_fits(local) || !channel_sound(channel))
        return STORE_FULL;
    fixed_write(bytes, channel);
    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i].len > sizeof bytes - len)
            return STORE_FULL;
        record_number_put(bytes + LENGTHS_AT + 2 * i, 2, texts[i].len);
        if (texts[i].len > 0)
            memcpy(bytes + len, texts[i].bytes, texts[i].len);
        len += texts[i].len;
    }
    memcpy(key, local.bytes, local.len);
    return store_put(store, TABLE_CHANNELS, span_of(key, local.len),
                     span_of((const char *)bytes, len), false);
}

enum store_outcome channel_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_CHANNELS, local) : STORE_NONE;
}

enum store_outcome channel_next(struct store *store, struct span after, struct span *local,
                                struct channel *out)
{
    struct span record;
    /* No key is longer, so none lies between the two. */
    after = after.len == 0 ? SPAN_NONE : span_cut(after, 0, CHANNEL_LOCAL_BYTES_MAX);
    enum store_outcome outcome = store_next(store, TABLE_CHANNELS, after, local, &record);
    while (outcome == STORE_OK && channel_read(*local, record, out) != STORE_OK)
        outcome = store_next(store, TABLE_CHANNELS, *local, local, &record);
    return outcome;
}

enum store_outcome channel_count(struct store *store, uint64_t *count)
{
    return store_count(store, TABLE_CHANNELS, count);
}

/* --- lists --- */

/* false: too long to be on any list. A jid of no bytes: what all keys of the list begin with. */
static bool entry_key(struct record_key *key, uint64_t channel, enum channel_list list,
                      struct span jid)
{
    const char byte = (char)list;
    record_key_of_number(key, channel);
    return record_key_add(key, span_of(&byte, 1)) && record_key_add(key, jid);
}

static enum store_outcome entry_check(struct span record)
{
    if (span_equal(record, span_of(version_record, sizeof version_record)))
        return STORE_OK;
    log_line(LOG_ERROR, "store: an entry of a channel's list is damaged (%u bytes)",
             (unsigned)record.len);
    return STORE_FAILED;
}

enum store_outcome channel_entry_get(struct store *store, uint64_t channel, enum channel_list list,
                                     struct span jid)
{
    struct record_key key;
    struct span record;
    if (jid.len == 0 || !entry_key(&key, channel, list, jid))
        return STORE_NONE;
    enum store_outcome outcome =
        store_get(store, TABLE_CHANNEL_LISTS, record_key_span(&key), &record);
    return outcome == STORE_OK ? entry_check(record) : outcome;
}

enum store_outcome channel_entry_put(struct store *store, uint64_t channel, enum channel_list list,
                                     struct span jid)
{
    struct record_key key;
    unsigned count;
    if (jid.len == 0 || !entry_key(&key, channel, list, jid))
        return STORE_FULL;
    enum store_outcome outcome = channel_entry_get(store, channel, list, jid);
    if (outcome == STORE_OK)
        return STORE_OK;
    if (outcome == STORE_NONE) {
        outcome = channel_entry_count(store, channel, list, &count);
        if (outcome != STORE_OK || count >= CHANNEL_ENTRIES_MAX)
            return outcome == STORE_OK ? STORE_FULL : outcome;
    }
    return store_put(store, TABLE_CHANNEL_LISTS, record_key_span(&key),
                     span_of(version_record, sizeof version_record), false);
}

enum store_outcome channel_entry_delete(struct store *store, uint64_t channel,
                                        enum channel_list list, struct span jid)
{
    struct record_key key;
    if (jid.len == 0 || !entry_key(&key, channel, list, jid))
        return STORE_NONE;
    return store_delete(store, TABLE_CHANNEL_LISTS, record_key_span(&key));
}

enum store_outcome channel_entry_next(struct store *store, uint64_t channel, enum channel_list list,
                                      struct span after, struct span *jid)
{
    struct record_key all, last;
    struct span key, record;
    *jid = SPAN_NONE;
    (void)entry_key(&all, channel, list, SPAN("")); /* both fit */
    (void)entry_key(&last, channel, list,
                    span_cut(after, 0, RECORD_KEY_BYTES_MAX - ENTRY_PREFIX_BYTES));
    enum store_outcome outcome;
    key = record_key_span(&last);
    do
        outcome =
            table_next_of(store, TABLE_CHANNEL_LISTS, record_key_span(&all), key, &key, &record);
    while (outcome == STORE_OK && entry_check(record) != STORE_OK);
    if (outcome == STORE_OK)
        *jid = span_cut(key, ENTRY_PREFIX_BYTES, key.len);
    return outcome;
}

enum store_outcome channel_entry_count(struct store *store, uint64_t channel,
                                       enum channel_list list, unsigned *count)
{
    struct record_key all;
    struct span key, record;
    enum store_outcome outcome;
    *count = 0;
    (void)entry_key(&all, channel, list, SPAN("")); /* it fits */
    key = record_key_span(&all);
    while ((outcome = table_next_of(store, TABLE_CHANNEL_LISTS, record_key_span(&all), key, &key,
                                    &record)) == STORE_OK)
        ++*count;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static bool is_damaged(struct span key, struct span record, const void *context)
{
    struct channel channel;
    const enum store_table *table = context;
    return (*table == TABLE_CHANNEL_LISTS ? entry_check(record)
                                          : channel_read(key, record, &channel)) != STORE_OK;
}

enum store_outcome channel_damage(struct store *store, uint64_t *damaged)
{
    static const enum store_table tables[] = {TABLE_CHANNELS, TABLE_CHANNEL_LISTS};
    enum store_outcome outcome = STORE_OK;
    uint64_t count;
    *damaged = 0;
    for (size_t i = 0; outcome == STORE_OK && i < sizeof tables / sizeof tables[0]; i++) {
        outcome = table_count(store, tables[i], is_damaged, &tables[i], &count);
        *damaged += count;
    }
    return outcome;
}

/* --- the end of a channel --- */

enum store_outcome channel_ended_put(struct store *store, uint64_t channel)
{
    struct record_key key;
    record_key_of_number(&key, channel);
    return store_put(store, TABLE_CHANNELS_ENDED, record_key_span(&key),
                     span_of(version_record, sizeof version_record), false);
}

/* Of the channel whose number the key is; the key goes last. STORE_NONE: all of it is gone. */
static enum store_outcome parts_clear(struct store *store, const struct record_key *number,
                                      unsigned *most)
{
    static const enum store_table tables[] = {TABLE_CHANNEL_LISTS, TABLE_PARTICIPANTS,
                                              TABLE_FORMER};
    enum store_outcome outcome = STORE_NONE;
    /* A shorter key would be the beginning of others' keys too: nothing is by it. */
    for (size_t i = 0; number->len == NUMBER_BYTES && i < sizeof tables / sizeof tables[0]; i++) {
        outcome = table_clear(store, tables[i], record_key_span(number), most);
        if (outcome != STORE_NONE)
            return outcome;
    }
    if (*most == 0)
        return STORE_OK;
    --*most;
    outcome = store_delete(store, TABLE_CHANNELS_ENDED, record_key_span(number));
    return outcome == STORE_OK ? STORE_NONE : outcome;
}

enum store_outcome channel_forget(struct store *store, unsigned most)
{
    for (;;) {
        struct record_key number = {.len = 0};
        struct span key, record;
        enum store_outcome outcome =
            store_next(store, TABLE_CHANNELS_ENDED, SPAN_NONE, &key, &record);
        if (outcome != STORE_OK)
            return outcome;
        (void)record_key_add(&number, key); /* it is no longer than any key */
        outcome = parts_clear(store, &number, &most);
        if (outcome != STORE_NONE)
            return outcome;
    }
}
