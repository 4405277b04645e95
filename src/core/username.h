/* username.h: which names a new account may have (REG-12). */
#ifndef KITH_USERNAME_H
#define KITH_USERNAME_H

#include "store/pending.h"
#include "store/store.h"

#define USERNAME_BYTES_MAX 64

/* What was typed, prepared: our own domain behind an @ is taken off. false: cannot be a name
 * (modify/not-acceptable). */
bool username_prepare(struct span typed, struct arena *arena, struct span *out);

enum username_fate {
    USERNAME_FREE,
    USERNAME_TAKEN,  /* by whatever: all the same to who asks (conflict) */
    USERNAME_FAILED, /* the store failed */
};

/* Accounts, accounts that take leave, pending registrations, reservations, names released lately,
 * reserved names and the first labels of our services.
 * invite_hash: the holder's own invitation may have reserved it; NULL: none.
 * own_pending: a pending registration of that very name is no obstacle. */
enum username_fate username_look(struct store *store, struct span local, uint64_t now_us,
                                 const uint8_t *invite_hash, bool own_pending);

#endif
