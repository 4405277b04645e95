/* pep_publish.c: what is published is kept within its limits and told, see pep.h. Limits:
 * plan.pep_nodes, pep_items, pep_item_bytes, pep_bytes; PEP_DROPPED_MAX old items go at once. */
#include "core/pep.h"

#define DROPPED_MAX 8

const struct pep_config pep_default = {
    .model = PEP_PRESENCE,
    .send_last = PEP_LAST_ON_PRESENCE,
    .flags = PEP_PERSIST | PEP_PAYLOADS | PEP_NOTIFY_RETRACT | PEP_NOTIFY_DELETE,
    .items_max = 1,
};

static enum pep_outcome outcome_of(enum store_outcome outcome)
{
    return outcome == STORE_OK ? PEP_DONE : outcome == STORE_FULL ? PEP_NO_ROOM : PEP_FAILED;
}

static enum pep_outcome may_create(struct server *server, const struct jid *owner,
                                   struct pep_use *use)
{
    if (pep_count(server->store, jid_local(owner), use) != STORE_OK)
        return PEP_FAILED;
    return use->nodes < plan.pep_nodes ? PEP_DONE : PEP_TOO_MANY_NODES;
}

enum pep_outcome pep_create(struct server *server, const struct jid *owner, struct span name,
                            struct pep_node *node)
{
    struct pep_use use;
    enum pep_outcome outcome = may_create(server, owner, &use);
    if (outcome == PEP_DONE && !store_has_room(server->store, PEP_CHANGE_BYTES))
        outcome = PEP_NO_ROOM;
    return outcome == PEP_DONE ? outcome_of(pep_node_put(server->store, jid_local(owner), name,
                                                         node, &server->arena))
                               : outcome;
}

/* A node that keeps more than there may be refuses; one that keeps few lets the oldest go. */
static enum pep_outcome has_place(struct server *server, const struct jid *owner,
                                  const struct pep_node *node, const struct pep_item *item)
{
    struct pep_item old;
    struct pep_use use;
    if (pep_item_bytes(item) > plan.pep_item_bytes)
        return PEP_TOO_BIG;
    if (node->number == 0) {
        enum pep_outcome outcome = may_create(server, owner, &use);
        if (outcome != PEP_DONE)
            return outcome;
    } else if (pep_count(server->store, jid_local(owner), &use) != STORE_OK) {
        return PEP_FAILED;
    }
    enum store_outcome found = pep_item_find(server->store, jid_local(owner), node, item->id, &old);
    if (found != STORE_OK && found != STORE_NONE)
        return PEP_FAILED;
    if (found == STORE_OK)
        use.bytes -= pep_item_bytes(&old);
    else if (node->items >= plan.pep_items && node->config.items_max > plan.pep_items)
        return PEP_NODE_FULL;
    else if (node->config.items_max == 1 && node->items == 1)
        use.bytes -= node->bytes; /* the one that it takes the place of */
    return use.bytes + pep_item_bytes(item) <= plan.pep_bytes &&
                   store_has_room(server->store, pep_item_bytes(item) + PEP_CHANGE_BYTES)
               ? PEP_DONE
               : PEP_NO_ROOM;
}

static enum store_outcome oldest_drop(struct server *server, const struct jid *owner,
                                      struct span name, struct pep_node *node)
{
    struct pep_item item;
    enum store_outcome outcome = STORE_OK;
    for (unsigned i = 0;
         i < DROPPED_MAX && node->items > node->config.items_max && outcome == STORE_OK; i++) {
        outcome = pep_item_next(server->store, jid_local(owner), node, 0, &item);
        if (outcome == STORE_OK)
            outcome =
                pep_item_delete(server->store, jid_local(owner), name, node, &item, &server->arena);
    }
    return outcome;
}

enum pep_outcome pep_publish(struct server *server, const struct jid *owner, struct span name,
                             struct pep_node *node, struct pep_item *item)
{
    bool payload = node->config.flags & PEP_PAYLOADS;
    enum pep_outcome outcome = has_place(server, owner, node, item);
    enum store_outcome stored = STORE_OK;
    size_t mark = server->arena.used;
    struct jid bare = *owner;
    bare.resource_len = 0;
    if (outcome != PEP_DONE)
        return outcome;
    if (node->config.flags & PEP_PERSIST)
        stored = pep_item_put(server->store, jid_local(owner), name, node, item, &server->arena);
    else if (node->number == 0)
        stored = pep_node_put(server->store, jid_local(owner), name, node, &server->arena);
    if (stored == STORE_OK)
        stored = oldest_drop(server, owner, name, node);
    if (stored != STORE_OK)
        return outcome_of(stored);
    struct span pieces[] = {pep_item_head(server, name, item->id, payload),
                            payload ? item->payload : SPAN(""),
                            payload ? SPAN("</item></items>") : SPAN("")};
    if (pieces[0].bytes != NULL)
        pep_tell(server, &(struct pep_event){&bare, name, node, pieces, 3, 0});
    arena_reset(&server->arena, mark);
    return PEP_DONE;
}

enum store_outcome pep_retract(struct server *server, const struct jid *owner, struct span name,
                               struct pep_node *node, const struct pep_item *item, bool tells)
{
    struct build build;
    size_t mark = server->arena.used;
    struct jid bare = *owner;
    bare.resource_len = 0;
    build_init(&build, &server->arena, 96 + BUILD_ESCAPED_MAX(name.len + item->id.len));
    build_str(&build, "<items");
    build_attr(&build, "node", name);
    build_str(&build, "><retract");
    build_attr(&build, "id", item->id);
    build_str(&build, "/></items>");
    struct span piece = build_span(&build);
    enum store_outcome outcome =
        pep_item_delete(server->store, jid_local(owner), name, node, item, &server->arena);
    if (outcome == STORE_OK && tells && piece.bytes != NULL)
        pep_tell(server, &(struct pep_event){&bare, name, node, &piece, 1, 0});
    arena_reset(&server->arena, mark);
    return outcome;
}
