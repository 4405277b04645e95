/* forget.c: see forget.h. */
#include "store/forget.h"

#include "store/absences.h"
#include "store/accounts.h"
#include "store/archive.h"
#include "store/archive_prefs.h"
#include "store/channels.h"
#include "store/consents.h"
#include "store/environment.h"
#include "store/ids.h"
#include "store/invites.h"
#include "store/logins.h"
#include "store/memberships.h"
#include "store/offline.h"
#include "store/pending.h"
#include "store/pep.h"
#include "store/private.h"
#include "store/released.h"
#include "store/rosters.h"
#include "store/vcards.h"

/* What room_left is asked for: about as many pages as the some fifty records lie on. */
#define FORGET_BYTES (64 << 10)
#define FORGET_INVITES 20
#define DAY_US (UINT64_C(86400) * 1000000)

/* Messages, private elements, nodes or memberships; in doubt there are some. Where there are
 * channels it may be an owner of one. */
static bool has_much(struct store *store, struct span local)
{
    struct offline_message message;
    struct private_use use;
    struct pep_use published;
    struct archive_view archive;
    struct membership membership;
    struct channel first;
    struct span channel;
    uint64_t number;
    archive_view(&archive, local, NULL);
    if (archive_after(store, &archive, 0, &number) != STORE_NONE)
        return true;
    if (channel_next(store, SPAN_NONE, &channel, &first) != STORE_NONE)
        return true;
    if (membership_next(store, local, SPAN_NONE, &channel, &membership) != STORE_NONE)
        return true;
    return offline_next(store, local, 0, &message) != STORE_NONE ||
           private_count(store, local, NULL, 0, &use) != STORE_OK || use.elements > 0 ||
           pep_count(store, local, &published) != STORE_OK || published.nodes > 0;
}

/* Its contacts are to be told, if it has any. */
static enum store_outcome leave_begin(struct store *store, struct span local)
{
    struct roster_walk walk;
    struct roster_item item;
    struct span contact, stanza;
    roster_walk_begin(&walk, local);
    enum store_outcome outcome = roster_next(store, &walk, &contact, &item);
    if (outcome == STORE_NONE)
        outcome = request_next(store, &walk, &contact, &stanza);
    if (outcome == STORE_OK || (outcome == STORE_NONE && has_much(store, local)))
        return leaving_put(store, local);
    return outcome == STORE_NONE ? leaving_finish(store, local) : outcome;
}

static bool gone(enum store_outcome outcome)
{
    return outcome == STORE_OK || outcome == STORE_NONE;
}

static enum store_outcome records_delete(struct store *store, struct span local)
{
    enum store_outcome outcome = vcard_delete(store, local);
    if (gone(outcome))
        outcome = absence_delete(store, local);
    if (gone(outcome))
        outcome = id_forget(store, local);
    if (gone(outcome))
        outcome = consent_forget(store, local);
    if (gone(outcome))
        outcome = login_forget(store, local);
    if (gone(outcome))
        outcome = pending_delete(store, local);
    if (gone(outcome))
        outcome = archive_prefs_delete(store, local);
    /* More than it may have had expire: who redeems one is asked whether the owner exists. */
    if (gone(outcome))
        outcome = invite_forget(store, local, FORGET_INVITES);
    return gone(outcome) ? STORE_OK : outcome;
}

static enum store_outcome parts_delete(struct store *store, struct span local, uint64_t now_us)
{
    enum store_outcome outcome = leave_begin(store, local);
    if (gone(outcome))
        outcome = records_delete(store, local);
    if (gone(outcome))
        outcome = account_delete(store, local);
    if (outcome == STORE_OK)
        outcome = released_put(store, local, now_us + RELEASED_DAYS * DAY_US);
    return outcome;
}

enum store_outcome account_forget(struct store *store, struct span local, uint64_t now_us)
{
    struct account found;
    enum store_outcome outcome = account_get(store, local, &found);
    if (outcome != STORE_OK)
        return outcome;
    if (!room_left(store, FORGET_BYTES, ROOM_DELETE))
        return STORE_FULL;
    /* Asked once for all of it, so that it is done whole or not at all; also the two small records
     * that it puts. */
    store->unlimited = true;
    outcome = parts_delete(store, local, now_us);
    store->unlimited = false;
    return outcome;
}
