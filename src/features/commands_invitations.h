/* commands_invitations.h: what the commands about invitations share, whether they are asked of the
 * domain (commands_invite.c) or of a channel (commands_channel.c): making one, and which of them
 * are shown and revoked. Limits: INV-5, INVITATIONS_REVOKED_MAX. */
#ifndef KITH_COMMANDS_INVITATIONS_H
#define KITH_COMMANDS_INVITATIONS_H

#include "core/adhoc.h"
#include "core/invitation.h"

#define INVITATIONS_REVOKED_MAX 20 /* at once */
#define INVITATION_DAY_SECONDS 86400

/* Those that who asks may see, and that have not expired. */
struct invitations {
    struct command_turn *command;
    struct span owner;   /* localpart: only of that account; bytes NULL: of everybody */
    struct span channel; /* bare jid: only into that channel; bytes NULL: of all kinds */
};

/* The localpart of who asks. */
struct span invitations_asker(const struct command_turn *command);

/* Makes one of the asker's and answers with its link (INV-7). as_account: the link is for making an
 * account, even if it makes a contact too (INV-8). */
void invitations_make(struct command_turn *command, struct invitation_wish *wish,
                      const char *form_type, bool as_account);

/* Shows them as a table. */
void invitations_list(const struct invitations *invitations, const char *form_type);
/* The form in which those are chosen that are to be revoked. */
void invitations_choose(const struct invitations *invitations, const char *form_type);
/* Revokes those that were chosen, or none: `revoke` is told of each, which may be gone by then. */
void invitations_revoke(const struct invitations *invitations,
                        enum store_outcome (*revoke)(const struct invitations *invitations,
                                                     struct invite *invite));

#endif
