/* mix_retract.c: see mix_retract.h. */
#include "features/mix_retract.h"

#include "core/stanza_id.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define TOMBSTONE_BYTES                                                                            \
    (512 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES + 2 * (CHANNEL_LOCAL_BYTES_MAX + CONFIG_TEXT_MAX)))

static bool refuse(struct turn *turn, enum stanza_error error)
{
    reply_error(turn, error);
    return false;
}

/* Whether that participant said the message: "<message from='CHANNEL/ID'…". */
static bool said_by(const struct channel_here *channel, struct span stanza,
                    const char id[PARTICIPANT_ID_CHARS])
{
    static const struct span start = {"<message from='", sizeof "<message from='" - 1};
    size_t at = start.len + jid_bare(&channel->jid).len + 1;
    return span_equal(span_cut(stanza, at, at + PARTICIPANT_ID_CHARS),
                      span_of(id, PARTICIPANT_ID_CHARS));
}

/* XEP-0407 4, Example 6: of the message all goes but whose it was. */
static void tombstone_build(struct turn *turn, const struct channel_here *channel,
                            struct span owner, struct span stanza,
                            struct mix_retraction *retraction)
{
    struct server *server = turn->server;
    struct build *build = &retraction->tombstone;
    size_t from_len =
        sizeof "<message from='" - 1 + jid_bare(&channel->jid).len + 1 + PARTICIPANT_ID_CHARS;
    char id[UID_CHARS], time[TIMESTAMP_BYTES];
    archive_id(server, owner, retraction->number, id);
    timestamp_write(server->wall_us, time);
    build_init(build, &server->arena, TOMBSTONE_BYTES + ARCHIVE_NOTE_BYTES(owner.len));
    build_put(build, span_cut(stanza, 0, from_len));
    build_str(build, "'");
    build_attr(build, "id", span_of(id, sizeof id));
    build_str(build, " type='groupchat'><retracted xmlns='" NS_MIX_MISC "'");
    build_attr(build, "by", jid_bare(&turn->session->jid));
    build_attr(build, "time", span_of(time, sizeof time));
    build_str(build, "/>");
    stanza_id_put(build, jid_bare(&channel->jid), span_of(id, sizeof id));
    build_str(build, "</message>");
}

/* STORE_NONE: it is not in the channel's archive. *may: it may be taken back. */
static enum store_outcome message_look(struct turn *turn, const struct channel_here *channel,
                                       enum channel_role role, const char id[PARTICIPANT_ID_CHARS],
                                       struct mix_retraction *retraction, bool *may)
{
    struct server *server = turn->server;
    char name[CHANNEL_ARCHIVE_NAME_BYTES];
    struct span owner = channel_archive_name(channel->channel.id, name);
    struct archive_view view;
    struct archive_body body;
    uint64_t number;
    archive_view(&view, owner, NULL);
    if (!config.archive || !archive_id_read(server, owner, retraction->id, &number))
        return STORE_NONE;
    enum store_outcome outcome = archive_has(server->store, &view, number);
    if (outcome == STORE_OK)
        outcome = archive_body(server->store, number, &body);
    if (outcome != STORE_OK)
        return outcome;
    *may = channel_may(role, channel->channel.retract_any) ||
           ((channel->channel.flags & CHANNEL_RETRACT_OWN) && said_by(channel, body.stanza, id));
    if (*may) {
        retraction->number = number;
        tombstone_build(turn, channel, owner, body.stanza, retraction);
    }
    return STORE_OK;
}

bool mix_retraction_read(struct turn *turn, const struct channel_here *channel,
                         enum channel_role role, const char id[PARTICIPANT_ID_CHARS],
                         struct mix_retraction *retraction)
{
    const struct node *root = stanza_root(turn->stanza);
    const struct node *asked = stanza_child(turn->stanza, root, NS_MIX_MISC, "retract");
    const struct node *said = stanza_child(turn->stanza, root, NS_RETRACTION, "retract");
    bool may = false;
    *retraction = (struct mix_retraction){.asked = asked != NULL};
    if (asked == NULL && said == NULL)
        return true;
    retraction->id = stanza_attribute(turn->stanza, asked != NULL ? asked : said, "id");
    if (asked != NULL && (retraction->id.bytes == NULL ||
                          stanza_child(turn->stanza, root, NS_CLIENT, "body") != NULL))
        return refuse(turn, ERROR_BAD_REQUEST); /* XEP-0407 4 */
    enum store_outcome outcome = message_look(turn, channel, role, id, retraction, &may);
    if (outcome == STORE_FAILED)
        return refuse(turn, ERROR_INTERNAL_SERVER_ERROR);
    if (asked != NULL && outcome == STORE_NONE)
        return refuse(turn, ERROR_ITEM_NOT_FOUND);
    if (asked != NULL && !may)
        return refuse(turn, ERROR_FORBIDDEN);
    if (!may)
        return true;
    return (!retraction->tombstone.full && store_has_room(turn->server->store, TOMBSTONE_BYTES)) ||
           refuse(turn, ERROR_RESOURCE_CONSTRAINT);
}

bool mix_retract(struct turn *turn, struct mix_retraction *retraction)
{
    enum store_outcome outcome = STORE_NONE;
    if (retraction->number != 0)
        outcome = archive_replace(turn->server->store, retraction->number, &retraction->tombstone);
    return outcome == STORE_OK || outcome == STORE_NONE || /* it has made room for the retraction */
           refuse(turn, ERROR_INTERNAL_SERVER_ERROR);
}
