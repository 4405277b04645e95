/* mix_participants.h: what a client asks of a channel about itself (XEP-0369 7.1): to join
 * and leave it, another nick, other nodes. */
#ifndef KITH_MIX_PARTICIPANTS_H
#define KITH_MIX_PARTICIPANTS_H

#include "core/turn.h"

void mix_join_request(struct turn *turn);
void mix_leave_request(struct turn *turn);
void mix_setnick_request(struct turn *turn);
void mix_subscription_request(struct turn *turn);

#endif
