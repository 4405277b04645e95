/* archive.c: see archive.h. */
#include "features/archive.h"

#include "core/archive_page.h"
#include "wire/names.h"

/* false: the config has no messages kept, which was answered. */
static bool kept(struct turn *turn)
{
    if (!config.archive)
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
    return config.archive;
}

void archive_query_request(struct turn *turn)
{
    const struct jid *own = &turn->session->jid;
    struct archive_query query;
    if (!kept(turn) || !archive_query_read(turn, jid_local(own), &query))
        return;
    if (archive_page_answer(turn, jid_bare(own), &query))
        turn->session->archive_asked |= !turn->session->announced; /* OFF-2 */
}

void archive_form_request(struct turn *turn)
{
    if (kept(turn))
        archive_form_answer(turn);
}

void archive_metadata_request(struct turn *turn)
{
    if (kept(turn))
        archive_metadata_answer(turn, jid_local(&turn->session->jid));
}

void archive_bound(struct login *login)
{
    size_t before = login->answer->used;
    if (!config.archive)
        return;
    enum store_outcome outcome =
        archive_metadata_build(login->server, jid_local(&login->session->jid), login->answer);
    if (outcome != STORE_OK && outcome != STORE_NONE) /* the client can ask */
        login->answer->used = before;
}
