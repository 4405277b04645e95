/* mix_disco.h: what there is to ask of the service of channels and of a channel (XEP-0030,
 * XEP-0369 6). */
#ifndef KITH_MIX_DISCO_H
#define KITH_MIX_DISCO_H

#include "core/turn.h"

void mix_service_info_request(struct turn *turn);
void mix_service_items_request(struct turn *turn);
void mix_channel_info_request(struct turn *turn);
void mix_channel_items_request(struct turn *turn);

#endif
