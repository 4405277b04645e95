/* mix_archive.c: see mix_archive.h. */
#include "features/mix_archive.h"

#include "core/archive_page.h"
#include "features/mix_channel.h"

/* Whose messages; `name` is where the view's owner stands. false: it was refused. */
static bool channel_open(struct turn *turn, struct channel_here *channel,
                         char name[CHANNEL_ARCHIVE_NAME_BYTES], struct archive_view *view)
{
    struct span node = stanza_attribute(turn->stanza, turn->child, "node");
    enum channel_role role;
    if (!mix_channel_find(turn, jid_local(&turn->to), channel, &role))
        return false;
    if (!channel_may(role, channel->channel.subscribe[CHANNEL_MESSAGES]))
        reply_error(turn, ERROR_FORBIDDEN);
    else if (!config.archive)
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
    else if (node.bytes != NULL && channel_node_of(node) != CHANNEL_MESSAGES)
        reply_error(turn, ERROR_ITEM_NOT_FOUND); /* XEP-0369 7.2.3: no other node has one */
    else {
        archive_view(view, channel_archive_name(channel->channel.id, name), NULL);
        return true;
    }
    return false;
}

void mix_archive_query_request(struct turn *turn)
{
    char name[CHANNEL_ARCHIVE_NAME_BYTES];
    struct channel_here channel;
    struct archive_view view;
    struct archive_query query;
    if (channel_open(turn, &channel, name, &view) && archive_query_read(turn, &view, &query))
        (void)archive_page_answer(turn, jid_bare(&channel.jid), &query);
}

void mix_archive_form_request(struct turn *turn)
{
    char name[CHANNEL_ARCHIVE_NAME_BYTES];
    struct channel_here channel;
    struct archive_view view;
    if (channel_open(turn, &channel, name, &view))
        archive_form_answer(turn);
}

void mix_archive_metadata_request(struct turn *turn)
{
    char name[CHANNEL_ARCHIVE_NAME_BYTES];
    struct channel_here channel;
    struct archive_view view;
    if (channel_open(turn, &channel, name, &view))
        archive_metadata_answer(turn, &view);
}
