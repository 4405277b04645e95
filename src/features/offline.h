/* offline.h: messages for those who are not there (XEP-0160, XEP-0203, XEP-0334). Requirements 2.5.
 * Nothing that was accepted is lost before the receiver's socket has taken it; what it had taken
 * when the stream broke or kith died may come twice, with the same stanza-id (GR-2). */
#ifndef KITH_OFFLINE_H
#define KITH_OFFLINE_H

#include "core/offline.h"
#include "core/turn.h"

/* Stores the turn's message, of type normal or chat, for the account it is addressed to.
 * edits->extra has its <stanza-id/>. archived: as offline_add has it. */
enum offline_outcome offline_keep(struct turn *turn, const struct edits *edits, uint64_t archived);

/* Whether it would be (OFF-1). */
bool offline_worth(const struct turn *turn);

/* Goes on telling sessions what was stored for them (OFF-2), as their output drains. Once a tick,
 * before the flush. */
void offline_flush(struct server *server);
/* Whether there is somebody to go on with at once. */
bool offline_due(const struct server *server);

#endif
