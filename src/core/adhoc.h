/* adhoc.h: what may be done by ad-hoc command (XEP-0050), one row each, like turn.h has it for the
 * table; the rows stand in src/table.c. Asked of the domain or of a channel; service discovery
 * lists them (INV-6, MT-10), features/commands.c carries them out. */
#ifndef KITH_ADHOC_H
#define KITH_ADHOC_H

#include "core/turn.h"
#include "wire/form.h"

#define ADHOC_VALUE_BYTES_MAX 1023 /* of one field of a form */

enum adhoc_who {
    ADHOC_USERS,
    ADHOC_ADMINS,
    ADHOC_REGISTRARS, /* admins, unless registration is closed */
    ADHOC_INVITERS,   /* of a channel: who may invite into it (6.8) */
    ADHOC_KEEPERS,    /* of a channel: its administrators and owners */
};

/* A command being carried out. */
struct command_turn {
    struct turn *turn;
    const struct adhoc *row;
    const struct node *form; /* what was submitted; NULL: nothing was to be filled in */
    bool admin;              /* who asks may administer */
    bool refused;            /* the answer was given: an error */
    struct build build;      /* the inside of <command/>: a form, notes */
};

struct adhoc {
    const char *node;
    const char *name; /* for people */
    enum adhoc_who who;
    /* Writes the form to be filled in; NULL: done at once, without asking. */
    void (*ask)(struct command_turn *command);
    /* Does it and writes what came of it, or refuses. Who asks may do it. */
    void (*run)(struct command_turn *command);
};

extern const struct adhoc adhoc[];
extern const size_t adhoc_len;

/* The one of that node that the turn's `to` has. NULL: none. */
const struct adhoc *adhoc_find(const struct turn *turn, struct span node);
/* Whether the turn's session belongs to an admin. */
bool adhoc_admin(const struct turn *turn);
/* Whether the turn's session may carry it out. */
bool adhoc_allowed(const struct turn *turn, const struct adhoc *row);
/* Answers what service discovery asks of a node of commands. false: the node is none. */
bool adhoc_disco(struct turn *turn, bool info, struct span node);

/* --- for run and ask --- */

/* Instead of a result. text: a sentence for a person, or NULL. A form that was refused may be
 * submitted again. */
void command_refuse(struct command_turn *command, enum stanza_error error, const char *text);
/* The form does not say what it must. */
void command_refuse_payload(struct command_turn *command, const char *text);
/* What a store says to a write. */
void command_refuse_store(struct command_turn *command, enum store_outcome outcome);

void command_note(struct command_turn *command, const char *text);

/* Keeps what was written since build.used was `mark`, or takes it back where it would leave no room
 * for the end of the answer. false: taken back. */
bool command_keep(struct command_turn *command, size_t mark);
/* For lists of which not all was kept. */
void command_note_more(struct command_turn *command);
/* Ends a list in the form; more: it did not fit whole. */
void command_finish(struct command_turn *command, enum store_outcome outcome, bool more);

/* Each of these: false if it was refused. */

/* The first value of a field; empty: the field is absent or empty. */
bool command_value(struct command_turn *command, const char *var, struct span *out);
/* out is left as it is if there is no value. */
bool command_boolean(struct command_turn *command, const char *var, bool *out);
/* The same for whole numbers from 1 to max. */
bool command_number(struct command_turn *command, const char *var, uint64_t max, uint64_t *out);

#endif
