/* pep.c: see pep.h. Owns server->arriving and the sessions' arrival. */
#include "core/pep.h"

#include "core/blocked.h"
#include "core/caps.h"
#include "core/output.h"
#include "store/rosters.h"
#include "wire/build.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define ARRIVAL_CONTACTS 16    /* of one session in one tick */
#define ARRIVAL_OUTPUT_SHARE 4 /* of plan.output_bytes: with more it waits */
#define CHUNKS_KEPT_SHARE 4    /* of plan.chunks: so many are left for others */
#define REAP_RECORDS 16
#define REAP_RETRY_MS 1000

#define EVENT_BEGIN " type='headline'><event xmlns='" NS_PUBSUB_EVENT "'>"
#define EVENT_END "</event>"

/* --- who may --- */

static bool in_groups(struct span allowed, struct span groups)
{
    struct span group, one;
    while (roster_group_next(&groups, &group)) {
        struct span left = allowed;
        while (roster_group_next(&left, &one))
            if (span_equal(group, one))
                return true;
    }
    return false;
}

enum pep_access pep_access(struct server *server, const struct jid *owner,
                           const struct pep_node *node, struct span asker)
{
    struct roster_item item = {0};
    struct pep_person person = pep_person_find(node->people, asker);
    if (span_equal(jid_bare(owner), asker))
        return PEP_GRANTED;
    if (person.affiliation == PEP_OUTCAST)
        return PEP_BLOCKED;
    bool hears = roster_get(server->store, jid_local(owner), asker, &item) == STORE_OK &&
                 (item.state & ROSTER_FROM);
    switch ((enum pep_model)node->config.model) {
    case PEP_OPEN:
        return PEP_GRANTED;
    case PEP_PRESENCE:
        return hears ? PEP_GRANTED : PEP_NEEDS_PRESENCE;
    case PEP_ROSTER:
        if (!hears)
            return PEP_NEEDS_PRESENCE;
        return in_groups(node->config.groups, item.groups) ? PEP_GRANTED : PEP_NEEDS_GROUP;
    case PEP_WHITELIST:
        return person.affiliation == PEP_MEMBER ? PEP_GRANTED : PEP_NEEDS_WHITELIST;
    case PEP_AUTHORIZE:
    case PEP_MODELS:
        break;
    }
    return person.affiliation == PEP_MEMBER || person.subscription == PEP_SUBSCRIBED
               ? PEP_GRANTED
               : PEP_NEEDS_SUBSCRIPTION;
}

/* --- telling --- */

/* What a client that wants to hear of the node says that it can (XEP-0163 4.2). */
static uint64_t interest_mark(struct span name)
{
    char feature[PEP_NAME_BYTES_MAX + sizeof "+notify"];
    struct build build = {.bytes = feature, .size = sizeof feature};
    build_put(&build, name);
    build_str(&build, "+notify");
    return caps_mark(build_span(&build));
}

/* false: no memory. The tail is in the arena. */
static bool event_begin(struct server *server, const struct pep_event *event,
                        struct forward *forward)
{
    char stamp[TIMESTAMP_BYTES];
    struct span pieces[PEP_PIECES + 3];
    struct build build;
    unsigned count = 0;
    size_t len = 0;
    *forward = (struct forward){.name = "message", .from = jid_bare(event->owner)};
    pieces[count++] = SPAN(EVENT_BEGIN);
    for (unsigned i = 0; i < event->piece_count; i++)
        pieces[count++] = event->pieces[i];
    build_init(&build, &server->arena, 128);
    build_str(&build, EVENT_END);
    if (event->time_us != 0) {
        timestamp_write(event->time_us, stamp);
        build_str(&build, "<delay xmlns='" NS_DELAY "' stamp='");
        build_put(&build, span_of(stamp, sizeof stamp));
        build_str(&build, "'/>");
    }
    build_str(&build, "</message>");
    pieces[count++] = build_span(&build);
    for (unsigned i = 0; i < count; i++)
        len += pieces[i].len;
    if (len <= OUTPUT_COPY_BYTES_MAX) {
        build_init(&build, &server->arena, len);
        for (unsigned i = 0; i < count; i++)
            build_put(&build, pieces[i]);
        forward->tail = build_span(&build);
        return !build.full;
    }
    for (unsigned i = 0; i < count; i++)
        if (!output_body(server, &forward->body, pieces[i]))
            return false;
    return true;
}

static void event_say(struct server *server, const struct forward *forward,
                      struct session *recipient)
{
    forward_say(server, forward, jid_full(&recipient->jid), recipient, store_urgent(server->store));
}

/* To the resources of one bare jid that want to hear of it. */
static void tell_interested(struct server *server, const struct pep_event *event,
                            const struct forward *forward, uint64_t mark, struct span to)
{
    struct session *next;
    for (struct session *at = session_first(server, to); at != NULL; at = next) {
        next = session_another(at);
        if (at->announced && caps_has_mark(at, mark) &&
            !blocked_between(server, event->owner, &at->jid)) /* XEP-0163 4.3.3 */
            event_say(server, forward, at);
    }
}

static void tell_contacts(struct server *server, const struct pep_event *event,
                          const struct forward *forward, uint64_t mark)
{
    struct roster_walk walk;
    struct roster_item item;
    struct span contact;
    roster_walk_begin(&walk, jid_local(event->owner));
    while (roster_next(server->store, &walk, &contact, &item) == STORE_OK)
        if ((item.state & ROSTER_FROM) && session_first(server, contact) != NULL &&
            pep_access(server, event->owner, event->node, contact) == PEP_GRANTED)
            tell_interested(server, event, forward, mark, contact);
}

/* Those who have subscribed by themselves need not say what they can (XEP-0163 4 rule 1). */
static void tell_subscribers(struct server *server, const struct pep_event *event,
                             const struct forward *forward, uint64_t mark)
{
    struct span people = event->node->people;
    struct pep_person person;
    struct session *next;
    while (pep_person_next(&people, &person)) {
        if (person.subscription != PEP_SUBSCRIBED ||
            pep_access(server, event->owner, event->node, person.jid) != PEP_GRANTED)
            continue;
        bool hears = roster_hears(server->store, jid_local(event->owner), person.jid);
        for (struct session *at = session_first(server, person.jid); at != NULL; at = next) {
            next = session_another(at);
            if (session_listens(at) && !(hears && caps_has_mark(at, mark)) &&
                !blocked_between(server, event->owner, &at->jid))
                event_say(server, forward, at);
        }
    }
}

void pep_tell(struct server *server, const struct pep_event *event)
{
    struct forward forward;
    size_t arena_mark = server->arena.used;
    uint64_t mark = interest_mark(event->name);
    if (event_begin(server, event, &forward)) {
        tell_interested(server, event, &forward, mark, jid_bare(event->owner));
        tell_contacts(server, event, &forward, mark);
        tell_subscribers(server, event, &forward, mark);
    }
    rope_clear(&server->chunks, &forward.body);
    arena_reset(&server->arena, arena_mark);
}

struct span pep_item_head(struct server *server, struct span name, struct span id, bool payload)
{
    struct build build;
    build_init(&build, &server->arena, 64 + BUILD_ESCAPED_MAX(name.len + id.len));
    build_str(&build, "<items");
    build_attr(&build, "node", name);
    build_str(&build, "><item");
    build_attr(&build, "id", id);
    build_str(&build, payload ? ">" : "/></items>");
    return build_span(&build);
}

/* --- the last items --- */

void pep_last_tell(struct server *server, const struct jid *owner, struct span name,
                   const struct pep_node *node, struct session *session)
{
    struct pep_item item;
    struct forward forward;
    size_t mark = server->arena.used;
    bool payload = node->config.flags & PEP_PAYLOADS;
    if (pep_item_last(server->store, jid_local(owner), node, &item) == STORE_OK) {
        struct span pieces[] = {pep_item_head(server, name, item.id, payload),
                                payload ? item.payload : SPAN(""),
                                payload ? SPAN("</item></items>") : SPAN("")};
        const struct pep_event event = {owner, name, node, pieces, 3, item.time_us};
        if (pieces[0].bytes != NULL && event_begin(server, &event, &forward))
            event_say(server, &forward, session);
        rope_clear(&server->chunks, &forward.body);
    }
    arena_reset(&server->arena, mark);
}

static void owner_tell(struct server *server, const struct jid *owner, struct session *session)
{
    struct pep_walk walk;
    struct pep_node node;
    struct span name;
    pep_walk_begin(&walk, jid_local(owner));
    while (session->phase < PHASE_CLOSING &&
           pep_node_next(server->store, &walk, &name, &node) == STORE_OK)
        if (node.config.send_last == PEP_LAST_ON_PRESENCE && node.items > 0 &&
            caps_has_mark(session, interest_mark(name)) &&
            pep_access(server, owner, &node, jid_bare(&session->jid)) == PEP_GRANTED)
            pep_last_tell(server, owner, name, &node, session);
}

/* The next contacts' nodes; their owners' rosters say whether the session may see them. false: that
 * was all. */
static bool contacts_tell(struct server *server, struct session *session)
{
    struct arrival *arrival = &session->arrival;
    struct roster_walk walk;
    struct roster_item item;
    struct span text;
    struct jid contact;
    uint32_t n = 1, most = arrival->told + ARRIVAL_CONTACTS;
    roster_walk_begin(&walk, jid_local(&session->jid));
    while (roster_next(server->store, &walk, &text, &item) == STORE_OK) {
        size_t mark = server->arena.used;
        if (n++ < arrival->told)
            continue;
        if ((item.state & ROSTER_TO) && jid_parse(text, &server->arena, &contact) &&
            contact.local_len > 0 && span_is(jid_domain(&contact), config.domain) &&
            roster_hears(server->store, jid_local(&contact), jid_bare(&session->jid)) &&
            !blocked_between(server, &contact, &session->jid))
            owner_tell(server, &contact, session);
        arena_reset(&server->arena, mark);
        arrival->told = n;
        if (n >= most)
            return true;
    }
    return false;
}

/* false: it leaves the list. */
static bool session_tell(struct server *server, struct session *session)
{
    struct arrival *arrival = &session->arrival;
    struct roster_head head;
    struct jid own = session->jid;
    if (session->phase >= PHASE_CLOSING || !session->announced || session->caps == NULL ||
        session->caps->state != CAPS_KNOWN ||
        roster_head(server->store, jid_local(&own), &head) != STORE_OK)
        return false;
    if (arrival->version != head.version)
        arrival->told = 0; /* somebody may have been left out */
    arrival->version = head.version;
    if (arrival->told == 0) {
        own.resource_len = 0;
        owner_tell(server, &own, session);
        arrival->told = 1;
    }
    return contacts_tell(server, session);
}

static bool can_hear(const struct server *server, const struct session *session)
{
    return session->phase >= PHASE_CLOSING ||
           (session->out.bytes <= plan.output_bytes / ARRIVAL_OUTPUT_SHARE &&
            pool_left(&server->chunks.chunks) > plan.chunks / CHUNKS_KEPT_SHARE);
}

void pep_arrive(struct server *server, struct session *session)
{
    struct arrival *arrival = &session->arrival;
    if (!session->announced || session->caps == arrival->known)
        return;
    arrival->known = session->caps;
    arrival->told = 0;
    if (arrival->waiting)
        return;
    arrival->waiting = true;
    arrival->next = server->arriving;
    server->arriving = session;
}

void pep_arrivals(struct server *server)
{
    struct session **at = &server->arriving;
    while (*at != NULL) {
        struct session *session = *at;
        if (!can_hear(server, session) || session_tell(server, session)) {
            at = &session->arrival.next;
        } else {
            *at = session->arrival.next;
            session->arrival.waiting = false;
        }
    }
}

bool pep_due(const struct server *server)
{
    const struct session *at = server->arriving;
    while (at != NULL && !can_hear(server, at))
        at = at->arrival.next;
    return at != NULL;
}

void pep_greet(struct server *server, const struct jid *user, const struct jid *contact)
{
    struct session *next;
    struct jid owner = *user;
    owner.resource_len = 0;
    if (!roster_hears(server->store, jid_local(&owner), jid_bare(contact)))
        return;
    for (struct session *at = session_first(server, jid_bare(contact)); at != NULL; at = next) {
        next = session_another(at);
        if (at->announced && !blocked_between(server, &owner, &at->jid))
            owner_tell(server, &owner, at);
    }
}

/* --- what is left of nodes that are gone --- */

void pep_sweep(struct server *server)
{
    if (server->now_ms < server->pep_reap_ms)
        return;
    enum store_outcome outcome = pep_reap(server->store, REAP_RECORDS);
    server->pep_reap_ms = outcome == STORE_OK     ? server->now_ms
                          : outcome == STORE_NONE ? UINT64_MAX
                                                  : server->now_ms + REAP_RETRY_MS;
    if (server->pep_reap_ms != UINT64_MAX)
        session_due(server, server->pep_reap_ms);
}
