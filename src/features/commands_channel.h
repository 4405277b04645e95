/* commands_channel.h: invitations into a channel by ad-hoc command (MT-10): rows of adhoc[]. */
#ifndef KITH_COMMANDS_CHANNEL_H
#define KITH_COMMANDS_CHANNEL_H

#include "core/adhoc.h"

void channel_invite_ask(struct command_turn *command);
void channel_invite_run(struct command_turn *command);
void channel_list_run(struct command_turn *command);
void channel_revoke_ask(struct command_turn *command);
void channel_revoke_run(struct command_turn *command);
void channel_revoke_all_run(struct command_turn *command);

#endif
