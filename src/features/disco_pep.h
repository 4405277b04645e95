/* disco_pep.h: what service discovery says of an account's nodes, to those who may see them (DI-2,
 * XEP-0060 5). */
#ifndef KITH_DISCO_PEP_H
#define KITH_DISCO_PEP_H

#include "core/turn.h"

/* The account's nodes (5.2). */
void disco_pep_nodes(struct turn *turn);
/* One of them (5.3, 5.4), or its items (5.5). */
void disco_pep_node(struct turn *turn, bool info, struct span name);

#endif
