/* disco.h: what there is to ask (XEP-0030), and our own capabilities (XEP-0115). */
#ifndef KITH_DISCO_H
#define KITH_DISCO_H

#include "core/turn.h"

void disco_info(struct turn *turn);
void disco_items(struct turn *turn);

/* At boot: server->caps_ver, from what is said of the domain. false: no memory for it. */
bool disco_start(struct server *server);

#endif
