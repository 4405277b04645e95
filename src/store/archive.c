/* archive.c: looking at archives, see archive.h: the index of each source, merged by numbers, and
 * behind it the bodies that are not in the index yet, which are few. */
#include "store/archive_parts.h"

void archive_source(struct archive_source *source, struct span owner, uint64_t low, uint64_t high)
{
    *source = (struct archive_source){
        .owner = owner,
        .low = low > 0 ? low : 1,
        .high = high < ARCHIVE_NUMBER_MAX ? high : ARCHIVE_NUMBER_MAX,
    };
}

void archive_view(struct archive_view *view, struct span local, const struct jid *with)
{
    *view = (struct archive_view){.talk = with != NULL};
    archive_source(&view->own, local, 1, ARCHIVE_NUMBER_MAX);
    if (with == NULL)
        return;
    archive_with(&view->with, with);
    view->with_resource = with->resource_len > 0;
}

/* The own one is the first. NULL: there are no more. */
static const struct archive_source *source_at(const struct archive_view *view, unsigned i)
{
    return i == 0 ? &view->own : i <= view->count ? &view->sources[i - 1] : NULL;
}

static bool fits(const struct archive_view *view, const struct archive_with *with)
{
    return (!view->talk || memcmp(with->bare, view->with.bare, sizeof with->bare) == 0) &&
           (!view->with_resource || with->resource == view->with.resource);
}

/* --- in the index --- */

/* No further than to the end of what the source has. */
static enum store_outcome walk(struct store *store, const struct archive_view *view,
                               const struct archive_source *source, bool forwards, uint64_t high,
                               struct entry *entry)
{
    enum store_outcome outcome;
    do {
        outcome = entry_next(store, source->owner, forwards, entry);
        if (outcome == STORE_OK && (forwards ? entry->number > high : entry->number < source->low))
            return STORE_NONE;
    } while (outcome == STORE_OK && !fits(view, &entry->with));
    return outcome;
}

/* The next one of a source behind `from`, or before it, up to `end`; it is looked for only if it is
 * not known from last time. */
static enum store_outcome source_next(struct store *store, const struct archive_view *view,
                                      struct archive_source *source, bool forwards, uint64_t from,
                                      uint64_t end)
{
    struct entry entry = {.number = from};
    enum archive_found way = forwards ? FOUND_FORWARDS : FOUND_BACKWARDS;
    uint64_t high = source->high < end ? source->high : end;
    uint64_t nothing = forwards ? UINT64_MAX : 0;
    if (forwards && from < source->low)
        entry.number = source->low - 1;
    if (!forwards && from > high)
        entry.number = high + 1;
    if (source->found.way == way &&
        (forwards ? source->found.from <= from && from < source->found.number
                  : source->found.from >= from && from > source->found.number))
        return STORE_OK;
    enum store_outcome outcome = walk(store, view, source, forwards, high, &entry);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    source->found.way = way;
    source->found.from = from;
    source->found.number = outcome == STORE_OK ? entry.number : nothing;
    return STORE_OK;
}

static enum store_outcome index_next(struct store *store, struct archive_view *view, bool forwards,
                                     uint64_t from, uint64_t end, uint64_t *number)
{
    uint64_t nothing = forwards ? UINT64_MAX : 0, best = nothing;
    for (unsigned i = 0; i <= view->count; i++) {
        struct archive_source *source = i == 0 ? &view->own : &view->sources[i - 1];
        enum store_outcome outcome = source_next(store, view, source, forwards, from, end);
        if (outcome != STORE_OK)
            return outcome;
        if (forwards ? source->found.number < best : source->found.number > best)
            best = source->found.number;
    }
    if (best == nothing)
        return STORE_NONE;
    *number = best;
    return STORE_OK;
}

/* --- behind it --- */

static bool body_fits(const struct archive_view *view, uint64_t number, struct archive_body *body)
{
    const struct archive_source *source;
    struct keeper keeper;
    while (keeper_next(body, &keeper))
        for (unsigned i = 0; (source = source_at(view, i)) != NULL; i++)
            if (span_equal(keeper.local, source->owner) && number >= source->low &&
                number <= source->high && fits(view, &keeper.with))
                return true;
    return false;
}

static enum store_outcome rest_next(struct store *store, const struct archive_view *view,
                                    uint64_t from, uint64_t *number)
{
    struct archive_body body;
    enum store_outcome outcome;
    uint64_t at = from;
    do {
        outcome = body_next(store, at, &at, &body);
    } while (outcome == STORE_OK && !body_fits(view, at, &body));
    if (outcome == STORE_OK)
        *number = at;
    return outcome;
}

/* Down to the end of the index. */
static enum store_outcome rest_previous(struct store *store, const struct archive_view *view,
                                        uint64_t from, uint64_t end, uint64_t *number)
{
    struct archive_body body;
    enum store_outcome outcome;
    uint64_t at = from;
    do {
        outcome = body_previous(store, at, &at, &body);
        if (outcome == STORE_OK && at <= end)
            return STORE_NONE;
    } while (outcome == STORE_OK && !body_fits(view, at, &body));
    if (outcome == STORE_OK)
        *number = at;
    return outcome;
}

/* --- both --- */

enum store_outcome archive_after(struct store *store, struct archive_view *view, uint64_t after,
                                 uint64_t *number)
{
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    if (outcome == STORE_OK)
        outcome = after < end ? index_next(store, view, true, after, end, number) : STORE_NONE;
    if (outcome == STORE_NONE && store->index.behind > 0)
        outcome = rest_next(store, view, after > end ? after : end, number);
    return outcome;
}

enum store_outcome archive_before(struct store *store, struct archive_view *view, uint64_t before,
                                  uint64_t *number)
{
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    if (outcome != STORE_OK)
        return outcome;
    outcome = store->index.behind > 0 && before > end + 1
                  ? rest_previous(store, view, before, end, number)
                  : STORE_NONE;
    return outcome == STORE_NONE ? index_next(store, view, false, before, end, number) : outcome;
}

enum store_outcome archive_has(struct store *store, const struct archive_view *view,
                               uint64_t number)
{
    const struct archive_source *source;
    struct archive_body body;
    struct entry entry;
    uint64_t end;
    enum store_outcome outcome = index_end(store, &end);
    if (outcome != STORE_OK)
        return outcome;
    if (number > end) {
        outcome = archive_body(store, number, &body);
        return outcome == STORE_OK && !body_fits(view, number, &body) ? STORE_NONE : outcome;
    }
    for (unsigned i = 0; (source = source_at(view, i)) != NULL; i++) {
        if (number < source->low || number > source->high)
            continue;
        outcome = entry_get(store, source->owner, number, &entry);
        if (outcome != STORE_NONE && (outcome != STORE_OK || fits(view, &entry.with)))
            return outcome;
    }
    return STORE_NONE;
}

/* Of one source in the index: places count on by one. */
static enum store_outcome source_count(struct store *store, const struct archive_source *source,
                                       uint64_t low, uint64_t high, uint32_t *count)
{
    struct entry first = {.number = (low > source->low ? low : source->low) - 1};
    struct entry last = {.number = (high < source->high ? high : source->high) + 1};
    if (first.number + 1 >= last.number)
        return STORE_OK;
    uint64_t end = last.number;
    enum store_outcome outcome = entry_next(store, source->owner, true, &first);
    if (outcome == STORE_OK)
        outcome = entry_next(store, source->owner, false, &last);
    if (outcome == STORE_OK && first.number < end && last.number >= first.number)
        *count += last.place - first.place + 1;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static enum store_outcome talk_count(struct store *store, struct archive_view *view, uint64_t low,
                                     uint64_t high, uint32_t *count)
{
    uint64_t at = low - 1;
    enum store_outcome outcome;
    while ((outcome = archive_after(store, view, at, &at)) == STORE_OK && at <= high)
        (*count)++;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome archive_count(struct store *store, struct archive_view *view, uint64_t low,
                                 uint64_t high, uint32_t *count)
{
    const struct archive_source *source;
    uint64_t end;
    *count = 0;
    enum store_outcome outcome = index_end(store, &end);
    if (outcome != STORE_OK || low > high)
        return outcome;
    if (view->talk)
        return talk_count(store, view, low, high, count);
    for (unsigned i = 0; outcome == STORE_OK && (source = source_at(view, i)) != NULL; i++)
        outcome = source_count(store, source, low, high < end ? high : end, count);
    uint64_t at = low > end ? low - 1 : end;
    while (outcome == STORE_OK && store->index.behind > 0 &&
           (outcome = rest_next(store, view, at, &at)) == STORE_OK && at <= high)
        (*count)++;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}
