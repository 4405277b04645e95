/* roster.c: see roster.h. Owns session->interested and session->annotated (XEP-0405 2.10). Limits:
 * plan.roster_items and half of plan.output_bytes for a whole roster, without what it says of
 * MEMBERSHIPS_MAX channels; below for one item. */
#include "features/roster.h"

#include "core/channel_member.h"
#include "core/contacts.h"
#include "core/output.h"
#include "core/stream.h"
#include "features/subscription.h"
#include "wire/names.h"

#define TEXT_BYTES_MAX 1023 /* of a name, of a group */
#define GROUPS_MAX 32
/* A client that missed more changes than this gets the whole roster. */
#define CHANGES_MAX 40

struct change {
    uint64_t version;
    uint16_t len;
    char contact[ROSTER_CONTACT_BYTES_MAX];
};

/* -1: done; else enum stanza_error. */
static int outcome_error(enum store_outcome outcome)
{
    return outcome == STORE_OK ? -1 : (int)store_error(outcome);
}

/* --- get --- */

/* Moves what is built to the body if it is enough for a chunk, or all of it. */
static bool body_move(struct server *server, struct rope *body, struct build *build, bool all)
{
    if (!all && build->used < CHUNK_ROOM)
        return !build->full;
    if (build->full || !output_body(server, body, build_span(build)))
        return false;
    build->used = 0;
    return true;
}

/* From the store straight into the output: no memory grows with the roster. STORE_FULL: none for
 * the output. */
static enum store_outcome whole_build(struct turn *turn, uint64_t version, struct rope *body)
{
    struct server *server = turn->server;
    struct span local = jid_local(&turn->session->jid), contact, participant = SPAN_NONE;
    struct roster_walk walk;
    struct roster_item item;
    char id[PARTICIPANT_ID_CHARS];
    struct build build;
    enum store_outcome outcome;
    build_init(&build, &server->arena, CONTACT_ARENA_BYTES); /* an item and a chunk at least */
    build_str(&build, "<query xmlns='" NS_ROSTER "' ver='");
    build_number(&build, version);
    build_str(&build, "'>");
    roster_walk_begin(&walk, local);
    while ((outcome = roster_next(server->store, &walk, &contact, &item)) == STORE_OK) {
        if (item.removed)
            continue;
        if (turn->session->annotated)
            participant = channel_member_id(server->store, local, contact, id);
        contact_item(&build, contact, &item, participant);
        if (!body_move(server, body, &build, false))
            return STORE_FULL;
    }
    if (outcome != STORE_NONE)
        return outcome;
    build_str(&build, "</query></iq>");
    return body_move(server, body, &build, true) ? STORE_OK : STORE_FULL;
}

static void reply_whole(struct turn *turn, uint64_t version)
{
    struct rope body = {0};
    size_t mark = turn->server->arena.used;
    enum store_outcome outcome = whole_build(turn, version, &body);
    arena_reset(&turn->server->arena, mark);
    if (outcome == STORE_OK)
        reply_result_rope(turn, &body);
    else
        reply_error(turn, (enum stanza_error)outcome_error(outcome));
    rope_clear(&turn->server->chunks, &body);
}

/* Keeps the changes in order of their versions. */
static void change_insert(struct change *changes, unsigned count, uint64_t version,
                          struct span contact)
{
    unsigned at = count;
    for (; at > 0 && changes[at - 1].version > version; at--)
        changes[at] = changes[at - 1];
    changes[at].version = version;
    changes[at].len = (uint16_t)contact.len;
    memcpy(changes[at].contact, contact.bytes, contact.len);
}

/* RO-5: nothing, then a push for each change since `version`. false: too many, or no memory. */
static bool reply_changes(struct turn *turn, uint64_t version)
{
    struct server *server = turn->server;
    struct span local = jid_local(&turn->session->jid), contact;
    struct change *changes = arena_take(&server->arena, CHANGES_MAX * sizeof *changes);
    struct roster_walk walk;
    struct roster_item item;
    enum store_outcome outcome;
    unsigned count = 0;
    if (changes == NULL || !contact_has_arena(server))
        return false;
    roster_walk_begin(&walk, local);
    while ((outcome = roster_next(server->store, &walk, &contact, &item)) == STORE_OK) {
        if (item.version <= version)
            continue;
        if (count == CHANGES_MAX)
            return false;
        change_insert(changes, count++, item.version, contact);
    }
    if (outcome != STORE_NONE)
        return false;
    reply_result(turn, SPAN(""));
    for (unsigned i = 0; i < count; i++) {
        contact = span_of(changes[i].contact, changes[i].len);
        outcome = roster_get(server->store, local, contact, &item);
        if (outcome == STORE_NONE)
            item = (struct roster_item){.removed = true, .version = changes[i].version};
        if ((outcome != STORE_OK && outcome != STORE_NONE) ||
            !contact_push_to(server, turn->session, contact, &item)) {
            /* It would believe that it had them all. */
            stream_fail(server, turn->session, STREAM_INTERNAL_SERVER_ERROR, NULL);
            break;
        }
    }
    return true;
}

void roster_get_request(struct turn *turn)
{
    struct span text = stanza_attribute(turn->stanza, turn->child, "ver");
    struct roster_head head;
    uint64_t version;
    size_t mark = turn->server->arena.used;
    enum store_outcome outcome =
        roster_head(turn->server->store, jid_local(&turn->session->jid), &head);
    /* 2.1.3: no items; anything else is ignored. */
    if (stanza_child(turn->stanza, turn->child, NS_ROSTER, "item") != NULL) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (outcome != STORE_OK) {
        reply_error(turn, (enum stanza_error)outcome_error(outcome));
        return;
    }
    turn->session->interested = true;
    /* XEP-0405 2.10: each request says it anew. */
    turn->session->annotated =
        stanza_child(turn->stanza, turn->child, NS_MIX_ROSTER, "annotate") != NULL;
    turn->session->mix |= turn->session->annotated; /* PAM-5 */
    if (!span_number(text, UINT64_MAX, &version) || version < head.horizon ||
        version > head.version)
        reply_whole(turn, head.version);
    else if (version == head.version)
        reply_result(turn, SPAN(""));
    else if (!reply_changes(turn, version)) {
        arena_reset(&turn->server->arena, mark);
        reply_whole(turn, head.version);
    }
}

/* --- set --- */

/* 2.3.3 rule 2: groups are compared as resourceparts are. */
static struct span group_prepared(struct turn *turn, struct span group)
{
    struct span prepared;
    return jid_prepare_resource(group, &turn->server->arena, &prepared) ? prepared : group;
}

/* -1: good; else enum stanza_error. The groups are in the arena. */
static int groups_read(struct turn *turn, const struct node *item, struct roster_item *out)
{
    struct span seen[GROUPS_MAX];
    unsigned count = 0;
    size_t used = 0;
    char *bytes = arena_take(&turn->server->arena, ROSTER_ITEM_BYTES_MAX);
    if (bytes == NULL)
        return ERROR_RESOURCE_CONSTRAINT;
    for (const struct node *at = stanza_child(turn->stanza, item, NS_ROSTER, "group"); at != NULL;
         at = stanza_next(turn->stanza, at, NS_ROSTER, "group")) {
        struct span group = stanza_text(turn->stanza, at, &turn->server->arena);
        if (group.bytes == NULL)
            return ERROR_RESOURCE_CONSTRAINT;
        if (count == GROUPS_MAX || group.len == 0 || group.len > TEXT_BYTES_MAX ||
            ROSTER_GROUP_BYTES(group.len) > ROSTER_ITEM_BYTES_MAX - used)
            return ERROR_NOT_ACCEPTABLE;
        seen[count] = group_prepared(turn, group);
        for (unsigned i = 0; i < count; i++)
            if (span_equal(seen[i], seen[count]))
                return ERROR_BAD_REQUEST;
        used += roster_group_add(bytes + used, group);
        count++;
    }
    out->groups = span_of(bytes, used);
    return -1;
}

/* -1: good; else enum stanza_error. */
static int item_parse(struct turn *turn, const struct node *node, struct jid *contact,
                      struct roster_item *out)
{
    struct span jid = stanza_attribute(turn->stanza, node, "jid");
    if (jid.bytes == NULL)
        return ERROR_BAD_REQUEST;
    if (!jid_parse(jid, &turn->server->arena, contact))
        return ERROR_JID_MALFORMED;
    if (span_equal(jid_bare(contact), jid_bare(&turn->session->jid)))
        return ERROR_NOT_ALLOWED; /* RO-7 */
    if (jid_full(contact).len > ROSTER_CONTACT_BYTES_MAX)
        return ERROR_NOT_ACCEPTABLE;
    out->name = stanza_attribute(turn->stanza, node, "name");
    if (out->name.len > TEXT_BYTES_MAX)
        return ERROR_NOT_ACCEPTABLE;
    int error = groups_read(turn, node, out);
    if (error < 0 && out->name.len + out->groups.len > ROSTER_ITEM_BYTES_MAX)
        return ERROR_NOT_ACCEPTABLE;
    return error;
}

/* RO-2: name and groups are replaced; what stands between the two is not the client's to say. */
static enum store_outcome item_replace(struct turn *turn, struct span contact,
                                       struct roster_item *item)
{
    struct store *store = turn->server->store;
    struct span local = jid_local(&turn->session->jid);
    struct roster_item old;
    struct roster_head head;
    uint32_t gain = roster_weight(contact, item);
    enum store_outcome outcome = roster_get(store, local, contact, &old);
    bool is_new = outcome == STORE_NONE;
    if (outcome == STORE_OK || is_new)
        outcome = roster_head(store, local, &head);
    if (outcome != STORE_OK)
        return outcome;
    uint32_t lost = is_new ? 0 : roster_weight(contact, &old);
    if (!store_has_room(store, ROSTER_CHANGE_BYTES) ||
        !contact_fits(&head, is_new, gain > lost ? gain - lost : 0))
        return STORE_FULL;
    item->state = old.state;
    item->approved = old.approved;
    outcome = roster_put(store, local, contact, item);
    return outcome == STORE_OK ? contact_push(turn->server, &turn->session->jid, contact) : outcome;
}

/* -1: done; else enum stanza_error. PAM-4: who removes the item of a channel that he is in leaves
 * it. */
static int item_remove(struct turn *turn, const struct jid *contact)
{
    const struct jid user = jid_to_bare(&turn->session->jid);
    char id[PARTICIPANT_ID_CHARS];
    if (channel_member_id(turn->server->store, jid_local(&user), jid_full(contact), id).bytes ==
        NULL)
        return outcome_error(subscription_remove(turn, contact));
    enum channel_outcome outcome = channel_member_leave(turn->server, &user, contact);
    return outcome == CHANNEL_DONE ? -1 : (int)channel_error(outcome);
}

void roster_set_request(struct turn *turn)
{
    const struct node *node = stanza_child(turn->stanza, turn->child, NS_ROSTER, "item");
    struct jid contact;
    struct roster_item item = {0};
    if (node == NULL || stanza_children(turn->stanza, turn->child) != 1) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    int error = item_parse(turn, node, &contact, &item);
    if (error < 0 && !contact_has_arena(turn->server))
        error = ERROR_RESOURCE_CONSTRAINT;
    else if (error < 0 && span_is(stanza_attribute(turn->stanza, node, "subscription"), "remove"))
        error = item_remove(turn, &contact);
    else if (error < 0)
        error = outcome_error(item_replace(turn, jid_full(&contact), &item));
    if (error < 0)
        reply_result(turn, SPAN(""));
    else
        reply_error(turn, (enum stanza_error)error);
}
