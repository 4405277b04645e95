/* mix_retract.h: messages of a channel that are taken back (XEP-0407 4; or as clients say it to
 * each other, by the id of the channel). Requirement MX-18. */
#ifndef KITH_MIX_RETRACT_H
#define KITH_MIX_RETRACT_H

#include "core/archive.h"
#include "core/channel.h"

/* What the turn's message takes back. */
struct mix_retraction {
    bool asked;      /* by XEP-0407: refused if it cannot be done; by XEP-0424 it is a message */
    struct span id;  /* bytes NULL: nothing */
    uint64_t number; /* 0: nothing that is there and that he may take back */
    struct build tombstone; /* what is to stand in its place */
};

/* Looks what it is. false: it was refused. `role` is the asker's, `id` his in the channel. */
bool mix_retraction_read(struct turn *turn, const struct channel_here *channel,
                         enum channel_role role, const char id[PARTICIPANT_ID_CHARS],
                         struct mix_retraction *retraction);
/* Leaves a tombstone in the message's place. false: an error was answered. */
bool mix_retract(struct turn *turn, struct mix_retraction *retraction);

#endif
