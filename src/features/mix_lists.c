/* mix_lists.c: whom a channel lets in and whom it keeps out: the nodes `allowed` and `banned`
 * (XEP-0406 2.2, 2.3, 3.3; MX-20, MX-21). A channel with a node `allowed` is private. */
#include "features/mix_lists.h"

#include "core/contacts.h"
#include "wire/names.h"

enum channel_list mix_list_of(const struct mix_request *request)
{
    return request->node == CHANNEL_ALLOWED ? CHANNEL_LIST_ALLOWED : CHANNEL_LIST_BANNED;
}

/* false: it was refused. */
static bool may(struct mix_request *request)
{
    if (request->role < ROLE_ADMIN)
        reply_error(request->turn, ERROR_FORBIDDEN);
    else if (!channel_node_there(&request->channel.channel, request->node))
        reply_error(request->turn, ERROR_ITEM_NOT_FOUND);
    else if (!store_has_room(request->turn->server->store, CHANNEL_CHANGE_BYTES))
        reply_error(request->turn, ERROR_RESOURCE_CONSTRAINT);
    else
        return true;
    return false;
}

/* The bare jid or domain that the item is named by. false: it was refused. */
static bool entry_read(struct mix_request *request, struct jid *entry)
{
    const struct turn *turn = request->turn;
    const struct node *item = mix_item(request);
    struct span id = item == NULL ? SPAN_NONE : stanza_attribute(turn->stanza, item, "id");
    if (jid_parse(id, &turn->server->arena, entry) && entry->resource_len == 0)
        return true;
    reply_error(request->turn, ERROR_BAD_REQUEST);
    return false;
}

static enum store_outcome tell(struct mix_request *request, const char *element, struct span entry)
{
    return channel_event_id(request->turn->server, &request->channel, request->node, element, entry,
                            SPAN_NONE);
}

/* --- banning --- */

/* Owners and administrators are always allowed (MX-21); a ban of the one domain there is would put
 * out everybody else at once, and is surely a mistake. */
static bool may_be_banned(const struct mix_request *request, const struct jid *entry)
{
    const struct channel *channel = &request->channel.channel;
    return entry->local_len == 0 ? !span_is(jid_domain(entry), config.domain)
                                 : !jid_list_has(channel->owners, jid_bare(entry)) &&
                                       !jid_list_has(channel->admins, jid_bare(entry));
}

/* MX-20. */
static enum channel_outcome put_out(struct mix_request *request, const struct jid *entry)
{
    return entry->local_len == 0
               ? CHANNEL_DONE
               : channel_leave(request->turn->server, &request->channel, entry, true);
}

/* --- requests --- */

void mix_list_publish(struct mix_request *request)
{
    struct server *server = request->turn->server;
    struct jid entry;
    if (!may(request) || !entry_read(request, &entry))
        return;
    if (request->node == CHANNEL_BANNED && !may_be_banned(request, &entry)) {
        reply_error(request->turn, ERROR_NOT_ALLOWED);
        return;
    }
    if (request->node == CHANNEL_BANNED &&
        (!store_has_room(server->store, CHANNEL_JOIN_BYTES) || !contact_has_arena(server))) {
        reply_error(request->turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    struct span jid = jid_full(&entry);
    enum store_outcome outcome =
        channel_entry_put(server->store, request->channel.channel.id, mix_list_of(request), jid);
    if (outcome == STORE_OK)
        outcome = tell(request, "item", jid);
    if (outcome != STORE_OK) {
        reply_store_error(request->turn, outcome);
        return;
    }
    enum channel_outcome out =
        request->node == CHANNEL_BANNED ? put_out(request, &entry) : CHANNEL_DONE;
    if (out == CHANNEL_DONE)
        reply_result(request->turn, SPAN("<pubsub xmlns='" NS_PUBSUB "'/>")); /* Example 9 */
    else
        reply_error(request->turn, channel_error(out));
}

void mix_list_retract(struct mix_request *request)
{
    struct server *server = request->turn->server;
    struct jid entry;
    if (!may(request) || !entry_read(request, &entry))
        return;
    struct span jid = jid_full(&entry);
    enum store_outcome outcome =
        channel_entry_delete(server->store, request->channel.channel.id, mix_list_of(request), jid);
    if (outcome == STORE_NONE) { /* as of a node that is not there: XEP-0060 7.2.3.2 */
        reply_error(request->turn, ERROR_ITEM_NOT_FOUND);
        return;
    }
    if (outcome == STORE_OK)
        outcome = tell(request, "retract", jid);
    if (outcome == STORE_OK)
        reply_result(request->turn, SPAN("<pubsub xmlns='" NS_PUBSUB "'/>"));
    else
        reply_store_error(request->turn, outcome);
}

/* The node `allowed` is there from now on, or no more. */
static enum store_outcome private_set(struct mix_request *request, bool private)
{
    struct channel changed = request->channel.channel;
    changed.flags =
        (uint8_t)(private ? changed.flags | CHANNEL_PRIVATE : changed.flags & ~CHANNEL_PRIVATE);
    return channel_put(request->turn->server->store, request->channel.local, &changed);
}

void mix_list_create(struct mix_request *request)
{
    enum store_outcome outcome = STORE_OK;
    bool there = channel_node_there(&request->channel.channel, request->node);
    if (request->role < ROLE_ADMIN) {
        reply_error(request->turn, ERROR_FORBIDDEN);
        return;
    }
    if (there && request->node == CHANNEL_ALLOWED) { /* XEP-0060 8.1.1 */
        reply_error(request->turn, ERROR_CONFLICT);
        return;
    }
    if (!there && !store_has_room(request->turn->server->store, CHANNEL_CHANGE_BYTES)) {
        reply_error(request->turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    if (!there)
        outcome = private_set(request, true);
    if (outcome == STORE_OK)
        reply_result(request->turn, SPAN(""));
    else
        reply_store_error(request->turn, outcome);
}

/* Who makes it again begins anew. */
enum store_outcome mix_allowed_end(struct mix_request *request)
{
    struct store *store = request->turn->server->store;
    uint64_t id = request->channel.channel.id;
    struct span jid;
    enum store_outcome outcome =
        channel_event_delete(request->turn->server, &request->channel, CHANNEL_ALLOWED);
    while (outcome == STORE_OK && (outcome = channel_entry_next(store, id, CHANNEL_LIST_ALLOWED,
                                                                SPAN_NONE, &jid)) == STORE_OK)
        outcome = channel_entry_delete(store, id, CHANNEL_LIST_ALLOWED, jid);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

void mix_list_delete(struct mix_request *request)
{
    if (request->node != CHANNEL_ALLOWED) { /* `banned` is always there */
        reply_error(request->turn, ERROR_NOT_ALLOWED);
        return;
    }
    if (!may(request))
        return;
    enum store_outcome outcome = mix_allowed_end(request);
    if (outcome == STORE_OK)
        outcome = private_set(request, false);
    if (outcome == STORE_OK)
        reply_result(request->turn, SPAN(""));
    else
        reply_store_error(request->turn, outcome);
}
