/* errand.h: codes on their way to an e-mail address or a telephone (REG-18), by `verify_command` or
 * by the system's sendmail, which the runner starts for us (platform.h). Neither codes nor
 * addresses are ever logged. */
#ifndef KITH_ERRAND_H
#define KITH_ERRAND_H

#include "core/server.h"
#include "store/pending.h"

#define ERRAND_SENDMAIL "/usr/sbin/sendmail"
#define ERRAND_MS_MAX 30000 /* sending one may take that long */

/* Whether the config says how codes go that way. (PENDING_ADMIN: see notice.h.) */
bool errand_possible(enum pending_channel channel);

/* Whether `verify` sends codes at all; then errand_start makes the runner, at boot and before
 * anything is reserved. false: errno says why. */
bool errand_needed(void);
bool errand_start(void);
void errand_end(void);

/* Queues one code. false: it will not be sent, since too many wait, there is nothing to send it
 * with, or no command could take the address safely. What fails later is in the log only; the user
 * can ask for another. */
bool errand_code(struct server *server, enum pending_channel channel, struct span address,
                 struct span code);

#endif
