/* channel_join.c: see channel_join.h: who comes, stays and goes. */
#include "core/channel_join.h"

#include "core/channel_tell.h"
#include "core/contacts.h"
#include "store/archive.h"
#include "store/memberships.h"
#include "wire/names.h"

#define MEMBER_BYTES (MEMBERSHIP_CHANGE_BYTES + ROSTER_CHANGE_BYTES)
#define LEAVE_BYTES (MEMBER_BYTES + PARTICIPANT_CHANGE_BYTES)
#define ENTRY_BYTES 1024

_Static_assert(LEAVE_BYTES + ENTRY_BYTES <= CHANNEL_JOIN_BYTES, "all of a join");

/* What is known before anything is written. */
struct joiner {
    struct server *server;
    const struct channel_here *channel;
    struct channel_joining *joining;
    enum channel_role role;
    bool entry;    /* is to be put on the list `allowed` */
    bool present;  /* takes part already, */
    bool changed;  /* but what others see of it does not stay as it is */
    bool member;   /* his own server knows it already, */
    bool outdated; /* or of a channel of that name which is no more */
    bool listed;   /* has an item in his roster, as it shall be */
    struct roster_item item;
};

enum stanza_error channel_error(enum channel_outcome outcome)
{
    switch (outcome) {
    case CHANNEL_GONE:
    case CHANNEL_NO_NODE:
        return ERROR_ITEM_NOT_FOUND;
    case CHANNEL_FORBIDDEN:
        return ERROR_FORBIDDEN;
    case CHANNEL_NAME_BAD:
        return ERROR_NOT_ACCEPTABLE;
    case CHANNEL_NAME_TAKEN:
        return ERROR_CONFLICT;
    case CHANNEL_FULL:
    case CHANNEL_NO_ROOM:
        return ERROR_RESOURCE_CONSTRAINT;
    case CHANNEL_FAILED:
    case CHANNEL_DONE:
        break;
    }
    return ERROR_INTERNAL_SERVER_ERROR;
}

enum channel_outcome channel_outcome(enum store_outcome outcome)
{
    return outcome == STORE_OK     ? CHANNEL_DONE
           : outcome == STORE_NONE ? CHANNEL_GONE
           : outcome == STORE_FULL ? CHANNEL_NO_ROOM
                                   : CHANNEL_FAILED;
}

/* After a write: what it did stays, whether or not all can be told of it. */
static enum channel_outcome written(enum store_outcome outcome)
{
    return outcome == STORE_OK || outcome == STORE_NONE ? CHANNEL_DONE : CHANNEL_FAILED;
}

/* The archive's number that the next message will be beyond. */
static uint64_t number_now(struct server *server)
{
    uint64_t number = server->archived;
    if (number == 0 && archive_last(server->store, &number) != STORE_OK)
        number = 0;
    return number;
}

static enum store_outcome participant_tell(struct server *server,
                                           const struct channel_here *channel,
                                           const struct participant *participant)
{
    struct build build;
    size_t mark = server->arena.used;
    enum store_outcome outcome;
    build_init(&build, &server->arena, CHANNEL_ITEM_BYTES);
    channel_participant_item(&build, participant);
    outcome =
        channel_event_item(server, channel, CHANNEL_PARTICIPANTS, build_span(&build), SPAN_NONE);
    arena_reset(&server->arena, mark);
    return outcome;
}

/* --- joining --- */

/* MX-6: banned, then not let in. */
static enum channel_outcome admit(struct joiner *joiner)
{
    const struct channel *channel = &joiner->channel->channel;
    struct channel_joining *joining = joiner->joining;
    bool banned;
    if (!channel_id_of(joiner->server, channel, jid_bare(&joining->who), joining->id) ||
        channel_role(joiner->server, channel, jid_bare(&joining->who), &joiner->role, &banned) !=
            STORE_OK)
        return CHANNEL_FAILED;
    joiner->entry = !banned && joiner->role == ROLE_ANYONE && joining->invited;
    return channel_visible(joiner->role, banned) || joiner->entry ? CHANNEL_DONE
                                                                  : CHANNEL_FORBIDDEN;
}

/* Those of the nodes that a participant of that role may have. */
static uint8_t nodes_for(const struct channel *channel, enum channel_role role, uint8_t nodes)
{
    if (role < ROLE_PARTICIPANT)
        role = ROLE_PARTICIPANT;
    for (unsigned i = 0; i < CHANNEL_NODES; i++)
        if (!channel_node_there(channel, (enum channel_node)i) ||
            !channel_may(role, channel->subscribe[i]))
            nodes &= (uint8_t) ~(1u << i);
    return nodes;
}

/* MX-7, MX-8, MX-9: who is in already and does not say another nick keeps his. */
static enum channel_outcome choose(struct joiner *joiner)
{
    const struct channel *channel = &joiner->channel->channel;
    struct channel_joining *joining = joiner->joining;
    struct participant was;
    enum channel_outcome outcome = CHANNEL_DONE;
    enum store_outcome found =
        participant_get(joiner->server->store, channel->id, joining->id, &was);
    if (found != STORE_OK && found != STORE_NONE)
        return CHANNEL_FAILED;
    joiner->present = found == STORE_OK;
    if (joiner->present && joining->nick.len == 0 && was.nick.len > 0) {
        joining->nick_had = arena_copy(&joiner->server->arena, was.nick);
        outcome = joining->nick_had.bytes != NULL ? CHANNEL_DONE : CHANNEL_NO_ROOM;
    } else {
        outcome = channel_nick_choose(joiner->server, joiner->channel, joining, &joining->nick_had);
    }
    joiner->changed = !joiner->present || !span_equal(was.nick, joining->nick_had);
    joining->nodes_had = nodes_for(channel, joiner->role, joining->nodes);
    if (outcome == CHANNEL_DONE && joining->nodes_asked && joining->nodes_had == 0)
        outcome = CHANNEL_NO_NODE;
    return outcome;
}

uint32_t channel_participants_max(void)
{
    return config.participants_per_channel < plan.participants ? config.participants_per_channel
                                                               : plan.participants;
}

static enum channel_outcome capacity(struct joiner *joiner)
{
    struct store *store = joiner->server->store;
    uint64_t channel = joiner->channel->channel.id;
    unsigned count = 0, entries = 0;
    if (!joiner->present && participant_count(store, channel, &count) != STORE_OK)
        return CHANNEL_FAILED;
    if (joiner->entry &&
        channel_entry_count(store, channel, CHANNEL_LIST_ALLOWED, &entries) != STORE_OK)
        return CHANNEL_FAILED;
    return (!joiner->present && count >= channel_participants_max()) ||
                   entries >= CHANNEL_ENTRIES_MAX
               ? CHANNEL_FULL
               : CHANNEL_DONE;
}

/* What his own server knows, and whether his roster has room. What he called the channel there, and
 * the groups where it stands, stay. */
static enum channel_outcome own_side(struct joiner *joiner)
{
    struct store *store = joiner->server->store;
    struct span local = jid_local(&joiner->joining->who);
    struct membership membership;
    struct roster_head head;
    enum store_outcome outcome = membership_get(store, local, joiner->channel->local, &membership);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return CHANNEL_FAILED;
    const struct stay *stay = outcome == STORE_OK ? membership_stay(&membership) : NULL;
    joiner->member = stay != NULL && stay->channel == joiner->channel->channel.id;
    joiner->outdated = stay != NULL && !joiner->member;
    outcome = roster_head(store, local, &head);
    if (outcome != STORE_OK)
        return CHANNEL_FAILED;
    outcome = roster_get(store, local, jid_bare(&joiner->channel->jid), &joiner->item);
    if (outcome == STORE_NONE)
        joiner->item = (struct roster_item){.state = 0};
    else if (outcome != STORE_OK)
        return CHANNEL_FAILED;
    bool is_new = outcome == STORE_NONE;
    joiner->listed = !is_new && joiner->member;
    uint32_t gain = is_new ? roster_weight(jid_bare(&joiner->channel->jid), &joiner->item) : 0;
    return joiner->listed || contact_fits(&head, is_new, gain) ? CHANNEL_DONE : CHANNEL_FULL;
}

static enum channel_outcome enter(struct joiner *joiner)
{
    struct store *store = joiner->server->store;
    struct span local = jid_local(&joiner->joining->who);
    struct stay stay = {.channel = joiner->channel->channel.id,
                        .joined = number_now(joiner->server),
                        .left = UINT64_MAX};
    enum store_outcome outcome = STORE_OK;
    memcpy(stay.id, joiner->joining->id, sizeof stay.id);
    if (joiner->outdated)
        outcome = membership_leave(store, local, joiner->channel->local, stay.joined);
    if (outcome == STORE_OK && !joiner->member)
        outcome = membership_enter(store, local, joiner->channel->local, &stay);
    return outcome == STORE_OK     ? CHANNEL_DONE
           : outcome == STORE_FULL ? CHANNEL_FULL /* of memberships; nothing else is written yet */
                                   : CHANNEL_FAILED;
}

static enum channel_outcome join_write(struct joiner *joiner)
{
    struct store *store = joiner->server->store;
    const struct channel_here *channel = joiner->channel;
    const struct jid *who = &joiner->joining->who;
    struct participant participant = {.nodes = joiner->joining->nodes_had,
                                      .jid = jid_bare(who),
                                      .nick = joiner->joining->nick_had};
    struct roster_item item;
    memcpy(participant.id, joiner->joining->id, sizeof participant.id);
    enum channel_outcome entered = enter(joiner);
    if (entered != CHANNEL_DONE)
        return entered;
    enum store_outcome outcome = participant_put(store, channel->channel.id, &participant);
    if (outcome == STORE_OK && joiner->entry)
        outcome =
            channel_entry_put(store, channel->channel.id, CHANNEL_LIST_ALLOWED, jid_bare(who));
    if (outcome == STORE_OK && !joiner->listed) {
        /* Again: what was borrowed from it is gone. */
        if (roster_get(store, jid_local(who), jid_bare(&channel->jid), &item) != STORE_OK)
            item = (struct roster_item){.state = 0};
        item.state = 0; /* XEP-0405 2.9: presence is not shared with channels here */
        outcome = roster_put(store, jid_local(who), jid_bare(&channel->jid), &item);
    }
    if (outcome != STORE_OK)
        return CHANNEL_FAILED;
    if (joiner->entry)
        outcome = channel_event_id(joiner->server, channel, CHANNEL_ALLOWED, "item", jid_bare(who),
                                   SPAN_NONE);
    if (outcome == STORE_OK && joiner->changed)
        outcome = participant_tell(joiner->server, channel, &participant);
    if (outcome == STORE_OK && !joiner->listed)
        outcome = contact_push(joiner->server, who, jid_bare(&channel->jid));
    return written(outcome);
}

enum channel_outcome channel_join(struct server *server, const struct channel_here *channel,
                                  struct channel_joining *joining)
{
    struct joiner joiner = {.server = server, .channel = channel, .joining = joining};
    enum channel_outcome outcome = admit(&joiner);
    if (outcome == CHANNEL_DONE)
        outcome = choose(&joiner);
    if (outcome == CHANNEL_DONE)
        outcome = capacity(&joiner);
    if (outcome == CHANNEL_DONE)
        outcome = own_side(&joiner);
    if (outcome == CHANNEL_DONE &&
        (!store_has_room(server->store, CHANNEL_JOIN_BYTES) || !contact_has_arena(server)))
        outcome = CHANNEL_NO_ROOM;
    if (outcome == CHANNEL_DONE)
        outcome = join_write(&joiner);
    joining->invitation_used = outcome == CHANNEL_DONE && joiner.entry;
    return outcome;
}

/* --- leaving --- */

static enum channel_outcome member_write(struct server *server, const struct jid *who,
                                         const struct jid *channel)
{
    struct store *store = server->store;
    struct roster_item item;
    uint64_t version;
    enum store_outcome outcome =
        membership_leave(store, jid_local(who), jid_local(channel), number_now(server));
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return CHANNEL_FAILED;
    outcome = roster_get(store, jid_local(who), jid_bare(channel), &item);
    if (outcome == STORE_OK)
        outcome = roster_remove(store, jid_local(who), jid_bare(channel), &version);
    if (outcome == STORE_OK)
        outcome = contact_push(server, who, jid_bare(channel));
    return written(outcome);
}

enum channel_outcome channel_member_end(struct server *server, const struct jid *who,
                                        const struct jid *channel)
{
    if (!store_has_room(server->store, MEMBER_BYTES) || !contact_has_arena(server))
        return CHANNEL_NO_ROOM;
    return member_write(server, who, channel);
}

/* Under which id somebody takes part, whose account may be gone by now. */
static enum store_outcome present_as(struct server *server, const struct channel_here *channel,
                                     const struct jid *who, char id[PARTICIPANT_ID_CHARS])
{
    struct membership membership;
    struct participant participant;
    enum store_outcome outcome =
        membership_get(server->store, jid_local(who), channel->local, &membership);
    const struct stay *stay = outcome == STORE_OK ? membership_stay(&membership) : NULL;
    if (stay != NULL && stay->channel == channel->channel.id)
        memcpy(id, stay->id, PARTICIPANT_ID_CHARS);
    else if (!channel_id_of(server, &channel->channel, jid_bare(who), id))
        return STORE_NONE;
    return participant_get(server->store, channel->channel.id, id, &participant);
}

enum channel_outcome channel_leave(struct server *server, const struct channel_here *channel,
                                   const struct jid *who, bool told)
{
    char id[PARTICIPANT_ID_CHARS];
    enum store_outcome found = present_as(server, channel, who, id);
    if (found != STORE_OK && found != STORE_NONE)
        return CHANNEL_FAILED;
    if (!store_has_room(server->store, LEAVE_BYTES) || !contact_has_arena(server))
        return CHANNEL_NO_ROOM;
    if (found == STORE_OK && participant_leave(server->store, channel->channel.id, id) != STORE_OK)
        return CHANNEL_FAILED;
    if (found == STORE_OK &&
        channel_event_id(server, channel, CHANNEL_PARTICIPANTS, "retract", span_of(id, sizeof id),
                         told ? jid_bare(who) : SPAN_NONE) != STORE_OK)
        return CHANNEL_FAILED;
    return member_write(server, who, &channel->jid);
}

/* --- staying --- */

/* His record, with spans that stay. */
static enum channel_outcome participant_of(struct server *server,
                                           const struct channel_here *channel,
                                           const struct jid *who, struct participant *participant)
{
    char id[PARTICIPANT_ID_CHARS];
    enum store_outcome outcome = STORE_NONE;
    if (channel_id_of(server, &channel->channel, jid_bare(who), id))
        outcome = participant_get(server->store, channel->channel.id, id, participant);
    if (outcome != STORE_OK)
        return outcome == STORE_NONE ? CHANNEL_FORBIDDEN : CHANNEL_FAILED;
    participant->jid = jid_bare(who);
    participant->nick = arena_copy(&server->arena, participant->nick);
    return participant->nick.bytes != NULL ? CHANNEL_DONE : CHANNEL_NO_ROOM;
}

static enum channel_outcome participant_write(struct server *server,
                                              const struct channel_here *channel,
                                              const struct participant *participant)
{
    if (!store_has_room(server->store, PARTICIPANT_CHANGE_BYTES))
        return CHANNEL_NO_ROOM;
    return participant_put(server->store, channel->channel.id, participant) == STORE_OK
               ? CHANNEL_DONE
               : CHANNEL_FAILED;
}

enum channel_outcome channel_nick(struct server *server, const struct channel_here *channel,
                                  const struct jid *who, struct span nick, struct span *had)
{
    struct channel_joining joining = {.who = *who, .nick = nick, .nick_any = nick.len == 0};
    struct participant participant;
    enum channel_outcome outcome = participant_of(server, channel, who, &participant);
    if (outcome != CHANNEL_DONE)
        return outcome;
    memcpy(joining.id, participant.id, sizeof joining.id);
    outcome = channel_nick_choose(server, channel, &joining, had);
    if (outcome != CHANNEL_DONE || span_equal(*had, participant.nick))
        return outcome;
    participant.nick = *had;
    outcome = participant_write(server, channel, &participant);
    return outcome == CHANNEL_DONE ? written(participant_tell(server, channel, &participant))
                                   : outcome;
}

enum channel_outcome channel_subscribe(struct server *server, const struct channel_here *channel,
                                       const struct jid *who, uint8_t add, uint8_t remove,
                                       uint8_t *added)
{
    struct participant participant;
    enum channel_role role;
    bool banned;
    enum channel_outcome outcome = participant_of(server, channel, who, &participant);
    if (outcome != CHANNEL_DONE)
        return outcome;
    if (channel_role(server, &channel->channel, jid_bare(who), &role, &banned) != STORE_OK)
        return CHANNEL_FAILED;
    *added = nodes_for(&channel->channel, role, add);
    uint8_t nodes = (uint8_t)((participant.nodes & ~remove) | *added);
    if (nodes == participant.nodes)
        return CHANNEL_DONE;
    participant.nodes = nodes;
    return participant_write(server, channel, &participant);
}
