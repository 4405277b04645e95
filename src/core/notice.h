/* notice.h: messages of the server itself to its accounts: from the served domain, of type chat,
 * told, stored and kept like any other message (RFC 6121 8.5.2.1, XEP-0160, MAM-1). */
#ifndef KITH_NOTICE_H
#define KITH_NOTICE_H

#include "core/server.h"

/* More admins than that are not told. */
#define NOTICE_ADMINS_MAX 16

/* To every session of the account that listens; stored if there is none. body: text, of characters
 * that XML allows. Leaves after the commit if the tick wrote. STORE_NONE: no such account, or it
 * blocks the domain. STORE_FULL: no room, or too much waits for it already (OFF-3). */
enum store_outcome notice_send(struct server *server, struct span local, struct span body);

/* To every account that is an admin and not disabled. How many will get it. */
unsigned notice_admins(struct server *server, struct span body);

#endif
