/* consents.h: who opened whose invitation, and so agreed to be asked back: for a week that request
 * is approved without asking (INV-13). Key: localpart, zero, the contact's bare jid.
 * Limit: CONSENTS_MAX an account; when there are more, the one that ends first makes room. */
#ifndef KITH_CONSENTS_H
#define KITH_CONSENTS_H

#include "store/store.h"

#define CONSENTS_MAX 16
#define CONSENT_DAYS 7

enum store_outcome consent_put(struct store *store, struct span local, struct span contact,
                               uint64_t until_us);
/* STORE_OK: there is one that has not ended. */
enum store_outcome consent_get(struct store *store, struct span local, struct span contact,
                               uint64_t now_us);
enum store_outcome consent_delete(struct store *store, struct span local, struct span contact);
/* All of an account. */
enum store_outcome consent_forget(struct store *store, struct span local);
/* At most `max` that have ended are deleted; STORE_NONE: none are left. */
enum store_outcome consent_sweep(struct store *store, uint64_t now_us, unsigned max);

#endif
