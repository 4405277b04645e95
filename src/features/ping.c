/* ping.c: XEP-0199, PI-1. */
#include "features/ping.h"

void ping_request(struct turn *turn)
{
    reply_result(turn, SPAN(""));
}
