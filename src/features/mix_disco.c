/* mix_disco.c: XEP-0369 6; MX-1 ... MX-4. Features are read off the table.
 * Limit: a list of channels is at most half of what may wait to be sent. */
#include "features/mix_disco.h"

#include "core/adhoc.h"
#include "core/announce.h"
#include "core/output.h"
#include "features/mix_channel.h"
#include "features/mix_service.h"
#include "wire/names.h"

#define ANSWER_BYTES 4096
#define ITEM_BYTES (64 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES + CHANNEL_TEXT_BYTES_MAX))
#define NODE_CHANNEL "mix" /* 6.4 */

static struct span node_of(const struct turn *turn)
{
    return stanza_attribute(turn->stanza, turn->child, "node");
}

/* The service has no nodes. */
static bool no_node(struct turn *turn)
{
    if (node_of(turn).bytes == NULL)
        return true;
    reply_error(turn, ERROR_ITEM_NOT_FOUND);
    return false;
}

void mix_service_info_request(struct turn *turn)
{
    struct build build;
    if (!no_node(turn))
        return;
    build_init(&build, &turn->server->arena, ANSWER_BYTES);
    build_str(&build, "<query xmlns='" NS_DISCO_INFO
                      "'><identity category='conference' type='mix' name='Channels'/>");
    announce_features(&build, ANNOUNCE_SERVICE);
    if (mix_may_create(turn)) /* 7.3.1 */
        announce_feature(&build, NS_MIX "#create-channel");
    build_str(&build, "</query>");
    reply_built(turn, &build);
}

/* 6.2: those that the asker may join. */
static bool listed(struct turn *turn, const struct channel *channel)
{
    const struct jid asker = jid_to_bare(&turn->session->jid);
    enum channel_role role;
    bool banned;
    return !(channel->flags & (CHANNEL_UNLISTED | CHANNEL_ENDING)) &&
           channel_role(turn->server, channel, jid_bare(&asker), &role, &banned) == STORE_OK &&
           channel_visible(role, banned);
}

/* false: no memory, or the list becomes too long. */
static bool item_put(struct turn *turn, struct span local, const struct channel *channel,
                     struct rope *items)
{
    struct server *server = turn->server;
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena, ITEM_BYTES);
    build_str(&build, "<item jid='");
    build_text(&build, local);
    build_str(&build, "@");
    build_text(&build, span_string(config.mix_domain));
    build_str(&build, "'");
    if (channel->name.len > 0)
        build_attr(&build, "name", channel->name);
    build_str(&build, "/>");
    bool good = !build.full && items->bytes + build.used <= plan.output_bytes / 2 &&
                output_body(server, items, build_span(&build));
    arena_reset(&server->arena, mark);
    return good;
}

static bool items_put(struct turn *turn, struct rope *items)
{
    struct server *server = turn->server;
    char name[CHANNEL_LOCAL_BYTES_MAX];
    struct span local = SPAN_NONE;
    struct channel channel;
    bool good = output_body(server, items, SPAN("<query xmlns='" NS_DISCO_ITEMS "'>"));
    while (good && channel_next(server->store, local, &local, &channel) == STORE_OK) {
        memcpy(name, local.bytes, local.len);
        local = span_of(name, local.len);
        good = !listed(turn, &channel) || item_put(turn, local, &channel, items);
    }
    return good && output_body(server, items, SPAN("</query></iq>"));
}

void mix_service_items_request(struct turn *turn)
{
    struct rope items = {.first = NULL};
    if (!no_node(turn))
        return;
    if (items_put(turn, &items))
        reply_result_rope(turn, &items);
    else
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    rope_clear(&turn->server->chunks, &items);
}

void mix_channel_info_request(struct turn *turn)
{
    struct span node = node_of(turn);
    struct channel_here channel;
    enum channel_role role;
    struct build build;
    if (!mix_channel_find(turn, jid_local(&turn->to), &channel, &role) ||
        adhoc_disco(turn, true, node))
        return;
    if (node.bytes != NULL && !span_is(node, NODE_CHANNEL)) {
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
        return;
    }
    build_init(&build, &turn->server->arena,
               ANSWER_BYTES + BUILD_ESCAPED_MAX(channel.channel.name.len));
    build_str(&build, "<query xmlns='" NS_DISCO_INFO "'");
    build_attr(&build, "node", node);
    build_str(&build, "><identity category='conference' type='mix'");
    build_attr(&build, "name", channel.channel.name.len > 0 ? channel.channel.name : channel.local);
    build_str(&build, "/>");
    announce_features(&build, ANNOUNCE_CHANNEL | (config.archive ? ANNOUNCE_ARCHIVE_CHANNEL : 0));
    build_str(&build, "</query>");
    reply_built(turn, &build);
}

/* 6.4: nodes that are there and that the asker may subscribe to. */
static void nodes_put(struct build *build, const struct channel_here *channel,
                      enum channel_role role)
{
    for (unsigned node = 0; node < CHANNEL_NODES; node++) {
        if (!channel_node_there(&channel->channel, (enum channel_node)node) ||
            !channel_may(role, channel->channel.subscribe[node]))
            continue;
        build_str(build, "<item");
        build_attr(build, "jid", jid_bare(&channel->jid));
        build_attr(build, "node", channel_node_name((enum channel_node)node));
        build_str(build, "/>");
    }
}

void mix_channel_items_request(struct turn *turn)
{
    struct channel_here channel;
    enum channel_role role;
    struct build build;
    if (!mix_channel_find(turn, jid_local(&turn->to), &channel, &role) ||
        adhoc_disco(turn, false, node_of(turn)))
        return;
    if (!span_is(node_of(turn), NODE_CHANNEL)) { /* MX-3 */
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    build_init(&build, &turn->server->arena,
               ANSWER_BYTES + CHANNEL_NODES * BUILD_ESCAPED_MAX(jid_bare_len(&channel.jid)));
    build_str(&build, "<query xmlns='" NS_DISCO_ITEMS "' node='" NODE_CHANNEL "'>");
    nodes_put(&build, &channel, role);
    build_str(&build, "</query>");
    reply_built(turn, &build);
}
