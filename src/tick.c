/* tick.c: see tick.h. Setting up and ending is in start.c. */
#include "tick.h"

#include "base/log.h"
#include "console.h"
#include "core/archive.h"
#include "core/ask.h"
#include "core/channel_make.h"
#include "core/derivation.h"
#include "core/input.h"
#include "core/limits.h"
#include "core/management.h"
#include "core/output.h"
#include "core/pep.h"
#include "core/sasl.h"
#include "core/stream.h"
#include "core/turn.h"
#include "door.h"
#include "features/last.h"
#include "features/offline.h"
#include "features/presence.h"
#include "features/registration.h"
#include "features/subscription.h"
#include "route.h"

/* After the disk has failed: how often to see whether it takes writes again. */
#define PROBE_MS 5000
#define READER_CHECK_MS 30000

static const char end_tag[] = "</stream:stream>";

/* --- one session's input --- */

/* SM-2, GR-2: it is counted as it comes; it may be acknowledged when its effects are safe. */
static void stanza_handle(struct server *server, struct session *session,
                          const struct stanza *stanza)
{
    session->management.received += session->management.enabled;
    route_stanza(server, session, stanza);
    if (!store_dirty(server->store))
        session->management.handled = session->management.received;
}

static void element(struct server *server, struct session *session, struct span source)
{
    struct stanza stanza;
    struct arena *arena = &server->arena;
    arena->size -= ARENA_RESERVE;
    enum xml_outcome outcome =
        xml_read(server->xml, session->stream_default ? XML_STREAM_DEFAULT : XML_CONTENT_DEFAULT,
                 source, arena, &stanza);
    arena->size += ARENA_RESERVE;
    if (outcome != XML_OK)
        stream_fail(server, session, stream_error_of(outcome), NULL);
    else if (!stream_negotiate(server, session, &stanza))
        stanza_handle(server, session, &stanza);
}

static uint32_t stanza_bytes_max(const struct session *session)
{
    return session->peer == PEER_STRANGER ? plan.stanza_bytes_before : plan.stanza_bytes;
}

/* What the framer says of the bytes there are. true: an item was taken, look again. */
static bool item(struct server *server, struct session *session)
{
    size_t len = 0;
    struct span bytes = input_span(session);
    if (bytes.len == 0)
        return false;
    enum frame_outcome outcome = frame_next(&session->framer, bytes, &len);
    if (len > stanza_bytes_max(session) && outcome != FRAME_SPACE) {
        stream_fail(server, session, STREAM_TOO_BIG, NULL); /* ST-22 */
        return false;
    }
    switch (outcome) {
    case FRAME_MORE:
        return false;
    case FRAME_HEADER:
        stream_header(server, session, span_cut(bytes, 0, len));
        break;
    case FRAME_STANZA:
        element(server, session, span_cut(bytes, 0, len));
        break;
    case FRAME_SPACE:
        if (sasl2_under_way(session)) /* S2-2 */
            stream_fail(server, session, STREAM_POLICY_VIOLATION, "Finish logging in first.");
        break;
    case FRAME_END:
        session->peer_closed = true;
        management_end(server, session);
        stream_close(server, session);
        break;
    case FRAME_RESTRICTED:
        stream_fail(server, session, STREAM_RESTRICTED_XML, NULL);
        return false;
    case FRAME_TEXT:
    case FRAME_BAD:
        stream_fail(server, session, STREAM_NOT_WELL_FORMED, NULL);
        return false;
    }
    arena_reset(&server->arena, server->arena_kept);
    if (session->phase == PHASE_QUEUED) /* STARTTLS discarded what followed */
        return false;
    input_take(session, len);
    session->lease_ms = server->now_ms; /* each big stanza has its own time */
    if (config.rate_limits)
        session->budget -= (int32_t)len;
    return true;
}

/* After our end tag everything is thrown away but the client's end tag. */
static void closing_scan(struct session *session)
{
    struct span bytes = input_span(session);
    size_t tail = sizeof end_tag - 1;
    if (bytes.len >= tail && memcmp(bytes.bytes + bytes.len - tail, end_tag, tail) == 0)
        session->peer_closed = true;
    if (bytes.len > tail)
        input_take(session, bytes.len - tail);
}

static void input_outcome(struct server *server, struct session *session,
                          enum input_outcome outcome)
{
    switch (outcome) {
    case INPUT_MORE:
    case INPUT_NOTHING:
        break;
    case INPUT_END:
        if (session->management.resumable) { /* XEP-0198 7: not closed cleanly */
            session_lose(server, session);
            break;
        }
        session->peer_closed = true;
        stream_close(server, session);
        break;
    case INPUT_LOST:
        session_lose(server, session);
        break;
    case INPUT_TOO_BIG:
        stream_fail(server, session, STREAM_TOO_BIG, NULL);
        break;
    }
}

static bool may_read(const struct session *session)
{
    return (session->phase == PHASE_HEADER || session->phase == PHASE_OPEN) && session->pauses == 0;
}

/* ST-20: so many bytes a second, saved up to a burst. */
static void rate_refill(const struct server *server, struct session *session)
{
    if (!config.rate_limits)
        return;
    uint64_t gained = (server->now_ms - session->budget_ms) * RATE_BYTES_PER_SECOND / 1000;
    if (gained == 0)
        return;
    session->budget_ms = server->now_ms;
    session->budget = gained > (uint64_t)(RATE_BURST_BYTES - session->budget)
                          ? RATE_BURST_BYTES
                          : session->budget + (int32_t)gained;
}

static void rate_check(struct server *server, struct session *session)
{
    uint64_t wait_ms = server->slow_ms < SLOW_MS_MAX ? server->slow_ms : SLOW_MS_MAX;
    server->slow_ms = 0;
    if (config.rate_limits && session->budget < 0)
        wait_ms += 1 + (uint64_t)-session->budget * 1000 / RATE_BYTES_PER_SECOND;
    if (wait_ms == 0)
        return;
    session->pauses |= PAUSE_RATE;
    session->resume_ms = server->now_ms + wait_ms;
    session_due(server, session->resume_ms);
}

static void session_heard(struct server *server, struct session *session)
{
    session->active_ms = server->now_ms;
    session->pinged = false;
    session->trimmed = false;
    session_due(server, server->now_ms + TRIM_MS);
}

/* A bounded piece of what a session has to say. */
static void read_open(struct server *server, struct session *session, bool readable)
{
    bool again = true;
    rate_refill(server, session);
    for (unsigned stanzas = 0; may_read(session); stanzas++) {
        again = stanzas >= TURN_STANZAS || server->turn_copies >= TURN_COPIES ||
                store_crowded(server->store) || output_crowded(server);
        if (again)
            break;
        if (item(server, session)) {
            rate_check(server, session);
            if (session->out.bytes > plan.output_bytes / 2)
                session->pauses |= PAUSE_OUTPUT;
            continue;
        }
        if (!may_read(session))
            break;
        enum input_outcome outcome = input_more(server, session, &readable);
        input_outcome(server, session, outcome);
        if (outcome != INPUT_MORE)
            break;
    }
    if (again && may_read(session))
        session_read_later(server, session);
}

static void read_closing(struct server *server, struct session *session, bool readable)
{
    enum input_outcome outcome;
    while (session->phase == PHASE_CLOSING &&
           (outcome = input_more(server, session, &readable)) == INPUT_MORE)
        closing_scan(session);
    if (session->phase != PHASE_CLOSING)
        return;
    session->peer_closed |= outcome != INPUT_NOTHING;
    session_write_later(server, session);
}

static void handshake(struct server *server, struct session *session, bool readable)
{
    if (server->turn_handshakes >= TURN_HANDSHAKES) /* plat_wait will announce it again */
        return;
    server->turn_handshakes++;
    enum tls_outcome outcome = input_handshake(server, session, &readable);
    session->socket_full = outcome == TLS_WANT_WRITE;
    if (outcome == TLS_OK)
        stream_secured(server, session);
    else if (outcome == TLS_FAILED || outcome == TLS_CLOSED)
        session_leave(server, session);
}

static void session_turn(struct server *server, struct session *session, bool readable)
{
    server->speaker = session;
    server->slow_ms = 0;
    server->turn_copies = 0;
    if (session->phase == PHASE_HANDSHAKE)
        handshake(server, session, readable);
    if (readable)
        session_heard(server, session);
    if (session->phase == PHASE_HEADER || session->phase == PHASE_OPEN)
        read_open(server, session, readable);
    if (session->phase == PHASE_CLOSING)
        read_closing(server, session, readable);
    server->speaker = NULL;
    if (session->phase == PHASE_ASLEEP)
        input_return(server, session);
    if (session->phase == PHASE_GONE || session->phase == PHASE_ASLEEP)
        return;
    input_settle(server, session);
    session_watch(server, session);
}

/* --- the parts of a tick --- */

static void event(struct server *server, const struct plat_event *event)
{
    uint32_t n = event->tag & ~TAG_KIND_MASK;
    switch (event->tag & TAG_KIND_MASK) {
    case TAG_LISTENER:
        if (n == SERVER_LISTENERS)
            console_answer(server);
        else
            door_answer(server, n);
        return;
    case TAG_DOORMAN:
        door_refused(server, n);
        return;
    case TAG_CONSOLE:
        console_event(server, n);
        return;
    default:
        break;
    }
    struct session *session = session_of_tag(server, event->tag);
    if (session->phase == PHASE_GONE || session->phase == PHASE_ASLEEP)
        return;
    if ((event->writable || event->hangup) && session->phase != PHASE_HANDSHAKE)
        session_write_later(server, session);
    if (event->readable || event->hangup || session->phase == PHASE_HANDSHAKE)
        session_turn(server, session, event->readable || event->hangup);
}

static void readers(struct server *server)
{
    struct session *list = server->readers;
    server->readers = NULL;
    while (list != NULL) {
        struct session *session = list;
        list = session->next_reader;
        session->reading = false;
        if (session->phase != PHASE_GONE && session->phase != PHASE_ASLEEP)
            session_turn(server, session, false);
    }
}

static void flush(struct server *server)
{
    struct session *list = server->writers;
    server->writers = NULL;
    while (list != NULL) {
        struct session *session = list;
        list = session->next_writer;
        session->writing = false;
        if (session->phase != PHASE_GONE)
            output_flush(server, session);
    }
}

static void free_leaving(struct server *server)
{
    struct session *next;
    for (struct session *at = server->leaving; at != NULL; at = next) {
        next = at->next;
        /* Otherwise in the next tick, when the lists are through. */
        if (!at->reading && !at->writing && !at->flushing && !at->arrival.waiting)
            session_free(server, at);
    }
}

/* A failed commit is a power cut: nothing pending is said, every stream is closed, the live state
 * is rebuilt from the store (design, idea 1). Only what clients have not acknowledged stays, for
 * those who come back. */
static void power_cut(struct server *server)
{
    struct session *next;
    log_line(LOG_ERROR, "the store could not be written: all streams are closed; new ones can read "
                        "until the disk takes writes again");
    for (struct session *at = server->streams; at != NULL; at = next) {
        next = at->next;
        management_lose(server, at);
    }
    console_flush(server, false);
    server->read_only = true;
    server->next_probe_ms = server->now_ms;
}

/* Copies for the archive that nobody waits for are made safe a little later, with what comes until
 * then: each commit writes whole pages. */
static uint64_t commit_due_ms(const struct server *server)
{
    uint64_t patience = server->commit_ms * COMMIT_PARTS;
    if (patience < COMMIT_MS)
        patience = COMMIT_MS;
    if (patience > COMMIT_MS_MAX || config.relaxed)
        patience = COMMIT_MS_MAX;
    return server->dirty_ms + patience;
}

static bool commit_later(struct server *server)
{
    if (server->dirty_ms == 0)
        server->dirty_ms = server->now_ms;
    return server->now_ms < commit_due_ms(server) && !store_urgent(server->store) &&
           !store_crowded(server->store) && !server->stopping;
}

static void commit(struct server *server)
{
    if (store_dirty(server->store) && !commit_later(server)) {
        server->dirty_ms = 0;
        uint64_t begun_ms = plat_now_ms();
        bool safe = store_commit(server->store) == STORE_OK;
        server->commit_ms = plat_now_ms() - begun_ms;
        if (safe)
            output_release(server);
        else
            power_cut(server);
    }
    console_flush(server, true);
}

/* One way back: open the store again, write a probe, go on. */
static void recover(struct server *server)
{
    if (!server->read_only || server->now_ms < server->next_probe_ms)
        return;
    server->next_probe_ms = server->now_ms + PROBE_MS;
    if (store_reopen(server->store) && store_probe(server->store)) {
        server->read_only = false;
        log_line(LOG_NOTE, "the store takes writes again");
    }
}

static void sweep(struct server *server)
{
    if (server->now_ms < server->next_sweep_ms)
        return;
    stream_sweep(server);
    ask_sweep(server);
    door_sweep(server);
    console_sweep(server);
}

static void housekeeping(struct server *server)
{
    unsigned signals = plat_signals();
    if (signals & PLAT_SIGNAL_STOP)
        server_stop(server);
    server->reload |= (signals & PLAT_SIGNAL_RELOAD) != 0;
    if (server->now_ms >= server->next_check_ms) {
        server->next_check_ms = server->now_ms + READER_CHECK_MS;
        store_reader_check(server->store);
    }
    recover(server);
}

static int wait_ms(const struct server *server, int timeout_ms)
{
    uint64_t now = plat_now_ms();
    uint64_t until = server->next_sweep_ms;
    bool dirty = store_dirty(server->store);
    if (server->readers != NULL || server->writers != NULL || server->deriving != NULL ||
        server->leaving != NULL || (dirty && server->dirty_ms == 0) || offline_due(server) ||
        pep_due(server) || (server->queue_changed && server->handshakes < plan.handshakes))
        return 0;
    if (server->read_only && server->next_probe_ms < until)
        until = server->next_probe_ms;
    if (dirty && commit_due_ms(server) < until)
        until = commit_due_ms(server);
    if (until <= now)
        return 0;
    if (until - now < (timeout_ms < 0 ? (uint64_t)INT32_MAX : (uint64_t)timeout_ms))
        return (int)(until - now);
    return timeout_ms;
}

bool server_tick(struct server *server, int timeout_ms)
{
    struct plat_event events[SERVER_EVENTS];
    int count = plat_wait(events, SERVER_EVENTS, wait_ms(server, timeout_ms));
    server->now_ms = plat_now_ms();
    server->wall_us = plat_wall_us();
    server->turn_handshakes = 0;

    housekeeping(server);
    archive_tend(server);
    for (int i = 0; i < count; i++)
        event(server, &events[i]);
    readers(server);
    derivation_slice(server);
    sweep(server);
    stream_start_handshakes(server);
    offline_flush(server);
    pep_arrivals(server);
    last_farewells(server);
    presence_farewells(server);
    registration_sweep(server);
    archive_reap(server);
    channel_reap(server);
    subscription_reap(server); /* after them: they ask the rosters of accounts that were deleted */
    pep_sweep(server);
    flush(server);
    commit(server);
    flush(server);
    last_farewells(server);
    presence_farewells(server); /* of those whom the flush lost; leaves with the next tick */
    free_leaving(server);
    store_tick_end(server->store);
    arena_reset(&server->arena, server->arena_kept);
    return !server->stopping || server->streams != NULL || server->leaving != NULL;
}
