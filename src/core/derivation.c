/* derivation.c: see derivation.h. */
#include "core/derivation.h"

#include "base/must.h"
#include "core/limits.h"

/* To the end: everybody gets a slice in turn. */
static void queue(struct server *server, struct derivation *derivation)
{
    struct derivation **last = &server->deriving;
    while (*last != NULL)
        last = &(*last)->next;
    *last = derivation;
    derivation->next = NULL;
    derivation->queued = true;
}

void derivation_begin(struct server *server, struct session *session, struct derivation *derivation,
                      const enum digest *digests, unsigned count, struct span password,
                      struct span salt, uint32_t iterations,
                      void (*done)(struct server *server, struct session *session))
{
    must(count > 0 && count <= 2 && !derivation->queued);
    derivation->session = session;
    derivation->done = done;
    derivation->count = count;
    derivation->at = 0;
    for (unsigned i = 0; i < count; i++)
        derive_begin(&derivation->derives[i], digests[i], password, salt, iterations);
    session->pauses |= PAUSE_DERIVING;
    queue(server, derivation);
}

void derivation_end(struct server *server, struct derivation *derivation)
{
    if (derivation->queued) {
        struct derivation **at = &server->deriving;
        while (*at != derivation)
            at = &(*at)->next;
        *at = derivation->next;
        derivation->queued = false;
        derivation->session->pauses &= (uint8_t)~PAUSE_DERIVING;
    }
    for (unsigned i = 0; i < derivation->count; i++)
        derive_forget(&derivation->derives[i]);
}

void derivation_slice(struct server *server)
{
    struct derivation *first = server->deriving;
    if (first == NULL)
        return;
    server->deriving = first->next;
    first->queued = false;
    if (derive_slice(&first->derives[first->at], DERIVE_SLICE))
        first->at++;
    if (first->at < first->count) {
        queue(server, first);
        return;
    }
    first->session->pauses &= (uint8_t)~PAUSE_DERIVING;
    session_read_later(server, first->session);
    first->done(server, first->session);
}
