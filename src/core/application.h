/* application.h: what a person asked for in a registration (or a new password) while its keys are
 * being derived. Filled by features/registration*.c and features/account.c. From the pool
 * server->applications, one for each stream that waits; the password itself is never in it.
 * Limit: plan.applications; when all are in use: wait/resource-constraint. */
#ifndef KITH_APPLICATION_H
#define KITH_APPLICATION_H

#include "core/derivation.h"
#include "core/turn.h"
#include "store/pending.h"
#include "wire/token.h"

/* How the peer asked, and so how it is answered. */
enum face {
    FACE_FIELDS,  /* XEP-0077, legacy elements */
    FACE_FORM,    /* XEP-0077, data form */
    FACE_FLOW,    /* XEP-0389 */
    FACE_ACCOUNT, /* XEP-0077 after login */
};

struct application {
    struct derivation derivation; /* SHA-1, then SHA-256 */
    enum face face;
    bool knows_stages; /* sent <stages xmlns='urn:kith:register:0'/> (REG-14b) */
    bool name_given;
    bool name_changed;
    bool resend;
    bool resume_only; /* the mode lets nobody in, but a registration may be finished */
    bool has_id;
    bool to_self; /* FACE_ACCOUNT: asked of the own account, not of the domain */
    uint8_t salt[SCRAM_SALT_BYTES];
    uint32_t iterations;
    char id[ID_BYTES_MAX]; /* of the iq */
    uint16_t id_len;
    uint8_t local_len;
    uint8_t email_len;
    uint8_t phone_len;
    uint8_t reason_len;
    uint8_t code_len; /* CODE_CHARS, or 0: none was given */
    bool code_malformed;
    char local[PENDING_LOCAL_BYTES_MAX];
    char email[PENDING_ID_BYTES_MAX]; /* prepared */
    char phone[PENDING_PHONE_BYTES_MAX];
    char reason[PENDING_REASON_BYTES_MAX];
    char code[CODE_CHARS];
};

/* For the turn's session, zeroed, with the turn's id. NULL: none is free. */
struct application *application_take(struct turn *turn);
/* Gives back the session's, secrets overwritten; also when there is none. */
void application_return(struct server *server, struct session *session);
/* The turn to answer in, when the derivation is done: the iq set with its id, to the domain. */
void application_turn(struct server *server, struct session *session, struct turn *turn);

#endif
