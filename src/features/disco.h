/* disco.h: what there is to ask (XEP-0030). */
#ifndef KITH_DISCO_H
#define KITH_DISCO_H

#include "core/turn.h"

void disco_info(struct turn *turn);
void disco_items(struct turn *turn);

#endif
