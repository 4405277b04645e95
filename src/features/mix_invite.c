/* mix_invite.c: see mix_invite.h. Which token: bound to the invitee where one is named, else one
 * for whoever has it (MT-4). Limits: INV-5. */
#include "features/mix_invite.h"

#include "features/mix_channel.h"
#include "wire/names.h"
#include "wire/uri.h"

#define ANSWER_BYTES_MAX (1024 + BUILD_ESCAPED_MAX(4 * SESSION_JID_BYTES + URI_BYTES_MAX))
#define SECOND_US 1000000u

/* A request for an invitation. */
struct wish {
    struct turn *turn;
    struct channel_here channel;
    struct jid inviter; /* bare */
    struct jid invitee; /* bare; jid_present: false: anybody */
};

/* --- presented --- */

static struct span child_text(const struct turn *turn, const struct node *of, const char *name)
{
    const struct node *child = mix_child(turn, of, NULL, name);
    return child == NULL ? SPAN_NONE : stanza_text(turn->stanza, child, &turn->server->arena);
}

struct channel_presented mix_invite_presented(const struct turn *turn, const struct node *join)
{
    const struct node *invitation = stanza_child(turn->stanza, join, NS_MIX_MISC, "invitation");
    const struct node *preauth = stanza_child(turn->stanza, join, NS_PARS, "preauth");
    struct channel_presented presented = {.token = SPAN_NONE};
    if (invitation == NULL)
        invitation = stanza_child(turn->stanza, join, NS_MIX, "invitation");
    if (invitation != NULL) {
        presented.token = child_text(turn, invitation, "token");
        presented.inviter = child_text(turn, invitation, "inviter");
        presented.invitee = child_text(turn, invitation, "invitee");
        presented.channel = child_text(turn, invitation, "channel");
    } else if (preauth != NULL) {
        presented.token = stanza_attribute(turn->stanza, preauth, "token");
    }
    return presented;
}

/* --- asked for --- */

static bool refuse(struct turn *turn, enum stanza_error error)
{
    reply_error(turn, error);
    return false;
}

/* MT-1. Each of these: false: it was refused. */
static bool inviter_check(struct wish *wish)
{
    struct turn *turn = wish->turn;
    enum channel_role role;
    wish->inviter = jid_to_bare(&turn->session->jid);
    return mix_channel_find(turn, jid_local(&turn->to), &wish->channel, &role) &&
           (channel_may_invite(&wish->channel.channel, role, false) ||
            refuse(turn, ERROR_FORBIDDEN));
}

static bool invitee_check(struct wish *wish)
{
    struct turn *turn = wish->turn;
    const struct node *node = stanza_child(turn->stanza, turn->child, NULL, "invitee");
    enum channel_role role;
    bool banned;
    if (node == NULL)
        return true;
    struct span text = stanza_text(turn->stanza, node, &turn->server->arena);
    if (!jid_parse(text, &turn->server->arena, &wish->invitee) || wish->invitee.local_len == 0 ||
        wish->invitee.resource_len > 0)
        return refuse(turn, ERROR_JID_MALFORMED);
    if (channel_role(turn->server, &wish->channel.channel, jid_bare(&wish->invitee), &role,
                     &banned) != STORE_OK)
        return refuse(turn, ERROR_INTERNAL_SERVER_ERROR);
    return !banned || refuse(turn, ERROR_NOT_ALLOWED);
}

static bool limits_check(struct wish *wish)
{
    return !invitation_throttled(wish->turn->server, jid_local(&wish->inviter)) ||
           refuse(wish->turn, ERROR_RESOURCE_CONSTRAINT);
}

/* MT-3: one for whoever has it, with d before it. */
static bool bearer_make(struct wish *wish, char token[CHANNEL_BEARER_CHARS])
{
    struct turn *turn = wish->turn;
    struct build channels;
    struct invite made;
    struct invitation_wish invitation = {.owner = jid_local(&wish->inviter)};
    build_init(&channels, &turn->server->arena, SESSION_JID_BYTES + 1);
    jid_list_put(&channels, jid_bare(&wish->channel.jid));
    if (channels.full)
        return refuse(turn, ERROR_RESOURCE_CONSTRAINT);
    invitation.channels = build_span(&channels);
    token[0] = 'd';
    enum invitation_outcome outcome =
        invitation_make(turn->server->store, &invitation, turn->server->wall_us, token + 1, &made);
    return outcome == INVITATION_MADE ||
           refuse(turn, outcome == INVITATION_FAILED ? ERROR_INTERNAL_SERVER_ERROR
                                                     : ERROR_RESOURCE_CONSTRAINT);
}

/* The link that takes somebody there whose address nobody knew (MT-7). */
static void link_put(struct build *build, struct wish *wish, struct span token)
{
    struct build uri;
    build_init(&uri, &wish->turn->server->arena, URI_BYTES_MAX);
    uri_channel(&uri, wish->channel.local, span_string(config.mix_domain), token);
    build->full |= uri.full;
    build_str(build, "<x xmlns='" NS_OOB "'>");
    build_element(build, "url", build_span(&uri));
    build_str(build, "</x>");
}

static void answer(struct wish *wish, struct span token)
{
    struct turn *turn = wish->turn;
    bool bound = jid_present(&wish->invitee);
    struct build build;
    build_init(&build, &turn->server->arena, ANSWER_BYTES_MAX);
    build_str(&build, "<invite xmlns='" NS_MIX_MISC "'><invitation>");
    build_element(&build, "inviter", jid_bare(&wish->inviter));
    if (bound)
        build_element(&build, "invitee", jid_bare(&wish->invitee));
    build_element(&build, "channel", jid_bare(&wish->channel.jid));
    build_element(&build, "token", token);
    build_str(&build, "</invitation>");
    if (!bound)
        link_put(&build, wish, token);
    build_str(&build, "</invite>");
    reply_built(turn, &build);
}

void mix_invite_request(struct turn *turn)
{
    struct wish wish = {.turn = turn};
    struct server *server = turn->server;
    char token[CHANNEL_BOUND_CHARS];
    size_t len = CHANNEL_BEARER_CHARS;
    if (!inviter_check(&wish) || !invitee_check(&wish) || !limits_check(&wish))
        return;
    if (jid_present(&wish.invitee)) {
        len = CHANNEL_BOUND_CHARS;
        channel_bound_make(&wish.channel, jid_bare(&wish.inviter), jid_bare(&wish.invitee),
                           server->wall_us + config.invite_lifetime * SECOND_US, token);
    } else if (!bearer_make(&wish, token)) {
        return;
    }
    invitation_note(server, jid_local(&wish.inviter));
    answer(&wish, span_of(token, len));
}
