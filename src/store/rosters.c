/* rosters.c: see rosters.h. Keys: local NUL contact; that of the head has no contact.
 * Item: version 1, flags 1, changed 8, bytes of the name 2, name, groups (length 2, bytes).
 * Head: version 1, changed 8, horizon 8, items 4, bytes 4, tombstones 2, requests 2. */
#include "store/rosters.h"

#include "base/log.h"
#include "base/must.h"
#include "platform/platform.h"
#include "store/archive.h"
#include "store/blocklists.h"
#include "store/memberships.h"
#include "store/offline.h"
#include "store/pep.h"
#include "store/private.h"
#include "store/record.h"

enum {
    RECORD_VERSION = 1,
    FLAG_STATES = ROSTER_TO | ROSTER_FROM | ROSTER_OUT,
    FLAG_APPROVED = 16,
    FLAG_REMOVED = 128,
    FLAGS_AT = 1,
    CHANGED_AT = 2,
    NAME_AT = 10,
    ITEM_BYTES = 12,
    HEAD_CHANGED_AT = 1,
    HEAD_HORIZON_AT = 9,
    HEAD_ITEMS_AT = 17,
    HEAD_BYTES_AT = 21,
    HEAD_TOMBSTONES_AT = 25,
    HEAD_REQUESTS_AT = 27,
    HEAD_BYTES = 29,
    /* <item jid='' name='' subscription='remove' ask='subscribe' approved='true'></item> */
    ITEM_TAGS = 88,
    GROUP_TAGS = 15, /* <group></group> */
    ESCAPE_GAIN = 5, /* of one byte: &quot; */
    /* A new account's versions begin somewhere below 2^40: a client that remembers the roster of an
     * earlier account of that name is not told that it is up to date. */
    VERSION_SEED_BYTES = 5,
    LEAVING_RECORDS = 8, /* messages of a deleted account dropped in one tick; private elements */
};

/* false: no account or item can have such a name. */
static bool key_of(struct record_key *key, struct span local, struct span contact)
{
    return contact.len <= ROSTER_CONTACT_BYTES_MAX && record_key_of(key, local, contact);
}

static enum store_outcome damaged(struct span local, const char *what)
{
    log_line(LOG_ERROR, "store: the %s of '%.*s' is damaged", what, (int)local.len, local.bytes);
    return STORE_FAILED;
}

size_t roster_group_add(char *end, struct span group)
{
    record_number_put((uint8_t *)end, 2, group.len);
    memcpy(end + 2, group.bytes, group.len);
    return ROSTER_GROUP_BYTES(group.len);
}

bool roster_group_next(struct span *groups, struct span *group)
{
    if (groups->len == 0)
        return false;
    size_t len = (size_t)record_number(groups->bytes, 2);
    *group = span_of(groups->bytes + 2, len);
    *groups = span_cut(*groups, 2 + len, groups->len);
    return true;
}

static bool groups_sound(struct span groups)
{
    while (groups.len > 0) {
        if (groups.len < 2 || record_number(groups.bytes, 2) > groups.len - 2)
            return false;
        groups = span_cut(groups, 2 + (size_t)record_number(groups.bytes, 2), groups.len);
    }
    return true;
}

static uint32_t escaped_len(struct span text)
{
    uint32_t len = (uint32_t)text.len;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.bytes[i];
        if (c == '&' || c == '<' || c == '>' || c == '\'' || c == '"' || (unsigned char)c < ' ')
            len += ESCAPE_GAIN;
    }
    return len;
}

uint32_t roster_weight(struct span contact, const struct roster_item *item)
{
    struct span groups = item->groups, group;
    uint32_t bytes = ITEM_TAGS + escaped_len(contact) + escaped_len(item->name);
    while (roster_group_next(&groups, &group))
        bytes += GROUP_TAGS + escaped_len(group);
    return bytes;
}

static enum store_outcome item_read(struct span local, struct span record, struct roster_item *out)
{
    const uint8_t *bytes = (const uint8_t *)record.bytes;
    *out = (struct roster_item){0};
    if (record.len < ITEM_BYTES || bytes[0] != RECORD_VERSION)
        return damaged(local, "roster item");
    size_t name_len = (size_t)record_number(bytes + NAME_AT, 2);
    out->state = bytes[FLAGS_AT] & FLAG_STATES;
    /* Appendix A has no such states; a request makes no sense for what one has. */
    if (out->state & ROSTER_TO)
        out->state &= (uint8_t)~ROSTER_OUT;
    out->approved = (bytes[FLAGS_AT] & FLAG_APPROVED) != 0;
    out->removed = (bytes[FLAGS_AT] & FLAG_REMOVED) != 0;
    out->version = record_number(bytes + CHANGED_AT, 8);
    out->name = span_cut(record, ITEM_BYTES, ITEM_BYTES + name_len);
    out->groups = span_cut(record, ITEM_BYTES + name_len, record.len);
    if (name_len > record.len - ITEM_BYTES || !groups_sound(out->groups))
        return damaged(local, "roster item");
    return STORE_OK;
}

enum store_outcome roster_head(struct store *store, struct span local, struct roster_head *out)
{
    struct record_key key;
    struct span record;
    *out = (struct roster_head){0};
    if (!key_of(&key, local, SPAN("")))
        return STORE_OK;
    enum store_outcome outcome = store_get(store, TABLE_ROSTERS, record_key_span(&key), &record);
    if (outcome != STORE_OK)
        return outcome == STORE_NONE ? STORE_OK : outcome;
    if (record.len != HEAD_BYTES || record.bytes[0] != RECORD_VERSION)
        return damaged(local, "roster's head");
    out->version = record_number(record.bytes + HEAD_CHANGED_AT, 8);
    out->horizon = record_number(record.bytes + HEAD_HORIZON_AT, 8);
    out->items = (uint32_t)record_number(record.bytes + HEAD_ITEMS_AT, 4);
    out->bytes = (uint32_t)record_number(record.bytes + HEAD_BYTES_AT, 4);
    out->tombstones = (uint16_t)record_number(record.bytes + HEAD_TOMBSTONES_AT, 2);
    out->requests = (uint16_t)record_number(record.bytes + HEAD_REQUESTS_AT, 2);
    return STORE_OK;
}

static enum store_outcome head_put(struct store *store, struct span local,
                                   const struct roster_head *head)
{
    struct record_key key;
    uint8_t record[HEAD_BYTES] = {RECORD_VERSION};
    record_number_put(record + HEAD_CHANGED_AT, 8, head->version);
    record_number_put(record + HEAD_HORIZON_AT, 8, head->horizon);
    record_number_put(record + HEAD_ITEMS_AT, 4, head->items);
    record_number_put(record + HEAD_BYTES_AT, 4, head->bytes);
    record_number_put(record + HEAD_TOMBSTONES_AT, 2, head->tombstones);
    record_number_put(record + HEAD_REQUESTS_AT, 2, head->requests);
    if (!key_of(&key, local, SPAN("")))
        return STORE_FAILED;
    return store_put(store, TABLE_ROSTERS, record_key_span(&key),
                     span_of((const char *)record, sizeof record), false);
}

static void head_next_version(struct roster_head *head)
{
    uint8_t seed[VERSION_SEED_BYTES];
    if (head->version == 0) {
        plat_random(seed, sizeof seed);
        head->version = record_number(seed, sizeof seed);
    }
    head->version++;
}

/* An item or a tombstone. */
static enum store_outcome record_get(struct store *store, const struct record_key *key,
                                     struct span local, struct roster_item *out)
{
    struct span record;
    enum store_outcome outcome = store_get(store, TABLE_ROSTERS, record_key_span(key), &record);
    return outcome == STORE_OK ? item_read(local, record, out) : outcome;
}

enum store_outcome roster_get(struct store *store, struct span local, struct span contact,
                              struct roster_item *out)
{
    struct record_key key;
    *out = (struct roster_item){0};
    if (contact.len == 0 || !key_of(&key, local, contact))
        return STORE_NONE;
    enum store_outcome outcome = record_get(store, &key, local, out);
    return outcome == STORE_OK && out->removed ? STORE_NONE : outcome;
}

bool roster_hears(struct store *store, struct span local, struct span contact)
{
    struct roster_item item;
    return roster_get(store, local, contact, &item) == STORE_OK && (item.state & ROSTER_FROM);
}

static enum store_outcome record_put(struct store *store, const struct record_key *key,
                                     const struct roster_item *item)
{
    char record[ITEM_BYTES + ROSTER_ITEM_BYTES_MAX];
    uint8_t *bytes = (uint8_t *)record;
    must(item->name.len + item->groups.len <= ROSTER_ITEM_BYTES_MAX);
    bytes[0] = RECORD_VERSION;
    bytes[FLAGS_AT] = (uint8_t)((item->state & FLAG_STATES) | (item->approved ? FLAG_APPROVED : 0) |
                                (item->removed ? FLAG_REMOVED : 0));
    record_number_put(bytes + CHANGED_AT, 8, item->version);
    record_number_put(bytes + NAME_AT, 2, item->name.len);
    if (item->name.len > 0)
        memcpy(record + ITEM_BYTES, item->name.bytes, item->name.len);
    if (item->groups.len > 0)
        memcpy(record + ITEM_BYTES + item->name.len, item->groups.bytes, item->groups.len);
    return store_put(store, TABLE_ROSTERS, record_key_span(key),
                     span_of(record, ITEM_BYTES + item->name.len + item->groups.len), false);
}

/* What the head counts of a record that goes. */
static void head_without(struct roster_head *head, struct span contact,
                         const struct roster_item *item)
{
    if (item->removed) {
        head->tombstones--;
    } else {
        head->items--;
        head->bytes -= roster_weight(contact, item);
    }
}

enum store_outcome roster_put(struct store *store, struct span local, struct span contact,
                              struct roster_item *item)
{
    struct record_key key;
    struct roster_head head;
    struct roster_item old;
    if (contact.len == 0 || !key_of(&key, local, contact))
        return STORE_FULL;
    enum store_outcome outcome = roster_head(store, local, &head);
    if (outcome == STORE_OK)
        outcome = record_get(store, &key, local, &old);
    if (outcome == STORE_OK)
        head_without(&head, contact, &old);
    else if (outcome != STORE_NONE)
        return outcome;
    head_next_version(&head);
    head.items++;
    head.bytes += roster_weight(contact, item);
    item->version = head.version;
    item->removed = false;
    outcome = record_put(store, &key, item);
    return outcome == STORE_OK ? head_put(store, local, &head) : outcome;
}

/* Drops the oldest tombstone; clients that know only versions before it get the whole roster. */
static enum store_outcome tombstone_drop(struct store *store, struct span local,
                                         struct roster_head *head)
{
    struct roster_walk walk;
    struct roster_item item;
    struct span contact;
    struct record_key oldest = {.len = 0};
    uint64_t version = UINT64_MAX;
    enum store_outcome outcome;
    roster_walk_begin(&walk, local);
    while ((outcome = roster_next(store, &walk, &contact, &item)) == STORE_OK) {
        if (!item.removed || item.version >= version)
            continue;
        version = item.version;
        (void)key_of(&oldest, local, contact); /* it came out of one */
    }
    if (outcome != STORE_NONE || oldest.len == 0)
        return outcome == STORE_NONE ? damaged(local, "roster's head") : outcome;
    head->horizon = version;
    head->tombstones--;
    return store_delete(store, TABLE_ROSTERS, record_key_span(&oldest));
}

enum store_outcome roster_remove(struct store *store, struct span local, struct span contact,
                                 uint64_t *version)
{
    struct record_key key;
    struct roster_head head;
    struct roster_item old, tombstone = {.removed = true};
    enum store_outcome outcome = roster_get(store, local, contact, &old);
    if (outcome == STORE_OK)
        outcome = roster_head(store, local, &head);
    if (outcome != STORE_OK || !key_of(&key, local, contact))
        return outcome;
    head_without(&head, contact, &old);
    head_next_version(&head);
    head.tombstones++;
    *version = tombstone.version = head.version;
    outcome = record_put(store, &key, &tombstone);
    if (outcome == STORE_OK && head.tombstones > ROSTER_TOMBSTONES_MAX)
        outcome = tombstone_drop(store, local, &head);
    return outcome == STORE_OK ? head_put(store, local, &head) : outcome;
}

void roster_walk_begin(struct roster_walk *walk, struct span local)
{
    must(local.len > 0 && local.len < sizeof walk->key);
    memcpy(walk->key, local.bytes, local.len);
    walk->key[local.len] = 0;
    walk->local_len = (uint16_t)local.len;
    walk->len = (uint16_t)(local.len + 1);
}

/* The next record of this account in a table whose keys are made like those of rosters. */
static enum store_outcome walk_next(struct store *store, enum store_table table,
                                    struct roster_walk *walk, struct span *contact,
                                    struct span *record)
{
    struct span key;
    size_t own = walk->local_len + 1u;
    enum store_outcome outcome =
        store_next(store, table, span_of(walk->key, walk->len), &key, record);
    if (outcome != STORE_OK)
        return outcome;
    if (key.len <= own || memcmp(key.bytes, walk->key, own) != 0)
        return STORE_NONE;
    memcpy(walk->key + own, key.bytes + own, key.len - own);
    walk->len = (uint16_t)key.len;
    *contact = span_of(walk->key + own, key.len - own);
    return STORE_OK;
}

enum store_outcome roster_next(struct store *store, struct roster_walk *walk, struct span *contact,
                               struct roster_item *item)
{
    struct span record;
    enum store_outcome outcome = walk_next(store, TABLE_ROSTERS, walk, contact, &record);
    if (outcome != STORE_OK)
        return outcome;
    return item_read(span_of(walk->key, walk->local_len), record, item);
}

enum store_outcome request_get(struct store *store, struct span local, struct span contact,
                               struct span *stanza)
{
    struct record_key key;
    *stanza = SPAN_NONE;
    if (contact.len == 0 || !key_of(&key, local, contact))
        return STORE_NONE;
    return store_get(store, TABLE_REQUESTS, record_key_span(&key), stanza);
}

enum store_outcome request_put(struct store *store, struct span local, struct span contact,
                               struct span stanza)
{
    struct record_key key;
    struct roster_head head;
    must(stanza.len <= ROSTER_REQUEST_BYTES_MAX);
    if (contact.len == 0 || !key_of(&key, local, contact))
        return STORE_FULL;
    enum store_outcome outcome =
        store_put(store, TABLE_REQUESTS, record_key_span(&key), stanza, true);
    if (outcome == STORE_EXISTS)
        return store_put(store, TABLE_REQUESTS, record_key_span(&key), stanza, false);
    if (outcome == STORE_OK)
        outcome = roster_head(store, local, &head);
    if (outcome != STORE_OK)
        return outcome;
    head.requests++;
    return head_put(store, local, &head);
}

enum store_outcome request_delete(struct store *store, struct span local, struct span contact)
{
    struct record_key key;
    struct roster_head head;
    if (contact.len == 0 || !key_of(&key, local, contact))
        return STORE_NONE;
    enum store_outcome outcome = store_delete(store, TABLE_REQUESTS, record_key_span(&key));
    if (outcome == STORE_OK)
        outcome = roster_head(store, local, &head);
    if (outcome != STORE_OK)
        return outcome;
    head.requests--;
    return head_put(store, local, &head);
}

enum store_outcome request_next(struct store *store, struct roster_walk *walk, struct span *contact,
                                struct span *stanza)
{
    return walk_next(store, TABLE_REQUESTS, walk, contact, stanza);
}

enum store_outcome leaving_put(struct store *store, struct span local)
{
    return store_put(store, TABLE_LEAVING, local, SPAN("\1"), false);
}

enum store_outcome leaving_get(struct store *store, struct span local)
{
    struct span value;
    return store_get(store, TABLE_LEAVING, local, &value);
}

enum store_outcome leaving_first(struct store *store, struct span *local)
{
    struct span value;
    return store_next(store, TABLE_LEAVING, SPAN_NONE, local, &value);
}

enum store_outcome roster_forget(struct store *store, struct span local, struct span contact)
{
    struct record_key key;
    if (contact.len == 0 || !key_of(&key, local, contact))
        return STORE_NONE;
    enum store_outcome outcome = store_delete(store, TABLE_ROSTERS, record_key_span(&key));
    if (outcome == STORE_OK || outcome == STORE_NONE)
        outcome = store_delete(store, TABLE_REQUESTS, record_key_span(&key));
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome leaving_drop(struct store *store, struct span local)
{
    enum store_outcome outcome = offline_drop(store, local, UINT64_MAX, LEAVING_RECORDS);
    if (outcome == STORE_NONE)
        outcome = private_forget(store, local, LEAVING_RECORDS);
    if (outcome == STORE_NONE)
        outcome = pep_forget(store, local, LEAVING_RECORDS);
    if (outcome == STORE_NONE)
        outcome = archive_forget(store, local, LEAVING_RECORDS);
    return outcome;
}

enum store_outcome leaving_finish(struct store *store, struct span local)
{
    struct record_key key;
    enum store_outcome outcome = leaving_drop(store, local);
    if (outcome == STORE_NONE)
        outcome = membership_forget(store, local, LEAVING_RECORDS);
    if (outcome != STORE_NONE)
        return outcome;
    outcome = blocklist_delete(store, local);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    if (key_of(&key, local, SPAN("")))
        outcome = store_delete(store, TABLE_ROSTERS, record_key_span(&key));
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    return store_delete(store, TABLE_LEAVING, local);
}
