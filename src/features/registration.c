/* registration.c: the engine's entrance (registration.h): answers, and what is said to a
 * registration that is under way. A first stage is in registration_details.c. */
#include "core/limits.h"
#include "core/stream.h"
#include "core/username.h"
#include "features/registration_parts.h"
#include "wire/jid.h"

bool registration_verifies(const struct session *session)
{
    bool invited = session->registering.invited || config.registration != REGISTRATION_OPEN;
    return config.verify != VERIFY_NONE && (config.verify_invited || !invited);
}

bool registration_shut(struct turn *turn, bool has_token, struct refusal *refusal)
{
    (void)turn;
    if (config.registration == REGISTRATION_CLOSED)
        *refusal = refusal_of(REASON_CLOSED);
    else if (config.registration == REGISTRATION_INVITE && !has_token)
        *refusal = refusal_of(REASON_NOT_INVITED);
    else if (config.registration == REGISTRATION_REDIRECT && !has_token)
        *refusal = refusal_of(REASON_REDIRECTED);
    else
        return false;
    return true;
}

/* --- what both kinds of sets ask --- */

bool ids_prepare(struct turn *turn, const struct answers *answers, struct span *email,
                 struct span *phone, bool all, struct refusal *refusal)
{
    struct arena *arena = &turn->server->arena;
    *email = *phone = SPAN_NONE;
    if (answers->email.len > 0 && (all || stage_verifies(ID_EMAIL)) &&
        !id_prepare(ID_EMAIL, answers->email, arena, email)) {
        *refusal = refusal_of(REASON_BAD_EMAIL);
        return false;
    }
    if (answers->phone.len > 0 && (all || stage_verifies(ID_PHONE)) &&
        !id_prepare(ID_PHONE, answers->phone, arena, phone)) {
        *refusal = refusal_of(REASON_BAD_PHONE);
        return false;
    }
    return true;
}

/* --- answering --- */

void registration_answer(struct turn *turn, enum face face, bool knows_stages,
                         const struct outcome *outcome)
{
    struct session *session = turn->session;
    struct registering *registering = &session->registering;
    if (outcome->verdict == VERDICT_COMPLETE || outcome->verdict == VERDICT_CANCELED) {
        registering->pending = false;
    } else if (outcome->pending != NULL &&
               (outcome->verdict == VERDICT_STAGE || outcome->with_stage)) {
        registering->pending = true;
        memcpy(registering->handle_hash, outcome->pending->handle_hash,
               sizeof registering->handle_hash);
    }
    if (outcome->verdict == VERDICT_STAGE) /* ST-18 */
        registering->until_ms = turn->server->now_ms + REGISTER_MS_MAX;
    if (face == FACE_FLOW)
        registration_flow_answer(turn, outcome);
    else
        registration_iq_answer(turn, face, knows_stages, outcome);
    if (registering->bad_tokens >= BAD_TOKENS_MAX && session->phase == PHASE_OPEN)
        stream_fail(turn->server, session, STREAM_POLICY_VIOLATION, "Too many wrong invitations.");
}

void answer_refusal(struct turn *turn, const struct answers *answers, const struct refusal *refusal)
{
    struct outcome outcome = {.verdict = VERDICT_REFUSED, .refusal = *refusal};
    registration_answer(turn, answers->face, answers->knows_stages, &outcome);
}

/* --- a registration that is under way --- */

/* The one that the peer is in the middle of: by its handle, or this stream's. */
static enum store_outcome pending_find(struct turn *turn, const struct answers *answers,
                                       struct pending *pending)
{
    struct store *store = turn->server->store;
    const struct registering *registering = &turn->session->registering;
    uint8_t hash[TOKEN_HASH_BYTES];
    char handle[TOKEN_CHARS];
    enum store_outcome outcome = STORE_NONE;
    if (answers->face == FACE_ACCOUNT) {
        outcome = pending_get(store, jid_local(&turn->session->jid), pending);
    } else if (answers->handle.len > 0) {
        if (token_read(answers->handle, handle)) {
            token_hash(span_of(handle, sizeof handle), hash);
            outcome = pending_by_handle(store, hash, pending);
        }
    } else if (registering->pending) {
        outcome = pending_by_handle(store, registering->handle_hash, pending);
    }
    bool of_account = outcome == STORE_OK && (pending->flags & PENDING_OF_ACCOUNT);
    if (outcome == STORE_OK && (pending->expires_us <= turn->server->wall_us ||
                                of_account != (answers->face == FACE_ACCOUNT)))
        return STORE_NONE;
    return outcome;
}

static bool other_name(struct turn *turn, struct span typed, const struct pending *pending)
{
    struct span local;
    return typed.len > 0 && (!username_prepare(typed, &turn->server->arena, &local) ||
                             !span_equal(local, pending->local));
}

static void stage_decide(struct turn *turn, const struct answers *answers, struct pending *pending,
                         struct outcome *outcome)
{
    struct step step = {.resend = answers->resend};
    char *code = arena_take(&turn->server->arena, CODE_CHARS);
    enum store_outcome found = pending_find(turn, answers, pending);
    if (found == STORE_NONE) {
        turn->session->registering.pending = false;
        outcome_refuse(outcome, REASON_EXPIRED);
        return;
    }
    if (found != STORE_OK || code == NULL || !pending_keep(pending, &turn->server->arena)) {
        outcome_refuse_store(outcome, found == STORE_OK ? STORE_FULL : found);
        return;
    }
    outcome->pending = pending;
    if (answers->handle.len > 0)
        step.handle = outcome->handle = answers->handle;
    if (answers->malformed) {
        outcome_refuse(outcome, REASON_MALFORMED);
    } else if (other_name(turn, answers->username, pending)) {
        outcome_refuse(outcome, REASON_OTHER_PENDING);
    } else if (!ids_prepare(turn, answers, &step.email, &step.phone, answers->face == FACE_ACCOUNT,
                            &outcome->refusal)) {
        outcome->verdict = VERDICT_REFUSED;
        outcome->with_stage = true;
    } else {
        if (answers->code.len > 0)
            step.code = code_read(answers->code, code) ? span_of(code, CODE_CHARS) : SPAN("");
        stage_step(turn, pending, &step, outcome);
    }
}

static void stage_set(struct turn *turn, const struct answers *answers)
{
    struct outcome outcome = {0};
    struct pending pending;
    if (config.registration == REGISTRATION_CLOSED && answers->face != FACE_ACCOUNT)
        outcome_refuse(&outcome, REASON_CLOSED);
    else
        stage_decide(turn, answers, &pending, &outcome);
    registration_answer(turn, answers->face, answers->knows_stages, &outcome);
}

/* REG-8. */
static void cancel(struct turn *turn, const struct answers *answers)
{
    struct outcome outcome = {.verdict = VERDICT_CANCELED};
    struct pending pending;
    enum store_outcome gone = pending_find(turn, answers, &pending);
    if (gone == STORE_OK && pending_keep(&pending, &turn->server->arena))
        gone = pending_delete(turn->server->store, pending.local);
    if (gone != STORE_OK && gone != STORE_NONE)
        outcome_refuse_store(&outcome, gone);
    registration_answer(turn, answers->face, answers->knows_stages, &outcome);
}

/* An address that an account wants to have verified: the first code. */
static void address_set(struct turn *turn, const struct answers *answers)
{
    struct server *server = turn->server;
    struct outcome outcome = {0};
    struct pending pending = {
        .local = jid_local(&turn->session->jid),
        .flags = PENDING_OF_ACCOUNT,
        .made_us = server->wall_us,
        .reason = SPAN(""),
    };
    bool taken = false;
    memcpy(pending.address, turn->session->address.address, sizeof pending.address);
    outcome.pending = &pending;
    if (!limit_set(turn, &outcome.refusal) ||
        !ids_prepare(turn, answers, &pending.email, &pending.phone, true, &outcome.refusal))
        outcome.verdict = VERDICT_REFUSED;
    else if (addresses_taken(server->store, &pending,
                             PENDING_EMAIL_VERIFIED | PENDING_PHONE_VERIFIED, &taken) != STORE_OK)
        outcome_refuse(&outcome, REASON_FAILED);
    else if (taken)
        outcome_refuse(&outcome, REASON_TAKEN);
    else
        stage_begin(turn, &pending, true, &outcome);
    registration_answer(turn, answers->face, answers->knows_stages, &outcome);
}

void registration_set(struct turn *turn, const struct answers *answers)
{
    const struct registering *registering = &turn->session->registering;
    struct pending pending;
    struct refusal refusal;
    bool whole = answers->username.len > 0 && answers->password.len > 0;
    if (registering->done && answers->face != FACE_ACCOUNT) { /* REG-11 */
        refusal = refusal_of(REASON_SECOND);
        answer_refusal(turn, answers, &refusal);
    } else if (answers->cancel) {
        cancel(turn, answers);
    } else if (answers->face == FACE_ACCOUNT) {
        if (pending_find(turn, answers, &pending) == STORE_NONE &&
            answers->email.len + answers->phone.len > 0)
            address_set(turn, answers);
        else
            stage_set(turn, answers);
    } else if (answers->handle.len > 0 || (registering->pending && !whole)) {
        stage_set(turn, answers);
    } else {
        details_set(turn, answers);
    }
}
