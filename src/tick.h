/* tick.h: the heartbeat: wait, read, frame, parse, handle, commit, flush (design, idea 1). */
#ifndef KITH_TICK_H
#define KITH_TICK_H

#include "core/server.h"

/* Bytes of the reservation that server_start carves up, page-aligned parts included. Needs the
 * global plan. */
size_t server_bytes(void);

/* Carves `region` (server_bytes() zeroed bytes, page-aligned) into pools, opens the store and the
 * ports named by the global config. identity may be NULL if no port needs TLS (test world).
 * false: *why says what a person can do; everything opened is closed again. */
bool server_start(struct server *server, void *region, struct tls_identity *identity,
                  const char **why);

/* One tick. Waits at most timeout_ms (-1: until something happens). false: the server has stopped
 * (every stream has been told system-shutdown and closed). */
bool server_tick(struct server *server, int timeout_ms);

/* Begins to stop: system-shutdown to every stream; server_tick becomes false soon after. */
void server_stop(struct server *server);

/* Closes everything at once, without a word (also after the last tick). */
void server_end(struct server *server);

/* New connections get this identity from now on; sessions keep theirs (SIGHUP). */
void server_identity(struct server *server, struct tls_identity *identity);

#endif
