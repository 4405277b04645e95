/* blocking.c: see blocking.h. Owns session->blocks_followed; session->blocking is set here and when
 * a session is bound. Limits: plan.blocks, LIST_BYTES_MAX of a list as XML. */
#include "features/blocking.h"

#include "base/log.h"
#include "base/must.h"
#include "core/contacts.h"
#include "store/blocklists.h"
#include "wire/names.h"

#define LIST_BYTES_MAX 16384
#define RECORD_BYTES_MAX (LIST_BYTES_MAX + 1024)
/* Of the arena, for the old and the new list, the request's, and both as XML. */
#define CHANGE_BYTES_MAX (6 * LIST_BYTES_MAX)
#define REASON_BYTES_MAX 100

/* A change that is asked for. */
struct change {
    struct turn *turn;
    struct span local;
    struct span old;   /* addresses as store/blocklists.h has them, in the arena */
    struct build list; /* the new record */
    unsigned count;    /* of addresses in it */
    struct build push; /* what the followers are told */
    struct span named; /* the addresses of the request */
};

static struct span list_span(const struct build *record)
{
    return span_cut(build_span(record), BLOCKLIST_RECORD_BYTES, record->used);
}

static void item_build(struct build *build, struct span address)
{
    build_str(build, "<item");
    build_attr(build, "jid", address);
    build_str(build, "/>");
}

/* All of a list as XML. false: too long. */
static bool list_build(struct build *build, struct span addresses)
{
    struct span address;
    build_str(build, "<blocklist xmlns='" NS_BLOCKING "'>");
    while (blocklist_next(&addresses, &address))
        item_build(build, address);
    build_str(build, "</blocklist>");
    return !build->full;
}

void blocklist_request(struct turn *turn)
{
    struct span addresses;
    struct build build;
    enum store_outcome outcome =
        blocklist_get(turn->server->store, jid_local(&turn->session->jid), &addresses);
    if (outcome != STORE_OK && outcome != STORE_NONE) {
        reply_store_error(turn, outcome);
        return;
    }
    build_init(&build, &turn->server->arena, LIST_BYTES_MAX);
    if (!list_build(&build, addresses)) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    turn->session->blocks_followed = true;
    reply_result(turn, build_span(&build));
}

/* --- reading a request --- */

/* BL-4, XEP-0377. */
static void report_log(const struct turn *turn, const struct node *item, const struct jid *jid)
{
    const struct node *report = stanza_child(turn->stanza, item, NS_REPORTING, "report");
    if (report == NULL)
        return;
    struct span reason =
        span_cut(stanza_attribute(turn->stanza, report, "reason"), 0, REASON_BYTES_MAX);
    log_line(LOG_NOTE, "%.*s is reported by %.*s: %.*s", (int)jid_full(jid).len, jid->text,
             (int)jid_bare_len(&turn->session->jid), turn->session->jid.text, (int)reason.len,
             reason.bytes);
}

/* BL-3: not oneself, not the own server. */
static bool may_block(const struct turn *turn, const struct jid *jid)
{
    return !span_equal(jid_bare(jid), jid_bare(&turn->session->jid)) &&
           !(jid->local_len == 0 && span_is(jid_domain(jid), config.domain));
}

/* The addresses of <block/>, or those of <unblock/> that are blocked, as a list. -1: good; else
 * enum stanza_error. */
static int items_read(struct change *change, bool block)
{
    struct turn *turn = change->turn;
    struct build named;
    struct jid jid;
    const struct node *at = stanza_child(turn->stanza, turn->child, NS_BLOCKING, "item");
    if (at == NULL && (block || stanza_children(turn->stanza, turn->child) > 0))
        return ERROR_BAD_REQUEST;
    build_init(&named, &turn->server->arena, RECORD_BYTES_MAX);
    blocklist_begin(&named);
    for (; at != NULL; at = stanza_next(turn->stanza, at, NS_BLOCKING, "item")) {
        struct span text = stanza_attribute(turn->stanza, at, "jid");
        if (text.bytes == NULL)
            return ERROR_BAD_REQUEST;
        if (!jid_parse(text, &turn->server->arena, &jid))
            return ERROR_JID_MALFORMED;
        if (block && !may_block(turn, &jid))
            return ERROR_NOT_ALLOWED;
        if (block)
            report_log(turn, at, &jid);
        if ((block || blocklist_has(change->old, jid_full(&jid))) &&
            !blocklist_has(list_span(&named), jid_full(&jid)))
            blocklist_add(&named, jid_full(&jid));
        if (named.full)
            return ERROR_RESOURCE_CONSTRAINT;
    }
    change->named = list_span(&named);
    return -1;
}

/* STORE_FULL: no memory. */
static enum store_outcome change_begin(struct turn *turn, struct change *change)
{
    struct arena *arena = &turn->server->arena;
    *change = (struct change){.turn = turn, .local = jid_local(&turn->session->jid)};
    enum store_outcome outcome = blocklist_get(turn->server->store, change->local, &change->old);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return outcome;
    if (arena->size - arena->used < CHANGE_BYTES_MAX)
        return STORE_FULL;
    change->old = arena_copy(arena, change->old);
    build_init(&change->list, arena, RECORD_BYTES_MAX);
    build_init(&change->push, arena, LIST_BYTES_MAX + 256);
    blocklist_begin(&change->list);
    return change->old.bytes == NULL || change->list.full || change->push.full ? STORE_FULL
                                                                               : STORE_OK;
}

/* Those of `from` that are not in `without`. */
static void change_add(struct change *change, struct span from, struct span without)
{
    struct span address;
    while (blocklist_next(&from, &address)) {
        if (blocklist_has(without, address))
            continue;
        blocklist_add(&change->list, address);
        change->count++;
    }
}

/* --- what follows --- */

static void sessions_note(struct change *change)
{
    struct server *server = change->turn->server;
    for (struct session *at = session_first(server, jid_bare(&change->turn->session->jid));
         at != NULL; at = session_another(at))
        at->blocking = change->count > 0;
}

static void push(struct change *change, const char *element)
{
    struct server *server = change->turn->server;
    struct span addresses = change->named, address;
    struct build *build = &change->push;
    struct session *next;
    build_str(build, " type='set' id='push-");
    build_number(build, ++server->pushes);
    build_str(build, "'><");
    build_str(build, element);
    build_str(build, " xmlns='" NS_BLOCKING "'>");
    while (blocklist_next(&addresses, &address))
        item_build(build, address);
    build_str(build, "</");
    build_str(build, element);
    build_str(build, "></iq>");
    must(!build->full); /* it is part of a list that fitted */
    const struct forward forward = {.name = "iq", .tail = build_span(build)};
    for (struct session *at = session_first(server, jid_bare(&change->turn->session->jid));
         at != NULL; at = next) {
        next = session_another(at);
        if (at->blocks_followed)
            forward_say(server, &forward, jid_full(&at->jid), at, store_urgent(server->store));
    }
}

/* 3.3, 3.4: an address that may see the user does so no more, or again. */
static void show(struct change *change, struct span addresses, struct span without,
                 void (*tell)(struct server *server, const struct jid *user,
                              const struct jid *contact))
{
    struct server *server = change->turn->server;
    const struct jid *user = &change->turn->session->jid;
    struct span address;
    struct jid contact;
    while (blocklist_next(&addresses, &address)) {
        size_t mark = server->arena.used;
        if (!blocklist_has(without, address) && jid_parse(address, &server->arena, &contact) &&
            contact.local_len > 0 && roster_hears(server->store, change->local, jid_bare(&contact)))
            tell(server, user, &contact);
        arena_reset(&server->arena, mark);
    }
}

/* Whether the list fits the plan and its own answer. */
static bool change_fits(struct change *change)
{
    struct server *server = change->turn->server;
    size_t mark = server->arena.used;
    struct build xml;
    build_init(&xml, &server->arena, LIST_BYTES_MAX);
    bool fits = !change->list.full && change->count <= plan.blocks &&
                list_build(&xml, list_span(&change->list));
    arena_reset(&server->arena, mark);
    return fits && store_has_room(server->store, RECORD_BYTES_MAX);
}

static enum store_outcome change_write(struct change *change)
{
    if (span_equal(list_span(&change->list), change->old))
        return STORE_OK;
    return blocklist_put(change->turn->server->store, change->local, &change->list);
}

void block_request(struct turn *turn)
{
    struct change change;
    enum store_outcome outcome = change_begin(turn, &change);
    int error = outcome == STORE_OK ? items_read(&change, true) : -1;
    if (error >= 0) {
        reply_error(turn, (enum stanza_error)error);
        return;
    }
    if (outcome == STORE_OK) {
        change_add(&change, change.old, SPAN(""));
        change_add(&change, change.named, change.old);
        outcome = change_fits(&change) ? change_write(&change) : STORE_FULL;
    }
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    sessions_note(&change);
    reply_result(turn, SPAN(""));
    push(&change, "block");
    show(&change, change.named, change.old, contact_farewell);
}

void unblock_request(struct turn *turn)
{
    struct change change;
    enum store_outcome outcome = change_begin(turn, &change);
    int error = outcome == STORE_OK ? items_read(&change, false) : -1;
    bool all = stanza_children(turn->stanza, turn->child) == 0;
    if (error >= 0) {
        reply_error(turn, (enum stanza_error)error);
        return;
    }
    if (outcome == STORE_OK) {
        change_add(&change, all ? SPAN("") : change.old, change.named);
        outcome = change_write(&change);
    }
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    sessions_note(&change);
    reply_result(turn, SPAN(""));
    if (all || change.named.len > 0) /* else it would say: all of them */
        push(&change, "unblock");
    show(&change, change.old, list_span(&change.list), contact_greet);
}
