/* mix_join.c: see mix_join.h. */
#include "features/mix_join.h"

#include "base/must.h"
#include "core/channel_join.h"
#include "features/mix_channel.h"
#include "features/mix_invite.h"
#include "wire/names.h"

const struct node *mix_join_child(const struct stanza *stanza, const struct node *of)
{
    static const char *const namespaces[] = {NS_MIX, NS_MIX_MISC, NS_MIX_ANON};
    const struct node *join = NULL;
    for (size_t i = 0; join == NULL && i < sizeof namespaces / sizeof namespaces[0]; i++)
        join = stanza_child(stanza, of, namespaces[i], "join");
    return join;
}

/* false: no memory. */
static bool join_read(struct turn *turn, const struct node *join, struct channel_joining *joining)
{
    const struct node *nick = mix_child(turn, join, NULL, "nick");
    joining->nodes = mix_nodes_read(turn, join, "subscribe", &joining->nodes_asked);
    if (nick != NULL)
        joining->nick = stanza_text(turn->stanza, nick, &turn->server->arena);
    return nick == NULL || joining->nick.bytes != NULL;
}

static void answer_put(const struct channel_here *channel, const struct channel_joining *joining,
                       struct build *answer)
{
    struct span id = span_of(joining->id, sizeof joining->id);
    build_str(answer, "<join xmlns='" NS_MIX "'");
    build_attr(answer, "id", id);
    /* Older clients read the one, newer ones the other. */
    build_str(answer, " jid='");
    build_put(answer, id);
    build_str(answer, "#");
    build_text(answer, jid_bare(&channel->jid));
    build_str(answer, "'>");
    mix_nodes_put(answer, "subscribe", joining->nodes_had);
    if (joining->nick_had.len > 0)
        build_element(answer, "nick", joining->nick_had);
    build_str(answer, "</join>");
}

/* A join on its way. */
struct attempt {
    struct turn *turn;
    struct channel_here channel;
    struct channel_joining joining;
    struct channel_presented presented;
    uint8_t hash[INVITE_HASH_BYTES]; /* of the record that was presented, */
    bool is_record;
    bool throttled; /* MT-6: what was presented was not looked at */
};

/* MT-6. */
static void invitation_look(struct attempt *attempt)
{
    struct server *server = attempt->turn->server;
    struct span who = jid_bare(&attempt->joining.who);
    if (attempt->presented.token.len == 0)
        return;
    attempt->throttled = channel_invitation_throttled(server, who);
    attempt->joining.invited =
        !attempt->throttled &&
        channel_invitation_good(server, &attempt->channel, &attempt->presented, who, attempt->hash,
                                &attempt->is_record);
}

static enum channel_outcome attempt_make(struct attempt *attempt, const struct jid *channel,
                                         const struct node *join)
{
    struct turn *turn = attempt->turn;
    struct server *server = turn->server;
    attempt->joining.who = jid_to_bare(&turn->session->jid);
    if (!join_read(turn, join, &attempt->joining))
        return CHANNEL_NO_ROOM;
    enum store_outcome found = channel_find(server, jid_local(channel), &attempt->channel);
    if (found != STORE_OK)
        return channel_outcome(found);
    attempt->presented = mix_invite_presented(turn, join);
    invitation_look(attempt);
    if (attempt->is_record &&
        !store_has_room(server->store, INVITE_CHANGE_BYTES + CHANNEL_JOIN_BYTES))
        return CHANNEL_NO_ROOM;
    enum channel_outcome outcome = channel_join(server, &attempt->channel, &attempt->joining);
    if (outcome == CHANNEL_DONE && attempt->joining.invitation_used && attempt->is_record &&
        channel_invitation_use(server, attempt->hash, jid_bare(&attempt->joining.who)) != STORE_OK)
        return CHANNEL_FAILED;
    return outcome;
}

/* One answer for a wrong, an expired, a revoked invitation and for somebody else's (MT-6). */
static struct refusal refusal_of(struct attempt *attempt, enum channel_outcome outcome)
{
    struct server *server = attempt->turn->server;
    struct refusal refusal = {.error = channel_error(outcome)};
    if (outcome != CHANNEL_FORBIDDEN || attempt->presented.token.len == 0 ||
        attempt->joining.invited)
        return refusal;
    if (attempt->throttled) {
        refusal.error = ERROR_RESOURCE_CONSTRAINT;
        return refusal;
    }
    channel_invitation_failed(server, jid_bare(&attempt->joining.who));
    refusal.text = SPAN("invitation invalid or expired");
    return refusal;
}

bool mix_join(struct turn *turn, const struct jid *channel, const struct node *join,
              struct build *answer, struct refusal *refusal)
{
    struct attempt attempt = {.turn = turn};
    enum channel_outcome outcome =
        answer->full ? CHANNEL_NO_ROOM : attempt_make(&attempt, channel, join);
    if (outcome == CHANNEL_DONE)
        answer_put(&attempt.channel, &attempt.joining, answer);
    else
        *refusal = refusal_of(&attempt, outcome);
    must(outcome != CHANNEL_DONE || !answer->full); /* MIX_JOIN_ANSWER_BYTES */
    return outcome == CHANNEL_DONE;
}
