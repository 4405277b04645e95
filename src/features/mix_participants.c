/* mix_participants.c: XEP-0369 7.1.2 ... 7.1.4; MX-6, MX-10 ... MX-12. A join or leave that did not
 * come by way of the user's own server (XEP-0405) has all the same effects, since that is us. */
#include "features/mix_participants.h"

#include "features/mix_channel.h"
#include "features/mix_join.h"
#include "wire/names.h"

#define NICK_ANSWER_BYTES (128 + BUILD_ESCAPED_MAX(PARTICIPANT_NICK_BYTES_MAX))
#define NODE_BYTES 80
#define SUBSCRIPTION_ANSWER_BYTES                                                                  \
    (128 + 2 * CHANNEL_NODES * NODE_BYTES + BUILD_ESCAPED_MAX(SESSION_JID_BYTES))

static void answer(struct turn *turn, enum channel_outcome outcome, const struct build *build)
{
    if (outcome != CHANNEL_DONE)
        reply_error(turn, channel_error(outcome));
    else
        reply_built(turn, build);
}

void mix_join_request(struct turn *turn)
{
    struct refusal refusal;
    struct build build;
    turn->session->mix = true; /* PAM-5; before, so that it hears of itself */
    build_init(&build, &turn->server->arena, MIX_JOIN_ANSWER_BYTES);
    if (!mix_join(turn, &turn->to, turn->child, &build, &refusal)) {
        reply_refusal(turn, &refusal);
        return;
    }
    reply_built(turn, &build);
}

void mix_leave_request(struct turn *turn)
{
    const struct jid asker = jid_to_bare(&turn->session->jid);
    struct channel_here channel;
    enum channel_role role;
    if (!mix_channel_find(turn, jid_local(&turn->to), &channel, &role))
        return;
    enum channel_outcome outcome = channel_leave(turn->server, &channel, &asker, false);
    if (outcome == CHANNEL_DONE)
        reply_result(turn, SPAN("<leave xmlns='" NS_MIX "'/>"));
    else
        reply_error(turn, channel_error(outcome));
}

void mix_setnick_request(struct turn *turn)
{
    const struct jid asker = jid_to_bare(&turn->session->jid);
    const struct node *nick = stanza_child(turn->stanza, turn->child, NS_MIX, "nick");
    struct span typed = SPAN(""), had = SPAN_NONE;
    struct channel_here channel;
    enum channel_role role;
    struct build build;
    if (!mix_channel_find(turn, jid_local(&turn->to), &channel, &role))
        return;
    if (nick != NULL) /* left blank: one is found (7.1.4) */
        typed = stanza_text(turn->stanza, nick, &turn->server->arena);
    enum channel_outcome outcome = typed.bytes == NULL
                                       ? CHANNEL_NO_ROOM
                                       : channel_nick(turn->server, &channel, &asker, typed, &had);
    build_init(&build, &turn->server->arena, NICK_ANSWER_BYTES);
    build_str(&build, "<setnick xmlns='" NS_MIX "'>");
    build_element(&build, "nick", had);
    build_str(&build, "</setnick>");
    answer(turn, outcome, &build);
}

void mix_subscription_request(struct turn *turn)
{
    const struct jid asker = jid_to_bare(&turn->session->jid);
    bool any;
    uint8_t add = mix_nodes_read(turn, turn->child, "subscribe", &any), added = 0;
    uint8_t remove = mix_nodes_read(turn, turn->child, "unsubscribe", &any) & (uint8_t)~add;
    struct channel_here channel;
    enum channel_role role;
    struct build build;
    if (!mix_channel_find(turn, jid_local(&turn->to), &channel, &role))
        return;
    enum channel_outcome outcome =
        channel_subscribe(turn->server, &channel, &asker, add, remove, &added);
    build_init(&build, &turn->server->arena, SUBSCRIPTION_ANSWER_BYTES);
    build_str(&build, "<update-subscription xmlns='" NS_MIX "'");
    build_attr(&build, "jid", jid_bare(&asker));
    build_str(&build, ">");
    mix_nodes_put(&build, "subscribe", added);
    mix_nodes_put(&build, "unsubscribe", remove);
    build_str(&build, "</update-subscription>");
    answer(turn, outcome, &build);
}
