/* archive.c: see archive.h. */
#include "features/archive.h"

#include "core/archive_page.h"
#include "core/archive_stays.h"
#include "core/channel_tell.h"
#include "wire/names.h"

/* false: the config has no messages kept, which was answered. */
static bool kept(struct turn *turn)
{
    if (!config.archive)
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
    return config.archive;
}

static bool refuse(struct turn *turn, enum store_outcome outcome)
{
    if (outcome != STORE_OK)
        reply_store_error(turn, outcome);
    return outcome != STORE_OK;
}

/* PAM-7: what clients that do not know MIX would not expect they must ask for. false: an error was
 * answered. */
static bool channels_add(struct turn *turn, struct archive_query *query)
{
    const struct jid *own = &turn->session->jid;
    const struct jid *with = jid_present(&query->with) ? &query->with : NULL;
    bool wanted = query->groupchat == GROUPCHAT_WANTED ||
                  (query->groupchat == GROUPCHAT_UNSAID && channel_client(turn->session));
    if (with != NULL ? !span_is(jid_domain(with), config.mix_domain) : !wanted)
        return true;
    return !refuse(turn, archive_stays(turn->server, own, with, &query->view));
}

void archive_query_request(struct turn *turn)
{
    const struct jid *own = &turn->session->jid;
    struct archive_query query;
    struct archive_view all;
    if (!kept(turn))
        return;
    archive_view(&all, jid_local(own), NULL);
    if (!refuse(turn, archive_stays(turn->server, own, NULL, &all)) &&
        archive_query_read(turn, &all, &query) && channels_add(turn, &query) &&
        archive_page_answer(turn, jid_bare(own), &query))
        turn->session->archive_asked |= !turn->session->announced; /* OFF-2 */
}

void archive_form_request(struct turn *turn)
{
    if (kept(turn))
        archive_form_answer(turn);
}

void archive_metadata_request(struct turn *turn)
{
    const struct jid *own = &turn->session->jid;
    struct archive_view view;
    if (!kept(turn))
        return;
    archive_view(&view, jid_local(own), NULL);
    if (!channel_client(turn->session) ||
        !refuse(turn, archive_stays(turn->server, own, NULL, &view)))
        archive_metadata_answer(turn, &view);
}

/* Nobody knows yet whether the client knows MIX. */
void archive_bound(struct login *login)
{
    size_t before = login->answer->used;
    struct archive_view view;
    if (!config.archive)
        return;
    archive_view(&view, jid_local(&login->session->jid), NULL);
    enum store_outcome outcome = archive_metadata_build(login->server, &view, login->answer);
    if (outcome != STORE_OK && outcome != STORE_NONE) /* the client can ask */
        login->answer->used = before;
}
