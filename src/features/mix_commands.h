/* mix_commands.h: invitations into a channel by ad-hoc command (MT-10): rows of table.c. */
#ifndef KITH_MIX_COMMANDS_H
#define KITH_MIX_COMMANDS_H

#include "core/adhoc.h"

void mix_invite_ask(struct command_turn *command);
void mix_invite_run(struct command_turn *command);
void mix_list_run(struct command_turn *command);
void mix_revoke_ask(struct command_turn *command);
void mix_revoke_run(struct command_turn *command);
void mix_revoke_all_run(struct command_turn *command);

#endif
