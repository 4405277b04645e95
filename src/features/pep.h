/* pep.h: personal eventing (XEP-0163, XEP-0060): requirements 3.7. */
#ifndef KITH_FEATURES_PEP_H
#define KITH_FEATURES_PEP_H

#include "core/turn.h"

/* Any <pubsub/> of both namespaces, get or set. */
void pep_request(struct turn *turn);

/* A message to the own bare jid: whether it was an owner's answer to the question whether somebody
 * may subscribe (8.6). */
bool pep_authorization(struct turn *turn);

#endif
