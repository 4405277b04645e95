/* registration_refusals.c: how a registration is refused: the error tables of requirements 4.2 and
 * 4.3, row by row. What is said beside the condition is known to clients word for word (4.11). */
#include "features/registration_parts.h"

#define OWN(name) "<" name " xmlns='" NS_REGISTER_OWN "'/>"
#define CPE(name) "<" name " xmlns='" NS_REGISTER_CPE "'/>"
#define REFUSAL_BYTES_MAX 256

static const struct {
    enum stanza_error error;
    const char *type; /* NULL: the condition's own */
    const char *text;
    const char *condition;
} rows[] = {
    [REASON_CLOSED] = {ERROR_SERVICE_UNAVAILABLE, NULL, "Registration isn't allowed on this server",
                       CPE("reg_disabled")},
    [REASON_NOT_INVITED] = {ERROR_NOT_ALLOWED, NULL,
                            "Registration on this server needs an invitation", CPE("reg_disabled")},
    [REASON_BAD_TOKEN] = {ERROR_NOT_ALLOWED, NULL,
                          "Registration on this server needs an invitation, and this code is not "
                          "valid or has expired",
                          CPE("reg_disabled")},
    [REASON_REDIRECTED] = {ERROR_NOT_ALLOWED, NULL, "Accounts are made on the web", NULL},
    [REASON_ADDRESS_LIMIT] = {ERROR_RESOURCE_CONSTRAINT, NULL, "Too many registrations.", NULL},
    [REASON_MALFORMED] = {ERROR_BAD_REQUEST, NULL, NULL, NULL},
    [REASON_FIELD_MISSING] = {ERROR_NOT_ACCEPTABLE, NULL, "A required field is empty", NULL},
    [REASON_BAD_USERNAME] = {ERROR_NOT_ACCEPTABLE, NULL, "This cannot be a user name", NULL},
    [REASON_OTHER_USERNAME] = {ERROR_NOT_ACCEPTABLE, NULL,
                               "This user name is not valid with this invitation", NULL},
    [REASON_WEAK_PASSWORD] = {ERROR_NOT_ACCEPTABLE, NULL, "The password is too weak", NULL},
    [REASON_CAPTCHA] = {ERROR_NOT_ACCEPTABLE, "cancel", /* XEP-0158 3.1.4 */
                        "The captcha was not solved. A new one is needed to try again.", NULL},
    [REASON_BAD_EMAIL] = {ERROR_NOT_ACCEPTABLE, NULL, "This is no e-mail address", NULL},
    [REASON_BAD_PHONE] = {ERROR_NOT_ACCEPTABLE, NULL,
                          "This is no phone number: it begins with + and the code of a country",
                          NULL},
    [REASON_TAKEN] = {ERROR_CONFLICT, NULL, "Username/email/msisdn already taken",
                      CPE("id_exists")},
    [REASON_SECOND] = {ERROR_NOT_ACCEPTABLE, NULL, "You have just registered an account", NULL},
    [REASON_PASSWORD_LIMIT] = {ERROR_RESOURCE_CONSTRAINT, NULL, "Too many new passwords.", NULL},
    [REASON_FULL] = {ERROR_RESOURCE_CONSTRAINT, NULL, "There is no room for more accounts", NULL},
    [REASON_FAILED] = {ERROR_INTERNAL_SERVER_ERROR, "wait", NULL, NULL},
    [REASON_UNEXPECTED] = {ERROR_UNEXPECTED_REQUEST, "modify", NULL, NULL},
    [REASON_INVITE_USED] = {ERROR_NOT_ALLOWED, NULL, "invitation already used", NULL},
    [REASON_NOT_SENT] = {ERROR_INTERNAL_SERVER_ERROR, "wait",
                         "The code could not be sent. Ask for a new one a little later.", NULL},
    [REASON_WRONG_CODE] = {ERROR_NOT_ACCEPTABLE, NULL, "That code is not right.", NULL},
    [REASON_NO_TRIES] = {ERROR_RESOURCE_CONSTRAINT, NULL,
                         "Too many wrong codes. Ask for a new one.", OWN("too-many-tries")},
    [REASON_CODE_EXPIRED] = {ERROR_NOT_ACCEPTABLE, NULL,
                             "This code has expired. Ask for a new one.", OWN("code-expired")},
    [REASON_EXPIRED] = {ERROR_ITEM_NOT_FOUND, NULL,
                        "This registration has expired. Please start again.",
                        OWN("registration-expired")},
    [REASON_NO_CODE] = {ERROR_NOT_ACCEPTABLE, NULL, "The code is missing", NULL},
    [REASON_NO_ADDRESS] = {ERROR_NOT_ACCEPTABLE, NULL, "The address is missing", NULL},
    [REASON_TOO_SOON] = {ERROR_RESOURCE_CONSTRAINT, NULL, "A code was sent just now.", NULL},
    [REASON_NO_SENDS] = {ERROR_RESOURCE_CONSTRAINT, NULL, "Too many codes were sent.", NULL},
    [REASON_OTHER_PENDING] = {ERROR_BAD_REQUEST, NULL, "This registration is for another user name",
                              NULL},
};

struct refusal refusal_of(enum reason reason)
{
    return (struct refusal){
        .error = rows[reason].error,
        .type = rows[reason].type,
        .code = true, /* ST-14 */
        .text = span_string(rows[reason].text),
        .condition = span_string(rows[reason].condition),
    };
}

struct refusal refusal_wait(enum reason reason, uint64_t seconds, struct arena *arena)
{
    struct refusal refusal = refusal_of(reason);
    struct build text, condition;
    if (seconds == 0)
        seconds = 1;
    build_init(&text, arena, REFUSAL_BYTES_MAX);
    build_put(&text, refusal.text);
    build_str(&text, " Try again in ");
    build_number(&text, seconds);
    build_str(&text, seconds == 1 ? " second." : " seconds.");
    build_init(&condition, arena, REFUSAL_BYTES_MAX);
    build_str(&condition, "<rate-limited xmlns='" NS_REGISTER_OWN "' seconds='");
    build_number(&condition, seconds);
    build_str(&condition, "'/>");
    if (!text.full && !condition.full) {
        refusal.text = build_span(&text);
        refusal.condition = build_span(&condition);
    }
    return refusal;
}

struct refusal refusal_tries(unsigned tries, struct arena *arena)
{
    struct refusal refusal = refusal_of(REASON_WRONG_CODE);
    struct build text, condition;
    build_init(&text, arena, REFUSAL_BYTES_MAX);
    build_put(&text, refusal.text);
    build_str(&text, " ");
    build_number(&text, tries);
    build_str(&text, tries == 1 ? " try left." : " tries left.");
    build_init(&condition, arena, REFUSAL_BYTES_MAX);
    build_str(&condition, "<wrong-code xmlns='" NS_REGISTER_OWN "' tries='");
    build_number(&condition, tries);
    build_str(&condition, "'/>");
    if (!text.full && !condition.full) {
        refusal.text = build_span(&text);
        refusal.condition = build_span(&condition);
    }
    return refusal;
}

struct span refusal_name(const struct refusal *refusal)
{
    struct span condition = refusal->condition;
    size_t end = span_find(condition, ' ');
    bool own = span_starts(span_cut(condition, end, condition.len), " xmlns='" NS_REGISTER_OWN "'");
    return own ? span_cut(condition, 1, end) : span_string(stanza_error_name(refusal->error));
}

void outcome_refuse(struct outcome *outcome, enum reason reason)
{
    outcome->verdict = VERDICT_REFUSED;
    outcome->refusal = refusal_of(reason);
}

void outcome_refuse_store(struct outcome *outcome, enum store_outcome failure)
{
    outcome_refuse(outcome, failure == STORE_FULL ? REASON_FULL : REASON_FAILED);
}
