/* contacts.c: see contacts.h. */
#include "core/contacts.h"

#include "base/must.h"
#include "core/blocked.h"
#include "core/channel_member.h"
#include "core/output.h"
#include "core/pep.h"
#include "wire/names.h"

/* Tags of a push, of 32 groups, of a channel. */
#define TAGS_BYTES 700
#define PRESENCE_HEAD_BYTES (64 + 2 * BUILD_ESCAPED_MAX(SESSION_JID_BYTES))

_Static_assert(BUILD_ESCAPED_MAX(ROSTER_ITEM_BYTES_MAX + ROSTER_CONTACT_BYTES_MAX) + TAGS_BYTES +
                       CHUNK_ROOM <
                   CONTACT_ARENA_BYTES,
               "an item, behind others that fill a chunk");
_Static_assert(CONTACT_ARENA_BYTES + PRESENCE_HEAD_BYTES + OUTPUT_COPY_BYTES_MAX < ARENA_RESERVE,
               "and the addresses");

bool contact_has_arena(const struct server *server)
{
    return server->arena.size - server->arena.used >= CONTACT_ARENA_BYTES;
}

static const char *subscription_name(const struct roster_item *item)
{
    static const char *const names[] = {
        [0] = "none",
        [ROSTER_TO] = "to",
        [ROSTER_FROM] = "from",
        [ROSTER_TO | ROSTER_FROM] = "both",
    };
    return item->removed ? "remove" : names[item->state & (ROSTER_TO | ROSTER_FROM)];
}

void contact_item(struct build *build, struct span contact, const struct roster_item *item,
                  struct span participant)
{
    struct span groups = item->groups, group;
    bool inside = groups.len > 0 || participant.bytes != NULL;
    build_str(build, "<item");
    build_attr(build, "jid", contact);
    if (item->name.len > 0)
        build_attr(build, "name", item->name);
    build_attr(build, "subscription", span_string(subscription_name(item)));
    if (item->state & ROSTER_OUT)
        build_str(build, " ask='subscribe'");
    if (item->approved)
        build_str(build, " approved='true'");
    build_str(build, inside ? ">" : "/>");
    if (!inside)
        return;
    while (roster_group_next(&groups, &group)) {
        build_str(build, "<group>");
        build_text(build, group);
        build_str(build, "</group>");
    }
    if (participant.bytes != NULL) {
        build_str(build, "<channel xmlns='" NS_MIX_ROSTER "'");
        build_attr(build, "participant-id", participant);
        build_str(build, "/>");
    }
    build_str(build, "</item>");
}

/* All of a push behind the address. false: no memory for a long one. */
static bool push_begin(struct server *server, struct span contact, const struct roster_item *item,
                       struct span participant, struct forward *push)
{
    struct build build;
    *push = (struct forward){.name = "iq"};
    build_init(&build, &server->arena, TAGS_BYTES + roster_weight(contact, item));
    build_str(&build, " type='set' id='push-");
    build_number(&build, ++server->pushes);
    build_str(&build, "'><query xmlns='" NS_ROSTER "' ver='");
    build_number(&build, item->version);
    build_str(&build, "'>");
    contact_item(&build, contact, item, participant);
    build_str(&build, "</query></iq>");
    must(!build.full); /* contact_has_arena */
    if (build.used > OUTPUT_COPY_BYTES_MAX)
        return output_body(server, &push->body, build_span(&build));
    push->tail = build_span(&build);
    return true;
}

bool contact_push_to(struct server *server, struct session *session, struct span contact,
                     const struct roster_item *item)
{
    struct forward push;
    char id[PARTICIPANT_ID_CHARS];
    struct span participant = SPAN_NONE;
    size_t mark = server->arena.used;
    if (session->annotated)
        participant = channel_member_id(server->store, jid_local(&session->jid), contact, id);
    bool begun = push_begin(server, contact, item, participant, &push);
    if (begun)
        forward_say(server, &push, jid_full(&session->jid), session, store_urgent(server->store));
    rope_clear(&server->chunks, &push.body);
    arena_reset(&server->arena, mark);
    return begun;
}

/* To all who have asked for the roster; or, where it is a channel, to those of them who want to
 * know who they are there (participant.bytes not NULL), or to the others. */
static bool push_share(struct server *server, const struct jid *user, struct span contact,
                       const struct roster_item *item, struct span participant, bool all)
{
    struct forward push;
    struct session *next;
    size_t mark = server->arena.used;
    bool begun = push_begin(server, contact, item, participant, &push);
    for (struct session *at = session_first(server, jid_bare(user)); at != NULL && begun;
         at = next) {
        next = session_another(at);
        if (at->interested && (all || at->annotated == (participant.bytes != NULL)))
            forward_say(server, &push, jid_full(&at->jid), at, store_urgent(server->store));
    }
    rope_clear(&server->chunks, &push.body);
    arena_reset(&server->arena, mark);
    return begun;
}

enum store_outcome contact_push(struct server *server, const struct jid *user, struct span contact)
{
    struct roster_item item;
    struct roster_head head;
    char id[PARTICIPANT_ID_CHARS];
    struct span participant = SPAN_NONE;
    enum store_outcome outcome = roster_get(server->store, jid_local(user), contact, &item);
    if (outcome == STORE_OK) {
        participant = channel_member_id(server->store, jid_local(user), contact, id);
    } else if (outcome == STORE_NONE) {
        outcome = roster_head(server->store, jid_local(user), &head);
        item = (struct roster_item){.removed = true, .version = head.version};
    }
    if (outcome != STORE_OK)
        return outcome;
    bool channel = participant.bytes != NULL;
    bool shared = push_share(server, user, contact, &item, SPAN_NONE, !channel) &&
                  (!channel || push_share(server, user, contact, &item, participant, false));
    return shared ? STORE_OK : STORE_FULL;
}

bool contact_fits(const struct roster_head *head, bool is_new, uint32_t gain)
{
    return head->items + is_new <= plan.roster_items && head->bytes + gain <= plan.output_bytes / 2;
}

void contact_tell(struct server *server, const struct session *about, struct span to,
                  struct session *recipient)
{
    const struct rope *presence = &about->presence;
    bool copied = presence->bytes <= OUTPUT_COPY_BYTES_MAX;
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena, PRESENCE_HEAD_BYTES + OUTPUT_COPY_BYTES_MAX);
    build_str(&build, "<presence");
    build_attr(&build, "from", jid_full(&about->jid));
    build_attr(&build, "to", to);
    must(!build.full); /* ARENA_RESERVE */
    if (copied) {
        /* Shared, each of many would take a chunk for its head alone. */
        build.used += rope_peek(presence, build.bytes + build.used, presence->bytes);
        output_say(server, recipient, build_span(&build), false);
    } else {
        output_share(server, recipient, build_span(&build), presence, false);
    }
    arena_reset(&server->arena, mark);
}

/* To all available resources of the contact. */
static void tell_contact(struct server *server, const struct session *about,
                         const struct jid *contact, bool available)
{
    const struct forward gone = {
        .name = "presence", .from = jid_full(&about->jid), .tail = SPAN(" type='unavailable'/>")};
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(contact)); at != NULL; at = next) {
        next = session_another(at);
        if (!at->announced || (contact->resource_len > 0 &&
                               !span_equal(jid_resource(&at->jid), jid_resource(contact))))
            continue;
        if (available && blocked_between(server, &about->jid, &at->jid)) /* BL-3 */
            continue;
        if (available)
            contact_tell(server, about, jid_bare(contact), at);
        else
            forward_say(server, &gone, jid_bare(contact), at, false);
    }
}

static void tell_all(struct server *server, const struct jid *user, const struct jid *contact,
                     bool available)
{
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(user)); at != NULL; at = next) {
        next = session_another(at);
        if (at->announced)
            tell_contact(server, at, contact, available);
    }
}

void contact_greet(struct server *server, const struct jid *user, const struct jid *contact)
{
    tell_all(server, user, contact, true);
    pep_greet(server, user, contact);
}

void contact_farewell(struct server *server, const struct jid *user, const struct jid *contact)
{
    tell_all(server, user, contact, false);
}
