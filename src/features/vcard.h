/* vcard.h: cards of accounts (XEP-0054, VC-1). Limit: plan.vcard_bytes. */
#ifndef KITH_VCARD_H
#define KITH_VCARD_H

#include "core/turn.h"

void vcard_get_request(struct turn *turn);
void vcard_set_request(struct turn *turn);

#endif
