/* presence.c: RFC 6121 4, see presence.h.
 * Owns session->presence, ->priority, ->announced. Limit: PRESENCE_BYTES_MAX of a stored presence.
 */
#include "features/presence.h"

#include "base/must.h"
#include "core/output.h"
#include "wire/build.h"
#include "wire/names.h"

#define PRESENCE_BYTES_MAX 4096 /* PR-5 */

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

/* A stored presence as one resource has it, told to another one of the same account. */
static void tell_stored(struct server *server, const struct session *about,
                        struct session *recipient)
{
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena, 64 + 2 * BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
    build_str(&build, "<presence");
    build_attr(&build, "from", jid_full(&about->jid));
    build_attr(&build, "to", jid_full(&recipient->jid));
    must(!build.full); /* ARENA_RESERVE */
    output_share(server, recipient, build_span(&build), &about->presence, false);
    arena_reset(&server->arena, mark);
}

/* To all own available resources, the sender included (PR-1 b, PR-2, PR-4). */
static void broadcast(struct turn *turn, const struct forward *forward)
{
    struct session *next;
    struct span bare = jid_bare(&turn->session->jid);
    for (struct session *at = session_first(turn->server, bare); at != NULL; at = next) {
        next = session_another(at);
        if (at->announced)
            forward_to(turn, forward, jid_full(&at->jid), at);
    }
}

/* PR-1 c. */
static void tell_others(struct turn *turn)
{
    struct session *next;
    struct span bare = jid_bare(&turn->session->jid);
    for (struct session *at = session_first(turn->server, bare); at != NULL; at = next) {
        next = session_another(at);
        if (at != turn->session && at->announced)
            tell_stored(turn->server, at, turn->session);
    }
}

static bool presence_keep(struct turn *turn, const struct forward *forward)
{
    struct server *server = turn->server;
    struct rope kept = {0};
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
    struct session *session = turn->session;
    struct forward forward;
    int8_t priority;
    bool first = !session->announced;
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
    if (presence_keep(turn, &forward)) {
        session->priority = priority;
        session->announced = true;
        broadcast(turn, &forward);
        if (first)
            tell_others(turn);
    }
    forward_end(turn, &forward);
}

static void unavailable(struct turn *turn)
{
    struct forward forward;
    if (!turn->session->announced || !forward_begin(turn, &forward))
        return;
    broadcast(turn, &forward);
    forward_end(turn, &forward);
    turn->session->announced = false;
    rope_clear(&turn->server->chunks, &turn->session->presence);
}

void presence_stanza(struct turn *turn, bool to_domain, void (*deliver)(struct turn *turn))
{
    enum presence_type type = type_of(turn->type);
    bool directed = jid_present(&turn->to);
    if (type == TYPE_UNKNOWN)
        reply_error(turn, ERROR_BAD_REQUEST); /* 6121 4.7.1 */
    else if (to_domain || (!directed && type != TYPE_AVAILABLE && type != TYPE_UNAVAILABLE))
        return; /* requirements 2.4, "Presence": dropped */
    else if (!directed && type == TYPE_AVAILABLE)
        available(turn);
    else if (!directed)
        unavailable(turn);
    else if (type == TYPE_AVAILABLE || type == TYPE_UNAVAILABLE || type == TYPE_ERROR)
        deliver(turn);
    else if (type != TYPE_PROBE)
        reply_error(turn, ERROR_FEATURE_NOT_IMPLEMENTED); /* subscriptions need rosters */
}

/* PR-4: what the client did not say any more, the server says. */
static void farewell(struct server *server, struct session *gone)
{
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(&gone->jid)); at != NULL; at = next) {
        struct build build;
        size_t mark = server->arena.used;
        next = session_another(at);
        if (!at->announced)
            continue;
        build_init(&build, &server->arena, 64 + 2 * BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
        build_str(&build, "<presence type='unavailable'");
        build_attr(&build, "from", jid_full(&gone->jid));
        build_attr(&build, "to", jid_full(&at->jid));
        build_str(&build, "/>");
        must(!build.full);
        output_say(server, at, build_span(&build), false);
        arena_reset(&server->arena, mark);
    }
}

void presence_farewells(struct server *server)
{
    while (server->farewells != NULL) {
        struct session *gone = server->farewells;
        server->farewells = gone->next_farewell;
        gone->announced = false;
        farewell(server, gone);
    }
}
