/* registration_commands.h: registrations that wait, by ad-hoc command: shown to admins, approved
 * and refused by them. Rows of adhoc[]. */
#ifndef KITH_REGISTRATION_COMMANDS_H
#define KITH_REGISTRATION_COMMANDS_H

#include "core/adhoc.h"

void pending_list_run(struct command_turn *command);
void pending_ask(struct command_turn *command); /* the form to choose one, of both */
void pending_approve_run(struct command_turn *command);
void pending_refuse_run(struct command_turn *command);

#endif
