/* registration_stages.c: what is asked after name and password: an address, a code (REG-14 ...
 * REG-20, REG-23). All state is in the pending record. */
#include "base/must.h"
#include "core/errand.h"
#include "core/notice.h"
#include "features/registration_parts.h"

/* What changes of a pending record may add to the store. */
#define STAGE_BYTES 16384
#define NOTICE_TEXT_BYTES 1024
#define SWEPT_MAX 4

bool stage_verifies(enum id_kind kind)
{
    return config.verify == VERIFY_EITHER ||
           config.verify == (kind == ID_EMAIL ? VERIFY_EMAIL : VERIFY_PHONE);
}

bool pending_keep(struct pending *pending, struct arena *arena)
{
    struct span *const spans[] = {&pending->local, &pending->email, &pending->phone,
                                  &pending->reason};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        if (spans[i]->len > 0)
            *spans[i] = arena_copy(arena, *spans[i]);
        else
            *spans[i] = SPAN("");
        if (spans[i]->bytes == NULL)
            return false;
    }
    return true;
}

/* What is still to be verified, in the order e-mail, phone (REG-19). STAGE_DETAILS: nothing. */
static enum stage stage_after(struct pending *pending)
{
    bool email = pending->flags & PENDING_EMAIL_VERIFIED;
    bool phone = pending->flags & PENDING_PHONE_VERIFIED;
    if (config.verify == VERIFY_ADMIN && !(pending->flags & PENDING_OF_ACCOUNT)) {
        pending->channel = PENDING_ADMIN;
        return STAGE_CODE;
    }
    if (pending->email.len > 0 && !email) {
        pending->channel = PENDING_EMAIL;
        return STAGE_CODE;
    }
    if (pending->phone.len > 0 && !phone) {
        pending->channel = PENDING_PHONE;
        return STAGE_CODE;
    }
    return email || phone ? STAGE_DETAILS : STAGE_ADDRESS;
}

/* --- codes --- */

/* REG-18b. The code in two halves: easier to read aloud. */
static bool notice_code(struct server *server, const struct pending *pending,
                        const char code[CODE_CHARS])
{
    struct build build;
    build_init(&build, &server->arena, NOTICE_TEXT_BYTES);
    build_put(&build, pending->local);
    build_str(&build, " asks for an account");
    if (pending->reason.len > 0) {
        build_str(&build, ": ");
        build_put(&build, pending->reason);
    }
    build_str(&build, ". Code ");
    build_put(&build, span_of(code, CODE_CHARS / 2));
    build_str(&build, " ");
    build_put(&build, span_of(code + CODE_CHARS / 2, CODE_CHARS / 2));
    /* In quotes, which no name contains: what is copied into a shell is no more than a name. */
    build_str(&build, ", valid 1 h; approve or refuse by the command kith pending approve '");
    build_put(&build, pending->local);
    build_str(&build, "' or kith pending refuse '");
    build_put(&build, pending->local);
    build_str(&build, "'.");
    bool told = !build.full && notice_admins(server, build_span(&build)) > 0;
    if (build.bytes != NULL)
        secret_forget(build.bytes, build.used);
    return told;
}

static bool code_leaves(struct server *server, const struct pending *pending,
                        const char code[CODE_CHARS])
{
    if (pending->channel == PENDING_ADMIN)
        return notice_code(server, pending, code);
    return errand_code(server, (enum pending_channel)pending->channel,
                       pending->channel == PENDING_EMAIL ? pending->email : pending->phone,
                       span_of(code, CODE_CHARS));
}

/* Writes the record with a new code in it, and sends that. Where it cannot be sent the record stays
 * (REG-18), and another may be asked for at once. */
static void code_send(struct turn *turn, struct pending *pending, struct outcome *outcome)
{
    struct server *server = turn->server;
    char code[CODE_CHARS];
    uint64_t seconds = pending->channel == PENDING_ADMIN ? PENDING_SECONDS : CODE_SECONDS;
    code_make(code);
    code_hash(span_of(code, CODE_CHARS), pending->local, pending->handle_hash, pending->code_hash);
    pending->tries_left = CODE_TRIES_MAX;
    pending->code_sent_us = server->wall_us;
    pending->code_expires_us = server->wall_us + seconds * SECOND_US;
    enum store_outcome put = pending_put(server->store, pending);
    if (put == STORE_OK && !code_leaves(server, pending, code)) {
        pending->code_sent_us = 0;
        pending->code_expires_us = 0;
        put = pending_put(server->store, pending);
        outcome_refuse(outcome, REASON_NOT_SENT);
    } else if (put == STORE_OK) {
        limit_note_code(turn, pending);
        outcome->verdict = VERDICT_STAGE;
    }
    if (put != STORE_OK)
        outcome_refuse_store(outcome, put);
    secret_forget(code, sizeof code);
}

/* REG-17: not within a minute. false: refused, nothing changed. */
static bool code_is_due(struct turn *turn, const struct pending *pending, struct outcome *outcome)
{
    uint64_t now_us = turn->server->wall_us;
    uint64_t due_us = pending->code_sent_us + (uint64_t)CODE_PAUSE_SECONDS * SECOND_US;
    if (pending->code_sent_us > 0 && pending->code_sent_us <= now_us && now_us < due_us) {
        outcome->verdict = VERDICT_REFUSED;
        outcome->refusal = refusal_wait(
            REASON_TOO_SOON, (due_us - now_us + SECOND_US - 1) / SECOND_US, &turn->server->arena);
        return false;
    }
    if (!limit_code(turn, &outcome->refusal) ||
        !limit_destination(turn, pending, &outcome->refusal)) {
        outcome->verdict = VERDICT_REFUSED;
        return false;
    }
    return true;
}

/* --- from stage to stage --- */

static void stage_enter(struct turn *turn, struct pending *pending, enum stage stage,
                        struct outcome *outcome)
{
    struct server *server = turn->server;
    pending->stage = (uint8_t)stage;
    pending->expires_us = server->wall_us + (uint64_t)PENDING_SECONDS * SECOND_US;
    if (!store_has_room(server->store, STAGE_BYTES)) {
        outcome_refuse(outcome, REASON_FULL);
        return;
    }
    if (stage == STAGE_CODE) {
        code_send(turn, pending, outcome);
        return;
    }
    enum store_outcome put = pending_put(server->store, pending);
    if (put == STORE_OK)
        outcome->verdict = VERDICT_STAGE;
    else
        outcome_refuse_store(outcome, put);
}

/* An admin was faster: nothing is left to wait for. */
static void pending_drop(struct turn *turn, const struct pending *pending, struct outcome *outcome)
{
    enum store_outcome gone = pending_delete(turn->server->store, pending->local);
    outcome_refuse(outcome, gone == STORE_FAILED ? REASON_FAILED : REASON_TAKEN);
}

static void stage_finish(struct turn *turn, const struct pending *pending, struct outcome *outcome)
{
    switch (registration_complete(turn->server, pending)) {
    case COMPLETION_DONE:
        if (!(pending->flags & PENDING_OF_ACCOUNT)) {
            if (!(pending->flags & PENDING_INVITED))
                limit_note_account(turn);
            turn->session->registering.done = true;
        }
        outcome->verdict = VERDICT_COMPLETE;
        outcome->local = pending->local;
        outcome->name_changed = pending->flags & PENDING_NAME_CHANGED ||
                                !(pending->flags & (PENDING_NAME_GIVEN | PENDING_OF_ACCOUNT));
        return;
    case COMPLETION_TAKEN:
        pending_drop(turn, pending, outcome);
        return;
    case COMPLETION_ID_TAKEN:
        outcome_refuse(outcome, REASON_TAKEN);
        return;
    case COMPLETION_INVITE_USED:
        outcome_refuse(outcome, REASON_INVITE_USED);
        return;
    case COMPLETION_FULL:
        outcome_refuse(outcome, REASON_FULL);
        return;
    default:
        outcome_refuse(outcome, REASON_FAILED);
        return;
    }
}

void stage_begin(struct turn *turn, struct pending *pending, bool verify, struct outcome *outcome)
{
    struct server *server = turn->server;
    char *handle = arena_take(&server->arena, TOKEN_CHARS);
    if (!verify) {
        stage_finish(turn, pending, outcome);
        return;
    }
    if (handle == NULL) {
        outcome_refuse(outcome, REASON_FULL);
        return;
    }
    /* Expired ones do not stand in the way of a new one. */
    if (pending_sweep(server->store, server->wall_us, SWEPT_MAX) == STORE_FAILED) {
        outcome_refuse(outcome, REASON_FAILED);
        return;
    }
    pending->sends_left = CODE_SENDS_MAX;
    enum stage stage = stage_after(pending);
    if (stage == STAGE_CODE && !code_is_due(turn, pending, outcome))
        return;
    token_make(handle);
    outcome->handle = span_of(handle, TOKEN_CHARS);
    token_hash(outcome->handle, pending->handle_hash);
    stage_enter(turn, pending, stage, outcome);
}

/* A right code. */
static void stage_passed(struct turn *turn, struct pending *pending, struct outcome *outcome)
{
    bool taken;
    if (pending->channel == PENDING_ADMIN) {
        stage_finish(turn, pending, outcome);
        return;
    }
    pending->flags |=
        pending->channel == PENDING_EMAIL ? PENDING_EMAIL_VERIFIED : PENDING_PHONE_VERIFIED;
    if (addresses_taken(turn->server->store, pending, pending->flags, &taken) != STORE_OK) {
        outcome_refuse(outcome, REASON_FAILED);
        return;
    }
    if (taken) { /* 4.12: who verifies first has it */
        outcome_refuse(outcome, REASON_TAKEN);
        return;
    }
    enum stage stage = stage_after(pending);
    if (stage == STAGE_DETAILS)
        stage_finish(turn, pending, outcome);
    else if (limit_destination(turn, pending, &outcome->refusal))
        stage_enter(turn, pending, stage, outcome);
    else
        outcome->verdict = VERDICT_REFUSED; /* the code stays good */
}

/* --- what a peer may say in a stage --- */

static void code_check(struct turn *turn, struct pending *pending, struct span code,
                       struct outcome *outcome)
{
    uint8_t hash[TOKEN_HASH_BYTES];
    outcome->with_stage = true; /* REG-20 */
    if (pending->tries_left == 0) {
        outcome_refuse(outcome, REASON_NO_TRIES);
        return;
    }
    if (pending->code_expires_us <= turn->server->wall_us) {
        outcome_refuse(outcome, REASON_CODE_EXPIRED);
        return;
    }
    code_hash(code, pending->local, pending->handle_hash, hash);
    if (code.len == CODE_CHARS &&
        span_equal_secret(span_of((char *)hash, sizeof hash),
                          span_of((char *)pending->code_hash, sizeof pending->code_hash))) {
        outcome->with_stage = false;
        stage_passed(turn, pending, outcome);
        return;
    }
    pending->tries_left--;
    enum store_outcome put = pending_put(turn->server->store, pending);
    if (put != STORE_OK) {
        outcome_refuse_store(outcome, put);
    } else if (pending->tries_left == 0) {
        outcome_refuse(outcome, REASON_NO_TRIES);
    } else {
        outcome->verdict = VERDICT_REFUSED;
        outcome->refusal = refusal_tries(pending->tries_left, &turn->server->arena);
    }
}

static void code_again(struct turn *turn, struct pending *pending, struct outcome *outcome)
{
    if (pending->sends_left == 0) {
        uint64_t left_us = pending->expires_us - turn->server->wall_us;
        outcome->verdict = VERDICT_REFUSED;
        outcome->refusal = refusal_wait(REASON_NO_SENDS, (left_us + SECOND_US - 1) / SECOND_US,
                                        &turn->server->arena);
        return;
    }
    if (!code_is_due(turn, pending, outcome))
        return;
    if (!store_has_room(turn->server->store, STAGE_BYTES)) {
        outcome_refuse(outcome, REASON_FULL);
        return;
    }
    pending->sends_left--;
    code_send(turn, pending, outcome);
}

/* Whether `said` puts another value in the place of one that is not verified. */
static bool changes(struct span said, struct span kept, bool verified)
{
    return said.len > 0 && !verified && !span_equal(said, kept);
}

/* Where the code that is waited for went is still the same. */
static bool same_channel(const struct pending *pending, const struct pending *changed)
{
    return pending->stage == STAGE_CODE && pending->channel == changed->channel &&
           (pending->channel == PENDING_EMAIL ? span_equal(pending->email, changed->email)
                                              : span_equal(pending->phone, changed->phone));
}

/* Another address: a code goes there. */
static void address_take(struct turn *turn, struct pending *pending, struct pending *changed,
                         struct outcome *outcome)
{
    enum stage stage = stage_after(changed);
    must(stage == STAGE_CODE);
    if (pending->stage == STAGE_ADDRESS) {
        if (code_is_due(turn, pending, outcome))
            stage_enter(turn, changed, stage, outcome);
    } else if (!same_channel(pending, changed)) {
        code_again(turn, changed, outcome);
    } else if (!store_has_room(turn->server->store, STAGE_BYTES)) {
        outcome_refuse(outcome, REASON_FULL);
    } else { /* the other kind, for the stage after this one */
        enum store_outcome put = pending_put(turn->server->store, changed);
        outcome->verdict = VERDICT_STAGE;
        if (put != STORE_OK)
            outcome_refuse_store(outcome, put);
    }
    *pending = *changed;
}

/* REG-23, and the answer to STAGE_ADDRESS. false: nothing new was said. */
static bool address_change(struct turn *turn, struct pending *pending, const struct step *step,
                           struct outcome *outcome)
{
    struct pending changed = *pending;
    bool taken;
    if (changes(step->email, pending->email, pending->flags & PENDING_EMAIL_VERIFIED))
        changed.email = step->email;
    if (changes(step->phone, pending->phone, pending->flags & PENDING_PHONE_VERIFIED))
        changed.phone = step->phone;
    if (span_equal(changed.email, pending->email) && span_equal(changed.phone, pending->phone))
        return false;
    if (!limit_set(turn, &outcome->refusal)) /* nobody tries out whose addresses are known here */
        outcome->verdict = VERDICT_REFUSED;
    else if (addresses_taken(turn->server->store, &changed,
                             PENDING_EMAIL_VERIFIED | PENDING_PHONE_VERIFIED, &taken) != STORE_OK)
        outcome_refuse(outcome, REASON_FAILED);
    else if (taken)
        outcome_refuse(outcome, REASON_TAKEN);
    else
        address_take(turn, pending, &changed, outcome);
    return true;
}

/* D3: the stage is shown again; who comes back without a code gets a new one, if it is time. */
static void stage_show(struct turn *turn, struct pending *pending, struct outcome *outcome)
{
    struct outcome sent = {0};
    outcome->verdict = VERDICT_STAGE;
    if (pending->stage != STAGE_CODE || pending->sends_left == 0 ||
        !code_is_due(turn, pending, &sent))
        return;
    code_again(turn, pending, outcome);
}

/* Whether an account of that name was made meanwhile; the peer is told (4.3). */
static bool name_lost(struct turn *turn, const struct pending *pending, struct outcome *outcome)
{
    struct account account;
    if (pending->flags & PENDING_OF_ACCOUNT)
        return false;
    enum store_outcome found = account_get(turn->server->store, pending->local, &account);
    if (found == STORE_OK)
        pending_drop(turn, pending, outcome);
    else if (found != STORE_NONE)
        outcome_refuse_store(outcome, found);
    secret_forget(&account, sizeof account);
    return found != STORE_NONE;
}

void stage_step(struct turn *turn, struct pending *pending, const struct step *step,
                struct outcome *outcome)
{
    outcome->handle = step->handle;
    if (name_lost(turn, pending, outcome) || address_change(turn, pending, step, outcome))
        return;
    if (pending->stage == STAGE_CODE && step->resend) {
        code_again(turn, pending, outcome);
    } else if (pending->stage == STAGE_CODE && step->code.bytes != NULL) {
        code_check(turn, pending, step->code, outcome);
    } else if (step->again) {
        stage_show(turn, pending, outcome);
    } else {
        outcome_refuse(outcome, pending->stage == STAGE_CODE ? REASON_NO_CODE : REASON_NO_ADDRESS);
        outcome->with_stage = true;
    }
}
