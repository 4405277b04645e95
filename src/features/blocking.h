/* blocking.h: whom an account does not want to hear of (XEP-0191). Requirements 3.2. What it means
 * for stanzas on their way is in deliver.c and core/blocked.h. */
#ifndef KITH_BLOCKING_H
#define KITH_BLOCKING_H

#include "core/turn.h"

void blocklist_request(struct turn *turn);
void block_request(struct turn *turn);
void unblock_request(struct turn *turn);

#endif
