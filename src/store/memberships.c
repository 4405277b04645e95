/* memberships.c: see memberships.h. Key: localpart, NUL, localpart of the channel. A record is its
 * version 1, then each stay: number of the channel 8, id 20, joined 8, left 8. */
#include "store/memberships.h"

#include "base/log.h"
#include "store/ending.h"
#include "store/record.h"

enum {
    VERSION = 1,
    STAYS_AT = 1,
    ID_AT = 8,
    JOINED_AT = ID_AT + PARTICIPANT_ID_CHARS,
    LEFT_AT = JOINED_AT + 8,
    STAY_BYTES = LEFT_AT + 8,
    RECORD_BYTES_MAX = STAYS_AT + MEMBERSHIP_STAYS_MAX * STAY_BYTES,
};

_Static_assert(RECORD_BYTES_MAX + RECORD_KEY_BYTES_MAX <= MEMBERSHIP_CHANGE_BYTES,
               "a change is one record");

static enum store_outcome membership_read(struct span local, struct span record,
                                          struct membership *out)
{
    *out = (struct membership){.count = 0};
    size_t count = record.len < STAYS_AT ? 0 : (record.len - STAYS_AT) / STAY_BYTES;
    bool sound = count > 0 && count <= MEMBERSHIP_STAYS_MAX &&
                 record.len == STAYS_AT + count * STAY_BYTES && record.bytes[0] == VERSION;
    for (size_t i = 0; sound && i < count; i++) {
        const char *bytes = record.bytes + STAYS_AT + i * STAY_BYTES;
        struct stay *stay = &out->stays[i];
        stay->channel = record_number(bytes, 8);
        memcpy(stay->id, bytes + ID_AT, PARTICIPANT_ID_CHARS);
        stay->joined = record_number(bytes + JOINED_AT, 8);
        stay->left = record_number(bytes + LEFT_AT, 8);
        sound = stay->joined <= stay->left && (i + 1 == count || stay->left != UINT64_MAX);
    }
    if (sound) {
        out->count = (unsigned)count;
        return STORE_OK;
    }
    log_line(LOG_ERROR, "store: a membership of '%.*s' is damaged (%u bytes)", (int)local.len,
             local.bytes, (unsigned)record.len);
    return STORE_FAILED;
}

static enum store_outcome membership_write(struct store *store, const struct record_key *key,
                                           const struct membership *membership)
{
    uint8_t bytes[RECORD_BYTES_MAX] = {VERSION};
    for (unsigned i = 0; i < membership->count; i++) {
        const struct stay *stay = &membership->stays[i];
        uint8_t *at = bytes + STAYS_AT + i * STAY_BYTES;
        record_number_put(at, 8, stay->channel);
        memcpy(at + ID_AT, stay->id, PARTICIPANT_ID_CHARS);
        record_number_put(at + JOINED_AT, 8, stay->joined);
        record_number_put(at + LEFT_AT, 8, stay->left);
    }
    return store_put(store, TABLE_MEMBERSHIPS, record_key_span(key),
                     span_of((const char *)bytes, STAYS_AT + membership->count * STAY_BYTES),
                     false);
}

enum store_outcome membership_get(struct store *store, struct span local, struct span channel,
                                  struct membership *out)
{
    struct record_key key;
    struct span record;
    if (channel.len == 0 || !record_key_of(&key, local, channel))
        return STORE_NONE;
    enum store_outcome outcome =
        store_get(store, TABLE_MEMBERSHIPS, record_key_span(&key), &record);
    return outcome == STORE_OK ? membership_read(local, record, out) : outcome;
}

/* One name more; the one that was left longest ago makes room. The key is of that name. */
static enum store_outcome room_make(struct store *store, struct span local)
{
    struct record_key all, oldest;
    struct span key, record;
    struct membership membership;
    uint64_t oldest_left = UINT64_MAX;
    unsigned count = 0;
    enum store_outcome outcome;
    if (!record_key_of(&all, local, SPAN("")))
        return STORE_FULL;
    key = record_key_span(&all);
    while ((outcome = table_next_of(store, TABLE_MEMBERSHIPS, record_key_span(&all), key, &key,
                                    &record)) == STORE_OK) {
        bool sound = membership_read(local, record, &membership) == STORE_OK;
        uint64_t left = sound ? membership.stays[membership.count - 1].left : 0;
        count++;
        if (left >= oldest_left)
            continue;
        oldest_left = left;
        oldest.len = 0;
        (void)record_key_add(&oldest, key); /* it is no longer than any key */
    }
    if (outcome != STORE_NONE)
        return outcome;
    if (count < MEMBERSHIPS_MAX)
        return STORE_OK;
    return oldest_left == UINT64_MAX
               ? STORE_FULL
               : store_delete(store, TABLE_MEMBERSHIPS, record_key_span(&oldest));
}

enum store_outcome membership_enter(struct store *store, struct span local, struct span channel,
                                    const struct stay *stay)
{
    struct record_key key;
    struct span record;
    struct membership membership = {.count = 0};
    if (channel.len == 0 || stay->joined > stay->left || !record_key_of(&key, local, channel))
        return STORE_FULL;
    enum store_outcome outcome =
        store_get(store, TABLE_MEMBERSHIPS, record_key_span(&key), &record);
    if (outcome == STORE_NONE)
        outcome = room_make(store, local);
    else if (outcome == STORE_OK)
        (void)membership_read(local, record, &membership); /* a damaged one begins anew */
    if (outcome != STORE_OK)
        return outcome;
    if (membership_stay(&membership) != NULL)
        return STORE_EXISTS;
    if (membership.count == MEMBERSHIP_STAYS_MAX) {
        membership.count--;
        memmove(membership.stays, membership.stays + 1,
                membership.count * sizeof membership.stays[0]);
    }
    membership.stays[membership.count++] = *stay;
    return membership_write(store, &key, &membership);
}

enum store_outcome membership_leave(struct store *store, struct span local, struct span channel,
                                    uint64_t left)
{
    struct record_key key;
    struct span record;
    struct membership membership;
    if (channel.len == 0 || !record_key_of(&key, local, channel))
        return STORE_NONE;
    enum store_outcome outcome =
        store_get(store, TABLE_MEMBERSHIPS, record_key_span(&key), &record);
    if (outcome != STORE_OK)
        return outcome;
    /* Who can see nothing by it is not kept from leaving. */
    if (membership_read(local, record, &membership) != STORE_OK)
        return store_delete(store, TABLE_MEMBERSHIPS, record_key_span(&key));
    struct stay *stay = membership_stay(&membership);
    if (stay == NULL)
        return STORE_NONE;
    stay->left = left > stay->joined ? left : stay->joined;
    return membership_write(store, &key, &membership);
}

enum store_outcome membership_next(struct store *store, struct span local, struct span after,
                                   struct span *channel, struct membership *out)
{
    struct record_key all, last;
    struct span key, record;
    *channel = SPAN_NONE;
    if (!record_key_of(&all, local, SPAN("")) || !record_key_of(&last, local, after))
        return STORE_NONE;
    enum store_outcome outcome;
    key = record_key_span(&last);
    do
        outcome =
            table_next_of(store, TABLE_MEMBERSHIPS, record_key_span(&all), key, &key, &record);
    while (outcome == STORE_OK && membership_read(local, record, out) != STORE_OK);
    if (outcome == STORE_OK)
        *channel = span_cut(key, all.len, key.len);
    return outcome;
}

enum store_outcome membership_first_present(struct store *store, struct span local,
                                            struct span *channel, struct membership *out)
{
    enum store_outcome outcome;
    *channel = SPAN_NONE;
    do
        outcome = membership_next(store, local, *channel, channel, out);
    while (outcome == STORE_OK && membership_stay(out) == NULL);
    return outcome;
}

enum store_outcome membership_forget(struct store *store, struct span local, unsigned most)
{
    struct record_key all;
    if (!record_key_of(&all, local, SPAN("")))
        return STORE_NONE;
    return table_clear(store, TABLE_MEMBERSHIPS, record_key_span(&all), &most);
}

static bool is_damaged(struct span key, struct span record, const void *context)
{
    struct membership membership;
    (void)context;
    return membership_read(span_cut(key, 0, span_find(key, '\0')), record, &membership) != STORE_OK;
}

enum store_outcome membership_damage(struct store *store, uint64_t *damaged)
{
    return table_count(store, TABLE_MEMBERSHIPS, is_damaged, NULL, damaged);
}
