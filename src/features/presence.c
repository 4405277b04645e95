/* presence.c: RFC 6121 4, see presence.h.
 * Owns session->presence, ->priority, ->announced, ->directed. Limits: PRESENCE_BYTES_MAX of a
 * stored presence, DIRECTED_* of those whom a session told of itself. */
#include "features/presence.h"

#include "core/blocked.h"
#include "core/contacts.h"
#include "core/output.h"
#include "store/absences.h"
#include "wire/build.h"
#include "wire/jid_list.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define PRESENCE_BYTES_MAX 4096 /* PR-5 */
#define CHUNKS_KEPT_SHARE 4     /* of plan.chunks, for what is not kept */
#define DIRECTED_MAX 64
#define DIRECTED_BYTES_MAX 4096

enum presence_type {
    TYPE_AVAILABLE,
    TYPE_UNAVAILABLE,
    TYPE_SUBSCRIBE,
    TYPE_SUBSCRIBED,
    TYPE_UNSUBSCRIBE,
    TYPE_UNSUBSCRIBED,
    TYPE_PROBE,
    TYPE_ERROR,
    TYPE_UNKNOWN,
};

static enum presence_type type_of(struct span type)
{
    static const char *const names[] = {
        [TYPE_UNAVAILABLE] = "unavailable",
        [TYPE_SUBSCRIBE] = "subscribe",
        [TYPE_SUBSCRIBED] = "subscribed",
        [TYPE_UNSUBSCRIBE] = "unsubscribe",
        [TYPE_UNSUBSCRIBED] = "unsubscribed",
        [TYPE_PROBE] = "probe",
        [TYPE_ERROR] = "error",
    };
    if (type.bytes == NULL)
        return TYPE_AVAILABLE;
    for (unsigned i = TYPE_UNAVAILABLE; i <= TYPE_ERROR; i++)
        if (span_is(type, names[i]))
            return (enum presence_type)i;
    return TYPE_UNKNOWN;
}

/* 6121 4.7.2.3: an integer from -128 to 127; absent: 0. */
static bool priority_read(struct turn *turn, int8_t *priority)
{
    const struct node *root = stanza_root(turn->stanza);
    const struct node *node = stanza_child(turn->stanza, root, NS_CLIENT, "priority");
    uint64_t number = 0;
    *priority = 0;
    if (node == NULL)
        return true;
    struct span text = stanza_text(turn->stanza, node, &turn->server->arena);
    bool negative = text.len > 0 && text.bytes[0] == '-';
    if (text.len > 0 && (negative || text.bytes[0] == '+'))
        text = span_cut(text, 1, text.len);
    if (!span_number(text, negative ? 128 : 127, &number) ||
        stanza_next(turn->stanza, node, NS_CLIENT, "priority") != NULL)
        return false;
    *priority = (int8_t)(negative ? -(int)number : (int)number);
    return true;
}

static bool two_shows(const struct turn *turn)
{
    const struct node *show =
        stanza_child(turn->stanza, stanza_root(turn->stanza), NS_CLIENT, "show");
    return show != NULL && stanza_next(turn->stanza, show, NS_CLIENT, "show") != NULL;
}

/* --- directed presence (PR-5) --- */

/* The list, copied to the arena: jids with a NUL each. bytes NULL: no memory. */
static struct span directed_list(struct server *server, const struct session *session)
{
    char *bytes = arena_take(&server->arena, session->directed.bytes);
    if (bytes == NULL)
        return SPAN_NONE;
    return span_of(bytes, rope_peek(&session->directed, bytes, session->directed.bytes));
}

static bool directed_has(struct server *server, const struct session *session, struct span jid)
{
    size_t mark = server->arena.used;
    struct span list = directed_list(server, session), at;
    bool found = false;
    while (!found && jid_list_next(&list, &at))
        found = span_equal(at, jid);
    arena_reset(&server->arena, mark);
    return found;
}

/* false: the list is full. */
static bool directed_add(struct server *server, struct session *session, struct span jid)
{
    size_t mark = server->arena.used;
    struct span list = directed_list(server, session), at;
    struct build build;
    unsigned count = 0;
    bool found = false;
    while (jid_list_next(&list, &at)) {
        found |= span_equal(at, jid);
        count++;
    }
    if (!found && count < DIRECTED_MAX &&
        session->directed.bytes + jid.len + 1 <= DIRECTED_BYTES_MAX) {
        build_init(&build, &server->arena, jid.len + 1);
        jid_list_put(&build, jid);
        found = !build.full && output_body(server, &session->directed, build_span(&build));
    }
    arena_reset(&server->arena, mark);
    return found;
}

static void directed_drop(struct server *server, struct session *session, struct span jid)
{
    size_t mark = server->arena.used;
    struct span list = directed_list(server, session), rest = list, at;
    while (jid_list_next(&rest, &at) && !span_equal(at, jid))
        continue;
    if (list.len > 0 && span_equal(at, jid)) {
        struct span before = span_of(list.bytes, (size_t)(at.bytes - list.bytes));
        rope_clear(&server->chunks, &session->directed);
        /* It was just given back, so there is room for it. */
        if (!rope_add(&server->chunks, &session->directed, before) ||
            !rope_add(&server->chunks, &session->directed, rest))
            rope_clear(&server->chunks, &session->directed);
    }
    arena_reset(&server->arena, mark);
}

/* 4.6.3: what went to its sessions was that `gone` is no more there; they need not tell it. */
static void directed_answered(struct server *server, const struct jid *to, struct span gone)
{
    for (struct session *at = session_first(server, jid_bare(to)); at != NULL;
         at = session_another(at))
        if (at->directed.bytes > 0)
            directed_drop(server, at, gone);
}

/* --- whom a change is told --- */

/* To the available resources of a bare jid, or to the one resource of a full one. */
static void tell(struct server *server, const struct forward *forward, const struct jid *to)
{
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(to)); at != NULL; at = next) {
        next = session_another(at);
        if (to->resource_len > 0 ? span_equal(jid_resource(&at->jid), jid_resource(to))
                                 : at->announced)
            forward_say(server, forward, jid_full(to), at, false);
    }
}

/* To all own available resources, the sender included (PR-1 b, PR-2, PR-4). */
static void tell_own(struct server *server, const struct session *about,
                     const struct forward *forward)
{
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(&about->jid)); at != NULL; at = next) {
        next = session_another(at);
        if (at->announced)
            forward_say(server, forward, jid_full(&at->jid), at, false);
    }
}

/* To all contacts in From or Both (PR-1 a, PR-2, PR-4). Their addresses come out of the roster,
 * where nobody else's is. */
static void tell_contacts(struct server *server, const struct session *about,
                          const struct forward *forward)
{
    struct roster_walk walk;
    struct roster_item item;
    struct span contact;
    struct session *next;
    roster_walk_begin(&walk, jid_local(&about->jid));
    while (roster_next(server->store, &walk, &contact, &item) == STORE_OK) {
        if (!(item.state & ROSTER_FROM))
            continue;
        for (struct session *at = session_first(server, contact); at != NULL; at = next) {
            next = session_another(at);
            if (at->announced && !blocked_between(server, &about->jid, &at->jid)) /* BL-3 */
                forward_say(server, forward, contact, at, false);
        }
    }
}

/* To those on the list that the broadcast has not reached; then the list is done with. */
static void tell_directed(struct server *server, struct session *about,
                          const struct forward *forward)
{
    size_t mark = server->arena.used;
    struct span list = directed_list(server, about), at;
    struct jid to;
    while (jid_list_next(&list, &at)) {
        if (!jid_parse(at, &server->arena, &to) ||
            (about->announced &&
             roster_hears(server->store, jid_local(&about->jid), jid_bare(&to))))
            continue;
        tell(server, forward, &to);
        directed_answered(server, &to, jid_full(&about->jid));
    }
    rope_clear(&server->chunks, &about->directed);
    arena_reset(&server->arena, mark);
}

static void tell_gone(struct server *server, struct session *about, const struct forward *forward)
{
    if (about->announced) {
        tell_contacts(server, about, forward);
        tell_own(server, about, forward);
    }
    if (about->directed.bytes > 0)
        tell_directed(server, about, forward);
}

/* --- what a resource that has just become available is told --- */

/* PR-1 c. */
static void hear_own(struct server *server, struct session *session)
{
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(&session->jid)); at != NULL;
         at = next) {
        next = session_another(at);
        if (at != session && at->announced)
            contact_tell(server, at, jid_full(&session->jid), session);
    }
}

/* PR-1 d: the answers to the probes that would have gone to these contacts. Both rosters must
 * agree: an account may have been made anew since. */
static void hear_contacts(struct server *server, struct session *session)
{
    struct roster_walk walk;
    struct roster_item item;
    struct span contact;
    struct session *next;
    roster_walk_begin(&walk, jid_local(&session->jid));
    while (roster_next(server->store, &walk, &contact, &item) == STORE_OK) {
        struct session *at = item.state & ROSTER_TO ? session_first(server, contact) : NULL;
        if (at == NULL ||
            !roster_hears(server->store, jid_local(&at->jid), jid_bare(&session->jid)))
            continue;
        for (; at != NULL; at = next) {
            next = session_another(at);
            if (at->announced && !blocked_between(server, &at->jid, &session->jid))
                contact_tell(server, at, jid_full(&session->jid), session);
        }
    }
}

/* XEP-0191 3.3: one that came before its sender was blocked. */
static bool request_blocked(struct server *server, const struct session *session, struct span from)
{
    struct jid contact;
    size_t mark = server->arena.used;
    bool blocked =
        jid_parse(from, &server->arena, &contact) && blocked_by(server, &session->jid, &contact);
    arena_reset(&server->arena, mark);
    return blocked;
}

/* PR-1 f, SUB-4. */
static void hear_requests(struct server *server, struct session *session)
{
    struct roster_walk walk;
    struct span contact, stanza;
    roster_walk_begin(&walk, jid_local(&session->jid));
    while (request_next(server->store, &walk, &contact, &stanza) == STORE_OK)
        if (!session->blocking || !request_blocked(server, session, contact))
            output_say(server, session, stanza, store_urgent(server->store));
}

/* --- stanzas --- */

static bool presence_keep(struct turn *turn, const struct forward *forward)
{
    struct server *server = turn->server;
    struct rope kept = {0};
    /* What is kept must leave room for what is said. */
    if (pool_left(&server->chunks.chunks) < plan.chunks / CHUNKS_KEPT_SHARE) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return false;
    }
    bool done = forward->tail.bytes != NULL ? output_body(server, &kept, forward->tail)
                                            : rope_share(&server->chunks, &kept, &forward->body);
    if (!done) {
        rope_clear(&server->chunks, &kept);
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return false;
    }
    rope_clear(&server->chunks, &turn->session->presence);
    turn->session->presence = kept;
    return true;
}

static void available(struct turn *turn)
{
    struct server *server = turn->server;
    struct session *session = turn->session;
    struct forward forward;
    int8_t priority;
    bool first = !session->announced, listened = session_listens(session);
    if (!priority_read(turn, &priority) || two_shows(turn)) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (turn->stanza->source.len > PRESENCE_BYTES_MAX) {
        reply_error(turn, ERROR_POLICY_VIOLATION);
        return;
    }
    if (!forward_begin(turn, &forward))
        return;
    forward.urgency = URGENCY_LATEST;
    if (presence_keep(turn, &forward)) {
        session->priority = priority;
        session->announced = true;
        if (!listened && session_listens(session))
            session_listen(server, session); /* OFF-2 */
        tell_contacts(server, session, &forward);
        tell_own(server, session, &forward);
        if (first) {
            hear_own(server, session);
            hear_contacts(server, session);
            hear_requests(server, session);
        }
    }
    forward_end(turn, &forward);
}

static void unavailable(struct turn *turn)
{
    struct session *session = turn->session;
    struct forward forward;
    if ((!session->announced && session->directed.bytes == 0) || !forward_begin(turn, &forward))
        return;
    forward.urgency = URGENCY_LATEST;
    tell_gone(turn->server, session, &forward);
    forward_end(turn, &forward);
    session->announced = false;
    rope_clear(&turn->server->chunks, &session->presence);
}

/* PR-5. */
static void directed(struct turn *turn, enum presence_type type, void (*deliver)(struct turn *turn))
{
    struct server *server = turn->server;
    struct session *session = turn->session;
    bool own = span_equal(jid_bare(&turn->to), jid_bare(&session->jid));
    bool covered =
        own || (session->announced &&
                roster_hears(server->store, jid_local(&session->jid), jid_bare(&turn->to)));
    if (type == TYPE_AVAILABLE && !covered && !directed_add(server, session, jid_full(&turn->to))) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    deliver(turn);
    if (type == TYPE_UNAVAILABLE) {
        directed_drop(server, session, jid_full(&turn->to));
        directed_answered(server, &turn->to, jid_full(&session->jid));
    }
}

/* A short answer to a probe. since_us: when the last resource went; 0: not known. */
static void probe_answer(struct turn *turn, struct span from, const char *type, uint64_t since_us)
{
    struct build build;
    char stamp[TIMESTAMP_BYTES];
    build_init(&build, &turn->server->arena,
               256 + 2 * BUILD_ESCAPED_MAX(SESSION_JID_BYTES) + BUILD_ESCAPED_MAX(turn->id.len));
    build_str(&build, "<presence");
    build_attr(&build, "from", from);
    build_attr(&build, "to", jid_full(&turn->session->jid));
    build_attr(&build, "type", span_string(type));
    if (type != NULL) /* 4.3.2.1: an available one would have the id of its own presence */
        build_attr(&build, "id", turn->id);
    if (since_us == 0) {
        build_str(&build, "/>");
    } else {
        timestamp_write(since_us, stamp);
        build_str(&build, "><delay xmlns='" NS_DELAY "' stamp='");
        build_put(&build, span_of(stamp, sizeof stamp));
        build_str(&build, "'/></presence>");
    }
    if (!build.full)
        output_say(turn->server, turn->session, build_span(&build), false);
}

/* PR-6. */
static void probe(struct turn *turn)
{
    struct server *server = turn->server;
    struct session *session = turn->session, *next;
    struct span own = jid_bare(&session->jid), bare = jid_bare(&turn->to);
    struct session *match = turn->to.resource_len > 0 ? session_find(server, &turn->to) : NULL;
    struct absence absence;
    bool any = false;
    if (!span_equal(own, bare) && !roster_hears(server->store, jid_local(&turn->to), own)) {
        if (match != NULL && (directed_has(server, match, jid_full(&session->jid)) ||
                              directed_has(server, match, own)))
            probe_answer(turn, jid_full(&match->jid), NULL, 0); /* 4.6.6 */
        else
            probe_answer(turn, bare, "unsubscribed", 0); /* the same where there is no account */
        return;
    }
    if (turn->to.resource_len > 0) {
        bool there = match != NULL && match->announced;
        probe_answer(turn, jid_full(&turn->to), there ? NULL : "unavailable", 0);
        return;
    }
    for (struct session *at = session_first(server, bare); at != NULL; at = next) {
        next = session_another(at);
        any |= at->announced;
        if (at->announced)
            contact_tell(server, at, jid_full(&session->jid), session);
    }
    if (!any) { /* 4.3.2 rule 3 */
        bool known = absence_get(server->store, jid_local(&turn->to), &absence) == STORE_OK;
        probe_answer(turn, bare, "unavailable", known ? absence.since_us : 0);
    }
}

void presence_stanza(struct turn *turn, bool to_domain, void (*deliver)(struct turn *turn),
                     void (*subscription)(struct turn *turn))
{
    enum presence_type type = type_of(turn->type);
    bool addressed = jid_present(&turn->to);
    if (type == TYPE_UNKNOWN)
        reply_error(turn, ERROR_BAD_REQUEST); /* 6121 4.7.1 */
    else if (to_domain || (!addressed && type != TYPE_AVAILABLE && type != TYPE_UNAVAILABLE))
        return; /* requirements 2.4, "Presence": dropped */
    else if (!addressed && type == TYPE_AVAILABLE)
        available(turn);
    else if (!addressed)
        unavailable(turn);
    else if (type == TYPE_AVAILABLE || type == TYPE_UNAVAILABLE)
        directed(turn, type, deliver);
    else if (type == TYPE_ERROR)
        deliver(turn);
    else if (type == TYPE_PROBE)
        probe(turn);
    else
        subscription(turn);
}

/* PR-4: what the client did not say any more, the server says. */
static void farewell(struct server *server, struct session *gone)
{
    const struct forward forward = {.name = "presence",
                                    .from = jid_full(&gone->jid),
                                    .tail = SPAN(" type='unavailable'/>"),
                                    .urgency = URGENCY_LATEST};
    tell_gone(server, gone, &forward);
    gone->announced = false;
}

void presence_farewells(struct server *server)
{
    while (server->farewells != NULL) {
        struct session *gone = server->farewells;
        server->farewells = gone->next_farewell;
        farewell(server, gone);
    }
}

bool presence_shared(struct server *server, const struct session *recipient,
                     const struct session *sender)
{
    struct span own = jid_bare(&sender->jid);
    return span_equal(jid_bare(&recipient->jid), own) ||
           roster_hears(server->store, jid_local(&recipient->jid), own) ||
           directed_has(server, recipient, jid_full(&sender->jid)) ||
           directed_has(server, recipient, own);
}
