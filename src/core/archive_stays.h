/* archive_stays.h: what the archive of an account holds of channels (XEP-0405 2.11; PAM-6, PAM-7):
 * what was said in each while the account took part. It has no entries of its own for that.
 * Limits: ARCHIVE_SOURCES_MAX stays; those that ended first are left out. */
#ifndef KITH_ARCHIVE_STAYS_H
#define KITH_ARCHIVE_STAYS_H

#include "core/archive.h"
#include "core/channel.h"

/* The view is of the account's archive and gets its stays as sources: of that channel (a jid with
 * or without the id of a participant), or of all (NULL). Channels that the account blocks, or
 * does not want to be archived, are left out. STORE_FULL: no memory. */
enum store_outcome archive_stays(struct server *server, const struct jid *account,
                                 const struct jid *channel, struct archive_view *view);

#endif
