/* archive_drops.c: what leaves the archive, see archive.h, and what it takes. A body goes when none
 * of its owners keeps it any more; one that is not in the index yet is kept by all of them. */
#include "store/archive_parts.h"

enum { TRIM_MESSAGES = 16 }; /* dropped of one owner at a time */

static bool gone(enum store_outcome outcome)
{
    return outcome == STORE_OK || outcome == STORE_NONE;
}

/* Whether one of the owners but this one keeps it. STORE_OK: yes. */
static enum store_outcome kept_by_others(struct store *store, struct archive_body *body,
                                         struct span local, uint64_t number)
{
    struct keeper keeper;
    struct entry entry;
    while (keeper_next(body, &keeper)) {
        enum store_outcome outcome = span_equal(keeper.local, local)
                                         ? STORE_NONE
                                         : entry_get(store, keeper.local, number, &entry);
        if (outcome != STORE_NONE)
            return outcome;
    }
    return STORE_NONE;
}

enum store_outcome archive_drop_first(struct store *store, struct span local)
{
    struct archive_view view;
    struct archive_body body;
    uint64_t number, end;
    archive_view(&view, local, NULL);
    enum store_outcome outcome = archive_after(store, &view, 0, &number);
    if (outcome == STORE_OK)
        outcome = index_end(store, &end);
    if (outcome == STORE_OK && number > end) {
        outcome = archive_index(store);
        if (outcome != STORE_OK && outcome != STORE_FULL)
            return outcome;
        outcome = index_end(store, &end);
        if (outcome == STORE_OK && number > end)
            outcome = STORE_FULL;
    }
    if (outcome != STORE_OK)
        return outcome;
    outcome = archive_body(store, number, &body);
    bool kept = outcome == STORE_OK && kept_by_others(store, &body, local, number) != STORE_NONE;
    outcome = entry_drop(store, local, number);
    if (gone(outcome) && !kept)
        outcome = body_drop(store, number);
    return outcome;
}

enum store_outcome archive_drop_oldest(struct store *store, uint64_t before)
{
    char names[ARCHIVE_OWNERS_MAX][ARCHIVE_LOCAL_BYTES_MAX];
    size_t lens[ARCHIVE_OWNERS_MAX];
    unsigned count = 0;
    struct archive_body body;
    struct keeper keeper;
    uint64_t number;
    enum store_outcome outcome = body_next(store, 0, &number, &body);
    if (outcome != STORE_OK)
        return outcome;
    if (number >= before)
        return STORE_NONE;
    for (; count < ARCHIVE_OWNERS_MAX && keeper_next(&body, &keeper); count++) {
        lens[count] = keeper.local.len; /* the record goes with the first write */
        memcpy(names[count], keeper.local.bytes, keeper.local.len);
    }
    for (unsigned i = 0; i < count && gone(outcome); i++)
        outcome = entry_drop(store, span_of(names[i], lens[i]), number);
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

enum store_outcome archive_trim(struct store *store, struct archive_trim *trim, uint32_t most)
{
    struct archive_trim next;
    struct span owner;
    struct entry first = {.number = 0}, last;
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    if (outcome == STORE_OK)
        outcome = entry_owner(store, span_of(trim->owner, trim->len), &owner);
    if (outcome != STORE_OK)
        return outcome;
    next.len = (uint8_t)owner.len;
    memcpy(next.owner, owner.bytes, owner.len);
    owner = span_of(next.owner, next.len);
    last.number = end + 1;
    if (entry_next(store, owner, true, &first) != STORE_OK ||
        entry_next(store, owner, false, &last) != STORE_OK)
        last.place = first.place = 0; /* nothing of it is in the index */
    uint32_t count = last.place - first.place + 1;
    uint32_t excess = count > most ? count - most : 0;
    for (unsigned i = 0; i < TRIM_MESSAGES && excess > 0; i++, excess--) {
        outcome = archive_drop_first(store, owner);
        if (outcome != STORE_OK)
            return outcome == STORE_NONE ? STORE_FAILED : outcome;
    }
    if (excess == 0)
        *trim = next;
    return STORE_OK;
}

uint64_t archive_bytes(struct store *store)
{
    return store_table_bytes(store, TABLE_BODIES) + store_table_bytes(store, TABLE_ARCHIVE);
}

/* What is not in the index yet has an entry for each of its owners, too. */
static enum store_outcome rest_count(struct store *store, uint64_t end, uint64_t *entries)
{
    struct archive_body body;
    struct keeper keeper;
    enum store_outcome outcome;
    while ((outcome = body_next(store, end, &end, &body)) == STORE_OK)
        while (keeper_next(&body, &keeper))
            (*entries)++;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome archive_usage(struct store *store, struct archive_use *use)
{
    uint64_t end;
    *use = (struct archive_use){0};
    enum store_outcome outcome = store_count(store, TABLE_BODIES, &use->messages);
    if (outcome == STORE_OK)
        outcome = store_count(store, TABLE_ARCHIVE, &use->entries);
    if (outcome == STORE_OK)
        outcome = index_end(store, &end);
    if (outcome != STORE_OK)
        return outcome;
    use->entries -= end > 0; /* the record of how far the index is made */
    use->bytes = archive_bytes(store);
    return rest_count(store, end, &use->entries);
}

bool archive_has_room(struct store *store, size_t bytes)
{
    uint32_t behind;
    return store->env != NULL && store->writable && !store->broken &&
           archive_unindexed(store, &behind) == STORE_OK && behind < ARCHIVE_UNINDEXED_MAX &&
           room_left(store, bytes, ROOM_WRITE);
}
