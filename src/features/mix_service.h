/* mix_service.h: channels are made and destroyed by clients (XEP-0369 7.3). */
#ifndef KITH_MIX_SERVICE_H
#define KITH_MIX_SERVICE_H

#include "core/turn.h"

/* Whether the asker may make channels (7.3.1). */
bool mix_may_create(const struct turn *turn);

void mix_create_request(struct turn *turn);
void mix_destroy_request(struct turn *turn);
/* One of these as a `get`. */
void mix_service_get_request(struct turn *turn);

#endif
