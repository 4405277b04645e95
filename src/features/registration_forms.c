/* registration_forms.c: the forms of every stage, for both faces (REG-6, REG-14b, REG-15; 4.4).
 * Labels stand on every field that a person fills in: there are clients that leave out the others.
 */
#include "core/invitation.h"
#include "features/registration_parts.h"

#define TITLE_BYTES_MAX (CONFIG_TEXT_MAX + 64)
#define INSTRUCTIONS_BYTES_MAX (CONFIG_TEXT_MAX + 512)

/* --- what a person is told --- */

static const char *first_sentence(const struct session *session)
{
    if (!session->registering.invited && config.registration == REGISTRATION_INVITE)
        return "Choose a user name and a password, and enter your invitation code.";
    if (!registration_verifies(session))
        return "Choose a user name and a password.";
    switch (config.verify) {
    case VERIFY_ADMIN:
        return "We will ask an administrator to approve your account. If you already have a code, "
               "fill in the same user name and password again, and the code.";
    case VERIFY_EMAIL:
        return "We will send you a code to verify your e-mail address. If you already have a code, "
               "fill in the same user name and password again, and the code.";
    case VERIFY_PHONE:
        return "We will send you a code to verify your phone number. If you already have a code, "
               "fill in the same user name and password again, and the code.";
    default:
        return "We will send you a code to verify your e-mail address or phone number. If you "
               "already have a code, fill in the same user name and password again, and the code.";
    }
}

const char *registration_first_instructions(struct turn *turn)
{
    struct build build;
    const char *sentence = first_sentence(turn->session);
    if (!registration_verifies(turn->session) || config.registration_url[0] == '\0')
        return sentence;
    build_init(&build, &turn->server->arena, INSTRUCTIONS_BYTES_MAX);
    build_str(&build, sentence);
    build_str(&build, " Or open ");
    build_str(&build, config.registration_url);
    build_put(&build, span_of("", 1));
    return build.full ? sentence : build.bytes;
}

static bool asks_email(const struct pending *pending)
{
    return pending->flags & PENDING_OF_ACCOUNT || stage_verifies(ID_EMAIL);
}

static bool asks_phone(const struct pending *pending)
{
    return pending->flags & PENDING_OF_ACCOUNT || stage_verifies(ID_PHONE);
}

const char *registration_instructions(const struct pending *pending)
{
    if (pending->stage == STAGE_ADDRESS)
        return !asks_phone(pending)   ? "Enter your e-mail address. We will send you a code."
               : !asks_email(pending) ? "Enter your phone number. We will send you a code."
                                      : "Enter your e-mail address or phone number. We will send "
                                        "you a code.";
    if (pending->channel == PENDING_ADMIN)
        return "An administrator was asked to approve your account. Enter the code you get from "
               "them, or log in once they have approved it.";
    return pending->channel == PENDING_EMAIL ? "Enter the code you received by e-mail"
                                             : "Enter the code you received via SMS";
}

static const char *stage_title(const struct pending *pending)
{
    if (pending->stage == STAGE_ADDRESS)
        return !asks_phone(pending)   ? "Verify your e-mail address"
               : !asks_email(pending) ? "Verify your phone number"
                                      : "Verify your address";
    return pending->channel == PENDING_ADMIN   ? "Wait for approval"
           : pending->channel == PENDING_EMAIL ? "Verify your e-mail address"
                                               : "Verify your phone number";
}

/* --- what was wrong with the last answer (IBR2-4) --- */

static const char *error_sentence(struct turn *turn, const struct refusal *error,
                                  const char *instructions)
{
    struct build build;
    if (error == NULL || error->text.len == 0)
        return instructions;
    build_init(&build, &turn->server->arena, INSTRUCTIONS_BYTES_MAX);
    build_put(&build, error->text);
    build_str(&build, error->text.bytes[error->text.len - 1] == '.' ? " " : ". ");
    build_str(&build, instructions);
    build_put(&build, span_of("", 1));
    return build.full ? instructions : build.bytes;
}

static void error_field(struct build *build, const struct refusal *error)
{
    if (error != NULL)
        form_put(build, "fixed", FIELD_ERROR, NULL, refusal_name(error), false);
}

/* --- the form of the first stage --- */

/* The one that the stream's invitation is for; bytes NULL: any. */
static struct span reserved_username(struct turn *turn)
{
    const struct registering *registering = &turn->session->registering;
    struct invite invite;
    if (!registering->invited ||
        invite_get(turn->server->store, registering->invite_hash, &invite) != STORE_OK ||
        invite.username.len == 0)
        return SPAN_NONE;
    return invite.username;
}

static bool ids_required(void)
{
    return config.verify_strict && config.verify != VERIFY_EITHER;
}

static void verified_fields(struct build *build)
{
    bool required = ids_required();
    if (stage_verifies(ID_EMAIL))
        form_put(build, "text-single", "email", "E-mail address", SPAN_NONE, required);
    if (stage_verifies(ID_PHONE))
        form_put(build, "text-single", "phone", "Phone number, +…", SPAN_NONE, required);
    if (config.verify == VERIFY_ADMIN) /* REG-18b */
        form_put(build, "text-multi", FIELD_REASON, "Who are you?", SPAN_NONE, false);
    form_put(build, "text-single", FIELD_CODE, "Code, only if you already have one", SPAN_NONE,
             false);
}

void registration_first_form(struct turn *turn, struct build *build, const char *form_type,
                             struct span id, const struct refusal *error)
{
    const struct session *session = turn->session;
    bool verifies = registration_verifies(session);
    bool asked = captcha_asked(session);
    bool named = !(config.allow_no_username && verifies && config.verify != VERIFY_ADMIN);
    unsigned ids =
        verifies && ids_required() ? stage_verifies(ID_EMAIL) + stage_verifies(ID_PHONE) : 0;
    struct build title;
    build_init(&title, &turn->server->arena, TITLE_BYTES_MAX);
    build_str(&title, "Create an account on ");
    build_str(&title, config.domain);
    build_put(&title, span_of("", 1));
    /* There are clients that show nothing but the form: it says everything. */
    form_begin(build, "form", title.full ? NULL : title.bytes,
               error_sentence(turn, error, registration_first_instructions(turn)), form_type);
    if (asked) /* XEP-0158 3.2: name, password and addresses are answers too */
        captcha_fields(turn, build, id, named + 2u + ids);
    form_put(build, "text-single", "username", "User name", reserved_username(turn), named);
    form_put(build, "text-private", "password", "Password", SPAN_NONE, true);
    if (verifies)
        verified_fields(build);
    if (!session->registering.invited && config.registration == REGISTRATION_INVITE)
        form_put(build, "text-single", FIELD_TOKEN, "Invitation code", SPAN_NONE, true);
    if (asked)
        form_put(build, "text-single", FIELD_QUESTION, config.captcha_question, SPAN_NONE, true);
    error_field(build, error);
    form_end(build);
}

/* --- the forms of later stages --- */

/* 4.4 D1, REG-14b: who may come from anywhere proves it by the password; clients log in with the
 * name and password of the last form they showed. */
static void login_fields(struct build *build, const struct pending *pending, bool labels)
{
    form_put(build, "text-single", "username", labels ? "User name" : NULL, pending->local, true);
    form_put(build, "text-private", "password", labels ? "Password" : NULL, SPAN_NONE, true);
}

static void stage_fields(struct build *build, const struct pending *pending)
{
    bool both = asks_email(pending) && asks_phone(pending);
    if (pending->stage == STAGE_CODE) {
        form_put(build, "text-single", FIELD_CODE, "Code", SPAN_NONE, true);
        return;
    }
    if (asks_email(pending))
        form_put(build, "text-single", "email", "E-mail address", SPAN_NONE, !both);
    if (asks_phone(pending))
        form_put(build, "text-single", "phone", "Phone number, +…", SPAN_NONE, !both);
}

void registration_stage_form(struct turn *turn, struct build *build, const char *form_type,
                             const struct pending *pending, struct span handle, bool as_error,
                             const struct refusal *error)
{
    bool proven = handle.bytes != NULL || pending->flags & PENDING_OF_ACCOUNT;
    form_begin(build, "form", stage_title(pending),
               error_sentence(turn, error, registration_instructions(pending)), form_type);
    if (handle.bytes != NULL)
        form_put(build, "hidden", FIELD_HANDLE, NULL, handle, false);
    if (!proven || as_error)
        login_fields(build, pending, proven);
    else
        form_put(build, "hidden", "username", NULL, pending->local, false);
    stage_fields(build, pending);
    if (proven && pending->stage == STAGE_CODE)
        form_put(build, "boolean", FIELD_RESEND, "Send a new code", SPAN("0"), false);
    error_field(build, error);
    form_end(build);
}
