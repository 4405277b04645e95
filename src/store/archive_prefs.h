/* archive_prefs.h: which messages an account wants kept (XEP-0441), one record an account; without
 * one all of them. How many addresses there may be is for the callers to ask. */
#ifndef KITH_ARCHIVE_PREFS_H
#define KITH_ARCHIVE_PREFS_H

#include "store/blocklists.h"

enum archive_default { ARCHIVE_ALWAYS, ARCHIVE_ROSTER, ARCHIVE_NEVER, ARCHIVE_DEFAULTS };

/* The lists are runs of bytes as store/blocklists.h has them; borrowed until the next write. */
struct archive_prefs {
    enum archive_default otherwise;
    struct span always;
    struct span never;
};

enum store_outcome archive_prefs_get(struct store *store, struct span local,
                                     struct archive_prefs *prefs);
enum store_outcome archive_prefs_put(struct store *store, struct span local,
                                     const struct archive_prefs *prefs, struct arena *arena);
enum store_outcome archive_prefs_delete(struct store *store, struct span local);
/* 2.3: whether a message to or from that address shall be kept; in doubt it is. `never` comes
 * before `always`. */
bool archive_prefs_wants(struct store *store, struct span local, const struct jid *with);

#endif
