/* registration_complete.c: a registration becomes an account: one transaction (REG-10, REG-16,
 * INV-22), also by an admin's word (REG-18b). And what time does with all that expires. */
#include "base/log.h"
#include "core/channel_welcome.h"
#include "core/username.h"
#include "features/registration_parts.h"
#include "store/consents.h"
#include "store/logins.h"
#include "store/released.h"
#include "wire/jid.h"

/* What an account, its addresses and the end of the pending record may add to the store. */
#define COMPLETION_BYTES 16384
/* Expired records go at most that many of a kind each time. */
#define SWEEP_MS 60000
#define SWEEP_RECORDS 8
/* INV-19: a registration that was begun with an invitation in time may end after it. */
#define INVITE_GRACE_SECONDS (2 * PENDING_SECONDS)

static enum store_outcome address_taken(struct store *store, enum id_kind kind, struct span value,
                                        struct span local, bool *taken)
{
    struct span owner;
    enum store_outcome outcome = id_get(store, kind, value, &owner);
    if (outcome == STORE_OK && !span_equal(owner, local))
        *taken = true;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome addresses_taken(struct store *store, const struct pending *pending,
                                   uint8_t flags, bool *taken)
{
    enum store_outcome outcome = STORE_OK;
    *taken = false;
    if (pending->email.len > 0 && (flags & PENDING_EMAIL_VERIFIED))
        outcome = address_taken(store, ID_EMAIL, pending->email, pending->local, taken);
    if (outcome == STORE_OK && pending->phone.len > 0 && (flags & PENDING_PHONE_VERIFIED))
        outcome = address_taken(store, ID_PHONE, pending->phone, pending->local, taken);
    return outcome;
}

/* In the place of what the account had of that kind: a person has another number now. */
static enum store_outcome address_put(struct store *store, enum id_kind kind, struct span value,
                                      struct span local)
{
    enum store_outcome outcome = STORE_OK;
    enum id_kind found;
    struct span old;
    unsigned n = 0;
    while (outcome == STORE_OK && (outcome = id_of(store, local, n, &found, &old)) == STORE_OK)
        if (found == kind && !span_equal(old, value))
            outcome = id_delete(store, kind, old);
        else
            n++;
    return outcome == STORE_NONE ? id_put(store, kind, value, local) : outcome;
}

static enum store_outcome addresses_put(struct store *store, const struct pending *pending)
{
    enum store_outcome outcome = STORE_OK;
    if (pending->email.len > 0 && (pending->flags & PENDING_EMAIL_VERIFIED))
        outcome = address_put(store, ID_EMAIL, pending->email, pending->local);
    if (outcome == STORE_OK && pending->phone.len > 0 && (pending->flags & PENDING_PHONE_VERIFIED))
        outcome = address_put(store, ID_PHONE, pending->phone, pending->local);
    return outcome;
}

/* Everything that can be wrong, before anything is written. */
static enum completion check(struct server *server, const struct pending *pending)
{
    struct store *store = server->store;
    bool taken, of_account = pending->flags & PENDING_OF_ACCOUNT;
    uint64_t count = 0;
    if (!of_account) {
        enum username_fate fate =
            username_look(store, pending->local, server->wall_us,
                          pending->flags & PENDING_INVITED ? pending->invite_hash : NULL, true);
        if (fate != USERNAME_FREE)
            return fate == USERNAME_TAKEN ? COMPLETION_TAKEN : COMPLETION_FAILED;
    }
    if (addresses_taken(store, pending, pending->flags, &taken) != STORE_OK ||
        account_count(store, &count) != STORE_OK)
        return COMPLETION_FAILED;
    if (taken)
        return COMPLETION_ID_TAKEN;
    if ((!of_account && count >= plan.accounts) ||
        !store_has_room(store, COMPLETION_BYTES + INVITATION_REDEEM_BYTES))
        return COMPLETION_FULL;
    return COMPLETION_DONE;
}

static enum completion completion_of(enum store_outcome outcome)
{
    return outcome == STORE_OK     ? COMPLETION_DONE
           : outcome == STORE_FULL ? COMPLETION_FULL
                                   : COMPLETION_FAILED;
}

static enum store_outcome account_make(struct server *server, const struct pending *pending,
                                       bool is_admin)
{
    struct account account = {
        .flags = is_admin ? ACCOUNT_ADMIN : 0,
        .made_us = server->wall_us,
        .iterations = pending->iterations,
        .sha1 = pending->sha1,
        .sha256 = pending->sha256,
    };
    memcpy(account.salt, pending->salt, sizeof account.salt);
    return account_put(server->store, pending->local, &account, false);
}

/* The channels of the invitation, which its last use deletes. */
static bool welcome_fits(struct server *server, const struct pending *pending,
                         struct channel_welcome *welcome)
{
    struct invite invite;
    return invite_get(server->store, pending->invite_hash, &invite) != STORE_OK ||
           (channel_welcome_keep(server, &invite, welcome) &&
            store_has_room(server->store,
                           COMPLETION_BYTES + INVITATION_REDEEM_BYTES + welcome->bytes));
}

enum completion registration_complete(struct server *server, const struct pending *pending)
{
    struct jid jid;
    struct channel_welcome welcome = {.bytes = 0};
    bool is_admin = false;
    enum store_outcome outcome = STORE_OK;
    enum completion completion = check(server, pending);
    if (completion != COMPLETION_DONE)
        return completion;
    if ((pending->flags & PENDING_INVITED) && !welcome_fits(server, pending, &welcome))
        return COMPLETION_FULL;
    if (!jid_of(pending->local, span_string(config.domain), SPAN_NONE, &server->arena, &jid))
        return COMPLETION_FULL;
    if (pending->flags & PENDING_INVITED)
        outcome = invitation_redeem_account(server, pending->invite_hash, &jid, &is_admin);
    if (outcome == STORE_NONE) /* INV-19: of two streams with one token the other was faster */
        return COMPLETION_INVITE_USED;
    if (outcome == STORE_OK && !(pending->flags & PENDING_OF_ACCOUNT))
        outcome = account_make(server, pending, is_admin);
    if (outcome == STORE_OK && welcome.bytes > 0)
        channel_welcome(server, &welcome, &jid); /* MT-8 */
    if (outcome == STORE_OK)
        outcome = addresses_put(server->store, pending);
    if (outcome == STORE_OK) {
        enum store_outcome gone = pending_delete(server->store, pending->local);
        outcome = gone == STORE_NONE ? STORE_OK : gone;
    }
    if (outcome == STORE_OK && !(pending->flags & PENDING_OF_ACCOUNT))
        log_line(LOG_NOTE, "'%.*s' has registered", (int)pending->local.len, pending->local.bytes);
    return completion_of(outcome);
}

/* --- an admin's word --- */

static enum store_outcome admin_find(struct server *server, struct span local,
                                     struct pending *pending)
{
    enum store_outcome outcome = pending_get(server->store, local, pending);
    if (outcome == STORE_OK &&
        ((pending->flags & PENDING_OF_ACCOUNT) || pending->expires_us <= server->wall_us))
        return STORE_NONE;
    return outcome;
}

enum store_outcome registration_approve(struct server *server, struct span local)
{
    struct pending pending;
    enum store_outcome outcome = admin_find(server, local, &pending);
    if (outcome != STORE_OK)
        return outcome;
    if (!pending_keep(&pending, &server->arena))
        return STORE_FULL;
    switch (registration_complete(server, &pending)) {
    case COMPLETION_DONE:
        return STORE_OK;
    case COMPLETION_TAKEN:
    case COMPLETION_ID_TAKEN:
        return STORE_EXISTS;
    case COMPLETION_INVITE_USED:
        return STORE_NONE;
    case COMPLETION_FULL:
        return STORE_FULL;
    default:
        return STORE_FAILED;
    }
}

enum store_outcome registration_refuse(struct server *server, struct span local)
{
    struct pending pending;
    enum store_outcome outcome = admin_find(server, local, &pending);
    return outcome == STORE_OK ? pending_delete(server->store, local) : outcome;
}

/* --- time --- */

void registration_sweep(struct server *server)
{
    struct store *store = server->store;
    uint64_t now_us = server->wall_us;
    uint64_t grace_us = (uint64_t)INVITE_GRACE_SECONDS * SECOND_US;
    if (now_us < grace_us)
        grace_us = now_us;
    if (server->now_ms < server->expiry_ms || server->read_only)
        return;
    server->expiry_ms = server->now_ms + SWEEP_MS;
    /* What fails is tried again a minute later; a failed write shows at the tick's commit. */
    if (pending_sweep(store, now_us, SWEEP_RECORDS) == STORE_FAILED ||
        invite_sweep(store, now_us - grace_us, SWEEP_RECORDS) == STORE_FAILED ||
        released_sweep(store, now_us, SWEEP_RECORDS) == STORE_FAILED ||
        consent_sweep(store, now_us, SWEEP_RECORDS) == STORE_FAILED ||
        login_sweep(store, now_us, SWEEP_RECORDS) == STORE_FAILED)
        log_line(LOG_ERROR, "store: what has expired could not be deleted");
}
