/* announce.h: features as service discovery says them, read off the table, so that they cannot lie
 * (design, idea 5; DI-3). For the features that answer it. */
#ifndef KITH_CORE_ANNOUNCE_H
#define KITH_CORE_ANNOUNCE_H

#include "core/turn.h"

void announce_feature(struct build *build, const char *namespace);
/* Those of the rows that say one of these (mask of enum announce): each once, though it may have
 * several rows. */
void announce_features(struct build *build, unsigned where);

#endif
