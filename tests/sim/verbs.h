/* verbs.h: what verbs.c and verbs_login.c know of each other. */
#ifndef KITH_SIM_VERBS_H
#define KITH_SIM_VERBS_H

#include "play.h"

/* Lets the server come to rest, and `ms` of virtual time pass. */
bool play_settle(struct play *play, uint64_t ms);

bool verb_opens(struct play *play, struct client *client, const char *rest,
                const struct statement *statement);
bool verb_authenticates(struct play *play, struct client *client, const char *rest,
                        const struct statement *statement);
bool verb_binds(struct play *play, struct client *client, const char *rest,
                const struct statement *statement);
bool verb_logs_in(struct play *play, struct client *client, const char *rest,
                  const struct statement *statement);
bool verb_comes_online(struct play *play, struct client *client, const char *rest,
                       const struct statement *statement);

#endif
