/* archive_stays.c: see archive_stays.h. */
#include "core/archive_stays.h"

#include "core/blocked.h"
#include "store/archive_prefs.h"
#include "store/memberships.h"

/* Where the next one goes: behind all, or in the place of the one that ended first, if that was
 * before this one. NULL: nowhere. */
static struct archive_source *place_of(struct archive_view *view, const struct stay *stay)
{
    struct archive_source *first = view->sources;
    if (view->count < ARCHIVE_SOURCES_MAX)
        return &view->sources[view->count++];
    for (unsigned i = 1; i < view->count; i++)
        if (view->sources[i].high < first->high)
            first = &view->sources[i];
    return first->high < stay->left ? first : NULL;
}

/* false: no memory. */
static bool membership_add(struct server *server, const struct membership *membership,
                           struct archive_view *view)
{
    for (unsigned i = 0; i < membership->count; i++) {
        const struct stay *stay = &membership->stays[i];
        char *name = arena_take(&server->arena, CHANNEL_ARCHIVE_NAME_BYTES);
        if (name == NULL)
            return false;
        struct archive_source *source = place_of(view, stay);
        if (source != NULL)
            archive_source(source, channel_archive_name(stay->channel, name), stay->joined + 1,
                           stay->left < ARCHIVE_NUMBER_MAX ? stay->left : ARCHIVE_NUMBER_MAX);
    }
    return true;
}

/* Whether the account wants to read that channel, and to have it in its archive (XEP-0441). */
static bool wanted(struct server *server, const struct jid *account, struct span channel)
{
    struct jid jid;
    size_t mark = server->arena.used;
    bool is = channel_jid(server, channel, &jid) && !blocked_by(server, account, &jid) &&
              archive_prefs_wants(server->store, jid_local(account), &jid);
    arena_reset(&server->arena, mark);
    return is;
}

enum store_outcome archive_stays(struct server *server, const struct jid *account,
                                 const struct jid *channel, struct archive_view *view)
{
    struct span local = jid_local(account), name = SPAN_NONE;
    struct membership membership;
    enum store_outcome outcome;
    view->sources = arena_take(&server->arena, ARCHIVE_SOURCES_MAX * sizeof *view->sources);
    view->count = 0;
    if (view->sources == NULL)
        return STORE_FULL;
    if (channel != NULL) {
        name = jid_local(channel);
        outcome = membership_get(server->store, local, name, &membership);
    } else {
        outcome = membership_next(server->store, local, SPAN_NONE, &name, &membership);
    }
    while (outcome == STORE_OK) {
        if (wanted(server, account, name) && !membership_add(server, &membership, view))
            return STORE_FULL;
        if (channel != NULL)
            return STORE_OK;
        outcome = membership_next(server->store, local, name, &name, &membership);
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}
