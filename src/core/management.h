/* management.h: stream management (XEP-0198): stanzas are counted and acknowledged, and a client
 * that has lost its connection goes on where it was. Requirements SM-1 ... SM-5. What is kept for
 * it is in its rope (base/chunk.h); what becomes of that in the end, core/remains.h, core/ended.h.
 * Limits: plan.output_bytes of what is not acknowledged, config.resume_seconds. */
#ifndef KITH_MANAGEMENT_H
#define KITH_MANAGEMENT_H

#include "core/inline.h"
#include "core/session.h"
#include "wire/stanza.h"

/* A first-level element of a stream that has logged in. false: it is none of these. */
bool management_element(struct server *server, struct session *session,
                        const struct stanza *stanza);

/* Together with a login (core/inline.h): <enable/> in <bind/>, <resume/> in <authenticate/>. */
void management_bound(struct login *login);
void management_instead(struct login *login);
/* Says these words, then all that the former session's client has not acknowledged: this one goes
 * on as that one. false: no memory, nothing has changed. */
bool management_resume(struct server *server, struct session *former, struct session *session,
                       struct span words);

/* After a commit: what was received is handled, and whoever has asked meanwhile is told so. */
void management_safe(struct server *server, struct session *session);
/* Before the stream's end tag: what was received from it is acknowledged, once it is safe. */
void management_end(struct server *server, struct session *session);

/* The client does not answer: its stream ends, and it may come back. */
void management_part(struct server *server, struct session *session);
/* The connection is lost with the tick's transaction: what hung on that has not happened. */
void management_lose(struct server *server, struct session *session);

#endif
