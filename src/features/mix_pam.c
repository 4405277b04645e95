/* mix_pam.c: see mix_pam.h. The channel is in this very process: both sides change in one
 * transaction, and what a channel would answer is the answer. */
#include "features/mix_pam.h"

#include "core/access.h"
#include "core/channel_member.h"
#include "features/mix_join.h"
#include "wire/names.h"

#define TAGS_BYTES 128

/* -1: good; else enum stanza_error. Who is no channel answers as to any other IQ. */
static int channel_read(struct turn *turn, struct jid *channel)
{
    struct span text = stanza_attribute(turn->stanza, turn->child, "channel");
    if (!access_own(turn))
        return ERROR_FORBIDDEN;
    if (text.bytes == NULL)
        return ERROR_BAD_REQUEST;
    if (!jid_parse(text, &turn->server->arena, channel))
        return ERROR_JID_MALFORMED;
    if (channel_address(channel))
        return -1;
    return span_is(jid_domain(channel), config.mix_domain) ||
                   span_is(jid_domain(channel), config.domain)
               ? ERROR_SERVICE_UNAVAILABLE
               : ERROR_REMOTE_SERVER_NOT_FOUND;
}

/* The answer is in the request's namespace. */
static void wrap_open(struct turn *turn, struct build *build, size_t payload_bytes)
{
    build_init(build, &turn->server->arena, TAGS_BYTES + payload_bytes);
    build_str(build, "<");
    build_put(build, turn->child->name);
    build_attr(build, "xmlns", turn->child->namespace);
    build_str(build, ">");
}

static void wrap_reply(struct turn *turn, struct build *build)
{
    build_str(build, "</");
    build_put(build, turn->child->name);
    build_str(build, ">");
    reply_result(turn, build_span(build));
}

void client_join_request(struct turn *turn)
{
    const struct node *join = mix_join_child(turn->stanza, turn->child);
    struct refusal refusal = {0};
    struct build build;
    struct jid channel;
    int error = channel_read(turn, &channel);
    if (error < 0 && join == NULL)
        error = ERROR_BAD_REQUEST;
    if (error >= 0) {
        reply_error(turn, (enum stanza_error)error);
        return;
    }
    turn->session->mix = true; /* PAM-5 */
    wrap_open(turn, &build, MIX_JOIN_ANSWER_BYTES);
    if (mix_join(turn, &channel, join, &build, &refusal))
        wrap_reply(turn, &build);
    else
        reply_refusal(turn, &refusal);
}

void client_leave_request(struct turn *turn)
{
    struct build build;
    struct jid channel, user = jid_to_bare(&turn->session->jid);
    int error = channel_read(turn, &channel);
    if (error < 0 && stanza_child(turn->stanza, turn->child, NS_MIX, "leave") == NULL)
        error = ERROR_BAD_REQUEST;
    if (error < 0) {
        enum channel_outcome outcome = channel_member_leave(turn->server, &user, &channel);
        if (outcome != CHANNEL_DONE)
            error = channel_error(outcome);
    }
    if (error >= 0) {
        reply_error(turn, (enum stanza_error)error);
        return;
    }
    wrap_open(turn, &build, TAGS_BYTES);
    build_str(&build, "<leave xmlns='" NS_MIX "'/>");
    wrap_reply(turn, &build);
}
