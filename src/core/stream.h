/* stream.h: the XMPP stream (RFC 6120 4): header, features, errors, end. Requirements 1.1, 1.2. */
#ifndef KITH_STREAM_H
#define KITH_STREAM_H

#include "core/session.h"

/* RFC 6120 4.9.3, in its order; the names are in stream.c. */
enum stream_error {
    STREAM_BAD_FORMAT,
    STREAM_BAD_NAMESPACE_PREFIX,
    STREAM_CONFLICT,
    STREAM_CONNECTION_TIMEOUT,
    STREAM_HOST_UNKNOWN,
    STREAM_INTERNAL_SERVER_ERROR,
    STREAM_INVALID_FROM,
    STREAM_INVALID_NAMESPACE,
    STREAM_NOT_AUTHORIZED,
    STREAM_NOT_WELL_FORMED,
    STREAM_POLICY_VIOLATION,
    STREAM_RESET,
    STREAM_RESOURCE_CONSTRAINT,
    STREAM_RESTRICTED_XML,
    STREAM_SYSTEM_SHUTDOWN,
    STREAM_TOO_BIG,      /* policy-violation with <stanza-too-big/> */
    STREAM_INVALID_FLOW, /* undefined-condition with <invalid-flow/> (XEP-0389 6.3) */
    STREAM_UNDEFINED_CONDITION,
    STREAM_UNSUPPORTED_ENCODING,
    STREAM_UNSUPPORTED_STANZA_TYPE,
    STREAM_UNSUPPORTED_VERSION,
};

/* Says the error and our end tag (and our header first, if it is not said yet: ST-2), then waits a
 * little for the client's. text: for a person, or NULL. */
void stream_fail(struct server *server, struct session *session, enum stream_error error,
                 const char *text);

/* The same with an element of another namespace beside it. */
void stream_fail_with(struct server *server, struct session *session, enum stream_error error,
                      const char *text, struct span condition);
/* Says our end tag: the client said its own, or is to go without an error (ST-24). */
void stream_close(struct server *server, struct session *session);

/* Everything said has left in PHASE_CLOSING. */
void stream_flushed(struct server *server, struct session *session);

/* A stream header came. */
void stream_header(struct server *server, struct session *session, struct span source);

/* A first-level element came that is no stanza: STARTTLS, SASL, or a mistake.
 * false: it is one that the table shall see, of whomever. */
bool stream_negotiate(struct server *server, struct session *session, const struct stanza *stanza);

/* Takes queued sessions into the handshake while there are places. */
void stream_start_handshakes(struct server *server);
/* TLS is established. */
void stream_secured(struct server *server, struct session *session);

/* Whether this stream may log in as it is: over TLS, or in plain text where the owner allowed it.
 */
bool stream_may_login(const struct session *session);

/* The stream error for a stanza that xml_read refuses. */
enum stream_error stream_error_of(enum xml_outcome outcome);

/* <stream:features/> as they are for this stream now, of FEATURES_BYTES_MAX. */
#define FEATURES_BYTES_MAX 3072
struct build;
void stream_features(const struct server *server, const struct session *session,
                     struct build *build);

/* What time brings (limits.h), for all streams; sets server->next_sweep_ms. */
void stream_sweep(struct server *server);

/* Header, error and end tag for a client for whom there is no session (GR-1). Returns the length.
 */
size_t stream_doorman(char *out, size_t size, enum stream_error error);

/* Ends every stream of an account (also those that have not bound). */
void stream_end_account(struct server *server, struct span local, enum stream_error error);

#endif
