/* username.c: see username.h. Requirements REG-12, 4.12. */
#include "core/username.h"

#include "base/config.h"
#include "store/accounts.h"
#include "store/invites.h"
#include "store/released.h"
#include "store/rosters.h"
#include "wire/jid.h"

/* First labels of the domains of our services. */
static const char *const services[] = {"mix"};

bool username_prepare(struct span typed, struct arena *arena, struct span *out)
{
    struct span domain;
    size_t at = span_find(typed, '@');
    if (at < typed.len && jid_prepare_domain(span_cut(typed, at + 1, typed.len), arena, &domain) &&
        span_is(domain, config.domain))
        typed = span_cut(typed, 0, at);
    return typed.len > 0 && jid_prepare_new_local(typed, arena, out) &&
           out->len <= USERNAME_BYTES_MAX;
}

static bool is_reserved(struct span local)
{
    struct span names = span_string(config.reserved_names);
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (span_is(local, services[i]))
            return true;
    while (names.len > 0) {
        size_t end = span_find(names, ' ');
        if (span_equal(local, span_cut(names, 0, end)))
            return true;
        names = span_cut(names, end + 1, names.len);
    }
    return false;
}

/* STORE_OK: somebody has it. */
static enum store_outcome pending_has(struct store *store, struct span local, uint64_t now_us)
{
    struct pending pending;
    enum store_outcome outcome = pending_get(store, local, &pending);
    return outcome == STORE_OK && pending.expires_us <= now_us ? STORE_NONE : outcome;
}

static enum store_outcome invite_has(struct store *store, struct span local, uint64_t now_us,
                                     const uint8_t *invite_hash)
{
    struct invite invite;
    enum store_outcome outcome = invite_reserving(store, local, now_us, &invite);
    bool own = outcome == STORE_OK && invite_hash != NULL &&
               memcmp(invite.hash, invite_hash, sizeof invite.hash) == 0;
    return own ? STORE_NONE : outcome;
}

enum username_fate username_look(struct store *store, struct span local, uint64_t now_us,
                                 const uint8_t *invite_hash, bool own_pending)
{
    struct account account;
    enum store_outcome outcome = is_reserved(local) ? STORE_OK : STORE_NONE;
    if (outcome == STORE_NONE)
        outcome = account_get(store, local, &account);
    if (outcome == STORE_NONE)
        outcome = leaving_get(store, local);
    if (outcome == STORE_NONE)
        outcome = released_get(store, local, now_us);
    if (outcome == STORE_NONE)
        outcome = invite_has(store, local, now_us, invite_hash);
    if (outcome == STORE_NONE && !own_pending)
        outcome = pending_has(store, local, now_us);
    return outcome == STORE_NONE ? USERNAME_FREE
           : outcome == STORE_OK ? USERNAME_TAKEN
                                 : USERNAME_FAILED;
}
