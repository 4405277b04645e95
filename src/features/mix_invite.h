/* mix_invite.h: invitations into channels (XEP-0407 6, requirements 6.8): asked for, and presented
 * with a join. */
#ifndef KITH_MIX_INVITE_H
#define KITH_MIX_INVITE_H

#include "core/channel_invitation.h"

void mix_invite_request(struct turn *turn);

/* MT-5: what a <join/> brings with it, in any of its three forms. */
struct channel_presented mix_invite_presented(const struct turn *turn, const struct node *join);

#endif
