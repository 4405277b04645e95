/* sweep.c: what time brings to a stream: logins and handshakes that take too long, silence, the end
 * of a pause (ST-18, ST-20, ST-23). There are no timers: one sweep over all streams at the earliest
 * time that any of them named. See limits.h. */
#include "base/heap.h"
#include "core/input.h"
#include "core/limits.h"
#include "core/management.h"
#include "core/output.h"
#include "core/remains.h"
#include "core/stream.h"
#include "wire/build.h"
#include "wire/names.h"

#define RETRY_MS 1000          /* until a store that takes nothing is tried again */
#define REMAINS_MS_MAX 3600000 /* and how long that may go on */

/* Whether that time has come; if not, the sweep comes again then. */
static bool due(struct server *server, uint64_t at_ms)
{
    if (server->now_ms >= at_ms)
        return true;
    session_due(server, at_ms);
    return false;
}

/* ST-23: any answer counts, even an error. With stream management <r/> does it (ST-10). */
static void ping(struct server *server, struct session *session)
{
    struct build build;
    size_t mark = server->arena.used;
    if (session->management.enabled) {
        output_ask(server, session);
        return;
    }
    build_init(&build, &server->arena, 256 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
    build_str(&build, "<iq type='get' id='kith-ping'");
    build_attr(&build, "from", span_string(config.domain));
    build_attr(&build, "to", jid_full(&session->jid));
    build_str(&build, "><ping xmlns='" NS_PING "'/></iq>");
    if (!build.full)
        output_say(server, session, build_span(&build), false);
    arena_reset(&server->arena, mark);
}

static void time_out(struct server *server, struct session *session)
{
    if (session->management.resumable)
        management_part(server, session);
    else
        stream_fail(server, session, STREAM_CONNECTION_TIMEOUT, "No answer to a ping.");
}

static void sweep_bound(struct server *server, struct session *session)
{
    if (session->management.asked &&
        due(server, session->management.asked_ms + IDLE_MS_MAX + PING_MS_MAX)) {
        time_out(server, session);
    } else if (session->pinged) {
        if (due(server, session->active_ms + IDLE_MS_MAX + PING_MS_MAX))
            time_out(server, session);
    } else if (due(server, session->active_ms + IDLE_MS_MAX)) {
        session->pinged = true;
        session_due(server, session->active_ms + IDLE_MS_MAX + PING_MS_MAX);
        ping(server, session);
    }
}

static uint64_t login_ends_ms(const struct session *session)
{
    uint64_t login_ms = session->opened_ms + LOGIN_MS_MAX;
    uint64_t registering_ms = session->registering.until_ms;
    return registering_ms > login_ms ? registering_ms : login_ms;
}

static void sweep_open(struct server *server, struct session *session)
{
    if ((session->pauses & PAUSE_RATE) && due(server, session->resume_ms)) {
        session->pauses &= (uint8_t)~PAUSE_RATE;
        session_read_later(server, session);
    }
    if (!session->trimmed && session->tls != NULL && due(server, session->active_ms + TRIM_MS) &&
        tls_idle(session->tls)) {
        session->trimmed = true;
        heap_trim(pool_index(&server->sessions, session) + 1);
    }
    if (session->input.leased && due(server, session->lease_ms + LEASE_MS_MAX))
        stream_fail(server, session, STREAM_POLICY_VIOLATION, "A stanza took too long.");
    else if (session->peer == PEER_BOUND)
        sweep_bound(server, session);
    else if (due(server, login_ends_ms(session)))
        stream_fail(server, session, STREAM_POLICY_VIOLATION, "Logging in took too long.");
}

/* OFF-4: it goes when what is left of it is safe in the store, or cannot be for too long. */
static void sweep_asleep(struct server *server, struct session *session)
{
    uint64_t end_ms = session->phase_ms + UINT64_C(1000) * session->management.resume_seconds;
    uint32_t before = session->management.stored;
    if (!due(server, end_ms))
        return;
    if (before == session_said(session) || server->now_ms >= end_ms + REMAINS_MS_MAX) {
        session_drop(server, session);
        return;
    }
    if (!server->read_only && !store_crowded(server->store))
        remains_store(server, session);
    session_due(server, server->now_ms + (session->management.stored == before ? RETRY_MS : 0));
}

void stream_sweep(struct server *server)
{
    struct session *next;
    server->next_sweep_ms = UINT64_MAX;
    for (struct session *at = server->streams; at != NULL; at = next) {
        next = at->next;
        switch (at->phase) {
        case PHASE_QUEUED:
            if (due(server, at->opened_ms + LOGIN_MS_MAX))
                session_leave(server, at);
            break;
        case PHASE_HANDSHAKE:
            if (due(server, at->phase_ms + HANDSHAKE_MS_MAX))
                session_leave(server, at);
            break;
        case PHASE_ASLEEP:
            sweep_asleep(server, at);
            break;
        case PHASE_CLOSING:
            if (due(server, at->phase_ms + CLOSING_MS_MAX)) {
                at->peer_closed = true;
                stream_flushed(server, at);
                session_leave(server, at);
            }
            break;
        default:
            sweep_open(server, at);
        }
    }
}

void stream_end_account(struct server *server, struct span local, enum stream_error error)
{
    struct session *next;
    for (struct session *at = server->streams; at != NULL; at = next) {
        next = at->next;
        if (at->peer == PEER_STRANGER || !span_equal(jid_local(&at->jid), local))
            continue;
        if (store_urgent(server->store)) /* why it ends may be what the tick wrote */
            rope_hold(&at->out);
        stream_fail(server, at, error, NULL);
    }
}
