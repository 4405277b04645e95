/* door.h: listening ports, and who is let in (ST-19, GR-1).
 * Owns server->listeners and server->doormen. */
#ifndef KITH_DOOR_H
#define KITH_DOOR_H

#include "core/server.h"

/* Tags of plat_watch above all sessions. */
#define TAG_LISTENER 0xffff0000u
#define TAG_DOORMAN 0xfffe0000u
#define TAG_CONSOLE 0xfffd0000u
#define TAG_KIND_MASK 0xffff0000u

/* Opens every port of the config. false: *why; what was opened stays in server->listeners. */
bool door_open(struct server *server, const char **why);
void door_shut(struct server *server);

/* Lets in who waits at the n-th listener. */
void door_answer(struct server *server, unsigned n);

/* Something happened to the n-th refused connection, which is kept until its refusal is read. */
void door_refused(struct server *server, unsigned n);

/* Closes refused connections whose time is up; opens listeners again after a shortage. */
void door_sweep(struct server *server);

#endif
