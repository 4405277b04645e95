/* derivation.h: keys derived from passwords in slices, so that nobody else waits (design, "a
 * registration"). Meanwhile the stream that waits for it is not read. Owns nothing: derivations
 * stand in what their callers own. */
#ifndef KITH_DERIVATION_H
#define KITH_DERIVATION_H

#include "core/session.h"
#include "wire/scram.h"

struct derivation {
    struct derivation *next;
    struct session *session;
    void (*done)(struct server *server, struct session *session);
    bool queued;
    unsigned at;    /* which one is under way */
    unsigned count; /* of derives */
    struct derive derives[2];
};

/* Begins to derive; `done` is called in a later tick, outside of any turn, and may use
 * derives[].out. digests: `count` of them, 1 or 2. The password is not kept. */
void derivation_begin(struct server *server, struct session *session, struct derivation *derivation,
                      const enum digest *digests, unsigned count, struct span password,
                      struct span salt, uint32_t iterations,
                      void (*done)(struct server *server, struct session *session));
/* Forgets it, and its secrets. Safe when it is not under way. */
void derivation_end(struct server *server, struct derivation *derivation);
/* A slice of the first one's work. Once a tick. */
void derivation_slice(struct server *server);

#endif
