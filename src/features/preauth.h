/* preauth.h: an invitation shown before an account is registered (XEP-0445; requirements 5.6).
 * Limits: PREAUTH_WRONG_MAX wrong ones a stream, and so many from one network (RL-1). */
#ifndef KITH_PREAUTH_H
#define KITH_PREAUTH_H

#include "core/turn.h"

#define PREAUTH_WRONG_MAX 5 /* INV-18 */

void preauth_request(struct turn *turn);

#endif
