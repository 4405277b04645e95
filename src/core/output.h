/* output.h: what a session is told, from the rope to the socket. With stream management it stays in
 * the rope until it is acknowledged (XEP-0198).
 * Limits: plan.output_bytes per session, plan.chunks for all. When memory is short the slowest
 * reader's stream ends, never its neighbours'. */
#ifndef KITH_OUTPUT_H
#define KITH_OUTPUT_H

#include "core/session.h"

/* Adds bytes to what the client is sent: after binding one stanza, see output_word. depends: on the
 * tick's open transaction (store_urgent), so it leaves after the commit only. Where memory is short
 * the slowest stream ends, which may be this one: nothing to do for the caller, the session is then
 * PHASE_CLOSING or PHASE_GONE. */
void output_say(struct server *server, struct session *session, struct span bytes, bool depends);

/* The same for one stanza that lies in pieces. */
void output_say_pieces(struct server *server, struct session *session, const struct span *pieces,
                       unsigned count, bool depends);

/* What goes to several and is no longer than that is copied to each; of more the bytes are shared.
 */
#define OUTPUT_COPY_BYTES_MAX 1024
/* The same for a head followed by a shared body. */
void output_share(struct server *server, struct session *session, struct span head,
                  const struct rope *body, bool depends);

/* The same for what is no stanza. */
void output_word(struct server *server, struct session *session, struct span bytes, bool depends);

/* Asks for an acknowledgement, unless one is waited for already. */
void output_ask(struct server *server, struct session *session);

/* The stanza said last to this session is to be stored if it is never acknowledged (OFF-4). */
void output_worth(struct session *session);

/* A body for sharing: bytes at the end of a rope of one's own. false: no memory. */
bool output_body(struct server *server, struct rope *body, struct span bytes);

/* Whether so much memory is taken while something waits for the commit that a tick should begin
 * nothing more: none of that can leave before, and others' streams would end for it. */
bool output_crowded(const struct server *server);

/* Sends what may leave now, as far as the socket takes it. */
void output_flush(struct server *server, struct session *session);

/* After a commit: what waited for it may leave. */
void output_release(struct server *server);

#endif
