/* rooms.h: the channel `coven` in stories of cuts, and what either side of it says of who is in it:
 * the channel, and the participant's own account. Owns nothing. */
#ifndef KITH_SIM_ROOMS_H
#define KITH_SIM_ROOMS_H

#include "core/channel_join.h"
#include "store/channels.h"
#include "store/participants.h"

#define ROOM "coven@mix.example.com"

bool room_make(const char *owner, bool private);
/* Joins, and commits. `nodes`: as of struct channel_joining. */
bool room_enter(const char *name, uint8_t nodes);

bool room_there(struct channel *channel);
/* By the channel. */
bool room_takes_part(const char *name, struct participant *found);
/* By the account. */
bool room_member(const char *name);
bool room_listed(const char *name);
/* By all of them; that they differ is a complaint, as is one in a private channel who is neither
 * its owner nor on its list. */
bool room_has(const char *name);

#endif
