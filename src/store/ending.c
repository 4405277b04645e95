/* ending.c: see ending.h. */
#include "store/ending.h"

#include "base/log.h"
#include "store/record.h"

enum { RECORD_VERSION = 1, UNTIL_AT = 1, RECORD_BYTES = 9 };

/* What a sweep of such records asks. */
struct moment {
    const struct ending *ending;
    uint64_t now_us;
};

enum store_outcome table_walk_next(struct store *store, enum store_table table,
                                   struct table_walk *walk, struct span *key, struct span *record)
{
    struct span after = walk->len > 0 ? span_of(walk->key, walk->len) : SPAN_NONE;
    enum store_outcome outcome = store_next(store, table, after, key, record);
    if (outcome != STORE_OK)
        return outcome;
    memcpy(walk->key, key->bytes, key->len);
    walk->len = (uint16_t)key->len;
    return STORE_OK;
}

enum store_outcome table_sweep(struct store *store, enum store_table table,
                               table_question *question, const void *context, unsigned max)
{
    struct table_walk walk = {.len = 0};
    struct span key, record;
    unsigned deleted = 0;
    while (deleted < max) {
        enum store_outcome outcome = table_walk_next(store, table, &walk, &key, &record);
        if (outcome != STORE_OK)
            return outcome;
        if (!question(key, record, context))
            continue;
        outcome = store_delete(store, table, span_of(walk.key, walk.len));
        if (outcome != STORE_OK)
            return outcome;
        deleted++;
    }
    return STORE_OK;
}

enum store_outcome table_count(struct store *store, enum store_table table,
                               table_question *question, const void *context, uint64_t *count)
{
    struct table_walk walk = {.len = 0};
    struct span key, record;
    enum store_outcome outcome;
    *count = 0;
    while ((outcome = table_walk_next(store, table, &walk, &key, &record)) == STORE_OK)
        *count += question(key, record, context);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome table_next_of(struct store *store, enum store_table table, struct span prefix,
                                 struct span after, struct span *key, struct span *record)
{
    enum store_outcome outcome = store_next(store, table, after, key, record);
    if (outcome == STORE_OK && !span_equal(span_cut(*key, 0, prefix.len), prefix))
        outcome = STORE_NONE;
    return outcome;
}

enum store_outcome table_clear(struct store *store, enum store_table table, struct span prefix,
                               unsigned *most)
{
    struct record_key first;
    struct span key, record;
    for (; *most > 0; --*most) {
        enum store_outcome outcome = table_next_of(store, table, prefix, prefix, &key, &record);
        if (outcome != STORE_OK)
            return outcome;
        first.len = 0; /* the key is borrowed */
        if (!record_key_add(&first, key))
            return STORE_FAILED;
        outcome = store_delete(store, table, record_key_span(&first));
        if (outcome != STORE_OK)
            return outcome;
    }
    return STORE_OK;
}

static bool until_read(const struct ending *ending, struct span record, uint64_t *until_us)
{
    *until_us = 0;
    if (record.len != RECORD_BYTES || record.bytes[0] != RECORD_VERSION) {
        log_line(LOG_ERROR, "store: a %s is damaged (%u bytes)", ending->what,
                 (unsigned)record.len);
        return false;
    }
    *until_us = record_number(record.bytes + UNTIL_AT, 8);
    return true;
}

enum store_outcome ending_get(struct store *store, const struct ending *ending, struct span key,
                              uint64_t now_us)
{
    struct span record;
    uint64_t until_us;
    enum store_outcome outcome = store_get(store, ending->table, key, &record);
    if (outcome != STORE_OK)
        return outcome;
    if (!until_read(ending, record, &until_us))
        return STORE_FAILED;
    return until_us > now_us ? STORE_OK : STORE_NONE;
}

/* One more may begin with `prefix`. */
static enum store_outcome room_make(struct store *store, const struct ending *ending,
                                    struct span prefix)
{
    struct table_walk walk = {.len = (uint16_t)prefix.len}, first = {.len = 0};
    struct span key, record;
    uint64_t until_us, first_us = UINT64_MAX;
    unsigned count = 0;
    enum store_outcome outcome;
    memcpy(walk.key, prefix.bytes, prefix.len);
    while ((outcome = table_walk_next(store, ending->table, &walk, &key, &record)) == STORE_OK &&
           span_equal(span_cut(key, 0, prefix.len), prefix)) {
        count++;
        (void)until_read(ending, record, &until_us); /* a damaged one ends at once */
        if (until_us >= first_us)
            continue;
        first_us = until_us;
        first = walk;
    }
    if ((outcome != STORE_OK && outcome != STORE_NONE) || count < ending->most || first.len == 0)
        return outcome == STORE_NONE ? STORE_OK : outcome;
    return store_delete(store, ending->table, span_of(first.key, first.len));
}

enum store_outcome ending_put(struct store *store, const struct ending *ending, struct span key,
                              size_t prefix_len, uint64_t until_us)
{
    uint8_t bytes[RECORD_BYTES] = {RECORD_VERSION};
    struct span record = span_of((const char *)bytes, sizeof bytes), old;
    record_number_put(bytes + UNTIL_AT, 8, until_us);
    enum store_outcome outcome = store_get(store, ending->table, key, &old);
    if (outcome == STORE_NONE)
        outcome = room_make(store, ending, span_cut(key, 0, prefix_len));
    return outcome == STORE_OK ? store_put(store, ending->table, key, record, false) : outcome;
}

static bool has_ended(struct span key, struct span record, const void *context)
{
    const struct moment *moment = context;
    uint64_t until_us;
    (void)key;
    return !until_read(moment->ending, record, &until_us) || until_us <= moment->now_us;
}

enum store_outcome ending_sweep(struct store *store, const struct ending *ending, uint64_t now_us,
                                unsigned max)
{
    struct moment moment = {ending, now_us};
    return table_sweep(store, ending->table, has_ended, &moment, max);
}
