/* mix_service.c: XEP-0369 7.3; requirements 6.3. */
#include "features/mix_service.h"

#include "core/adhoc.h"
#include "core/channel_make.h"
#include "features/mix_channel.h"
#include "wire/names.h"

#define ANSWER_BYTES (64 + BUILD_ESCAPED_MAX(CHANNEL_LOCAL_BYTES_MAX))

bool mix_may_create(const struct turn *turn)
{
    return config.channel_create_all || adhoc_admin(turn);
}

/* Who makes channels and destroys them again could use up their names. */
static bool too_many(const struct turn *turn)
{
    struct server *server = turn->server;
    return config.rate_limits && !adhoc_admin(turn) &&
           throttle_full(&server->channels_made, SPAN("channel"), jid_local(&turn->session->jid),
                         server->now_ms);
}

static void create(struct turn *turn, struct span local)
{
    struct server *server = turn->server;
    const struct jid owner = jid_to_bare(&turn->session->jid);
    struct channel_here channel;
    struct build build;
    enum channel_outcome outcome = channel_create(server, local, &owner, &channel);
    if (outcome != CHANNEL_DONE) {
        reply_error(turn, channel_error(outcome));
        return;
    }
    throttle_note(&server->channels_made, SPAN("channel"), jid_local(&owner), server->now_ms);
    build_init(&build, &server->arena, ANSWER_BYTES);
    build_str(&build, "<create xmlns='" NS_MIX "'");
    build_attr(&build, "channel", channel.local);
    build_str(&build, "/>");
    reply_built(turn, &build);
}

void mix_create_request(struct turn *turn)
{
    struct span local = stanza_attribute(turn->stanza, turn->child, "channel");
    if (!mix_may_create(turn)) {
        reply_error(turn, ERROR_FORBIDDEN);
    } else if (local.bytes != NULL && local.len == 0) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE); /* 7.3.3: only without one a name is made */
    } else if (too_many(turn)) {
        const struct refusal refusal = {
            .error = ERROR_RESOURCE_CONSTRAINT,
            .text = SPAN("These are many channels for one hour. Try again later.")};
        reply_refusal(turn, &refusal);
    } else {
        create(turn, local);
    }
}

void mix_destroy_request(struct turn *turn)
{
    struct span typed = stanza_attribute(turn->stanza, turn->child, "channel"), local;
    struct channel_here channel;
    enum channel_role role;
    if (typed.bytes == NULL) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (!jid_prepare_local(typed, &turn->server->arena, &local)) {
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
        return;
    }
    if (!mix_channel_find(turn, local, &channel, &role))
        return;
    enum channel_outcome outcome =
        role == ROLE_OWNER ? channel_destroy(turn->server, &channel) : CHANNEL_FORBIDDEN;
    if (outcome == CHANNEL_DONE)
        reply_result(turn, SPAN(""));
    else
        reply_error(turn, channel_error(outcome));
}

void mix_service_get_request(struct turn *turn)
{
    reply_error(turn, ERROR_BAD_REQUEST); /* 6.3 */
}
