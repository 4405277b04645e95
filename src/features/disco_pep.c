/* disco_pep.c: see disco_pep.h. Limit: ITEMS_BYTES_MAX of the names of items. */
#include "features/disco_pep.h"

#include "core/pep.h"
#include "wire/build.h"
#include "wire/form.h"
#include "wire/names.h"

#define ITEMS_BYTES_MAX 16384
#define INFO_BYTES_MAX (1024 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES + PEP_NAME_BYTES_MAX))

static struct jid owner_of(const struct turn *turn)
{
    return jid_to_bare(jid_present(&turn->to) ? &turn->to : &turn->session->jid);
}

static bool visible(struct turn *turn, const struct jid *owner, const struct pep_node *node)
{
    return pep_access(turn->server, owner, node, jid_bare(&turn->session->jid)) == PEP_GRANTED;
}

void disco_pep_nodes(struct turn *turn)
{
    const struct jid owner = owner_of(turn);
    struct pep_walk walk;
    struct pep_node node;
    struct span name;
    struct build build;
    size_t len = sizeof "<query xmlns=''></query>" + sizeof NS_DISCO_ITEMS;
    pep_walk_begin(&walk, jid_local(&owner));
    while (pep_node_next(turn->server->store, &walk, &name, &node) == STORE_OK)
        len += 32 + BUILD_ESCAPED_MAX(jid_bare_len(&owner) + name.len);
    build_init(&build, &turn->server->arena, len);
    build_str(&build, "<query xmlns='" NS_DISCO_ITEMS "'>");
    pep_walk_begin(&walk, jid_local(&owner));
    while (pep_node_next(turn->server->store, &walk, &name, &node) == STORE_OK)
        if (visible(turn, &owner, &node)) {
            build_str(&build, "<item");
            build_attr(&build, "jid", jid_bare(&owner));
            build_attr(&build, "node", name);
            build_str(&build, "/>");
        }
    build_str(&build, "</query>");
    reply_built(turn, &build);
}

static void info_reply(struct turn *turn, const struct jid *owner, struct span name)
{
    struct build build;
    build_init(&build, &turn->server->arena, INFO_BYTES_MAX);
    build_str(&build, "<query xmlns='" NS_DISCO_INFO "'");
    build_attr(&build, "node", name);
    build_str(&build, "><identity category='pubsub' type='leaf'/><feature var='" NS_PUBSUB "'/>");
    form_begin(&build, "result", NULL, NULL, NS_PUBSUB_META);
    form_put(&build, "jid-single", "pubsub#creator", NULL, jid_bare(owner), false);
    form_open(&build, "jid-multi", "pubsub#owner", NULL, false);
    form_add(&build, jid_bare(owner));
    form_shut(&build);
    form_end(&build);
    build_str(&build, "</query>");
    reply_built(turn, &build);
}

static void items_reply(struct turn *turn, const struct jid *owner, struct span name,
                        const struct pep_node *node)
{
    struct pep_item item = {.sequence = 0};
    struct build build;
    build_init(&build, &turn->server->arena, ITEMS_BYTES_MAX);
    build_str(&build, "<query xmlns='" NS_DISCO_ITEMS "'");
    build_attr(&build, "node", name);
    build_str(&build, ">");
    while (pep_item_next(turn->server->store, jid_local(owner), node, item.sequence, &item) ==
           STORE_OK) {
        build_str(&build, "<item");
        build_attr(&build, "jid", jid_bare(owner));
        build_attr(&build, "name", item.id);
        build_str(&build, "/>");
    }
    build_str(&build, "</query>");
    reply_built(turn, &build);
}

void disco_pep_node(struct turn *turn, bool info, struct span name)
{
    const struct jid owner = owner_of(turn);
    struct pep_node node;
    enum store_outcome outcome =
        pep_node_get(turn->server->store, jid_local(&owner), name, NULL, &node);
    if (outcome == STORE_FAILED)
        reply_error(turn, ERROR_INTERNAL_SERVER_ERROR);
    else if (outcome != STORE_OK || !visible(turn, &owner, &node))
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
    else if (info)
        info_reply(turn, &owner, name);
    else
        items_reply(turn, &owner, name, &node);
}
