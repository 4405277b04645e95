/* input.h: from the socket to plain bytes in a session's buffer, TLS in between.
 * A session holds a small buffer only while something is unfinished; a stanza that outgrows it
 * takes one of plan.leases big ones, or waits unread until one is free. */
#ifndef KITH_INPUT_H
#define KITH_INPUT_H

#include "core/session.h"

enum input_outcome {
    INPUT_MORE,    /* there are new bytes */
    INPUT_NOTHING, /* not now */
    INPUT_END,     /* the client has closed its side */
    INPUT_LOST,    /* the connection is broken */
    INPUT_TOO_BIG, /* the unfinished item is longer than the biggest buffer */
};

/* The bytes of the unfinished item and what follows it. */
static inline struct span input_span(const struct session *session)
{
    const struct input *input = &session->input;
    return input->bytes == NULL ? SPAN_NONE
                                : span_of(input->bytes + input->start, input->end - input->start);
}

/* Tries to get more bytes: first what the TLS library has, then, if *readable, what one read of the
 * socket brings (*readable is false afterwards). */
enum input_outcome input_more(struct server *server, struct session *session, bool *readable);

/* len bytes of the item are done with. */
void input_take(struct session *session, size_t len);

/* Drops all plain bytes that were received (STARTTLS: TLS-1). */
void input_discard(struct session *session);

/* One step of the handshake. */
enum tls_outcome input_handshake(struct server *server, struct session *session, bool *readable);

/* At the end of a session's turn: keeps what TLS has not taken, gives back a buffer that is empty.
 * Must be called after the last input_more of a turn. */
void input_settle(struct server *server, struct session *session);

/* Gives back the buffer with what is in it: the session is over. */
void input_return(struct server *server, struct session *session);

#endif
