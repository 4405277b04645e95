/* archive_query.c: see archive_query.h. */
#include "core/archive_query.h"

#include "wire/form.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define MILLISECOND_US 1000

/* Why a query is refused; FIELD_GOOD: it is not. */
enum { FIELD_GOOD = -1 };

/* --- fields; each returns FIELD_GOOD or enum stanza_error --- */

/* Stamps are told in milliseconds, and what was told shall be found. */
static int field_start(struct turn *turn, struct archive_query *query, struct span value)
{
    uint64_t us;
    (void)turn;
    if (!timestamp_read(value, &us))
        return ERROR_BAD_REQUEST;
    us -= us % MILLISECOND_US;
    if (us > query->range.low)
        query->range.low = us;
    return FIELD_GOOD;
}

static int field_end(struct turn *turn, struct archive_query *query, struct span value)
{
    uint64_t us;
    (void)turn;
    if (!timestamp_read(value, &us))
        return ERROR_BAD_REQUEST;
    us += MILLISECOND_US - 1 - us % MILLISECOND_US;
    if (us < query->range.high)
        query->range.high = us;
    return FIELD_GOOD;
}

static int field_with(struct turn *turn, struct archive_query *query, struct span value)
{
    return jid_parse(value, &turn->server->arena, &query->with) ? FIELD_GOOD : ERROR_BAD_REQUEST;
}

/* 4.1.3, 4.3.2: it must be there. */
static int id_find(struct turn *turn, const struct archive_query *query, struct span id,
                   uint64_t *number)
{
    enum store_outcome outcome = archive_id_read(turn->server, query->all->own.owner, id, number)
                                     ? archive_has(turn->server->store, query->all, *number)
                                     : STORE_NONE;
    return outcome == STORE_OK     ? FIELD_GOOD
           : outcome == STORE_NONE ? ERROR_ITEM_NOT_FOUND
                                   : ERROR_INTERNAL_SERVER_ERROR;
}

static int range_after(struct turn *turn, const struct archive_query *query, struct span id,
                       struct archive_range *range)
{
    uint64_t number;
    int error = id_find(turn, query, id, &number);
    if (error == FIELD_GOOD && number + 1 > range->low)
        range->low = number + 1;
    return error;
}

static int range_before(struct turn *turn, const struct archive_query *query, struct span id,
                        struct archive_range *range)
{
    uint64_t number;
    int error = id_find(turn, query, id, &number);
    if (error == FIELD_GOOD && number - 1 < range->high)
        range->high = number - 1;
    return error;
}

static int field_after_id(struct turn *turn, struct archive_query *query, struct span value)
{
    return range_after(turn, query, value, &query->range);
}

static int field_before_id(struct turn *turn, struct archive_query *query, struct span value)
{
    return range_before(turn, query, value, &query->range);
}

/* They are kept in order, each once. */
static int field_ids(struct turn *turn, struct archive_query *query, struct span value)
{
    uint64_t number;
    unsigned at = query->id_count;
    query->by_ids = true;
    int error = id_find(turn, query, value, &number);
    if (error != FIELD_GOOD)
        return error;
    while (at > 0 && query->ids[at - 1] > number)
        at--;
    if (at > 0 && query->ids[at - 1] == number)
        return FIELD_GOOD;
    if (query->id_count == ARCHIVE_IDS_MAX)
        return ERROR_POLICY_VIOLATION;
    memmove(&query->ids[at + 1], &query->ids[at], (query->id_count - at) * sizeof query->ids[0]);
    query->ids[at] = number;
    query->id_count++;
    return FIELD_GOOD;
}

static int field_include_groupchat(struct turn *turn, struct archive_query *query,
                                   struct span value)
{
    bool yes = span_is(value, "true") || span_is(value, "1");
    (void)turn;
    query->groupchat = yes ? GROUPCHAT_WANTED : GROUPCHAT_UNWANTED;
    return yes || span_is(value, "false") || span_is(value, "0") ? FIELD_GOOD : ERROR_BAD_REQUEST;
}

static int field_form_type(struct turn *turn, struct archive_query *query, struct span value)
{
    (void)turn;
    (void)query;
    return span_is(value, NS_MAM) ? FIELD_GOOD : ERROR_BAD_REQUEST;
}

static const struct field {
    const char *var;
    const char *type; /* NULL: not in the form that is given out */
    int (*read)(struct turn *turn, struct archive_query *query, struct span value);
} fields[] = {
    {"FORM_TYPE", NULL, field_form_type},
    {"with", "jid-single", field_with},
    {"start", "text-single", field_start},
    {"end", "text-single", field_end},
    {"before-id", "text-single", field_before_id},
    {"after-id", "text-single", field_after_id},
    {"ids", "list-multi", field_ids},
    {"include-groupchat", "boolean", field_include_groupchat},
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

static int field_read(struct turn *turn, struct archive_query *query, const struct node *node)
{
    const struct node *at = NULL;
    struct span var = stanza_attribute(turn->stanza, node, "var"), value;
    size_t i = 0;
    int error = FIELD_GOOD;
    while (i < FIELD_COUNT && !span_is(var, fields[i].var))
        i++;
    if (i == FIELD_COUNT) /* 4.1.5 */
        return ERROR_FEATURE_NOT_IMPLEMENTED;
    while (error == FIELD_GOOD &&
           (value = form_values(turn->stanza, node, &at, &turn->server->arena)).bytes != NULL)
        error = fields[i].read(turn, query, value);
    return error == FIELD_GOOD && at != NULL ? ERROR_RESOURCE_CONSTRAINT : error;
}

static int form_read(struct turn *turn, struct archive_query *query)
{
    const struct node *form = form_find(turn->stanza, turn->child);
    if (form == NULL)
        return FIELD_GOOD;
    if (form_type(turn->stanza, form) != FORM_SUBMIT ||
        form_field(turn->stanza, form, "FORM_TYPE") == NULL)
        return ERROR_BAD_REQUEST;
    for (const struct node *at = stanza_child(turn->stanza, form, NS_DATA_FORMS, "field");
         at != NULL; at = stanza_next(turn->stanza, at, NS_DATA_FORMS, "field")) {
        int error = field_read(turn, query, at);
        if (error != FIELD_GOOD)
            return error;
    }
    return FIELD_GOOD;
}

/* --- paging --- */

static int page_read(struct turn *turn, struct archive_query *query)
{
    struct rsm_request set;
    int error = FIELD_GOOD;
    if (!rsm_read(turn->stanza, turn->child, &turn->server->arena, &set))
        return ERROR_BAD_REQUEST;
    if (set.indexed) /* XEP-0059 2.6 */
        return ERROR_FEATURE_NOT_IMPLEMENTED;
    query->page = query->range;
    query->max = set.max < ARCHIVE_PAGE_MAX ? set.max : ARCHIVE_PAGE_MAX;
    query->backwards = set.backwards;
    if (set.after.bytes != NULL)
        error = range_after(turn, query, set.after, &query->page);
    if (error == FIELD_GOOD && set.before.len > 0)
        error = range_before(turn, query, set.before, &query->page);
    return error;
}

bool archive_query_read(struct turn *turn, const struct archive_view *all,
                        struct archive_query *query)
{
    *query = (struct archive_query){.all = all, .range = {1, ARCHIVE_NUMBER_MAX}};
    query->queryid = stanza_attribute(turn->stanza, turn->child, "queryid");
    query->flipped = stanza_child(turn->stanza, turn->child, NS_MAM, "flip-page") != NULL;
    int error = query->queryid.len > ID_BYTES_MAX ? ERROR_POLICY_VIOLATION : form_read(turn, query);
    if (error == FIELD_GOOD)
        error = page_read(turn, query);
    archive_view(&query->view, all->own.owner, jid_present(&query->with) ? &query->with : NULL);
    if (error != FIELD_GOOD)
        reply_error(turn, (enum stanza_error)error);
    return error == FIELD_GOOD;
}

/* --- walking --- */

static enum store_outcome ids_next(struct turn *turn, const struct archive_query *query,
                                   bool forwards, uint64_t at, uint64_t *number)
{
    for (unsigned i = 0; i < query->id_count; i++) {
        uint64_t id = query->ids[forwards ? i : query->id_count - 1 - i];
        if (forwards ? id <= at : id >= at)
            continue;
        enum store_outcome outcome = archive_has(turn->server->store, &query->view, id);
        if (outcome == STORE_NONE) /* of another talk */
            continue;
        *number = id;
        return outcome;
    }
    return STORE_NONE;
}

enum store_outcome archive_query_next(struct turn *turn, struct archive_query *query, bool forwards,
                                      uint64_t at, uint64_t *number)
{
    if (query->by_ids)
        return ids_next(turn, query, forwards, at, number);
    return forwards ? archive_after(turn->server->store, &query->view, at, number)
                    : archive_before(turn->server->store, &query->view, at, number);
}

static enum store_outcome ids_count(struct turn *turn, const struct archive_query *query,
                                    uint32_t *count)
{
    uint64_t at = query->range.low - 1;
    enum store_outcome outcome;
    while ((outcome = ids_next(turn, query, true, at, &at)) == STORE_OK && at <= query->range.high)
        (*count)++;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome archive_query_count(struct turn *turn, struct archive_query *query,
                                       uint64_t first, struct rsm_answer *answer)
{
    struct store *store = turn->server->store;
    struct archive_range range = query->range;
    *answer = (struct rsm_answer){.counted = !query->view.talk || query->max == 0};
    if (!answer->counted)
        return STORE_OK;
    if (query->by_ids)
        return ids_count(turn, query, &answer->count);
    enum store_outcome outcome =
        archive_count(store, &query->view, range.low, range.high, &answer->count);
    answer->placed = first != 0 && !query->view.talk;
    if (outcome == STORE_OK && answer->placed)
        outcome = archive_count(store, &query->view, range.low, first - 1, &answer->index);
    return outcome;
}

void archive_form_build(struct build *build)
{
    form_begin(build, "form", NULL, NULL, NS_MAM);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].type == NULL)
            continue;
        form_open(build, fields[i].type, fields[i].var, NULL, false);
        if (strcmp(fields[i].type, "list-multi") == 0) /* any value, XEP-0122 */
            build_str(build, "<validate xmlns='" NS_VALIDATE "' datatype='xs:string'><open/>"
                             "</validate>");
        form_shut(build);
    }
    form_end(build);
}
