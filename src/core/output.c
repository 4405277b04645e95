/* output.c: see output.h. */
#include "core/output.h"

#include "base/log.h"
#include "core/client_state.h"
#include "core/limits.h"
#include "core/management.h"
#include "core/remains.h"
#include "core/stream.h"
#include "wire/names.h"

/* One piece over TLS. true: go on with the next one. */
static bool flush_sealed(struct server *server, struct session *session)
{
    enum tls_outcome outcome;
    if (session->socket_full) {
        outcome = tls_flush(session->tls);
    } else {
        size_t len = rope_peek(&session->out, server->record, TLS_WISE_BYTES);
        if (len == 0)
            return false;
        outcome = tls_write(session->tls, span_of(server->record, len));
        session->trimmed = false;
        session_due(server, server->now_ms + TRIM_MS);
        if (outcome == TLS_OK || outcome == TLS_WANT_WRITE)
            rope_drop(&server->chunks, &session->out, len);
    }
    session->socket_full = outcome == TLS_WANT_WRITE;
    if (outcome != TLS_OK && outcome != TLS_WANT_WRITE)
        session_lose(server, session);
    return outcome == TLS_OK;
}

static bool flush_plain(struct server *server, struct session *session)
{
    size_t len = rope_peek(&session->out, server->record, tls_record_bytes());
    session->socket_full = false;
    if (len == 0)
        return false;
    int sent = plat_send(session->handle, server->record, len, false);
    if (sent == PLAT_GONE) {
        session_lose(server, session);
        return false;
    }
    if (sent > 0)
        rope_drop(&server->chunks, &session->out, (size_t)sent);
    session->socket_full = sent < 0 || (size_t)sent < len;
    return !session->socket_full;
}

void output_ask(struct server *server, struct session *session)
{
    struct management *management = &session->management;
    if (session->phase != PHASE_OPEN || management->asked ||
        !rope_add_word(&server->chunks, &session->out, SPAN("<r xmlns='" NS_MANAGEMENT "'/>")))
        return;
    management->asked = true;
    management->asked_ms = server->now_ms;
    session_due(server, server->now_ms + IDLE_MS_MAX + PING_MS_MAX);
    session_write_later(server, session);
}

void output_flush(struct server *server, struct session *session)
{
    uint32_t before;
    /* Within a handshake the library itself writes; the rope belongs to the stream above it. */
    if (session->phase == PHASE_HANDSHAKE || session->phase == PHASE_ASLEEP)
        return;
    if (session->out.stanzas > 0) /* SM-5: in the same flight */
        output_ask(server, session);
    before = session->out.bytes;
    while (before - session->out.bytes < TURN_FLUSH_BYTES)
        if (!(session->tls == NULL ? flush_plain(server, session) : flush_sealed(server, session)))
            break;
    if (session->phase == PHASE_GONE || session->phase == PHASE_ASLEEP)
        return;
    session->drained |= session_drained(session);
    if (rope_ready(&session->out) > 0 && !session->socket_full)
        session_write_later(server, session);
    if ((session->pauses & PAUSE_OUTPUT) && session->out.bytes < plan.output_bytes / 4) {
        session->pauses &= (uint8_t)~PAUSE_OUTPUT;
        session_read_later(server, session);
    }
    server->queue_changed |= session->phase == PHASE_QUEUED && session->out.bytes == 0;
    if (session->phase == PHASE_CLOSING && session->out.bytes == 0 && !session->socket_full)
        stream_flushed(server, session);
    session_watch(server, session);
}

/* Sends what can leave at once, in the middle of a tick. true: some memory came back. */
static bool relief(struct server *server)
{
    struct session *next;
    uint32_t before = pool_left(&server->chunks.chunks);
    for (struct session *at = server->streams; at != NULL; at = next) {
        next = at->next;
        if (rope_ready(&at->out) > 0 && !at->socket_full)
            output_flush(server, at);
    }
    return pool_left(&server->chunks.chunks) > before;
}

/* Whether a is a worse reader than b: one whose socket is full comes first, then who holds more;
 * last, while the disk fails, whoever has something that would be lost. */
static bool slower(const struct server *server, const struct session *a, const struct session *b)
{
    if (server->read_only && b != NULL && remains_any(a) != remains_any(b))
        return !remains_any(a);
    if (b == NULL || a->socket_full != b->socket_full)
        return b == NULL || a->socket_full;
    return rope_total(&a->out) > rope_total(&b->out);
}

/* Makes room: what can leave does; else the slowest reader's stream ends, without a word, since a
 * stanza may be half sent. false: nobody holds anything. */
static bool make_room(struct server *server)
{
    struct session *slowest = NULL;
    if (relief(server))
        return true;
    for (struct session *at = server->streams; at != NULL; at = at->next)
        if (rope_total(&at->out) > 0 && slower(server, at, slowest))
            slowest = at;
    if (slowest == NULL)
        return false;
    log_line(LOG_NOTE, "out of output memory: the slowest reader's stream is closed (%u bytes)",
             (unsigned)rope_total(&slowest->out));
    session_drop(server, slowest);
    return true;
}

/* Room for the next words of a session, or its stream ends, since what is left out would be missed.
 * true: try again. */
static bool make_room_for(struct server *server, struct session *session)
{
    if (make_room(server))
        return session->phase < PHASE_CLOSING;
    session_leave(server, session);
    return false;
}

/* Whether len more bytes may wait for this session; otherwise its stream ends. Whoever speaks to a
 * reader that lags behind is slowed down to what such a reader can take. */
static bool output_fits(struct server *server, struct session *session, size_t len, bool depends)
{
    if (session->phase >= PHASE_CLOSING)
        return false;
    if (session->out.bytes + len > plan.output_bytes / 2) {
        while (rope_ready(&session->out) > 0 && !session->socket_full)
            output_flush(server, session);
        if (session != server->speaker && session->phase != PHASE_ASLEEP &&
            session->out.bytes > plan.output_bytes / 2)
            server->slow_ms += SLOW_MS_MIN + (uint32_t)(len / SLOW_BYTES_PER_MS);
    }
    if (session->phase >= PHASE_CLOSING)
        return false;
    if (rope_total(&session->out) + len > plan.output_bytes) {
        stream_fail(server, session, STREAM_RESOURCE_CONSTRAINT, "You read too slowly.");
        return false;
    }
    if (depends) {
        store_hasten(server->store);
        rope_hold(&session->out);
    }
    return true;
}

/* What was added last is a stanza. */
static void stanza_end(struct server *server, struct session *session)
{
    if (session->out.keeps)
        rope_end(&session->out, (uint16_t)(server->now_ms / 1000), session->place);
    session_write_later(server, session);
}

void output_word(struct server *server, struct session *session, struct span bytes, bool depends)
{
    if (!output_fits(server, session, bytes.len, depends))
        return;
    while (!rope_add_word(&server->chunks, &session->out, bytes))
        if (!make_room_for(server, session))
            return;
    session_write_later(server, session);
}

void output_say_pieces(struct server *server, struct session *session, const struct span *pieces,
                       unsigned count, bool depends)
{
    size_t len = 0;
    if (session->held_back.first != NULL)
        client_state_flush(server, session);
    for (unsigned i = 0; i < count; i++)
        len += pieces[i].len;
    if (!output_fits(server, session, len, depends))
        return;
    for (;;) {
        uint32_t before = session->out.bytes;
        unsigned added = 0;
        while (added < count && rope_add(&server->chunks, &session->out, pieces[added]))
            added++;
        if (added == count)
            break;
        rope_cut(&server->chunks, &session->out, before);
        if (!make_room_for(server, session))
            return;
    }
    stanza_end(server, session);
}

void output_say(struct server *server, struct session *session, struct span bytes, bool depends)
{
    output_say_pieces(server, session, &bytes, 1, depends);
}

void output_share(struct server *server, struct session *session, struct span head,
                  const struct rope *body, bool depends)
{
    if (session->held_back.first != NULL)
        client_state_flush(server, session);
    if (!output_fits(server, session, head.len + body->bytes, depends))
        return;
    for (;;) {
        uint32_t before = session->out.bytes;
        if (rope_add(&server->chunks, &session->out, head) &&
            rope_share(&server->chunks, &session->out, body))
            break;
        rope_cut(&server->chunks, &session->out, before);
        if (!make_room_for(server, session))
            return;
    }
    stanza_end(server, session);
}

void output_worth(struct session *session)
{
    if (session->out.keeps && session->phase < PHASE_CLOSING)
        rope_worth(&session->out);
}

bool output_body(struct server *server, struct rope *body, struct span bytes)
{
    while (!rope_add(&server->chunks, body, bytes))
        if (!make_room(server))
            return false;
    return true;
}

bool output_crowded(const struct server *server)
{
    return store_urgent(server->store) && pool_left(&server->chunks.chunks) < plan.chunks / 2;
}

void output_release(struct server *server)
{
    for (struct session *at = server->streams; at != NULL; at = at->next) {
        at->flushed_safe = at->flushed;
        uint32_t ready = rope_ready(&at->out);
        rope_release(&at->out);
        management_safe(server, at);
        if (rope_ready(&at->out) > ready)
            session_write_later(server, at);
    }
}
