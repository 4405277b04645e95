/* archive_prefs.h: what of an account's messages its archive keeps (XEP-0441, MAM-4).
 * Limits: plan.blocks addresses, LISTS_BYTES_MAX of them. */
#ifndef KITH_ARCHIVE_PREFS_REQUEST_H
#define KITH_ARCHIVE_PREFS_REQUEST_H

#include "core/turn.h"

void archive_prefs_get_request(struct turn *turn);
void archive_prefs_set_request(struct turn *turn);

#endif
