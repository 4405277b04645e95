/* bind.h: resource binding (RFC 6120 7, XEP-0386). Requirements RB-1 ... RB-3, S2-5. */
#ifndef KITH_BIND_H
#define KITH_BIND_H

#include "core/turn.h"

void bind_request(struct turn *turn);
/* The same within a login: the session, of which nothing else has been said yet, gets a resource
 * that begins with the tag (may be empty); earlier ones of the same client end. false: the account
 * has too many. */
bool bind_tagged(struct server *server, struct session *session, struct span tag);
/* <session/> of RFC 3921: does nothing, is answered. */
void session_request(struct turn *turn);

#endif
