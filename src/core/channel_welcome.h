/* channel_welcome.h: into the channels of an invitation that made an account or a contact (MT-8),
 * by the usual way in, in the same transaction. Owns nothing. */
#ifndef KITH_CORE_CHANNEL_WELCOME_H
#define KITH_CORE_CHANNEL_WELCOME_H

#include "core/channel_invitation.h"

/* What entering them may add to the store. */
size_t channel_welcome_bytes(struct span channels);

/* Which channels the invitation lets into, copied into the arena, since its last use deletes it.
 */
struct channel_welcome {
    struct span channels; /* wire/jid_list.h */
    struct span owner;    /* whose right to invite it takes; empty: nobody's */
    size_t bytes;         /* channel_welcome_bytes */
};
/* false: no memory. */
bool channel_welcome_keep(struct server *server, const struct invite *invite,
                          struct channel_welcome *welcome);

/* The newcomer (bare jid, an account by now) becomes a participant of each. One that is full, gone
 * or closed to the newcomer or to who invited is passed over, with a line in the log, and spoils
 * nothing else. */
void channel_welcome(struct server *server, const struct channel_welcome *welcome,
                     const struct jid *newcomer);

#endif
