/* archive_index.c: the index of the archive is made of bodies, many at a time, so that those of one
 * owner are written together: each owner costs the pages on the way to its last entry. Limits:
 * OWNERS_MAX and BODIES_MAX in one go, and what a transaction may dirty (room.c). */
#include "base/log.h"
#include "base/must.h"
#include "store/archive_parts.h"

enum {
    VERSION = 1,
    END_BYTES = 9,
    OWNERS_MAX = 112,
    BODIES_MAX = 1024,
    TEXT_BYTES = 4096,
    ENTRY_ROOM_BYTES = 128, /* of a record: node, key, value */
};

static const struct span end_key = {"", 1}; /* one NUL */

/* --- how far it is made --- */

enum store_outcome index_end(struct store *store, uint64_t *number)
{
    struct span record;
    struct archive_body body;
    uint64_t at;
    *number = store->indexed;
    if (store->index_known)
        return STORE_OK;
    enum store_outcome outcome = store_get(store, TABLE_ARCHIVE, end_key, &record);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    if (outcome == STORE_OK && (record.len != END_BYTES || record.bytes[0] != VERSION)) {
        log_line(LOG_ERROR, "store: how far the archive's index is made is damaged");
        return STORE_FAILED;
    }
    store->indexed = outcome == STORE_OK ? record_number(record.bytes + 1, 8) : 0;
    store->unindexed = 0;
    at = store->indexed;
    while ((outcome = body_next(store, at, &at, &body)) == STORE_OK)
        store->unindexed++;
    store->index_known = outcome == STORE_NONE;
    *number = store->indexed;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

void index_behind(struct store *store, int change)
{
    if (store->index_known)
        store->unindexed += (uint32_t)change;
}

enum store_outcome archive_unindexed(struct store *store, uint32_t *count)
{
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    *count = outcome == STORE_OK ? store->unindexed : 0;
    return outcome;
}

static enum store_outcome end_put(struct store *store, uint64_t number)
{
    uint8_t record[END_BYTES] = {VERSION};
    record_number_put(record + 1, 8, number);
    return store_put(store, TABLE_ARCHIVE, end_key, span_of((const char *)record, sizeof record),
                     false);
}

enum store_outcome index_begin(struct store *store)
{
    uint64_t last;
    enum store_outcome outcome = archive_last(store, &last);
    return outcome == STORE_OK && last > 0 ? end_put(store, last) : outcome;
}

/* --- making it --- */

struct batch_owner {
    struct span name; /* in text */
    uint32_t place;   /* of its next entry */
    bool begun;
};

struct batch {
    uint64_t from; /* bodies behind this one, */
    uint64_t end;  /* up to this one */
    unsigned bodies;
    unsigned entries;
    unsigned count;
    size_t used;
    struct batch_owner owners[OWNERS_MAX]; /* in order of names */
    char text[TEXT_BYTES];
};

static int name_compare(struct span a, struct span b)
{
    int order = memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where it is, or belongs. */
static unsigned owner_at(const struct batch *batch, struct span name, bool *there)
{
    unsigned low = 0, high = batch->count;
    *there = false;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = name_compare(name, batch->owners[middle].name);
        *there = order == 0;
        if (*there)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* false: no more owners fit. */
static bool owner_add(struct batch *batch, struct span name)
{
    bool there;
    unsigned at = owner_at(batch, name, &there);
    if (there)
        return true;
    if (batch->count == OWNERS_MAX || name.len > TEXT_BYTES - batch->used)
        return false;
    memmove(&batch->owners[at + 1], &batch->owners[at],
            (batch->count - at) * sizeof batch->owners[0]);
    memcpy(batch->text + batch->used, name.bytes, name.len);
    batch->owners[at] = (struct batch_owner){.name = span_of(batch->text + batch->used, name.len)};
    batch->used += name.len;
    batch->count++;
    return true;
}

static bool room_for(struct store *store, const struct batch *batch)
{
    return room_left(store,
                     batch->count * room_path_bytes(store, TABLE_ARCHIVE) +
                         (size_t)batch->entries * ENTRY_ROOM_BYTES,
                     ROOM_INDEX);
}

/* As many bodies as fit. STORE_FULL: there are more. */
static enum store_outcome batch_gather(struct store *store, struct batch *batch)
{
    struct archive_body body;
    struct keeper keeper;
    uint64_t number;
    enum store_outcome outcome;
    while ((outcome = body_next(store, batch->end, &number, &body)) == STORE_OK) {
        if (batch->bodies == BODIES_MAX)
            return STORE_FULL;
        while (keeper_next(&body, &keeper)) {
            batch->entries++;
            if (!owner_add(batch, keeper.local))
                return STORE_FULL;
        }
        if (!room_for(store, batch))
            return STORE_FULL;
        batch->end = number;
        batch->bodies++;
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* Where the owners' entries go on. */
static enum store_outcome batch_places(struct store *store, struct batch *batch)
{
    enum store_outcome outcome = STORE_OK;
    for (unsigned i = 0; i < batch->count; i++) {
        struct batch_owner *owner = &batch->owners[i];
        struct entry last = {.number = batch->from + 1};
        outcome = entry_next(store, owner->name, false, &last);
        if (outcome != STORE_OK && outcome != STORE_NONE)
            return outcome;
        owner->place = outcome == STORE_OK ? last.place + 1 : 0;
    }
    return STORE_OK;
}

static enum store_outcome owner_put(struct store *store, struct batch_owner *owner, uint64_t number,
                                    const struct archive_with *with)
{
    struct entry entry = {number, owner->place, *with};
    store->beside = owner->begun; /* the pages on the way are counted once */
    enum store_outcome outcome = entry_put(store, owner->name, &entry);
    store->beside = false;
    owner->begun = true;
    owner->place++;
    return outcome;
}

static enum store_outcome batch_put(struct store *store, struct batch *batch)
{
    struct archive_body body;
    struct keeper keepers[ARCHIVE_OWNERS_MAX]; /* names are borrowed until the first write */
    struct batch_owner *owners[ARCHIVE_OWNERS_MAX];
    enum store_outcome outcome = STORE_OK;
    uint64_t number = batch->from;
    while (outcome == STORE_OK && number < batch->end) {
        unsigned count = 0;
        bool there;
        outcome = body_next(store, number, &number, &body);
        while (outcome == STORE_OK && count < ARCHIVE_OWNERS_MAX &&
               keeper_next(&body, &keepers[count])) {
            owners[count] = &batch->owners[owner_at(batch, keepers[count].local, &there)];
            must(there);
            count++;
        }
        for (unsigned i = 0; i < count && outcome == STORE_OK; i++)
            outcome = owner_put(store, owners[i], number, &keepers[i].with);
    }
    return outcome;
}

enum store_outcome archive_index(struct store *store)
{
    struct batch batch = {.count = 0};
    bool dirty = store_dirty(store);
    enum store_outcome outcome = index_end(store, &batch.from);
    if (outcome != STORE_OK || store->unindexed == 0)
        return outcome;
    batch.end = batch.from;
    enum store_outcome gathered = batch_gather(store, &batch);
    if (gathered != STORE_OK && gathered != STORE_FULL)
        return gathered;
    /* A transaction of its own takes more of them, for the same pages. */
    if (batch.bodies == 0 || (gathered == STORE_FULL && dirty))
        return STORE_FULL;
    outcome = batch_places(store, &batch);
    if (outcome == STORE_OK)
        outcome = batch_put(store, &batch);
    if (outcome == STORE_OK)
        outcome = end_put(store, batch.end);
    if (outcome != STORE_OK)
        return outcome;
    store->indexed = batch.end;
    store->unindexed -= batch.bodies;
    return gathered;
}
