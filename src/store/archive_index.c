/* archive_index.c: the index of the archive is made of many bodies at a time, so that the entries
 * of an owner are written together: each owner costs the pages on the way to its last entry. When
 * these are more than a transaction may dirty (room.c), other owners follow in the next ones; until
 * all are through none of it counts. Limits: BODIES_MAX, and of them OWNERS_MAX in one transaction.
 */
#include "base/log.h"
#include "store/archive_parts.h"

enum {
    VERSION = 1,
    END_BYTES = 9,
    OWNERS_MAX = 64,
    BODIES_MAX = 1024,
    ENTRY_ROOM_BYTES = 64, /* of a record, beside its owner's name */
};

static const struct span end_key = {"", 1}; /* one NUL */

/* --- how far it is made --- */

enum store_outcome index_end(struct store *store, uint64_t *number)
{
    struct span record;
    struct archive_body body;
    uint64_t at;
    *number = store->index.end;
    if (store->index.known)
        return STORE_OK;
    enum store_outcome outcome = store_get(store, TABLE_ARCHIVE, end_key, &record);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    if (outcome == STORE_OK && (record.len != END_BYTES || record.bytes[0] != VERSION)) {
        log_line(LOG_ERROR, "store: how far the archive's index is made is damaged");
        return STORE_FAILED;
    }
    store->index.end = outcome == STORE_OK ? record_number(record.bytes + 1, 8) : 0;
    store->index.behind = 0;
    at = store->index.end;
    while ((outcome = body_next(store, at, &at, &body)) == STORE_OK)
        store->index.behind++;
    store->index.known = outcome == STORE_NONE;
    *number = store->index.end;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

void index_behind(struct store *store, int change)
{
    if (store->index.known)
        store->index.behind += (uint32_t)change;
}

enum store_outcome archive_unindexed(struct store *store, uint32_t *count)
{
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    *count = outcome == STORE_OK ? store->index.behind : 0;
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
    char *text; /* where its name stands */
    struct span name;
    unsigned entries;
    uint32_t place; /* of the next one */
    bool begun;
};

/* Some of those who keep the messages behind `from` up to `end`. */
struct batch {
    uint64_t from;
    uint64_t end;
    unsigned bodies;
    unsigned count;
    bool more;                             /* there are others behind them */
    struct batch_owner owners[OWNERS_MAX]; /* in order of names */
    char text[OWNERS_MAX][ARCHIVE_LOCAL_BYTES_MAX];
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
    while (low < high && !*there) {
        unsigned middle = (low + high) / 2;
        int order = name_compare(name, batch->owners[middle].name);
        *there = order == 0;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

/* When there are too many, those whose names come first are taken. */
static void owner_add(struct batch *batch, struct span name)
{
    bool there;
    unsigned at = owner_at(batch, name, &there);
    char *text = batch->text[batch->count % OWNERS_MAX];
    if (!there && batch->count == OWNERS_MAX) {
        batch->more = true;
        if (at == OWNERS_MAX)
            return;
        text = batch->owners[--batch->count].text;
    }
    if (!there) {
        struct batch_owner *owner = &batch->owners[at];
        memmove(owner + 1, owner, (batch->count - at) * sizeof *owner);
        memcpy(text, name.bytes, name.len);
        *owner = (struct batch_owner){.text = text, .name = span_of(text, name.len)};
        batch->count++;
    }
    batch->owners[at].entries++;
}

/* The owners that are to come, of as many messages as may be. */
static enum store_outcome batch_gather(struct store *store, struct batch *batch)
{
    const struct index_state *state = &store->index;
    struct span done = span_of(state->owner, state->batch_end != 0 ? state->owner_len : 0);
    uint64_t end = state->batch_end != 0 ? state->batch_end : ARCHIVE_NUMBER_MAX, number;
    struct archive_body body;
    struct keeper keeper;
    enum store_outcome outcome = STORE_OK;
    batch->from = batch->end = state->end;
    while (batch->bodies < BODIES_MAX &&
           (outcome = body_next(store, batch->end, &number, &body)) == STORE_OK && number <= end) {
        while (keeper_next(&body, &keeper))
            if (done.len == 0 || name_compare(keeper.local, done) > 0)
                owner_add(batch, keeper.local);
        batch->end = number;
        batch->bodies++;
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* As many of them as this transaction has pages for. */
static void batch_fit(struct store *store, struct batch *batch)
{
    size_t path = room_path_bytes(store, TABLE_ARCHIVE), bytes = 0;
    unsigned fit = 0;
    while (fit < batch->count) {
        const struct batch_owner *owner = &batch->owners[fit];
        bytes += path + owner->entries * (owner->name.len + ENTRY_ROOM_BYTES);
        if (!room_left(store, bytes, ROOM_INDEX))
            break;
        fit++;
    }
    batch->more |= fit < batch->count;
    batch->count = fit;
}

/* Where the owners' entries go on. */
static enum store_outcome batch_places(struct store *store, struct batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        struct batch_owner *owner = &batch->owners[i];
        struct entry last = {.number = batch->from + 1};
        enum store_outcome outcome = entry_next(store, owner->name, false, &last);
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

/* A body is borrowed from another table than the one that is written to. */
static enum store_outcome batch_put(struct store *store, struct batch *batch)
{
    struct archive_body body;
    struct keeper keeper;
    enum store_outcome outcome = STORE_OK;
    uint64_t number = batch->from;
    bool there;
    while (outcome == STORE_OK && number < batch->end) {
        outcome = body_next(store, number, &number, &body);
        while (outcome == STORE_OK && keeper_next(&body, &keeper)) {
            unsigned at = owner_at(batch, keeper.local, &there);
            if (there)
                outcome = owner_put(store, &batch->owners[at], number, &keeper.with);
        }
    }
    return outcome;
}

/* It is made for these owners, or for all. */
static enum store_outcome batch_end(struct store *store, const struct batch *batch)
{
    struct index_state *state = &store->index;
    if (batch->more) {
        struct span last = batch->owners[batch->count - 1].name;
        memcpy(state->owner, last.bytes, last.len);
        state->owner_len = (uint8_t)last.len;
        state->batch_end = batch->end;
        return STORE_FULL;
    }
    enum store_outcome outcome = end_put(store, batch->end);
    if (outcome != STORE_OK)
        return outcome;
    state->end = batch->end;
    state->behind -= batch->bodies;
    state->batch_end = 0;
    return state->behind > 0 ? STORE_FULL : STORE_OK;
}

enum store_outcome archive_index(struct store *store)
{
    struct batch batch;
    bool dirty = store_dirty(store);
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    if (outcome != STORE_OK || store->index.behind == 0)
        return outcome;
    batch.bodies = batch.count = 0;
    batch.more = false;
    outcome = batch_gather(store, &batch);
    if (outcome != STORE_OK)
        return outcome;
    batch_fit(store, &batch);
    /* A transaction of its own takes more owners, and each for more messages. */
    if (batch.more && (dirty || batch.count == 0))
        return STORE_FULL;
    outcome = batch_places(store, &batch);
    if (outcome == STORE_OK)
        outcome = batch_put(store, &batch);
    return outcome == STORE_OK ? batch_end(store, &batch) : outcome;
}
