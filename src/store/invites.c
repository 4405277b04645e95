/* invites.c: see invites.h. A record is fixed bytes, then the texts behind each other:
 * version 1, start 4, flags 1, made 8, expires 8, uses left 2, lengths of owner, username, bound,
 * note, channels, used_by 2 each. */
#include "store/invites.h"

#include "base/log.h"
#include "store/ending.h"
#include "store/record.h"
#include "wire/digest.h"

enum {
    RECORD_VERSION = 1,
    START_AT = 1,
    FLAGS_AT = START_AT + INVITE_START_CHARS,
    MADE_AT = FLAGS_AT + 1,
    EXPIRES_AT = MADE_AT + 8,
    USES_AT = EXPIRES_AT + 8,
    LENGTHS_AT = USES_AT + 2,
    TEXTS = 6,
    FIXED_BYTES = LENGTHS_AT + 2 * TEXTS,
    RECORD_BYTES_MAX = 4096,
    USER_BYTES = 8, /* in used_by */
};

_Static_assert(2 * RECORD_BYTES_MAX <= INVITE_CHANGE_BYTES, "a change is one record");

static struct span hash_span(const uint8_t *hash)
{
    return span_of((const char *)hash, INVITE_HASH_BYTES);
}

static enum store_outcome damaged(struct span record)
{
    log_line(LOG_ERROR, "store: an invitation is damaged (%u bytes)", (unsigned)record.len);
    return STORE_FAILED;
}

static bool channels_sound(struct span channels)
{
    unsigned count = 0;
    for (size_t i = 0; i < channels.len; i++)
        count += channels.bytes[i] == '\0';
    return count <= INVITE_CHANNELS_MAX &&
           (channels.len == 0 || channels.bytes[channels.len - 1] == '\0');
}

/* out->hash is there also when the rest is damaged, so that a walk goes on. */
static enum store_outcome invite_read(struct span hash, struct span record, struct invite *out)
{
    const char *bytes = record.bytes;
    struct span *const texts[TEXTS] = {&out->owner, &out->username, &out->bound,
                                       &out->note,  &out->channels, &out->used_by};
    uint8_t copy[INVITE_HASH_BYTES] = {0}; /* hash may be out->hash */
    if (hash.len == sizeof copy)
        memcpy(copy, hash.bytes, sizeof copy);
    *out = (struct invite){.flags = 0};
    memcpy(out->hash, copy, sizeof copy);
    if (hash.len != sizeof copy || record.len < FIXED_BYTES || bytes[0] != RECORD_VERSION)
        return damaged(record);
    memcpy(out->start, bytes + START_AT, INVITE_START_CHARS);
    out->flags = (uint8_t)bytes[FLAGS_AT];
    out->made_us = record_number(bytes + MADE_AT, 8);
    out->expires_us = record_number(bytes + EXPIRES_AT, 8);
    out->uses_left = (uint16_t)record_number(bytes + USES_AT, 2);
    size_t at = FIXED_BYTES;
    for (size_t i = 0; i < TEXTS; i++) {
        size_t len = (size_t)record_number(bytes + LENGTHS_AT + 2 * i, 2);
        *texts[i] = span_cut(record, at, at + len);
        at += len;
    }
    bool sound =
        at == record.len && out->used_by.len % USER_BYTES == 0 && channels_sound(out->channels);
    return sound ? STORE_OK : damaged(record);
}

enum store_outcome invite_get(struct store *store, const uint8_t hash[INVITE_HASH_BYTES],
                              struct invite *out)
{
    struct span record;
    enum store_outcome outcome = store_get(store, TABLE_INVITES, hash_span(hash), &record);
    return outcome == STORE_OK ? invite_read(hash_span(hash), record, out) : outcome;
}

static enum store_outcome record_write(struct store *store, const struct invite *invite)
{
    uint8_t bytes[RECORD_BYTES_MAX] = {RECORD_VERSION};
    const struct span texts[TEXTS] = {invite->owner, invite->username, invite->bound,
                                      invite->note,  invite->channels, invite->used_by};
    /* Who redeems it later finds room to be noted. */
    size_t len = FIXED_BYTES, later = (size_t)invite->uses_left * USER_BYTES;
    memcpy(bytes + START_AT, invite->start, INVITE_START_CHARS);
    bytes[FLAGS_AT] = invite->flags;
    record_number_put(bytes + MADE_AT, 8, invite->made_us);
    record_number_put(bytes + EXPIRES_AT, 8, invite->expires_us);
    record_number_put(bytes + USES_AT, 2, invite->uses_left);
    for (size_t i = 0; i < TEXTS; i++) {
        if (texts[i].len > sizeof bytes - len)
            return STORE_FULL;
        record_number_put(bytes + LENGTHS_AT + 2 * i, 2, texts[i].len);
        if (texts[i].len > 0)
            memcpy(bytes + len, texts[i].bytes, texts[i].len);
        len += texts[i].len;
    }
    if (later > sizeof bytes - len)
        return STORE_FULL;
    return store_put(store, TABLE_INVITES, hash_span(invite->hash),
                     span_of((const char *)bytes, len), false);
}

enum store_outcome invite_put(struct store *store, const struct invite *invite)
{
    struct span old;
    uint64_t count;
    if (invite->uses_left > INVITE_USES_MAX || invite->note.len > INVITE_NOTE_BYTES_MAX ||
        !channels_sound(invite->channels))
        return STORE_FULL;
    enum store_outcome outcome = store_get(store, TABLE_INVITES, hash_span(invite->hash), &old);
    if (outcome == STORE_NONE) {
        outcome = store_count(store, TABLE_INVITES, &count);
        if (outcome == STORE_OK && count >= INVITES_MAX)
            return STORE_FULL;
    }
    return outcome == STORE_OK ? record_write(store, invite) : outcome;
}

enum store_outcome invite_delete(struct store *store, const uint8_t hash[INVITE_HASH_BYTES])
{
    return store_delete(store, TABLE_INVITES, hash_span(hash));
}

enum store_outcome invite_next(struct store *store, struct span after, struct invite *out)
{
    struct span hash, record;
    enum store_outcome outcome = store_next(store, TABLE_INVITES, after, &hash, &record);
    return outcome == STORE_OK ? invite_read(hash, record, out) : outcome;
}

bool invite_used_by(const struct invite *invite, struct span who)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    digest_hash(DIGEST_SHA256, who, hash);
    for (size_t at = 0; at < invite->used_by.len; at += USER_BYTES)
        if (memcmp(invite->used_by.bytes + at, hash, USER_BYTES) == 0)
            return true;
    return false;
}

enum store_outcome invite_use(struct store *store, const struct invite *invite, struct span who)
{
    char users[USER_BYTES * INVITE_USES_MAX];
    uint8_t hash[DIGEST_BYTES_MAX];
    struct invite now;
    /* What the caller read may be older than the last use. */
    enum store_outcome outcome = invite_get(store, invite->hash, &now);
    if (outcome != STORE_OK)
        return outcome;
    if (now.uses_left <= 1)
        return invite_delete(store, now.hash);
    now.uses_left--;
    digest_hash(DIGEST_SHA256, who, hash);
    size_t len = now.used_by.len;
    struct span kept = len + USER_BYTES > sizeof users
                           ? span_cut(now.used_by, len + USER_BYTES - sizeof users, len)
                           : now.used_by;
    if (kept.len > 0)
        memcpy(users, kept.bytes, kept.len);
    memcpy(users + kept.len, hash, USER_BYTES);
    now.used_by = span_of(users, kept.len + USER_BYTES);
    return record_write(store, &now);
}

/* What a scan looks for; a damaged one is passed by. */
struct scan {
    struct table_walk walk;
    struct invite invite;
};

static enum store_outcome scan_next(struct store *store, struct scan *scan)
{
    struct span hash, record;
    for (;;) {
        enum store_outcome outcome =
            table_walk_next(store, TABLE_INVITES, &scan->walk, &hash, &record);
        if (outcome != STORE_OK || invite_read(hash, record, &scan->invite) == STORE_OK)
            return outcome;
    }
}

enum store_outcome invite_reserving(struct store *store, struct span username, uint64_t now_us,
                                    struct invite *out)
{
    struct scan scan = {.walk = {.len = 0}};
    enum store_outcome outcome = STORE_NONE;
    while (username.len > 0 && (outcome = scan_next(store, &scan)) == STORE_OK) {
        *out = scan.invite;
        if (span_equal(out->username, username) && out->expires_us > now_us)
            break;
    }
    return outcome;
}

enum store_outcome invite_count_of(struct store *store, struct span owner, uint64_t now_us,
                                   unsigned *count)
{
    struct scan scan = {.walk = {.len = 0}};
    enum store_outcome outcome;
    *count = 0;
    while ((outcome = scan_next(store, &scan)) == STORE_OK)
        *count += span_equal(scan.invite.owner, owner) && scan.invite.expires_us > now_us;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static bool is_of_owner(struct span key, struct span record, const void *context)
{
    const struct span *owner = context;
    struct invite invite;
    return invite_read(key, record, &invite) == STORE_OK && span_equal(invite.owner, *owner);
}

enum store_outcome invite_forget(struct store *store, struct span owner, unsigned max)
{
    return table_sweep(store, TABLE_INVITES, is_of_owner, &owner, max);
}

static bool has_expired(struct span key, struct span record, const void *context)
{
    const uint64_t *now_us = context;
    struct invite invite;
    return invite_read(key, record, &invite) != STORE_OK || invite.expires_us <= *now_us;
}

enum store_outcome invite_sweep(struct store *store, uint64_t now_us, unsigned max)
{
    return table_sweep(store, TABLE_INVITES, has_expired, &now_us, max);
}
