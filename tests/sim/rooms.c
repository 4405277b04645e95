/* rooms.c: see rooms.h. */
#include "rooms.h"
#include "core/channel_make.h"

#include "cuts.h"
#include "store/memberships.h"
#include "store/rosters.h"

#include <stdio.h>

static struct store *store(void)
{
    return house_server()->store;
}

static bool address(const char *name, struct jid *jid)
{
    return jid_of(span_string(name), SPAN("example.com"), SPAN(""), &house_server()->arena, jid);
}

bool room_make(const char *owner, bool private)
{
    struct server *server = house_server();
    struct channel_here room;
    struct jid jid;
    size_t mark = server->arena.used;
    bool good =
        address(owner, &jid) && channel_create(server, SPAN("coven"), &jid, &room) == CHANNEL_DONE;
    if (good && private) {
        room.channel.flags |= CHANNEL_PRIVATE;
        good = channel_put(store(), room.local, &room.channel) == STORE_OK;
    }
    arena_reset(&server->arena, mark);
    return good && store_commit(store()) == STORE_OK;
}

bool room_enter(const char *name, uint8_t nodes)
{
    struct server *server = house_server();
    struct channel_joining joining = {.nick_any = true, .nodes = nodes, .nodes_asked = nodes != 0};
    struct channel_here room;
    size_t mark = server->arena.used;
    bool good = address(name, &joining.who) &&
                channel_find(server, SPAN("coven"), &room) == STORE_OK &&
                channel_join(server, &room, &joining) == CHANNEL_DONE;
    arena_reset(&server->arena, mark);
    return good && store_commit(store()) == STORE_OK;
}

bool room_there(struct channel *channel)
{
    return channel_get(store(), SPAN("coven"), channel) == STORE_OK;
}

bool room_takes_part(const char *name, struct participant *found)
{
    char jid[64];
    struct channel channel;
    snprintf(jid, sizeof jid, "%s@example.com", name);
    if (!room_there(&channel))
        return false;
    enum store_outcome outcome = participant_next(store(), channel.id, NULL, found);
    while (outcome == STORE_OK && !span_is(found->jid, jid))
        outcome = participant_next(store(), channel.id, found->id, found);
    return outcome == STORE_OK;
}

bool room_member(const char *name)
{
    struct membership membership;
    return membership_get(store(), span_string(name), SPAN("coven"), &membership) == STORE_OK &&
           membership_stay(&membership) != NULL;
}

bool room_listed(const char *name)
{
    struct roster_item item;
    return roster_get(store(), span_string(name), SPAN(ROOM), &item) == STORE_OK;
}

static bool allowed(const char *name)
{
    char jid[64];
    struct channel channel;
    snprintf(jid, sizeof jid, "%s@example.com", name);
    return room_there(&channel) &&
           (!(channel.flags & CHANNEL_PRIVATE) || jid_list_has(channel.owners, span_string(jid)) ||
            channel_entry_get(store(), channel.id, CHANNEL_LIST_ALLOWED, span_string(jid)) ==
                STORE_OK);
}

bool room_has(const char *name)
{
    struct participant participant;
    bool in = room_takes_part(name, &participant);
    cuts_require(in == room_member(name) && in == room_listed(name),
                 "the channel, the membership and the roster differ");
    cuts_require(!in || allowed(name), "who is in a private channel is not on its list");
    return in;
}
