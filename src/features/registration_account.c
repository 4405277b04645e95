/* registration_account.c: see registration_account.h. Verifying an address is the engine's
 * (registration.h); its pending record is known by the account alone, so an account has one.
 * A request is never echoed, since there may be a password in it. */
#include "features/registration_account.h"

#include "base/log.h"
#include "base/must.h"
#include "core/access.h"
#include "core/password.h"
#include "core/stream.h"
#include "core/username.h"
#include "features/registration_parts.h"
#include "store/forget.h"
#include "store/logins.h"
#include "wire/names.h"

#define ANSWER_BYTES_MAX 4096
/* What a changed record may add to the store. */
#define RECORD_ROOM 4096

static void refuse(struct turn *turn, enum stanza_error error)
{
    struct refusal refusal = {.error = error, .code = true};
    reply_refusal(turn, &refusal);
}

static void refuse_store(struct turn *turn, enum store_outcome outcome)
{
    refuse(turn, store_error(outcome));
}

static void refuse_because(struct turn *turn, enum reason reason)
{
    struct refusal refusal = refusal_of(reason);
    reply_refusal(turn, &refusal);
}

static bool of_other_account(const struct turn *turn)
{
    return jid_present(&turn->to) && turn->to.local_len > 0 && !access_own(turn);
}

/* --- get --- */

/* The address under way, if there is one. */
static enum store_outcome pending_own(struct turn *turn, struct pending *pending)
{
    struct server *server = turn->server;
    enum store_outcome outcome =
        pending_get(server->store, jid_local(&turn->session->jid), pending);
    bool live = outcome == STORE_OK && (pending->flags & PENDING_OF_ACCOUNT) &&
                pending->expires_us > server->wall_us;
    return outcome == STORE_OK && !live ? STORE_NONE : outcome;
}

/* The first one of that kind; bytes NULL: there is none. false: the store failed. */
static bool address_of(struct turn *turn, enum id_kind wanted, struct span *value)
{
    enum id_kind kind = wanted;
    enum store_outcome outcome;
    unsigned n = 0;
    do
        outcome = id_of(turn->server->store, jid_local(&turn->session->jid), n++, &kind, value);
    while (outcome == STORE_OK && kind != wanted);
    if (outcome != STORE_OK)
        *value = SPAN_NONE;
    return outcome == STORE_OK || outcome == STORE_NONE;
}

/* The verified address, or an empty field where one can be verified. */
static bool address_build(struct turn *turn, struct build *build, enum id_kind kind,
                          const char *name)
{
    struct span value;
    if (!address_of(turn, kind, &value))
        return false;
    if (value.bytes == NULL && !stage_verifies(kind))
        return true;
    build_str(build, "<");
    build_str(build, name);
    build_str(build, ">");
    build_text(build, value);
    build_str(build, "</");
    build_str(build, name);
    build_str(build, ">");
    return true;
}

/* REG-29; in the order of the schema (XEP-0077 14.1). */
static bool query_build(struct turn *turn, struct build *build)
{
    build_str(build, "<query xmlns='" NS_REGISTER "'><registered/>");
    if (config.verify == VERIFY_PHONE)
        build_str(build, "<instructions>We will send you a code to verify your phone number."
                         "</instructions>");
    else if (stage_verifies(ID_PHONE))
        build_str(build, "<instructions>We will send you a code to verify your e-mail address or "
                         "phone number.</instructions>");
    else if (stage_verifies(ID_EMAIL))
        build_str(build, "<instructions>We will send you a code to verify your e-mail address."
                         "</instructions>");
    build_str(build, "<username>");
    build_text(build, jid_local(&turn->session->jid));
    build_str(build, "</username><password/>");
    bool read = address_build(turn, build, ID_EMAIL, "email") &&
                address_build(turn, build, ID_PHONE, "phone");
    build_str(build, "</query>");
    return read;
}

void account_get_request(struct turn *turn)
{
    struct outcome outcome = {.verdict = VERDICT_STAGE};
    struct pending pending;
    struct build build;
    if (of_other_account(turn)) {
        refuse(turn, ERROR_SERVICE_UNAVAILABLE); /* DL-2: the same whether it exists or not */
        return;
    }
    enum store_outcome found = pending_own(turn, &pending);
    if (found == STORE_OK) {
        outcome.pending = &pending;
        registration_iq_answer(turn, FACE_ACCOUNT, true, &outcome);
        return;
    }
    build_init(&build, &turn->server->arena, ANSWER_BYTES_MAX);
    if (found != STORE_NONE || !query_build(turn, &build))
        refuse(turn, ERROR_INTERNAL_SERVER_ERROR);
    else if (build.full)
        refuse(turn, ERROR_RESOURCE_CONSTRAINT);
    else
        reply_result(turn, build_span(&build));
}

/* --- a new password --- */

static enum store_outcome keys_put(struct server *server, struct span local,
                                   const struct application *application)
{
    struct account account;
    enum store_outcome outcome = account_get(server->store, local, &account);
    if (outcome != STORE_OK)
        return outcome;
    if (!store_has_room(server->store, RECORD_ROOM))
        return STORE_FULL;
    account.iterations = application->iterations;
    memcpy(account.salt, application->salt, sizeof account.salt);
    scram_keys_of(DIGEST_SHA1, application->derivation.derives[0].out, &account.sha1);
    scram_keys_of(DIGEST_SHA256, application->derivation.derives[1].out, &account.sha256);
    outcome = login_forget(server->store, local); /* S2-7 */
    if (outcome == STORE_OK)
        outcome = account_put(server->store, local, &account, true);
    secret_forget(&account, sizeof account);
    return outcome;
}

static void password_derived(struct server *server, struct session *session)
{
    struct turn turn;
    application_turn(server, session, &turn);
    if (session->application->to_self)
        turn.to = (struct jid){0};
    if (session->phase == PHASE_OPEN) { /* else the name may be somebody else's by now */
        enum store_outcome outcome =
            keys_put(server, jid_local(&session->jid), session->application);
        if (outcome == STORE_OK)
            reply_result(&turn, SPAN_NONE);
        else
            refuse_store(&turn, outcome);
    }
    application_return(server, session);
}

/* REG-28. Other sessions stay: whoever has them logged in with the old one. */
static void password_set(struct turn *turn, struct span typed)
{
    static const enum digest digests[] = {DIGEST_SHA1, DIGEST_SHA256};
    struct server *server = turn->server;
    struct span password;
    struct refusal refusal;
    must(stream_may_login(turn->session)); /* never over plain text: nobody logs in there */
    if (!config.password_change) {
        refuse(turn, ERROR_NOT_ALLOWED);
        return;
    }
    if (!password_prepare(typed, &server->arena, &password)) {
        refuse_because(turn, REASON_WEAK_PASSWORD);
        return;
    }
    if (!limit_password(turn, &refusal)) {
        secret_forget((char *)password.bytes, password.len);
        reply_refusal(turn, &refusal);
        return;
    }
    struct application *application = application_take(turn);
    if (application == NULL) {
        refuse(turn, ERROR_RESOURCE_CONSTRAINT);
    } else {
        application->face = FACE_ACCOUNT;
        application->to_self = !jid_present(&turn->to) || turn->to.local_len > 0;
        application->iterations = config.sasl_iterations;
        plat_random(application->salt, sizeof application->salt);
        derivation_begin(server, turn->session, &application->derivation, digests, 2, password,
                         span_of((const char *)application->salt, sizeof application->salt),
                         application->iterations, password_derived);
    }
    secret_forget((char *)password.bytes, password.len);
}

/* --- removal --- */

/* REG-30. */
static void account_remove(struct turn *turn)
{
    struct server *server = turn->server;
    struct span local = jid_local(&turn->session->jid);
    if (of_other_account(turn)) {
        refuse(turn, ERROR_FORBIDDEN);
        return;
    }
    if (stanza_children(turn->stanza, turn->child) != 1) {
        refuse(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (!config.account_removal) {
        refuse(turn, ERROR_NOT_ALLOWED);
        return;
    }
    enum store_outcome outcome = account_forget(server->store, local, server->wall_us);
    if (outcome != STORE_OK) {
        refuse_store(turn, outcome);
        return;
    }
    log_line(LOG_NOTE, "'%.*s' has deleted the account", (int)local.len, local.bytes);
    reply_result(turn, SPAN_NONE);
    stream_end_account(server, local, STREAM_NOT_AUTHORIZED);
    server->reap_ms = 0; /* its contacts are told: subscription_reap */
}

/* --- an address is given up --- */

/* Its field came empty. */
static bool is_empty(struct span typed)
{
    return typed.bytes != NULL && typed.len == 0;
}

/* Whether the account has a verified address of that kind, and keeps it. false: the store failed.
 */
static bool address_stays(struct turn *turn, enum id_kind kind, struct span typed, bool *stays)
{
    struct span value;
    bool read = address_of(turn, kind, &value);
    *stays = value.bytes != NULL && !is_empty(typed);
    return read;
}

/* All of that kind. */
static enum store_outcome address_remove(struct turn *turn, enum id_kind kind)
{
    struct store *store = turn->server->store;
    struct span local = jid_local(&turn->session->jid), value;
    enum store_outcome outcome = STORE_OK;
    enum id_kind found;
    unsigned n = 0;
    while (outcome == STORE_OK && (outcome = id_of(store, local, n, &found, &value)) == STORE_OK)
        if (found == kind)
            outcome = id_delete(store, kind, value);
        else
            n++;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* Not where everybody must have one. */
static void addresses_remove(struct turn *turn, const struct answers *answers)
{
    bool email, phone;
    bool needed = config.verify_strict && (stage_verifies(ID_EMAIL) || stage_verifies(ID_PHONE));
    if (!address_stays(turn, ID_EMAIL, answers->email, &email) ||
        !address_stays(turn, ID_PHONE, answers->phone, &phone)) {
        refuse(turn, ERROR_INTERNAL_SERVER_ERROR);
        return;
    }
    if (needed && !(stage_verifies(ID_EMAIL) && email) && !(stage_verifies(ID_PHONE) && phone)) {
        refuse_because(turn, REASON_FIELD_MISSING);
        return;
    }
    enum store_outcome outcome = STORE_OK;
    if (is_empty(answers->email))
        outcome = address_remove(turn, ID_EMAIL);
    if (outcome == STORE_OK && is_empty(answers->phone))
        outcome = address_remove(turn, ID_PHONE);
    if (outcome == STORE_OK)
        reply_result(turn, SPAN_NONE);
    else
        refuse_store(turn, outcome);
}

/* --- set --- */

/* An address of a kind that nobody can be sent a code to cannot be verified. */
static bool can_verify(const struct answers *answers)
{
    return (answers->email.len == 0 || stage_verifies(ID_EMAIL)) &&
           (answers->phone.len == 0 || stage_verifies(ID_PHONE));
}

static bool is_own_name(struct turn *turn, struct span typed)
{
    struct span own = jid_local(&turn->session->jid), local;
    return typed.len == 0 || span_equal(typed, own) ||
           (username_prepare(typed, &turn->server->arena, &local) && span_equal(local, own));
}

void account_set_request(struct turn *turn)
{
    struct answers answers;
    if (stanza_child(turn->stanza, turn->child, NS_REGISTER, "remove") != NULL) {
        account_remove(turn);
        return;
    }
    if (of_other_account(turn)) {
        refuse(turn, ERROR_SERVICE_UNAVAILABLE);
        return;
    }
    answers_read(turn, &answers);
    answers.face = FACE_ACCOUNT;
    bool address = answers.email.len + answers.phone.len > 0;
    bool code = answers.code.bytes != NULL || answers.handle.len > 0 || answers.resend;
    bool removes =
        answers.password.bytes == NULL && (is_empty(answers.email) || is_empty(answers.phone));
    if (answers.cancel)
        registration_set(turn, &answers);
    else if (answers.malformed)
        refuse(turn, ERROR_BAD_REQUEST);
    else if (!is_own_name(turn, answers.username)) /* REG-31 */
        refuse(turn, ERROR_NOT_ALLOWED);
    else if (answers.password.len > 0)
        password_set(turn, answers.password);
    else if (!address && !code && removes)
        addresses_remove(turn, &answers);
    else if (!address && !code) /* an empty password: the old one is kept */
        refuse(turn, ERROR_BAD_REQUEST);
    else if (!can_verify(&answers))
        refuse(turn, ERROR_NOT_ACCEPTABLE);
    else
        registration_set(turn, &answers);
}

/* --- XEP-0389 6.2, 6.3: nothing is offered after login --- */

void account_flows_request(struct turn *turn)
{
    reply_result(turn, span_is(turn->child->name, "register")
                           ? SPAN("<register xmlns='" NS_REGISTER_FLOW "'/>")
                           : SPAN("<recovery xmlns='" NS_REGISTER_FLOW "'/>"));
}

void account_flow_request(struct turn *turn)
{
    reply_error(turn, ERROR_ITEM_NOT_FOUND);
}
