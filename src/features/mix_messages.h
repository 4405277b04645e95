/* mix_messages.h: what a participant says to a channel, and who hears it (XEP-0369 7.1.6, XEP-0405
 * 2.2). Requirements MX-14 ... MX-17, PAM-6. */
#ifndef KITH_MIX_MESSAGES_H
#define KITH_MIX_MESSAGES_H

#include "core/turn.h"

/* A message to a channel's bare jid. */
void mix_message(struct turn *turn);

#endif
