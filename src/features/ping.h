/* ping.h: are you there? (XEP-0199, PI-1) */
#ifndef KITH_PING_H
#define KITH_PING_H

#include "core/turn.h"

void ping_request(struct turn *turn);

#endif
