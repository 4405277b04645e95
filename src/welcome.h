/* welcome.h: what a person who just started the server should do next. */
#ifndef KITH_WELCOME_H
#define KITH_WELCOME_H

#include "command.h"

/* Prints it on standard output, if that is a terminal or there is no account yet. Both: with an
 * invitation for the administrator, which replaces that of the last start. */
void welcome_print(const struct command_line *line, struct store *store, const char *ca_path);

#endif
