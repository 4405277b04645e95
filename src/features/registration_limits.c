/* registration_limits.c: how often one network address, and all together, may register (RL-1), and
 * tokens that come in a form. What is counted stands in struct server. */
#include "core/invitation.h"
#include "core/limits.h"
#include "features/registration_parts.h"

/* Among all_registrations: as many codes an hour as accounts. */
#define ALL_CODES SPAN("codes")

static struct span network(const struct turn *turn)
{
    return throttle_network(turn->session->address.address);
}

static bool passes(struct turn *turn, struct throttle *throttle, struct span who,
                   enum reason reason, struct refusal *refusal)
{
    uint32_t seconds = 0;
    if (config.rate_limits)
        seconds = throttle_seconds(throttle, SPAN(""), who, turn->server->now_ms);
    if (seconds > 0)
        *refusal = refusal_wait(reason, seconds, &turn->server->arena);
    return seconds == 0;
}

static void note(struct turn *turn, struct throttle *throttle, struct span who)
{
    if (config.rate_limits)
        throttle_note(throttle, SPAN(""), who, turn->server->now_ms);
}

static bool pass_and_note(struct turn *turn, struct throttle *throttle, struct refusal *refusal)
{
    struct registering *registering = &turn->session->registering;
    if (!passes(turn, throttle, network(turn), REASON_ADDRESS_LIMIT, refusal))
        return false;
    note(turn, throttle, network(turn));
    if (registering->until_ms == 0) /* ST-18: only within the limits, as it keeps a place */
        registering->until_ms = turn->server->now_ms + REGISTER_MS_MAX;
    return true;
}

bool limit_get(struct turn *turn, struct refusal *refusal)
{
    return pass_and_note(turn, &turn->server->register_gets, refusal);
}

bool limit_set(struct turn *turn, struct refusal *refusal)
{
    return pass_and_note(turn, &turn->server->register_sets, refusal);
}

bool limit_accounts(struct turn *turn, struct refusal *refusal)
{
    struct server *server = turn->server;
    return turn->session->registering.invited ||
           (passes(turn, &server->registrations, network(turn), REASON_ADDRESS_LIMIT, refusal) &&
            passes(turn, &server->all_registrations, SPAN(""), REASON_ADDRESS_LIMIT, refusal));
}

void limit_note_account(struct turn *turn)
{
    note(turn, &turn->server->registrations, network(turn));
    note(turn, &turn->server->all_registrations, SPAN(""));
}

/* When the first of an address' pending ones expires. */
static uint64_t first_expiry_us(struct turn *turn)
{
    struct store *store = turn->server->store;
    struct pending pending;
    struct span after = SPAN_NONE;
    uint64_t now_us = turn->server->wall_us;
    uint64_t first_us = now_us + (uint64_t)PENDING_SECONDS * SECOND_US;
    while (pending_next(store, after, &pending) == STORE_OK) {
        after = pending.local;
        if (pending.expires_us > now_us && pending.expires_us < first_us &&
            span_equal(throttle_network(pending.address), network(turn)))
            first_us = pending.expires_us;
    }
    return first_us;
}

bool limit_pending(struct turn *turn, struct refusal *refusal)
{
    struct server *server = turn->server;
    unsigned count = 0;
    if (!config.rate_limits || turn->session->registering.invited)
        return true;
    if (pending_count_of(server->store, turn->session->address.address, server->wall_us, &count) !=
        STORE_OK) {
        *refusal = refusal_of(REASON_FAILED);
        return false;
    }
    if (count < PENDING_PER_ADDRESS_MAX)
        return true;
    uint64_t left_us = first_expiry_us(turn) - server->wall_us;
    *refusal =
        refusal_wait(REASON_ADDRESS_LIMIT, (left_us + SECOND_US - 1) / SECOND_US, &server->arena);
    return false;
}

bool limit_code(struct turn *turn, struct refusal *refusal)
{
    return passes(turn, &turn->server->codes, network(turn), REASON_TOO_SOON, refusal);
}

/* Empty: the admins. */
static struct span destination(const struct pending *pending)
{
    return pending->channel == PENDING_EMAIL   ? pending->email
           : pending->channel == PENDING_PHONE ? pending->phone
                                               : SPAN("");
}

bool limit_destination(struct turn *turn, const struct pending *pending, struct refusal *refusal)
{
    struct server *server = turn->server;
    struct span where = destination(pending);
    return (where.len == 0 ||
            passes(turn, &server->destinations, where, REASON_NO_SENDS, refusal)) &&
           passes(turn, &server->all_registrations, ALL_CODES, REASON_NO_SENDS, refusal);
}

void limit_note_code(struct turn *turn, const struct pending *pending)
{
    struct span where = destination(pending);
    note(turn, &turn->server->codes, network(turn));
    if (where.len > 0)
        note(turn, &turn->server->destinations, where);
    note(turn, &turn->server->all_registrations, ALL_CODES);
}

bool limit_password(struct turn *turn, struct refusal *refusal)
{
    struct throttle *throttle = &turn->server->passwords;
    struct span local = jid_local(&turn->session->jid);
    if (!passes(turn, throttle, local, REASON_PASSWORD_LIMIT, refusal))
        return false;
    note(turn, throttle, local);
    return true;
}

bool token_accept(struct turn *turn, struct span token)
{
    struct server *server = turn->server;
    struct registering *registering = &turn->session->registering;
    struct invite invite;
    /* INV-18: who guesses too often is not looked up any more. */
    bool tired = config.rate_limits &&
                 throttle_full(&server->tokens, SPAN("preauth"), network(turn), server->now_ms);
    if (!tired && invitation_opens(server->store, token, server->wall_us, &invite)) {
        registering->invited = true;
        memcpy(registering->invite_hash, invite.hash, sizeof registering->invite_hash);
        return true;
    }
    if (config.rate_limits)
        throttle_note(&server->tokens, SPAN("preauth"), network(turn), server->now_ms);
    registering->bad_tokens++;
    return false;
}
