/* operator.h: the server's end of the control socket: one request, one answer, closed.
 * Owns server->operators. Limits: OPERATORS at once, OPERATOR_REQUEST_BYTES, OPERATOR_REPLY_BYTES. */
#ifndef KITH_OPERATOR_H
#define KITH_OPERATOR_H

#include "core/server.h"

/* Opens the control socket. false: *why. */
bool operator_open(struct server *server, const char *path, const char **why);
void operator_shut(struct server *server);

/* Somebody waits at the socket. */
void operator_answer(struct server *server);
/* Something happened to the n-th operator's connection. */
void operator_event(struct server *server, unsigned n);
/* After the commit (safe) or its failure: answers leave, or their connections are closed. */
void operator_flush(struct server *server, bool safe);
/* Closes those whose time is up. */
void operator_sweep(struct server *server);

#endif
