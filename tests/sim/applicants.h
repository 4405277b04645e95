/* applicants.h: people who ask for accounts all at once, of a server that is short of memory; for
 * test programs that count what each of them is answered. They are u0, u1, … with the telephones
 * +12345678900, …01, …; who they are in a crowd is told by crowd.h. Limit: APPLICANTS. */
#ifndef KITH_SIM_APPLICANTS_H
#define KITH_SIM_APPLICANTS_H

#include "crowd.h"
#include "tally.h"
#include "wire/token.h"

#include <stdint.h>

#define APPLICANTS 100

/* What a set may be answered (requirements 4.2, 4.3). */
enum answer {
    ANSWER_NONE,
    ANSWER_RESULT, /* an account */
    ANSWER_STAGE,  /* the code is asked for */
    ANSWER_CONFLICT,
    ANSWER_WAIT, /* wait/resource-constraint */
    ANSWER_CLOSED,
    ANSWER_NOT_ALLOWED,
    ANSWER_USED,    /* the invitation */
    ANSWER_EXPIRED, /* registration-expired */
    ANSWER_WRONG,   /* wrong-code, too-many-tries */
    ANSWER_OTHER,   /* something else, or more than one answer */
};

/* Prints how much was asked for, then the tally; what main returns. */
int applicants_report(void);

/* A new server: 130 streams, two applications, little memory for output, and these settings of
 * config, profile or counts, up to one whose key is NULL. false: it does not start. */
bool applicants_begin(const char *name, unsigned seed, const char *const settings[][2]);
/* Everybody goes; all must be given back. */
void applicants_end(void);
/* Ticks until the server rests, at most so long; codes that are sent are taken down. */
void applicants_settle(uint64_t ms);

struct guest *applicant_come(void);
/* The children of a <query/>; what was heard before is forgotten. So in all of these. */
void applicant_say(struct guest *guest, const char *query);
void details_say(struct guest *guest, unsigned name, const char *password, unsigned phone);
/* The same in the flow of XEP-0389, which is open. */
void response_say(struct guest *guest, unsigned name, const char *password);
void code_say(struct guest *guest, const char *handle, const char *code);
void token_say(struct guest *guest, const char *token);
/* The code that was sent to this telephone last; "": none. */
const char *code_of(unsigned phone);
/* The handle that it was told; "": none. */
void handle_of(const struct guest *guest, char out[TOKEN_CHARS + 1]);

enum answer answer_of(const struct guest *guest);
void expect(const struct guest *guest, enum answer wanted, const char *what);

/* An invitation that makes accounts. false: no more can be made. */
bool invite(uint16_t uses, char token[TOKEN_CHARS + 1]);
/* How many there are in the store. */
unsigned accounts(void);
unsigned pendings(void);
unsigned invites(void);

#endif
