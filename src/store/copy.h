/* copy.h: a store as one file elsewhere, and back. The copy is LMDB's own format: for machines of
 * the same word size and byte order; dump.h is for the others. A copy has all secrets of the store
 * (mode 0600), but not the keys and certificates that lie beside it. */
#ifndef KITH_COPY_H
#define KITH_COPY_H

#include "store/store.h"

/* Writes the store, as it is at this moment, to a new file: whole or not at all, safe when this
 * returns. The store may be another process's, which is not kept waiting, but cannot use pages
 * again meanwhile: have a deadline. false: *why. */
bool copy_backup(struct store *store, const char *file, struct arena *arena, const char **why);

/* Makes the file the store of the directory; the one before stays as kith.mdb.old (*kept). No
 * process may be using the store to write. false: *why, and nothing was changed. */
bool copy_restore(const char *directory, uint64_t map_bytes, const char *file, bool *kept,
                  struct arena *arena, const char **why);

#endif
