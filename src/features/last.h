/* last.h: how long somebody has been away (XEP-0012, LA-1). */
#ifndef KITH_LAST_H
#define KITH_LAST_H

#include "core/turn.h"

void last_request(struct turn *turn);

/* After a presence stanza that may have made an account unavailable: its status is kept. */
void last_unavailable(struct turn *turn);

/* Before presence_farewells: sessions that went without a word. */
void last_farewells(struct server *server);

#endif
