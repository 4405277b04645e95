/* version.h: what software this is (XEP-0092, VE-1). */
#ifndef KITH_VERSION_H
#define KITH_VERSION_H

#include "core/turn.h"

/* "0.1.0" or what git describe said at build time; in version.c. */
extern const char version_text[];

void version_request(struct turn *turn);

#endif
