/* deliver.h: what happens to a stanza on its way to a local address, in one place and one order
 * (design, idea 6; RFC 6121 8.5; requirements 2.4). */
#ifndef KITH_DELIVER_H
#define KITH_DELIVER_H

#include "core/turn.h"

/* Whether it must not pass, since one blocks the other; its sender was told what it is to know. To
 * be asked first, whatever the stanza is. */
bool deliver_blocked(struct turn *turn);

/* turn->to is an address of the served domain with a localpart. */
void deliver_message(struct turn *turn);
void deliver_iq(struct turn *turn);
void deliver_presence(struct turn *turn);

#endif
