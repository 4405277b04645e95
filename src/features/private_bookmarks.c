/* private_bookmarks.c: see private_bookmarks.h. What clients put into an item beside a name, a nick
 * and a password stays when one that does not know of it changes the bookmark. */
#include "features/private_bookmarks.h"

#include "core/output.h"
#include "wire/extract.h"
#include "wire/form.h"
#include "wire/names.h"

#define STORAGE_BEGIN "<storage xmlns='" NS_BOOKMARKS_OLD "'>"
#define STORAGE_END "</storage>"
#define CHUNKS_KEPT_SHARE 4 /* of plan.chunks: so many are left for others */

/* XEP-0402 4. */
static const struct pep_config bookmarks_config = {
    .model = PEP_WHITELIST,
    .send_last = PEP_LAST_NEVER,
    .flags = PEP_PERSIST | PEP_PAYLOADS | PEP_NOTIFY_RETRACT | PEP_NOTIFY_DELETE,
    .items_max = PEP_ITEMS_UNLIMITED,
};

bool private_bookmarks_are(const struct node *element)
{
    return node_is(element, NS_BOOKMARKS_OLD, "storage");
}

/* A bookmark of a room, as one that is written. */
struct conference {
    const struct stanza *stanza;
    const struct node *node;
    const char *namespace;  /* of itself and of its children */
    struct span extensions; /* an element that stands alone, or nothing */
};

/* A child's text. bytes NULL: there is no such child. */
static struct span child_text(const struct conference *conference, const char *name,
                              struct arena *arena)
{
    const struct node *child =
        stanza_child(conference->stanza, conference->node, conference->namespace, name);
    return child == NULL ? SPAN_NONE : stanza_text(conference->stanza, child, arena);
}

/* In another namespace; jid bytes NULL: without one. bytes NULL: no memory. */
static struct span conference_build(const struct conference *conference, const char *namespace,
                                    struct span jid, struct arena *arena)
{
    struct span name = stanza_attribute(conference->stanza, conference->node, "name");
    struct span nick = child_text(conference, "nick", arena);
    struct span password = child_text(conference, "password", arena);
    struct build build;
    build_init(&build, arena,
               256 + BUILD_ESCAPED_MAX(jid.len + name.len + nick.len + password.len) +
                   conference->extensions.len);
    build_str(&build, "<conference");
    build_attr(&build, "xmlns", span_string(namespace));
    build_attr(&build, "jid", jid);
    build_attr(&build, "name", name);
    if (form_true(stanza_attribute(conference->stanza, conference->node, "autojoin")))
        build_attr(&build, "autojoin", SPAN("true"));
    build_str(&build, ">");
    build_element(&build, "nick", nick);
    build_element(&build, "password", password);
    build_put(&build, conference->extensions);
    build_str(&build, "</conference>");
    return build_span(&build);
}

/* An item's payload. false: it is no bookmark, or there is no memory. */
static bool item_read(struct server *server, const struct pep_item *item, struct stanza *stanza,
                      struct conference *conference)
{
    if (xml_read(server->xml, XML_CONTENT_DEFAULT, item->payload, &server->arena, stanza) !=
            XML_OK ||
        !node_is(stanza_root(stanza), NS_BOOKMARKS, "conference"))
        return false;
    const struct node *extensions =
        stanza_child(stanza, stanza_root(stanza), NS_BOOKMARKS, "extensions");
    *conference = (struct conference){
        stanza, stanza_root(stanza), NS_BOOKMARKS,
        extensions == NULL ? SPAN("") : stanza_extract(stanza, extensions, &server->arena)};
    return conference->extensions.bytes != NULL;
}

/* What is published for a bookmark that was set; old NULL: there is no item of it. */
static struct span payload_build(struct turn *turn, const struct bookmark *bookmark,
                                 const struct conference *old)
{
    const struct conference wanted = {turn->stanza, bookmark->conference, NS_BOOKMARKS_OLD,
                                      old == NULL ? SPAN("") : old->extensions};
    return conference_build(&wanted, NS_BOOKMARKS, SPAN_NONE, &turn->server->arena);
}

/* --- get --- */

static bool item_add(struct server *server, const struct pep_item *item, struct rope *payload)
{
    struct stanza stanza;
    struct conference conference;
    size_t mark = server->arena.used;
    bool done = true;
    if (item_read(server, item, &stanza, &conference)) {
        conference.extensions = SPAN("");
        struct span xml = conference_build(&conference, NS_BOOKMARKS_OLD, item->id, &server->arena);
        done = xml.bytes != NULL && output_body(server, payload, xml);
    }
    arena_reset(&server->arena, mark);
    return done;
}

enum store_outcome private_bookmarks_add(struct turn *turn, struct span rest, struct rope *payload)
{
    struct server *server = turn->server;
    struct span local = jid_local(&turn->session->jid);
    struct pep_node node;
    struct pep_item item = {.sequence = 0};
    size_t around = sizeof STORAGE_BEGIN + sizeof STORAGE_END - 2;
    struct span others =
        rest.len > around && span_starts(rest, STORAGE_BEGIN)
            ? span_cut(rest, sizeof STORAGE_BEGIN - 1, rest.len - (sizeof STORAGE_END - 1))
            : SPAN("");
    if (!output_body(server, payload, SPAN(STORAGE_BEGIN)) || !output_body(server, payload, others))
        return STORE_FULL;
    enum store_outcome outcome =
        pep_node_get(server->store, local, SPAN(NS_BOOKMARKS), NULL, &node);
    if (outcome == STORE_OK && pool_left(&server->chunks.chunks) <
                                   node.bytes / CHUNK_ROOM + plan.chunks / CHUNKS_KEPT_SHARE)
        return STORE_FULL;
    while (outcome == STORE_OK) {
        outcome = pep_item_next(server->store, local, &node, item.sequence, &item);
        if (outcome == STORE_OK && !item_add(server, &item, payload))
            return STORE_FULL;
    }
    if (outcome != STORE_NONE)
        return outcome;
    return output_body(server, payload, SPAN(STORAGE_END)) ? STORE_OK : STORE_FULL;
}

/* --- set --- */

/* The room of a bookmark, in the arena. bytes NULL: what is there can be no item. */
static struct span room_of(struct turn *turn, const struct node *node)
{
    struct jid jid;
    if (!node_is(node, NS_BOOKMARKS_OLD, "conference") ||
        !jid_parse(stanza_attribute(turn->stanza, node, "jid"), &turn->server->arena, &jid) ||
        jid.resource_len > 0 || jid_bare(&jid).len > PEP_ID_BYTES_MAX)
        return SPAN_NONE;
    return jid_bare(&jid);
}

struct span private_bookmarks_rest(struct turn *turn, const struct node *storage)
{
    struct arena *arena = &turn->server->arena;
    struct build build;
    build_init(&build, arena, 2 * (size_t)(storage->end - storage->start) + sizeof STORAGE_BEGIN);
    build_str(&build, STORAGE_BEGIN);
    for (const struct node *at = stanza_child(turn->stanza, storage, NULL, NULL); at != NULL;
         at = stanza_next(turn->stanza, at, NULL, NULL)) {
        size_t mark = arena->used;
        if (room_of(turn, at).bytes == NULL) {
            struct span xml = stanza_extract(turn->stanza, at, arena);
            build.full |= xml.bytes == NULL;
            build_put(&build, xml);
        }
        arena_reset(arena, mark);
    }
    build_str(&build, STORAGE_END);
    return build_span(&build);
}

static struct bookmark *bookmark_find(const struct bookmarks *bookmarks, struct span id)
{
    for (unsigned i = 0; i < bookmarks->count; i++)
        if (span_equal(bookmarks->list[i].id, id))
            return &bookmarks->list[i];
    return NULL;
}

/* Each room once. false: no memory. */
static bool list_make(struct turn *turn, const struct node *storage, struct bookmarks *bookmarks)
{
    bookmarks->count = 0;
    bookmarks->list =
        arena_take(&turn->server->arena,
                   (1 + stanza_children(turn->stanza, storage)) * sizeof *bookmarks->list);
    if (bookmarks->list == NULL)
        return false;
    for (const struct node *at = stanza_child(turn->stanza, storage, NULL, NULL); at != NULL;
         at = stanza_next(turn->stanza, at, NULL, NULL)) {
        struct span id = room_of(turn, at);
        if (id.bytes != NULL && bookmark_find(bookmarks, id) == NULL)
            bookmarks->list[bookmarks->count++] = (struct bookmark){at, id, false};
    }
    return true;
}

/* What the node will hold. */
struct sum {
    uint64_t bytes;   /* of all items */
    uint64_t written; /* of those that are published */
};

/* Adds what becomes of one bookmark; old: its item, or NULL. */
static enum pep_outcome sum_add(struct turn *turn, struct bookmark *bookmark,
                                const struct pep_item *old, struct sum *sum)
{
    struct server *server = turn->server;
    struct stanza stanza;
    struct conference before;
    size_t mark = server->arena.used;
    bool known = old != NULL && item_read(server, old, &stanza, &before);
    struct span payload = payload_build(turn, bookmark, known ? &before : NULL);
    const struct pep_item item = {.id = bookmark->id, .payload = payload};
    bookmark->same =
        known && payload.bytes != NULL &&
        span_equal(payload, conference_build(&before, NS_BOOKMARKS, SPAN_NONE, &server->arena));
    sum->bytes += pep_item_bytes(bookmark->same ? old : &item);
    sum->written += bookmark->same ? 0 : pep_item_bytes(&item);
    arena_reset(&server->arena, mark);
    return payload.bytes == NULL                                            ? PEP_NO_ROOM
           : !bookmark->same && pep_item_bytes(&item) > plan.pep_item_bytes ? PEP_TOO_BIG
                                                                            : PEP_DONE;
}

/* Once for each bookmark. */
static enum pep_outcome sum_make(struct turn *turn, struct bookmarks *bookmarks, struct sum *sum)
{
    struct store *store = turn->server->store;
    struct span local = jid_local(&turn->session->jid);
    enum pep_outcome outcome = PEP_DONE;
    for (unsigned i = 0; i < bookmarks->count && outcome == PEP_DONE; i++) {
        struct pep_item old;
        enum store_outcome found =
            bookmarks->node.number == 0
                ? STORE_NONE
                : pep_item_find(store, local, &bookmarks->node, bookmarks->list[i].id, &old);
        outcome = found == STORE_OK || found == STORE_NONE
                      ? sum_add(turn, &bookmarks->list[i], found == STORE_OK ? &old : NULL, sum)
                      : PEP_FAILED;
    }
    return outcome;
}

enum pep_outcome private_bookmarks_read(struct turn *turn, const struct node *storage,
                                        struct bookmarks *bookmarks)
{
    struct server *server = turn->server;
    struct span local = jid_local(&turn->session->jid);
    struct pep_node *node = &bookmarks->node;
    struct pep_use use;
    struct sum sum = {0};
    enum store_outcome found =
        pep_node_get(server->store, local, SPAN(NS_BOOKMARKS), &server->arena, node);
    if (found == STORE_NONE)
        *node = (struct pep_node){.config = bookmarks_config};
    else if (found != STORE_OK)
        return found == STORE_FULL ? PEP_NO_ROOM : PEP_FAILED;
    if (!list_make(turn, storage, bookmarks))
        return PEP_NO_ROOM;
    if (bookmarks->count > plan.pep_items || bookmarks->count > node->config.items_max)
        return PEP_NODE_FULL;
    enum pep_outcome outcome = sum_make(turn, bookmarks, &sum);
    if (outcome != PEP_DONE)
        return outcome;
    if (pep_count(server->store, local, &use) != STORE_OK)
        return PEP_FAILED;
    if (node->number == 0 && bookmarks->count > 0 && use.nodes >= plan.pep_nodes)
        return PEP_TOO_MANY_NODES;
    return use.bytes - node->bytes + sum.bytes <= plan.pep_bytes &&
                   store_has_room(server->store, sum.written + PEP_CHANGE_BYTES)
               ? PEP_DONE
               : PEP_NO_ROOM;
}

/* Those that were not set. */
static enum store_outcome retract_others(struct turn *turn, struct bookmarks *bookmarks)
{
    const struct jid owner = jid_to_bare(&turn->session->jid);
    struct pep_item item = {.sequence = 0};
    enum store_outcome outcome = STORE_OK;
    while (outcome == STORE_OK && bookmarks->node.number != 0) {
        outcome = pep_item_next(turn->server->store, jid_local(&owner), &bookmarks->node,
                                item.sequence, &item);
        if (outcome == STORE_OK && bookmark_find(bookmarks, item.id) == NULL)
            outcome = pep_retract(turn->server, &owner, SPAN(NS_BOOKMARKS), &bookmarks->node, &item,
                                  (bookmarks->node.config.flags & PEP_NOTIFY_RETRACT) != 0);
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static enum pep_outcome publish(struct turn *turn, struct bookmarks *bookmarks,
                                const struct bookmark *bookmark)
{
    struct server *server = turn->server;
    const struct jid owner = jid_to_bare(&turn->session->jid);
    struct stanza stanza;
    struct conference before;
    struct pep_item old;
    size_t mark = server->arena.used;
    bool known = bookmarks->node.number != 0 &&
                 pep_item_find(server->store, jid_local(&owner), &bookmarks->node, bookmark->id,
                               &old) == STORE_OK &&
                 item_read(server, &old, &stanza, &before);
    struct pep_item item = {.time_us = server->wall_us,
                            .id = bookmark->id,
                            .payload = payload_build(turn, bookmark, known ? &before : NULL)};
    enum pep_outcome outcome =
        item.payload.bytes == NULL
            ? PEP_NO_ROOM
            : pep_publish(server, &owner, SPAN(NS_BOOKMARKS), &bookmarks->node, &item);
    arena_reset(&server->arena, mark);
    return outcome;
}

enum pep_outcome private_bookmarks_put(struct turn *turn, struct bookmarks *bookmarks)
{
    enum store_outcome retracted = retract_others(turn, bookmarks);
    enum pep_outcome outcome = retracted == STORE_OK     ? PEP_DONE
                               : retracted == STORE_FULL ? PEP_NO_ROOM
                                                         : PEP_FAILED;
    for (unsigned i = 0; i < bookmarks->count && outcome == PEP_DONE; i++)
        if (!bookmarks->list[i].same)
            outcome = publish(turn, bookmarks, &bookmarks->list[i]);
    return outcome;
}
