/* mix_pam.h: XEP-0405: channels are joined and left through one's own server, which keeps them in
 * the roster. Requirements 6.7. */
#ifndef KITH_MIX_PAM_H
#define KITH_MIX_PAM_H

#include "core/turn.h"

void client_join_request(struct turn *turn);
void client_leave_request(struct turn *turn);

#endif
