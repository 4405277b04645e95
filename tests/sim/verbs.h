/* verbs.h: what the files of verbs know of each other. */
#ifndef KITH_SIM_VERBS_H
#define KITH_SIM_VERBS_H

#include "play.h"

#define PATIENCE_MS 1000 /* virtual time within which an expected answer must have come */

/* Lets the server come to rest, and `ms` of virtual time pass. */
bool play_settle(struct play *play, uint64_t ms);
/* false: what came to this client is no proper stream. */
bool play_sound(struct play *play, struct client *client);

/* verbs_jobs.c: the oldest command that the server has run was this one; its input in the further
 * parts of the statement. "nothing": it ran none. */
bool play_job(struct play *play, const char *command, const struct statement *statement);

/* verbs_invite.c: makes an invitation; the first word is the variable for its token. */
bool play_invite(struct play *play, const char *rest);

/* rest: what the dialog says after the verb. */
#define VERB(name)                                                                                 \
    bool verb_##name(struct play *play, struct client *client, const char *rest,                   \
                     const struct statement *statement)

VERB(opens);

/* verbs_login.c */
VERB(authenticates);
VERB(binds);
VERB(logs_in);
VERB(comes_online);

/* verbs_end.c */
VERB(ends);
VERB(closes);
VERB(is_ended_with);
VERB(was_closed);
VERB(was_cut_off);
VERB(sends_and_resets);
VERB(was_turned_away);
VERB(resets);
VERB(hangs_up);
VERB(shuts_its_side);

#endif
