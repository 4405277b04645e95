/* input.c: see input.h. */
#include "core/input.h"

#include "base/must.h"
#include "core/limits.h"

static size_t input_room(const struct input *input)
{
    return input->size - input->end - input->sealed;
}

/* Room for plain bytes: as much as TLS has not taken yet of the last read is left free, so that it
 * can be kept (input_settle). */
static size_t plain_room(const struct session *session)
{
    const struct input *input = &session->input;
    size_t unfed = session->tls == NULL || input->sealed > 0 ? 0 : tls_unfed(session->tls);
    return input_room(input) - unfed;
}

/* Moves the unfinished item to the front. */
static void input_compact(struct input *input)
{
    if (input->start == 0)
        return;
    memmove(input->bytes, input->bytes + input->start, input->end - input->start);
    input->end -= input->start;
    input->start = 0;
}

/* From one buffer to another: plain bytes at the front, sealed ones at the end, where TLS reads. */
static void input_move(struct session *session, char *bytes, uint32_t size)
{
    struct input *input = &session->input;
    size_t unfed = input->sealed > 0 ? tls_unfed(session->tls) : 0;
    uint32_t len = input->end - input->start;
    memcpy(bytes, input->bytes + input->start, len);
    memcpy(bytes + size - unfed, input->bytes + input->size - unfed, unfed);
    if (input->sealed > 0)
        tls_feed(session->tls, span_of(bytes + size - unfed, unfed));
    input->bytes = bytes;
    input->size = size;
    input->start = 0;
    input->end = len;
    input->sealed = (uint32_t)unfed;
}

/* Strangers may hold half of the leases only, so that they cannot lock users out. */
static bool lease_allowed(const struct server *server, const struct session *session)
{
    return session->peer != PEER_STRANGER || pool_left(&server->leases) > plan.leases / 2;
}

static enum input_outcome input_lease(struct server *server, struct session *session)
{
    char *small = session->input.bytes;
    if (session->input.leased)
        return INPUT_TOO_BIG;
    char *big = lease_allowed(server, session) ? pool_take(&server->leases) : NULL;
    if (big == NULL) {
        session->pauses |= PAUSE_LEASE;
        return INPUT_NOTHING;
    }
    input_move(session, big, (uint32_t)server->leases.object_bytes);
    session->input.leased = true;
    session->lease_ms = server->now_ms;
    session_due(server, server->now_ms + LEASE_MS_MAX);
    pool_return(&server->inputs, small);
    return INPUT_MORE;
}

/* A lease came back: those who wait for one look again. */
static void lease_return(struct server *server, char *bytes)
{
    pool_return(&server->leases, bytes);
    for (struct session *at = server->streams; at != NULL; at = at->next)
        if (at->pauses & PAUSE_LEASE) {
            at->pauses &= (uint8_t)~PAUSE_LEASE;
            session_read_later(server, at);
        }
}

/* Gives back a buffer to where it came from. */
static void buffer_return(struct server *server, char *bytes, bool leased)
{
    if (leased)
        lease_return(server, bytes);
    else
        pool_return(&server->inputs, bytes);
}

static void input_ready(struct server *server, struct session *session)
{
    struct input *input = &session->input;
    if (input->bytes != NULL) {
        input_compact(input);
        return;
    }
    input->bytes = pool_take(&server->inputs); /* there are as many as sessions */
    must(input->bytes != NULL);
    input->size = plan.input_bytes;
}

static enum input_outcome socket_outcome(int got)
{
    return got == 0 ? INPUT_END : got == PLAT_AGAIN ? INPUT_NOTHING : INPUT_LOST;
}

static enum input_outcome more_plain(struct session *session, bool *readable)
{
    struct input *input = &session->input;
    if (!*readable)
        return INPUT_NOTHING;
    *readable = false;
    int got = plat_recv(session->handle, input->bytes + input->end, input_room(input));
    if (got <= 0)
        return socket_outcome(got);
    input->end += (uint32_t)got;
    return INPUT_MORE;
}

/* Gives the library sealed bytes: those kept from the last turn, or one read of the socket. At most
 * half of the room is read, so that what the library does not take can be kept in the other half.
 */
static enum input_outcome feed(struct server *server, struct session *session, size_t room,
                               bool *readable)
{
    struct input *input = &session->input;
    if (tls_unfed(session->tls) > 0 || tls_pending(session->tls))
        return INPUT_MORE;
    input->sealed = 0;
    if (!*readable)
        return INPUT_NOTHING;
    *readable = false;
    size_t len = room / 2 < server->socket_bytes_max ? room / 2 : server->socket_bytes_max;
    int got = plat_recv(session->handle, server->socket_bytes, len);
    if (got <= 0)
        return socket_outcome(got);
    server->socket_fed = (size_t)got;
    tls_feed(session->tls, span_of(server->socket_bytes, server->socket_fed));
    return INPUT_MORE;
}

static enum input_outcome more_sealed(struct server *server, struct session *session,
                                      bool *readable)
{
    struct input *input = &session->input;
    size_t got = 0;
    for (;;) {
        enum input_outcome fed = feed(server, session, input_room(input), readable);
        if (fed != INPUT_MORE)
            return fed;
        switch (tls_read(session->tls, input->bytes + input->end, plain_room(session), &got)) {
        case TLS_OK:
            input->end += (uint32_t)got;
            return INPUT_MORE;
        case TLS_WANT_READ:
            continue;
        case TLS_CLOSED:
            return INPUT_END;
        default:
            return INPUT_LOST;
        }
    }
}

enum input_outcome input_more(struct server *server, struct session *session, bool *readable)
{
    input_ready(server, session);
    if (plain_room(session) < INPUT_ROOM_MIN) {
        enum input_outcome leased = input_lease(server, session);
        if (leased != INPUT_MORE)
            return leased;
    }
    return session->tls == NULL ? more_plain(session, readable)
                                : more_sealed(server, session, readable);
}

void input_take(struct session *session, size_t len)
{
    struct input *input = &session->input;
    must(len <= input->end - input->start);
    input->start += (uint32_t)len;
}

void input_discard(struct session *session)
{
    session->input.start = session->input.end = 0;
}

enum tls_outcome input_handshake(struct server *server, struct session *session, bool *readable)
{
    input_ready(server, session);
    for (;;) {
        enum tls_outcome outcome = tls_handshake(session->tls);
        if (outcome != TLS_WANT_READ)
            return outcome;
        switch (feed(server, session, input_room(&session->input), readable)) {
        case INPUT_MORE:
            continue;
        case INPUT_NOTHING:
            return TLS_WANT_READ;
        default:
            return TLS_FAILED;
        }
    }
}

void input_settle(struct server *server, struct session *session)
{
    struct input *input = &session->input;
    if (input->bytes == NULL || session->phase == PHASE_GONE)
        return;
    size_t unfed = session->tls == NULL ? 0 : tls_unfed(session->tls);
    if (unfed > 0 && input->sealed == 0) {
        must(unfed <= input->size - input->end);
        char *kept = input->bytes + input->size - unfed;
        memcpy(kept, server->socket_bytes + server->socket_fed - unfed, unfed);
        tls_feed(session->tls, span_of(kept, unfed));
    }
    input->sealed = (uint32_t)unfed;
    char *bytes = input->bytes;
    bool leased = input->leased;
    if (input->start == input->end && unfed == 0) {
        *input = (struct input){0};
    } else if (leased && input->end - input->start + unfed < plan.input_bytes / 2) {
        char *small = pool_take(&server->inputs);
        must(small != NULL);
        input_move(session, small, plan.input_bytes);
        input->leased = false;
    } else {
        return;
    }
    buffer_return(server, bytes, leased);
}

void input_return(struct server *server, struct session *session)
{
    struct input *input = &session->input;
    if (input->bytes != NULL)
        buffer_return(server, input->bytes, input->leased);
    *input = (struct input){0};
}
