/* mix_channel.c: see mix_channel.h. */
#include "features/mix_channel.h"

bool mix_channel_find(struct turn *turn, struct span local, struct channel_here *channel,
                      enum channel_role *role)
{
    enum store_outcome outcome =
        channel_find_for(turn->server, local, jid_bare(&turn->session->jid), channel, role);
    if (outcome != STORE_OK)
        reply_store_error(turn, outcome);
    return outcome == STORE_OK;
}

const struct node *mix_child(const struct turn *turn, const struct node *of,
                             const struct node *after, const char *name)
{
    const struct node *at = after == NULL ? stanza_child(turn->stanza, of, NULL, name)
                                          : stanza_next(turn->stanza, after, NULL, name);
    while (at != NULL && !span_equal(at->namespace, of->namespace))
        at = stanza_next(turn->stanza, at, NULL, name);
    return at;
}

uint8_t mix_nodes_read(const struct turn *turn, const struct node *of, const char *name, bool *any)
{
    uint8_t nodes = 0;
    *any = false;
    for (const struct node *at = NULL; (at = mix_child(turn, of, at, name)) != NULL;) {
        enum channel_node node = channel_node_of(stanza_attribute(turn->stanza, at, "node"));
        *any = true;
        if (node != CHANNEL_NODES)
            nodes |= (uint8_t)(1u << node);
    }
    return nodes;
}

void mix_nodes_put(struct build *build, const char *name, uint8_t nodes)
{
    for (unsigned node = 0; node < CHANNEL_NODES; node++) {
        if (!(nodes & 1u << node))
            continue;
        build_str(build, "<");
        build_str(build, name);
        build_attr(build, "node", channel_node_name((enum channel_node)node));
        build_str(build, "/>");
    }
}
