/* subscription_pars.h: a request with a token, which makes two accounts contacts of each other at
 * once (XEP-0379; requirements 5.5). For subscription.c alone. */
#ifndef KITH_SUBSCRIPTION_PARS_H
#define KITH_SUBSCRIPTION_PARS_H

#include "core/invitation.h"
#include "features/subscription_bond.h"

/* The token of a request; bytes NULL: there is none that counts (INV-14). */
struct span pars_token(const struct turn *turn);

/* Steps 1 to 6: whether it opens the contact's door now, and there is room for all of step 7.
 * Wrong ones are counted. false: the request goes on as if there were no token (step 9).
 * *invite: borrowed until the next write. */
bool pars_opens(struct turn *turn, const struct bond *bond, struct span token,
                struct invite *invite);
/* Steps 7 and 8. */
enum store_outcome pars_redeem(struct turn *turn, const struct bond *bond,
                               const struct invite *invite);

/* INV-13: who sends a token, good or not, agrees to be asked back for a while. */
enum store_outcome pars_agree(struct turn *turn, const struct bond *bond);

#endif
