/* registration.h: the engine of registration in stages (requirements 4.2 to 4.6), and its two faces
 * before login: XEP-0077 (registration_iq.c) and XEP-0389 (registration_flow.c). What an account
 * may change after login is in account.c. State hangs on the pending record (store/pending.h), not
 * on the stream, which only remembers session->registering. */
#ifndef KITH_REGISTRATION_H
#define KITH_REGISTRATION_H

#include "core/application.h"
#include "core/turn.h"
#include "wire/form.h"

/* Values are stored. */
enum stage {
    STAGE_DETAILS = 0, /* name and password; never stored */
    STAGE_ADDRESS = 1, /* an e-mail address or a phone number is still needed (REG-19b) */
    STAGE_CODE = 2,
};

/* What the peer filled in; spans as typed, of the stanza or the arena. bytes NULL: absent. */
struct answers {
    enum face face;
    bool knows_stages;
    bool cancel;
    bool malformed; /* what came is no registration (REG-7) */
    struct span username, password, email, phone, reason, token, handle, code;
    struct span challenge, captcha;
    bool resend;
};

/* What becomes of a set; each face says it in its own way. */
enum verdict {
    VERDICT_COMPLETE, /* local, name_changed */
    VERDICT_CANCELED,
    VERDICT_STAGE,   /* the next one, of `pending` */
    VERDICT_REFUSED, /* refusal; with_stage: and the stage's form again (REG-20) */
};
struct outcome {
    enum verdict verdict;
    struct refusal refusal;
    struct span local; /* of the account */
    bool name_changed; /* it is not what was typed */
    bool with_stage;
    const struct pending *pending;
    struct span handle; /* in clear, when it was made just now or came from the peer; else NULL */
};

/* --- the engine --- */

/* A set that came in this turn. Answers at once, or when keys are derived. */
void registration_set(struct turn *turn, const struct answers *answers);

/* Whether who registers on this stream is verified (4.1, REG-3). */
bool registration_verifies(const struct session *session);

/* --- what both faces write --- */

/* The form for stage 1, as the mode and the stream's token have it. id: of the iq it answers; bytes
 * NULL: of none. error: why it comes once more, first in its instructions and in a field of its own
 * (IBR2-4), or NULL. */
void registration_first_form(struct turn *turn, struct build *build, const char *form_type,
                             struct span id, const struct refusal *error);
/* What a person is told at stage 1; of the arena, or constant. */
const char *registration_first_instructions(struct turn *turn);
/* Form of a later stage. handle bytes NULL: with a password field instead (4.4 D1). as_error: with
 * username and password again (REG-14b). */
void registration_stage_form(struct turn *turn, struct build *build, const char *form_type,
                             const struct pending *pending, struct span handle, bool as_error,
                             const struct refusal *error);
/* What a person is told to do in this stage. */
const char *registration_instructions(const struct pending *pending);
/* The refusal of a mode that lets nobody in as it is (4.1), or false: it may go on. */
bool registration_shut(struct turn *turn, bool has_token, struct refusal *refusal);

/* --- each face's answer --- */

void registration_iq_answer(struct turn *turn, enum face face, bool knows_stages,
                            const struct outcome *outcome);
void registration_flow_answer(struct turn *turn, const struct outcome *outcome);

/* --- rows of the table --- */

void registration_get_request(struct turn *turn); /* strangers */
void registration_set_request(struct turn *turn);
void registration_flow_request(struct turn *turn);

/* --- for admins (ad-hoc commands and the command line) and time --- */

/* Completes it without a code. STORE_NONE: no such pending registration. STORE_EXISTS: an account
 * of that name appeared meanwhile. */
enum store_outcome registration_approve(struct server *server, struct span local);
enum store_outcome registration_refuse(struct server *server, struct span local);

/* What has expired goes, a little at a time. Once a tick. */
void registration_sweep(struct server *server);

#endif
