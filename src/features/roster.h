/* roster.h: the list of contacts (RFC 6121 2, XEP-0237). Requirements 2.1. */
#ifndef KITH_ROSTER_H
#define KITH_ROSTER_H

#include "core/turn.h"

void roster_get_request(struct turn *turn);
void roster_set_request(struct turn *turn);

#endif
