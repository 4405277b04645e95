/* access.h: who may ask about an account: its owner, and those who hear of its presence. */
#ifndef KITH_ACCESS_H
#define KITH_ACCESS_H

#include "core/turn.h"

/* The turn has no `to`, or the own bare jid. */
bool access_own(const struct turn *turn);

/* Own, or the account that `to` names exists and has the asker in From or Both. Where it has not,
 * the answer is to be the same as where there is no account (DL-2): service-unavailable. */
bool access_granted(const struct turn *turn);

#endif
