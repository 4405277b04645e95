/* channel_make.c: see channel_make.h. A destroyed channel stays for those who were in it to be
 * told, a few in each tick; then it is a number, of which the store forgets what there is. Its name
 * is kept free for a while. */
#include "core/channel_make.h"

#include "core/channel_invitation.h"
#include "core/channel_tell.h"
#include "core/contacts.h"
#include "platform/platform.h"
#include "store/memberships.h"
#include "store/released.h"
#include "wire/names.h"

#define REAP_PARTICIPANTS 16 /* in one tick */
#define REAP_RECORDS 32
#define REAP_RETRY_MS 1000
#define RELEASED_BYTES 512
#define DAY_US (UINT64_C(86400) * 1000000)

/* As it stands among the names of accounts that are kept free: none of those has a slash. */
struct released_name {
    char bytes[1 + CHANNEL_LOCAL_BYTES_MAX];
    size_t len;
};

static struct span released_name(struct released_name *name, struct span local)
{
    name->bytes[0] = '/';
    memcpy(name->bytes + 1, local.bytes, local.len);
    name->len = 1 + local.len;
    return span_of(name->bytes, name->len);
}

/* XEP-0406 2.4, its defaults; what the channel is about is told also to whom it lets in (6.6). */
static void defaults(struct channel *channel, uint64_t now_us)
{
    *channel = (struct channel){.flags = CHANNEL_NICKS_NEEDED,
                                .subscribe =
                                    {
                                        [CHANNEL_MESSAGES] = ROLE_PARTICIPANT,
                                        [CHANNEL_PARTICIPANTS] = ROLE_PARTICIPANT,
                                        [CHANNEL_INFO] = ROLE_ALLOWED,
                                        [CHANNEL_ALLOWED] = ROLE_ADMIN,
                                        [CHANNEL_BANNED] = ROLE_ADMIN,
                                        [CHANNEL_CONFIG] = ROLE_OWNER,
                                    },
                                .info_update = ROLE_ADMIN,
                                .retract_any = ROLE_OWNER,
                                .made_us = now_us,
                                .info_us = now_us,
                                .config_us = now_us};
    plat_random(&channel->id, sizeof channel->id);
    plat_random(channel->secret, sizeof channel->secret);
}

/* No '#': that is between an id and a channel's name (XEP-0369 4.6). */
static bool name_prepare(struct server *server, struct span typed, struct span *local)
{
    return jid_prepare_new_local(typed, &server->arena, local) &&
           local->len <= CHANNEL_LOCAL_BYTES_MAX && span_find(*local, '#') == local->len;
}

static enum channel_outcome name_free(struct server *server, struct span local)
{
    struct channel channel;
    struct released_name name;
    enum store_outcome outcome = channel_get(server->store, local, &channel);
    if (outcome == STORE_NONE)
        outcome = released_get(server->store, released_name(&name, local), server->wall_us);
    return outcome == STORE_NONE ? CHANNEL_DONE
           : outcome == STORE_OK ? CHANNEL_NAME_TAKEN
                                 : CHANNEL_FAILED;
}

static enum channel_outcome room(struct server *server)
{
    uint64_t count;
    if (channel_count(server->store, &count) != STORE_OK)
        return CHANNEL_FAILED;
    if (count >= config.channels)
        return CHANNEL_FULL;
    return store_has_room(server->store, CHANNEL_CHANGE_BYTES) ? CHANNEL_DONE : CHANNEL_NO_ROOM;
}

enum channel_outcome channel_create(struct server *server, struct span local,
                                    const struct jid *owner, struct channel_here *out)
{
    char uid[CHANNEL_UID_CHARS];
    struct channel channel;
    struct build people;
    bool named = local.len > 0;
    channel_uid(uid);
    if (!named)
        local = span_of(uid, sizeof uid);
    else if (!name_prepare(server, local, &local))
        return CHANNEL_NAME_BAD;
    enum channel_outcome outcome = name_free(server, local);
    if (outcome == CHANNEL_DONE)
        outcome = room(server);
    build_init(&people, &server->arena, jid_bare_len(owner) + 1);
    jid_list_put(&people, jid_bare(owner));
    if (outcome == CHANNEL_DONE && people.full)
        outcome = CHANNEL_NO_ROOM;
    if (outcome != CHANNEL_DONE)
        return outcome;
    defaults(&channel, server->wall_us);
    if (!named)
        channel.flags |= CHANNEL_UNLISTED;
    channel.owners = channel.contacts = build_span(&people);
    outcome = channel_outcome(channel_put(server->store, local, &channel));
    return outcome == CHANNEL_DONE ? channel_outcome(channel_find(server, local, out)) : outcome;
}

enum channel_outcome channel_destroy(struct server *server, const struct channel_here *channel)
{
    struct channel ending = channel->channel;
    struct released_name name;
    enum store_outcome outcome;
    if (!store_has_room(server->store, CHANNEL_CHANGE_BYTES + RELEASED_BYTES))
        return CHANNEL_NO_ROOM;
    ending.flags |= CHANNEL_ENDING;
    outcome = channel_put(server->store, channel->local, &ending);
    if (outcome == STORE_OK && !(ending.flags & CHANNEL_UNLISTED)) /* those are not given twice */
        outcome = released_put(server->store, released_name(&name, channel->local),
                               server->wall_us + RELEASED_DAYS * DAY_US);
    for (unsigned node = 0; outcome == STORE_OK && node < CHANNEL_NODES; node++)
        if (channel_node_there(&channel->channel, (enum channel_node)node))
            outcome = channel_event_delete(server, channel, (enum channel_node)node);
    server->channel_reap_ms = 0;
    return outcome == STORE_OK ? CHANNEL_DONE : CHANNEL_FAILED;
}

/* --- what destroyed channels left --- */

/* Whether his own server still has him in it. */
static bool member(struct server *server, const struct jid *who, struct span local, uint64_t id)
{
    struct membership membership;
    const struct stay *stay =
        membership_get(server->store, jid_local(who), local, &membership) == STORE_OK
            ? membership_stay(&membership)
            : NULL;
    return stay != NULL && stay->channel == id;
}

/* STORE_NONE: nobody is left. */
static enum store_outcome participants_part(struct server *server, const struct jid *jid,
                                            uint64_t id)
{
    struct participant participant;
    struct jid who;
    unsigned done = 0;
    size_t mark = server->arena.used;
    enum store_outcome outcome = participant_next(server->store, id, NULL, &participant);
    while (outcome == STORE_OK && done < REAP_PARTICIPANTS) {
        if (!jid_parse(participant.jid, &server->arena, &who))
            return STORE_FULL;
        if (member(server, &who, jid_local(jid), id)) {
            enum channel_outcome parted = channel_member_end(server, &who, jid);
            if (parted != CHANNEL_DONE)
                return parted == CHANNEL_FAILED ? STORE_FAILED : STORE_FULL;
            done++;
        }
        arena_reset(&server->arena, mark);
        outcome = participant_next(server->store, id, participant.id, &participant);
    }
    return outcome;
}

/* The first one that is destroyed. */
static enum store_outcome ending_find(struct server *server, struct jid *jid, uint64_t *id)
{
    struct channel channel;
    struct span local = SPAN_NONE;
    enum store_outcome outcome;
    do
        outcome = channel_next(server->store, local, &local, &channel);
    while (outcome == STORE_OK && !(channel.flags & CHANNEL_ENDING));
    if (outcome != STORE_OK)
        return outcome;
    *id = channel.id;
    return channel_jid(server, local, jid) ? STORE_OK : STORE_FULL;
}

/* A step. STORE_NONE: there is nothing left to do. */
static enum store_outcome reap(struct server *server)
{
    struct jid jid;
    uint64_t id;
    enum store_outcome outcome = ending_find(server, &jid, &id);
    if (outcome == STORE_NONE)
        return channel_forget(server->store, REAP_RECORDS);
    if (outcome == STORE_OK)
        outcome = participants_part(server, &jid, id);
    if (outcome != STORE_NONE)
        return outcome;
    /* Another channel may have this name some day. */
    outcome = channel_invitation_forget(server, jid_bare(&jid));
    if (outcome == STORE_OK)
        outcome = channel_ended_put(server->store, id);
    return outcome == STORE_OK ? channel_delete(server->store, jid_local(&jid)) : outcome;
}

void channel_reap(struct server *server)
{
    size_t mark = server->arena.used;
    if (server->now_ms >= server->channel_reap_ms) {
        enum store_outcome outcome = reap(server);
        server->channel_reap_ms = outcome == STORE_OK     ? server->now_ms
                                  : outcome == STORE_NONE ? UINT64_MAX
                                                          : server->now_ms + REAP_RETRY_MS;
        arena_reset(&server->arena, mark);
    }
    if (server->channel_reap_ms != UINT64_MAX)
        session_due(server, server->channel_reap_ms);
}
