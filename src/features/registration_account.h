/* registration_account.h: jabber:iq:register after login: what the server knows of an account, a
 * new password, an address to verify, removal (REG-21, REG-28 ... REG-31; XEP-0077 3.2, 3.3), and
 * how XEP-0389 is answered there (IBR2-5). */
#ifndef KITH_REGISTRATION_ACCOUNT_H
#define KITH_REGISTRATION_ACCOUNT_H

#include "core/turn.h"

void account_get_request(struct turn *turn);
void account_set_request(struct turn *turn);
/* <register/> and <recovery/>. */
void account_flows_request(struct turn *turn);
void account_flow_request(struct turn *turn);

#endif
