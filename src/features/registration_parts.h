/* registration_parts.h: what the registration*.c files share, and nobody else. */
#ifndef KITH_REGISTRATION_PARTS_H
#define KITH_REGISTRATION_PARTS_H

#include "features/registration.h"
#include "store/ids.h"
#include "wire/names.h"

#define PENDING_SECONDS 3600 /* from the last successful stage (REG-16) */
#define CODE_SECONDS 900     /* REG-17; one from an admin: PENDING_SECONDS */
#define CODE_PAUSE_SECONDS 60
#define CODE_TRIES_MAX 5
#define CODE_SENDS_MAX 5 /* after the first one */
#define BAD_TOKENS_MAX 5 /* on one stream (INV-18) */
#define SECOND_US 1000000u

#define FIELD_HANDLE "{" NS_REGISTER_OWN "}reg"
#define FIELD_CODE "{" NS_REGISTER_OWN "}code"
#define FIELD_RESEND "{" NS_REGISTER_OWN "}resend"
#define FIELD_TOKEN "{" NS_REGISTER_OWN "}token"
#define FIELD_REASON "{" NS_REGISTER_OWN "}reason"
#define FIELD_ERROR "{" NS_REGISTER_OWN "}error"
#define FIELD_CHALLENGE "challenge" /* XEP-0158 12.2 */
#define FIELD_QUESTION "qa"

/* --- registration_refusals.c: the error tables of requirements 4.2 and 4.3 --- */

enum reason {
    REASON_CLOSED,
    REASON_NOT_INVITED,
    REASON_BAD_TOKEN,
    REASON_REDIRECTED,
    REASON_ADDRESS_LIMIT, /* with refusal_wait */
    REASON_MALFORMED,
    REASON_FIELD_MISSING,
    REASON_BAD_USERNAME,
    REASON_OTHER_USERNAME, /* the invitation is for another one */
    REASON_WEAK_PASSWORD,
    REASON_CAPTCHA,
    REASON_BAD_EMAIL,
    REASON_BAD_PHONE,
    REASON_TAKEN,
    REASON_SECOND,
    REASON_PASSWORD_LIMIT, /* with refusal_wait */
    REASON_FULL,
    REASON_FAILED,
    REASON_UNEXPECTED,
    REASON_INVITE_USED,
    REASON_NOT_SENT,
    /* later stages */
    REASON_WRONG_CODE, /* with refusal_tries */
    REASON_NO_TRIES,
    REASON_CODE_EXPIRED,
    REASON_EXPIRED,
    REASON_NO_CODE,
    REASON_NO_ADDRESS,
    REASON_TOO_SOON, /* with refusal_wait */
    REASON_NO_SENDS, /* with refusal_wait */
    REASON_OTHER_PENDING,
};

struct refusal refusal_of(enum reason reason);
/* With <rate-limited seconds=''/>, and the seconds in the text; in the arena. */
struct refusal refusal_wait(enum reason reason, uint64_t seconds, struct arena *arena);
struct refusal refusal_tries(unsigned tries, struct arena *arena);
/* What it is called in a form: our own condition, or else the stanza error's (IBR2-4). */
struct span refusal_name(const struct refusal *refusal);
void outcome_refuse(struct outcome *outcome, enum reason reason);
void outcome_refuse_store(struct outcome *outcome, enum store_outcome failure);

/* --- registration_limits.c: RL-1, tokens --- */

/* What counts for all attempts to register, and to name an address; notes this one. false: refused.
 */
bool limit_get(struct turn *turn, struct refusal *refusal);
bool limit_set(struct turn *turn, struct refusal *refusal);
/* Whether this address, or all together, made too many accounts lately; not for the invited. */
bool limit_accounts(struct turn *turn, struct refusal *refusal);
/* One was made, without an invitation. */
void limit_note_account(struct turn *turn);
/* 3 pending ones of an address. */
bool limit_pending(struct turn *turn, struct refusal *refusal);
/* One code a minute to where this address wants it. */
bool limit_code(struct turn *turn, struct refusal *refusal);
/* Some an hour to one e-mail address or telephone, whoever asks, and some to all together: nobody
 * is flooded, and nobody guesses the code of somebody else's for long. */
bool limit_destination(struct turn *turn, const struct pending *pending, struct refusal *refusal);
void limit_note_code(struct turn *turn, const struct pending *pending);
/* A new password of this account: each costs a derivation. Notes this one. */
bool limit_password(struct turn *turn, struct refusal *refusal);
/* A token that was typed into a form does what <preauth/> does. false: it is not good. */
bool token_accept(struct turn *turn, struct span token);

/* --- registration_stages.c --- */

/* What a later stage was told. */
struct step {
    struct span email, phone; /* prepared; bytes NULL: not given */
    struct span code;         /* CODE_CHARS digits, or empty: cannot be right; bytes NULL: none */
    struct span handle;       /* in clear, if the peer sent it */
    bool resend;
    bool again; /* by name and password (4.5): no answer to a form of this stage */
};

/* Whether the config has addresses of that kind verified. */
bool stage_verifies(enum id_kind kind);
/* Its spans copied, since those in the store go with the next write. false: the arena is full. */
bool pending_keep(struct pending *pending, struct arena *arena);
/* A registration whose name and password are good: to its next stage, or to its account. */
void stage_begin(struct turn *turn, struct pending *pending, bool verify, struct outcome *outcome);
/* An answer to its present stage. `pending` is proven to be the peer's. */
void stage_step(struct turn *turn, struct pending *pending, const struct step *step,
                struct outcome *outcome);

/* --- registration_complete.c --- */

enum completion {
    COMPLETION_DONE,
    COMPLETION_TAKEN,    /* the name */
    COMPLETION_ID_TAKEN, /* an address is verified for somebody else */
    COMPLETION_INVITE_USED,
    COMPLETION_FULL,
    COMPLETION_FAILED,
};
/* The account with all that belongs to it, or the verified address of an account (REG-10, INV-22),
 * in the tick's transaction; the pending record goes. */
enum completion registration_complete(struct server *server, const struct pending *pending);
/* Whether somebody else has an address of it, verified. */
enum store_outcome addresses_taken(struct store *store, const struct pending *pending,
                                   uint8_t flags, bool *taken);

/* --- registration_captcha.c --- */

/* Whether who registers on this stream is asked a question (CAP-A). */
bool captcha_asked(const struct session *session);
/* The hidden fields that say which question; answers: how many fields must be filled in. sid
 * bytes NULL: the form answers no iq. */
void captcha_fields(struct turn *turn, struct build *build, struct span sid, unsigned answers);
/* Whether the question was answered, and rightly; not twice. */
bool captcha_solved(struct server *server, const struct answers *answers);

/* --- registration_details.c --- */

/* A set of the first stage. */
void details_set(struct turn *turn, const struct answers *answers);

/* --- registration.c --- */

/* Those of a kind that is verified (all: of any kind), prepared; bytes NULL: none. false: refused.
 */
bool ids_prepare(struct turn *turn, const struct answers *answers, struct span *email,
                 struct span *phone, bool all, struct refusal *refusal);
void answer_refusal(struct turn *turn, const struct answers *answers,
                    const struct refusal *refusal);
void registration_answer(struct turn *turn, enum face face, bool knows_stages,
                         const struct outcome *outcome);

/* --- registration_iq.c --- */

/* What an iq set with <query/> says; the face is that of its form or its legacy elements. */
void answers_read(struct turn *turn, struct answers *answers);

#endif
