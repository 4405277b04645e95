/* ids.h: verified e-mail addresses and phone numbers of accounts, each of one account only
 * (REG-27). Two records each: by kind and value, and by account. Limit: IDS_PER_ACCOUNT_MAX. */
#ifndef KITH_IDS_H
#define KITH_IDS_H

#include "store/store.h"

#define IDS_PER_ACCOUNT_MAX 4
#define ID_VALUE_BYTES_MAX 254

enum id_kind { ID_EMAIL = 'e', ID_PHONE = 'p' };

/* Whose it is; value in the form that id_prepare gave. Borrowed until the next write. */
enum store_outcome id_get(struct store *store, enum id_kind kind, struct span value,
                          struct span *local);
/* STORE_EXISTS: it is another account's. STORE_FULL: the account has as many as it may. */
enum store_outcome id_put(struct store *store, enum id_kind kind, struct span value,
                          struct span local);
enum store_outcome id_delete(struct store *store, enum id_kind kind, struct span value);
/* The account's n-th; STORE_NONE: it has no more. */
enum store_outcome id_of(struct store *store, struct span local, unsigned n, enum id_kind *kind,
                         struct span *value);
/* All of an account. */
enum store_outcome id_forget(struct store *store, struct span local);

/* The form in which they are compared: e-mail with the domain in lower case and the localpart
 * case-folded (ASCII folding and PRECIS lower-casing), a phone number as '+' and 7 to 15 digits
 * without spaces, - ( ) and dots.  false: malformed, or too long; *out is in the arena. */
bool id_prepare(enum id_kind kind, struct span text, struct arena *arena, struct span *out);

#endif
