/* archive_prefs.c: see archive_prefs.h. */
#include "features/archive_prefs.h"

#include "store/archive_prefs.h"
#include "wire/names.h"

#define LISTS_BYTES_MAX 8192
#define ANSWER_BYTES_MAX (2 * LISTS_BYTES_MAX + 256)
#define RECORD_BYTES_MAX (2 * LISTS_BYTES_MAX + 1024)

static const char *const defaults[ARCHIVE_DEFAULTS] = {
    [ARCHIVE_ALWAYS] = "always", [ARCHIVE_ROSTER] = "roster", [ARCHIVE_NEVER] = "never"};

/* Both lists while they are read. */
struct lists {
    struct build always;
    struct build never;
    unsigned count;
};

static void list_build(struct build *build, const char *name, struct span list)
{
    struct span address;
    build_str(build, "<");
    build_str(build, name);
    build_str(build, ">");
    while (blocklist_next(&list, &address)) {
        build_element(build, "jid", address);
    }
    build_str(build, "</");
    build_str(build, name);
    build_str(build, ">");
}

/* false: too long to be told. */
static bool prefs_build(struct turn *turn, const struct archive_prefs *prefs, struct build *build)
{
    build_init(build, &turn->server->arena, ANSWER_BYTES_MAX);
    build_str(build, "<prefs xmlns='" NS_MAM "'");
    build_attr(build, "default", span_string(defaults[prefs->otherwise]));
    build_str(build, ">");
    list_build(build, "always", prefs->always);
    list_build(build, "never", prefs->never);
    build_str(build, "</prefs>");
    return !build->full;
}

void archive_prefs_get_request(struct turn *turn)
{
    struct archive_prefs prefs;
    struct build build;
    if (!config.archive) {
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        return;
    }
    enum store_outcome outcome =
        archive_prefs_get(turn->server->store, jid_local(&turn->session->jid), &prefs);
    if (outcome != STORE_OK)
        reply_store_error(turn, outcome);
    else if (!prefs_build(turn, &prefs, &build))
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    else
        reply_result(turn, build_span(&build));
}

/* -1: good; else enum stanza_error. */
static int list_read(struct turn *turn, const char *name, struct lists *lists, struct build *list)
{
    const struct node *node = stanza_child(turn->stanza, turn->child, NS_MAM, name);
    struct jid jid;
    build_init(list, &turn->server->arena, LISTS_BYTES_MAX);
    if (node == NULL)
        return list->full ? ERROR_RESOURCE_CONSTRAINT : -1;
    for (const struct node *at = stanza_child(turn->stanza, node, NS_MAM, "jid"); at != NULL;
         at = stanza_next(turn->stanza, at, NS_MAM, "jid")) {
        struct span text = stanza_text(turn->stanza, at, &turn->server->arena);
        if (text.bytes == NULL)
            return ERROR_RESOURCE_CONSTRAINT;
        if (!jid_parse(text, &turn->server->arena, &jid))
            return ERROR_JID_MALFORMED;
        if (blocklist_has(build_span(list), jid_full(&jid)))
            continue;
        blocklist_add(list, jid_full(&jid));
        if (list->full || ++lists->count > plan.blocks)
            return ERROR_RESOURCE_CONSTRAINT;
    }
    return list->full ? ERROR_RESOURCE_CONSTRAINT : -1;
}

/* -1: good; else enum stanza_error. */
static int prefs_read(struct turn *turn, struct lists *lists, struct archive_prefs *prefs)
{
    struct span otherwise = stanza_attribute(turn->stanza, turn->child, "default");
    int wanted = 0;
    while (wanted < ARCHIVE_DEFAULTS && !span_is(otherwise, defaults[wanted]))
        wanted++;
    if (wanted == ARCHIVE_DEFAULTS)
        return ERROR_BAD_REQUEST;
    int error = list_read(turn, "always", lists, &lists->always);
    if (error < 0)
        error = list_read(turn, "never", lists, &lists->never);
    *prefs = (struct archive_prefs){(enum archive_default)wanted, build_span(&lists->always),
                                    build_span(&lists->never)};
    return error;
}

void archive_prefs_set_request(struct turn *turn)
{
    struct store *store = turn->server->store;
    struct lists lists = {.count = 0};
    struct archive_prefs prefs;
    struct build answer;
    if (!config.archive) {
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        return;
    }
    int error = prefs_read(turn, &lists, &prefs);
    if (error >= 0) {
        reply_error(turn, (enum stanza_error)error);
        return;
    }
    enum store_outcome outcome = STORE_FULL;
    if (prefs_build(turn, &prefs, &answer) && store_has_room(store, RECORD_BYTES_MAX))
        outcome =
            archive_prefs_put(store, jid_local(&turn->session->jid), &prefs, &turn->server->arena);
    if (outcome == STORE_OK)
        reply_result(turn, build_span(&answer));
    else
        reply_store_error(turn, outcome);
}
