/* private_xml.h: what clients keep here for themselves (XEP-0049, PS-1).
 * Limits: plan.private_bytes an account, PRIVATE_ELEMENTS_MAX elements. */
#ifndef KITH_PRIVATE_XML_H
#define KITH_PRIVATE_XML_H

#include "core/turn.h"

void private_get_request(struct turn *turn);
void private_set_request(struct turn *turn);

#endif
