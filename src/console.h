/* console.h: the server's end of the control socket: one request, one answer, closed.
 * Owns server->consoles. Limits: CONSOLES at once, CONSOLE_REQUEST_BYTES, CONSOLE_REPLY_BYTES. */
#ifndef KITH_CONSOLE_H
#define KITH_CONSOLE_H

#include "core/server.h"

/* Opens the control socket. false: *why. */
bool console_open(struct server *server, const char *path, const char **why);
void console_shut(struct server *server);

/* Somebody waits at the socket. */
void console_answer(struct server *server);
/* Something happened to the n-th console's connection. */
void console_event(struct server *server, unsigned n);
/* After the commit (safe) or its failure: answers leave, or their connections are closed. */
void console_flush(struct server *server, bool safe);
/* Closes those whose time is up. */
void console_sweep(struct server *server);

#endif
