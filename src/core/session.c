/* session.c: see session.h. */
#include "core/session.h"

#include "base/must.h"
#include "core/application.h"
#include "core/ask.h"
#include "core/ended.h"
#include "core/input.h"
#include "core/limits.h"
#include "core/remains.h"
#include "core/sasl.h"
#include "store/offline.h"

#define FREE_SHARE 4 /* of plan.sessions: so many are left for others than lingering ones */

static void streams_add(struct session **list, struct session *session)
{
    session->previous = NULL;
    session->next = *list;
    if (*list != NULL)
        (*list)->previous = session;
    *list = session;
}

static void streams_remove(struct session **list, struct session *session)
{
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        *list = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
}

struct session *session_open(struct server *server, int handle, const struct plat_peer *address,
                             bool direct_tls)
{
    struct session *session = pool_take(&server->sessions);
    if (session == NULL)
        return NULL;
    *session = (struct session){
        .handle = handle,
        .address = *address,
        .phase = direct_tls ? PHASE_QUEUED : PHASE_HEADER,
        .direct_tls = direct_tls,
        .opened_ms = server->now_ms,
        .active_ms = server->now_ms,
        .budget_ms = server->now_ms,
        .budget = RATE_BURST_BYTES,
    };
    streams_add(&server->streams, session);
    server->queue_changed |= direct_tls;
    return session;
}

static uint32_t bucket_of(const struct server *server, struct span bare)
{
    uint32_t hash = 2166136261u ^ server->bucket_seed; /* FNV-1a */
    for (size_t i = 0; i < bare.len; i++)
        hash = (hash ^ (unsigned char)bare.bytes[i]) * 16777619u;
    return (hash ^ (hash >> 15)) & server->bucket_mask;
}

void session_unbind(struct server *server, struct session *session)
{
    if (session->peer != PEER_BOUND)
        return;
    struct session **at = &server->buckets[bucket_of(server, jid_bare(&session->jid))];
    while (*at != session) {
        must(*at != NULL);
        at = &(*at)->next_bound;
    }
    *at = session->next_bound;
    session->peer = PEER_USER;
    if (session->out.keeps && !server->read_only) /* else see session_leave */
        remains_keep(server, session);
    if (session->management.resumable && !session->peer_closed)
        ended_remember(server, session);
    if (session->announced || session->directed.bytes > 0) {
        session->next_farewell = server->farewells;
        server->farewells = session;
    }
}

static void connection_close(struct server *server, struct session *session)
{
    if (session->tls != NULL) {
        tls_close(session->tls);
        pool_return(&server->tls_rooms, session->tls);
        session->tls = NULL;
    }
    if (session->handle < 0)
        return;
    (void)plat_watch(session->handle, 0, PLAT_NONE);
    plat_close(session->handle);
    session->handle = -1;
}

static void fall_asleep(struct server *server, struct session *session)
{
    connection_close(server, session);
    if (session != server->speaker) /* whose stanza is being handled */
        input_return(server, session);
    session->phase = PHASE_ASLEEP;
    session->phase_ms = server->now_ms;
    session->watched = PLAT_NONE;
    session->socket_full = true; /* nobody takes what is said */
    session->management.asked = false;
    session_due(server, server->now_ms + UINT64_C(1000) * session->management.resume_seconds);
}

/* OFF-4: the store takes nothing now: until it does, what is left of the session waits where it is,
 * as that of one whose time to come back is over. */
static bool lingers(const struct server *server, const struct session *session)
{
    return server->read_only && !server->stopping && remains_any(session) &&
           pool_left(&server->sessions) > plan.sessions / FREE_SHARE;
}

static void leave(struct server *server, struct session *session, bool may_linger)
{
    if (session->phase == PHASE_GONE)
        return;
    if (session->phase == PHASE_HANDSHAKE) {
        server->handshakes--;
        server->queue_changed = true;
    }
    session_unbind(server, session);
    sasl_forget(server, session);
    application_return(server, session);
    ask_leave(server, session);
    if (may_linger && lingers(server, session)) {
        session->management.resume_seconds = 0;
        session->pauses = 0;
        fall_asleep(server, session);
        return;
    }
    if (session->out.keeps)
        remains_keep(server, session);
    connection_close(server, session);
    rope_clear(&server->chunks, &session->out);
    session->phase = PHASE_GONE;
    streams_remove(&server->streams, session);
    streams_add(&server->leaving, session);
}

void session_leave(struct server *server, struct session *session)
{
    leave(server, session, true);
}

void session_drop(struct server *server, struct session *session)
{
    leave(server, session, false);
}

void session_lose(struct server *server, struct session *session)
{
    if (session->phase == PHASE_ASLEEP)
        return;
    if (session->phase == PHASE_OPEN && session->peer == PEER_BOUND &&
        session->management.resumable && !server->stopping)
        session_sleep(server, session);
    else
        session_leave(server, session);
}

void session_sleep(struct server *server, struct session *session)
{
    must(session->phase == PHASE_OPEN && session->peer == PEER_BOUND);
    session->pauses &= PAUSE_DERIVING;
    fall_asleep(server, session);
}

bool session_end_asleep(struct server *server, struct span bare)
{
    struct session *longest = NULL;
    /* What waits for it goes to the store: not while that takes nothing. */
    for (struct session *at = server->streams; at != NULL && !server->read_only; at = at->next)
        if (at->phase == PHASE_ASLEEP &&
            (bare.bytes == NULL || span_equal(jid_bare(&at->jid), bare)) &&
            (longest == NULL || at->phase_ms < longest->phase_ms))
            longest = at;
    if (longest != NULL)
        session_drop(server, longest);
    return longest != NULL;
}

void session_free(struct server *server, struct session *session)
{
    must(session->phase == PHASE_GONE);
    must(!session->reading && !session->writing);
    input_return(server, session);
    rope_clear(&server->chunks, &session->presence);
    rope_clear(&server->chunks, &session->directed);
    rope_clear(&server->chunks, &session->held_back);
    streams_remove(&server->leaving, session);
    pool_return(&server->sessions, session);
}

struct session *session_of_tag(const struct server *server, uint32_t tag)
{
    /* Sessions are freed at the end of a tick and their handles closed before, so no event of a
     * tick can belong to a later user of the place. */
    return pool_at(&server->sessions, tag);
}

void session_watch(struct server *server, struct session *session)
{
    unsigned wanted = PLAT_NONE;
    if (session->phase == PHASE_GONE || session->phase == PHASE_ASLEEP)
        return;
    if (session->phase != PHASE_QUEUED && session->pauses == 0 && !session->reading &&
        !session->peer_closed)
        wanted |= PLAT_READ;
    if (session->socket_full)
        wanted |= PLAT_WRITE;
    if (wanted == session->watched)
        return;
    session->watched = wanted;
    if (!plat_watch(session->handle, pool_index(&server->sessions, session), wanted))
        session_lose(server, session);
}

void session_read_later(struct server *server, struct session *session)
{
    if (session->reading || session->phase == PHASE_GONE)
        return;
    session->reading = true;
    session->next_reader = server->readers;
    server->readers = session;
}

void session_write_later(struct server *server, struct session *session)
{
    if (session->writing || session->phase == PHASE_GONE)
        return;
    session->writing = true;
    session->next_writer = server->writers;
    server->writers = session;
}

void session_flush_later(struct server *server, struct session *session)
{
    struct offline_message first;
    for (struct session *at = session_first(server, jid_bare(&session->jid)); at != NULL;
         at = session_another(at))
        if (at->flushing && at != session)
            return;
    if (offline_next(server->store, jid_local(&session->jid), session->flushed, &first) ==
        STORE_NONE)
        return;
    session->behind = true;
    if (session->flushing)
        return;
    session->flushing = true;
    session->drained = true;
    session->next_flushing = server->flushing;
    server->flushing = session;
}

void session_listen(struct server *server, struct session *session)
{
    for (struct session *at = session_first(server, jid_bare(&session->jid)); at != NULL;
         at = session_another(at))
        at->place++;
    session->listens_from = session->place;
    session_flush_later(server, session);
}

void session_due(struct server *server, uint64_t at_ms)
{
    if (at_ms < server->next_sweep_ms)
        server->next_sweep_ms = at_ms;
}

void session_replace(struct server *server, struct session *old, struct session *with)
{
    struct session **at = &server->buckets[bucket_of(server, jid_bare(&old->jid))];
    while (*at != old) {
        must(*at != NULL);
        at = &(*at)->next_bound;
    }
    *at = with;
    with->next_bound = old->next_bound;
    with->peer = PEER_BOUND;
    old->peer = PEER_USER;
}

static struct session *same_account(struct session *session, struct span bare)
{
    while (session != NULL && !span_equal(jid_bare(&session->jid), bare))
        session = session->next_bound;
    return session;
}

struct session *session_first(const struct server *server, struct span bare)
{
    return same_account(server->buckets[bucket_of(server, bare)], bare);
}

struct session *session_another(const struct session *session)
{
    return same_account(session->next_bound, jid_bare(&session->jid));
}

void session_bind(struct server *server, struct session *session)
{
    struct session **bucket = &server->buckets[bucket_of(server, jid_bare(&session->jid))];
    struct session *sibling = session_first(server, jid_bare(&session->jid));
    must(session->phase == PHASE_OPEN);
    session->place = sibling != NULL ? sibling->place : 0;
    session->peer = PEER_BOUND;
    session->next_bound = *bucket;
    *bucket = session;
}

struct session *session_find(const struct server *server, const struct jid *full)
{
    struct session *session = session_first(server, jid_bare(full));
    while (session != NULL && !span_equal(jid_resource(&session->jid), jid_resource(full)))
        session = session_another(session);
    return session;
}

unsigned session_count(const struct server *server, struct span bare)
{
    unsigned count = 0;
    for (struct session *at = session_first(server, bare); at != NULL; at = session_another(at))
        count++;
    return count;
}
