/* bind.h: resource binding (RFC 6120 7). Requirements RB-1 ... RB-3. */
#ifndef KITH_BIND_H
#define KITH_BIND_H

#include "core/turn.h"

void bind_request(struct turn *turn);
/* <session/> of RFC 3921: does nothing, is answered. */
void session_request(struct turn *turn);

#endif
