/* registration_details.c: the first stage: who may register, what they filled in, in the order of
 * REG-9, and what becomes of it once the keys are derived. A password is nowhere but in the arena
 * until derivation_begin has taken it. */
#include "core/invitation.h"
#include "core/password.h"
#include "core/sasl.h"
#include "core/username.h"
#include "features/registration_parts.h"
#include "wire/jid.h"
#include "wire/uri.h"

/* What was filled in at the first stage, prepared. */
struct details {
    struct span local;
    struct span password;
    struct span email, phone; /* bytes NULL: none, or not asked for */
    bool name_given;
    bool name_changed;
    bool resume_only;
};

static bool because(struct refusal *refusal, enum reason reason)
{
    *refusal = refusal_of(reason);
    return false;
}

/* --- REG-9, 1 to 8; false: refused --- */

/* 1. Where the invited are verified too, one may have to be let in without a token once more to
 * finish (4.5): then all are, as far as to the proof. */
static bool admit(struct turn *turn, const struct answers *answers, struct details *details,
                  struct refusal *refusal)
{
    const struct registering *registering = &turn->session->registering;
    bool needed =
        config.registration == REGISTRATION_INVITE || config.registration == REGISTRATION_REDIRECT;
    if (needed && !registering->invited && answers->token.len > 0 &&
        !token_accept(turn, answers->token))
        return because(refusal, REASON_BAD_TOKEN);
    if (!registration_shut(turn, registering->invited, refusal))
        return true;
    details->resume_only = needed && registration_verifies(turn->session);
    return details->resume_only;
}

static bool ids_missing(const struct answers *answers)
{
    bool email = answers->email.len > 0, phone = answers->phone.len > 0;
    return config.verify == VERIFY_EMAIL    ? !email
           : config.verify == VERIFY_PHONE  ? !phone
           : config.verify == VERIFY_EITHER ? !email && !phone
                                            : false;
}

/* 4. A code stands for the addresses: they are known from the first time (D1). */
static bool fields_there(struct turn *turn, const struct answers *answers)
{
    bool verifies = registration_verifies(turn->session);
    bool nameless = config.allow_no_username && answers->face != FACE_FIELDS && verifies &&
                    config.verify != VERIFY_ADMIN && !ids_missing(answers); /* REG-25 */
    if (answers->password.len == 0 || (answers->username.len == 0 && !nameless))
        return false;
    return !verifies || !config.verify_strict || answers->code.len > 0 || !ids_missing(answers);
}

/* 5, and INV-21. */
static bool username_check(struct turn *turn, struct span typed, struct details *details,
                           struct refusal *refusal)
{
    const struct registering *registering = &turn->session->registering;
    struct invite invite;
    if (!username_prepare(typed, &turn->server->arena, &details->local))
        return because(refusal, REASON_BAD_USERNAME);
    if (registering->invited &&
        invite_get(turn->server->store, registering->invite_hash, &invite) == STORE_OK &&
        invite.username.len > 0 && !span_equal(invite.username, details->local))
        return because(refusal, REASON_OTHER_USERNAME);
    return true;
}

/* REG-25: the name is made of the first address that will be verified. */
static bool username_of_id(struct turn *turn, struct details *details, struct refusal *refusal)
{
    struct span text = details->email.bytes != NULL ? details->email : details->phone;
    struct span escaped;
    if (!uri_escape_local(text, &turn->server->arena, &escaped))
        return because(refusal, REASON_BAD_USERNAME);
    return username_check(turn, escaped, details, refusal);
}

/* 8. The forms of later stages have no question, and may be answered by name and password (4.4 D1):
 * that is known when the proof is seen. */
static bool captcha_check(struct turn *turn, const struct answers *answers, struct details *details)
{
    if (!captcha_asked(turn->session) || captcha_solved(turn->server, answers))
        return true;
    details->resume_only = registration_verifies(turn->session) && answers->challenge.len == 0;
    return details->resume_only;
}

static bool details_check(struct turn *turn, const struct answers *answers, struct details *details,
                          struct refusal *refusal)
{
    bool verifies = registration_verifies(turn->session);
    if (!admit(turn, answers, details, refusal) || !limit_set(turn, refusal))
        return false;
    /* Who is verified may come back to finish: that is asked when the proof is seen. */
    if (!verifies && !limit_accounts(turn, refusal))
        return false;
    if (answers->malformed)
        return because(refusal, REASON_MALFORMED);
    if (!fields_there(turn, answers))
        return because(refusal, REASON_FIELD_MISSING);
    details->name_given = answers->username.len > 0;
    if (details->name_given && !username_check(turn, answers->username, details, refusal))
        return false;
    if (!password_prepare(answers->password, &turn->server->arena, &details->password))
        return because(refusal, REASON_WEAK_PASSWORD);
    if (verifies && !ids_prepare(turn, answers, &details->email, &details->phone, false, refusal))
        return false;
    if (!details->name_given && !username_of_id(turn, details, refusal))
        return false;
    if (!captcha_check(turn, answers, details))
        return because(refusal, REASON_CAPTCHA);
    details->name_changed = !details->name_given || !span_equal(details->local, answers->username);
    return true;
}

/* --- what is kept while the keys are derived --- */

static uint8_t keep(char *out, size_t max, struct span text)
{
    size_t len = span_fit(text, max);
    if (len > 0)
        memcpy(out, text.bytes, len);
    return (uint8_t)len;
}

static bool is_live(const struct server *server, const struct pending *pending)
{
    return pending->expires_us > server->wall_us && !(pending->flags & PENDING_OF_ACCOUNT);
}

/* That of a pending registration of this name, so that its keys can be compared. false: the store
 * failed. */
static bool salt_choose(struct server *server, struct application *application)
{
    struct pending pending;
    enum store_outcome outcome =
        pending_get(server->store, span_of(application->local, application->local_len), &pending);
    application->iterations = config.sasl_iterations;
    sasl_salt(server->store, span_of(application->local, application->local_len),
              application->salt);
    if (outcome == STORE_OK && is_live(server, &pending)) {
        application->iterations = pending.iterations;
        memcpy(application->salt, pending.salt, sizeof application->salt);
    }
    return outcome == STORE_OK || outcome == STORE_NONE;
}

static void application_fill(struct application *application, const struct answers *answers,
                             const struct details *details)
{
    application->face = answers->face;
    application->knows_stages = answers->knows_stages;
    application->name_given = details->name_given;
    application->name_changed = details->name_changed;
    application->resume_only = details->resume_only;
    application->resend = answers->resend;
    application->local_len = keep(application->local, sizeof application->local, details->local);
    application->email_len = keep(application->email, sizeof application->email, details->email);
    application->phone_len = keep(application->phone, sizeof application->phone, details->phone);
    application->reason_len =
        keep(application->reason, sizeof application->reason, answers->reason);
    if (answers->code.len > 0 && code_read(answers->code, application->code))
        application->code_len = CODE_CHARS;
    application->code_malformed = answers->code.len > 0 && application->code_len == 0;
}

/* --- the keys are derived --- */

static struct span said(const char *bytes, size_t len)
{
    return len > 0 ? span_of(bytes, len) : SPAN_NONE;
}

static struct pending pending_of(const struct server *server, const struct session *session)
{
    const struct application *application = session->application;
    struct pending pending = {
        .local = span_of(application->local, application->local_len),
        .made_us = server->wall_us,
        .iterations = application->iterations,
        .email = span_of(application->email, application->email_len),
        .phone = span_of(application->phone, application->phone_len),
        .reason = span_of(application->reason, application->reason_len),
    };
    if (application->name_given)
        pending.flags |= PENDING_NAME_GIVEN;
    if (application->name_changed)
        pending.flags |= PENDING_NAME_CHANGED;
    if (session->registering.invited) {
        pending.flags |= PENDING_INVITED;
        memcpy(pending.invite_hash, session->registering.invite_hash, sizeof pending.invite_hash);
    }
    memcpy(pending.salt, application->salt, sizeof pending.salt);
    memcpy(pending.address, session->address.address, sizeof pending.address);
    scram_keys_of(DIGEST_SHA1, application->derivation.derives[0].out, &pending.sha1);
    scram_keys_of(DIGEST_SHA256, application->derivation.derives[1].out, &pending.sha256);
    return pending;
}

/* 4.5, proof 3. */
static bool proves(const struct pending *made, const struct pending *kept)
{
    return span_equal_secret(
        span_of((const char *)made->sha256.stored_key, sizeof made->sha256.stored_key),
        span_of((const char *)kept->sha256.stored_key, sizeof kept->sha256.stored_key));
}

/* REG-9, 9 and 10, of a new one. own: the pending registration of that name is the peer's. false:
 * refused. */
static bool fresh_check(struct turn *turn, const struct pending *pending, bool own, bool verify,
                        struct outcome *outcome)
{
    struct server *server = turn->server;
    bool taken = false;
    const uint8_t *invite_hash = pending->flags & PENDING_INVITED ? pending->invite_hash : NULL;
    enum username_fate fate =
        username_look(server->store, pending->local, server->wall_us, invite_hash, own);
    if (fate == USERNAME_FAILED ||
        addresses_taken(server->store, pending, PENDING_EMAIL_VERIFIED | PENDING_PHONE_VERIFIED,
                        &taken) != STORE_OK) {
        outcome_refuse(outcome, REASON_FAILED);
        return false;
    }
    if (fate == USERNAME_TAKEN || taken) {
        outcome_refuse(outcome, REASON_TAKEN);
        return false;
    }
    outcome->verdict = VERDICT_REFUSED;
    return limit_accounts(turn, &outcome->refusal) &&
           (!verify || limit_pending(turn, &outcome->refusal));
}

static void details_resume(struct turn *turn, struct pending *pending, struct outcome *outcome)
{
    const struct application *application = turn->session->application;
    struct step step = {
        .email = said(application->email, application->email_len),
        .phone = said(application->phone, application->phone_len),
        .code = said(application->code, application->code_len),
        .resend = application->resend,
        .again = true,
    };
    if (application->code_malformed)
        step.code = SPAN("");
    if (pending_keep(pending, &turn->server->arena))
        stage_step(turn, pending, &step, outcome);
    else
        outcome_refuse(outcome, REASON_FULL);
}

/* A code, or nothing, without the addresses: only for one that is known already. */
static bool lacks_ids(const struct application *application)
{
    return config.verify_strict && config.verify != VERIFY_ADMIN && application->email_len == 0 &&
           application->phone_len == 0;
}

/* kept: room for the record that the outcome will borrow. */
static void details_decide(struct turn *turn, struct pending *kept, struct outcome *outcome)
{
    struct server *server = turn->server;
    const struct application *application = turn->session->application;
    struct pending made = pending_of(server, turn->session);
    enum store_outcome found = pending_get(server->store, made.local, kept);
    bool own = found == STORE_OK && is_live(server, kept) && proves(&made, kept);
    bool verify = registration_verifies(turn->session);
    outcome->pending = kept;
    if (found != STORE_OK && found != STORE_NONE) {
        outcome_refuse_store(outcome, found);
    } else if (own && verify) {
        details_resume(turn, kept, outcome);
    } else if (application->resume_only) {
        outcome_refuse(outcome, REASON_CAPTCHA);
        (void)registration_shut(turn, false, &outcome->refusal);
    } else if (verify && lacks_ids(application)) {
        outcome_refuse(outcome, REASON_FIELD_MISSING);
    } else if (fresh_check(turn, &made, own, verify, outcome)) {
        *kept = made; /* an invitation that came later makes the code needless (REG-3) */
        stage_begin(turn, kept, verify, outcome);
    }
    secret_forget(&made.sha1, sizeof made.sha1);
    secret_forget(&made.sha256, sizeof made.sha256);
}

static void details_derived(struct server *server, struct session *session)
{
    const struct application *application = session->application;
    size_t mark = server->arena.used;
    struct outcome outcome = {0};
    struct pending pending;
    struct turn turn;
    if (session->phase == PHASE_OPEN) {
        application_turn(server, session, &turn);
        details_decide(&turn, &pending, &outcome);
        registration_answer(&turn, application->face, application->knows_stages, &outcome);
    }
    application_return(server, session);
    arena_reset(&server->arena, mark);
}

void details_set(struct turn *turn, const struct answers *answers)
{
    static const enum digest digests[] = {DIGEST_SHA1, DIGEST_SHA256};
    struct server *server = turn->server;
    struct session *session = turn->session;
    struct details details = {0};
    struct refusal refusal;
    if (!details_check(turn, answers, &details, &refusal)) {
        answer_refusal(turn, answers, &refusal);
        return;
    }
    struct application *application = application_take(turn);
    if (application == NULL) {
        refusal = refusal_of(REASON_FULL);
        answer_refusal(turn, answers, &refusal);
        return;
    }
    application_fill(application, answers, &details);
    if (!salt_choose(server, application)) {
        application_return(server, session);
        refusal = refusal_of(REASON_FAILED);
        answer_refusal(turn, answers, &refusal);
        return;
    }
    derivation_begin(server, session, &application->derivation, digests, 2, details.password,
                     span_of((const char *)application->salt, sizeof application->salt),
                     application->iterations, details_derived);
    secret_forget((char *)details.password.bytes, details.password.len); /* REG-13 */
}
