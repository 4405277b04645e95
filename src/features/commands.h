/* commands.h: ad-hoc commands (XEP-0050), and those of them that make, show and revoke invitations
 * (XEP-0401 and our own). The rows stand in src/table.c. */
#ifndef KITH_COMMANDS_H
#define KITH_COMMANDS_H

#include "core/adhoc.h"

/* The row of the table. */
void command_request(struct turn *turn);

/* Rows of adhoc[]: commands_invite.c. */
void invite_run(struct command_turn *command);
void create_account_ask(struct command_turn *command);
void create_account_run(struct command_turn *command);
void invite_create_ask(struct command_turn *command);
void invite_create_run(struct command_turn *command);
void invite_list_run(struct command_turn *command);
void invite_revoke_ask(struct command_turn *command);
void invite_revoke_run(struct command_turn *command);

#endif
