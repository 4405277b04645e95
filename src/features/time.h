/* time.h: what time it is here (XEP-0202, TI-1). */
#ifndef KITH_TIME_H
#define KITH_TIME_H

#include "core/turn.h"

void time_request(struct turn *turn);

#endif
