/* forget.h: what goes with an account when it is deleted. */
#ifndef KITH_FORGET_H
#define KITH_FORGET_H

#include "store/store.h"

/* In this transaction: the account, its vCard, last absence, verified addresses, consents, tokens,
 * invitations, what it was waiting to verify; the name is kept free for RELEASED_DAYS. What may be
 * much (contacts, channels, who must be told; messages, private elements, nodes) goes in steps:
 * server->reap_ms = 0. STORE_FULL: nothing has changed. STORE_NONE: there is no such account.
 * `local` is not borrowed from the store. */
enum store_outcome account_forget(struct store *store, struct span local, uint64_t now_us);

#endif
