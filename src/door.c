/* door.c: see door.h. */
#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/limits.h"
#include "core/session.h"
#include "core/stream.h"

#define REFUSAL_BYTES 1024
#define SHORTAGE_MS 1000

static const char *listen_fault(const struct config_address *at)
{
    static char why[256];
    const char *bracket = strchr(at->address, ':') ? "[" : "";
    const char *end = *bracket ? "]" : "";
    const char *reason = errno == EADDRINUSE      ? "another program listens there"
                         : errno == EACCES        ? "ports below 1024 are for root"
                         : errno == EADDRNOTAVAIL ? "this machine has no such address"
                                                  : strerror(errno);
    snprintf(why, sizeof why, "cannot listen on %s%s%s:%u: %s", bracket, at->address, end,
             (unsigned)at->port, reason);
    return why;
}

static bool listener_open(struct server *server, const struct config_address *at, bool direct_tls,
                          const char **why)
{
    int handle = plat_listen(at->address, at->port);
    /* A machine without IPv6 still has IPv4. */
    if (handle < 0 && errno == EAFNOSUPPORT)
        return true;
    if (handle < 0) {
        *why = listen_fault(at);
        return false;
    }
    server->listeners[server->listener_count] =
        (struct listener){.handle = handle, .direct_tls = direct_tls};
    if (plat_watch(handle, TAG_LISTENER + server->listener_count++, PLAT_READ))
        return true;
    *why = "the system has no room for another socket";
    return false;
}

bool door_open(struct server *server, const char **why)
{
    for (unsigned i = 0; i < config.listen_count; i++)
        if (!listener_open(server, &config.listen[i], false, why))
            return false;
    for (unsigned i = 0; i < config.listen_tls_count && server->identity != NULL; i++)
        if (!listener_open(server, &config.listen_tls[i], true, why))
            return false;
    if (server->listener_count > 0)
        return true;
    *why = "there is no address to listen on";
    return false;
}

static void doorman_free(struct doorman *doorman)
{
    if (!doorman->busy)
        return;
    (void)plat_watch(doorman->handle, 0, PLAT_NONE);
    plat_close(doorman->handle);
    doorman->busy = false;
}

void door_shut(struct server *server)
{
    for (unsigned i = 0; i < server->listener_count; i++) {
        (void)plat_watch(server->listeners[i].handle, 0, PLAT_NONE);
        plat_close(server->listeners[i].handle);
    }
    server->listener_count = 0;
    for (unsigned i = 0; i < DOORMEN; i++)
        doorman_free(&server->doormen[i]);
}

/* Says why, and keeps the connection a little, since closing it with unread bytes would take the
 * words back. Before TLS nothing can be said on a direct TLS port. */
static void refuse(struct server *server, int handle, bool direct_tls, enum stream_error error)
{
    char text[REFUSAL_BYTES];
    unsigned n = 0;
    size_t len = direct_tls ? 0 : stream_doorman(text, sizeof text, error);
    if (len > 0)
        (void)plat_send(handle, text, len, false);
    while (n < DOORMEN && server->doormen[n].busy)
        n++;
    if (len == 0 || n == DOORMEN || !plat_watch(handle, TAG_DOORMAN + n, PLAT_READ)) {
        plat_close(handle);
        return;
    }
    server->doormen[n] = (struct doorman){
        .handle = handle, .busy = true, .until_ms = server->now_ms + CLOSING_MS_MAX};
    session_due(server, server->doormen[n].until_ms);
}

void door_refused(struct server *server, unsigned n)
{
    struct doorman *doorman = &server->doormen[n];
    int got = doorman->busy
                  ? plat_recv(doorman->handle, server->socket_bytes, server->socket_bytes_max)
                  : PLAT_AGAIN;
    if (got == 0 || got == PLAT_GONE)
        doorman_free(doorman);
}

void door_sweep(struct server *server)
{
    for (unsigned i = 0; i < DOORMEN; i++) {
        struct doorman *doorman = &server->doormen[i];
        if (doorman->busy && server->now_ms >= doorman->until_ms)
            doorman_free(doorman);
        else if (doorman->busy)
            session_due(server, doorman->until_ms);
    }
    if (server->door_closed && !server->stopping) {
        server->door_closed = false;
        for (unsigned i = 0; i < server->listener_count; i++)
            (void)plat_watch(server->listeners[i].handle, TAG_LISTENER + i, PLAT_READ);
    }
}

/* The system has no more handles: without this a waiting connection would wake us for ever. */
static void door_pause(struct server *server)
{
    for (unsigned i = 0; i < server->listener_count; i++)
        (void)plat_watch(server->listeners[i].handle, TAG_LISTENER + i, PLAT_NONE);
    server->door_closed = true;
    session_due(server, server->now_ms + SHORTAGE_MS);
    log_line(LOG_NOTE, "no more sockets to be had from the system: new clients wait");
}

static unsigned streams_from(const struct server *server, const struct plat_peer *peer)
{
    unsigned count = 0;
    for (const struct session *at = server->streams; at != NULL; at = at->next)
        count += at->phase != PHASE_ASLEEP && memcmp(&at->address, peer, sizeof *peer) == 0;
    return count;
}

/* ST-19. */
static bool too_many(struct server *server, const struct plat_peer *peer)
{
    struct span who = span_of((const char *)peer->address, sizeof peer->address);
    if (!config.rate_limits)
        return false;
    if (streams_from(server, peer) >= plan.per_address ||
        throttle_full(&server->connections, SPAN("connect"), who, server->now_ms))
        return true;
    throttle_note(&server->connections, SPAN("connect"), who, server->now_ms);
    return false;
}

void door_answer(struct server *server, unsigned n)
{
    const struct listener *listener = &server->listeners[n];
    for (unsigned i = 0; i < TURN_ACCEPTS; i++) {
        struct plat_peer peer;
        /* Who sleeps makes way; the place is free in the next tick. */
        if (pool_left(&server->sessions) == 0 && session_end_asleep(server, SPAN_NONE))
            return;
        int handle =
            plat_accept(listener->handle, &peer, (int)plan.receive_buffer, (int)plan.send_buffer);
        if (handle == PLAT_FULL)
            door_pause(server);
        if (handle < 0)
            return;
        if (too_many(server, &peer)) {
            refuse(server, handle, listener->direct_tls, STREAM_POLICY_VIOLATION);
            continue;
        }
        struct session *session = session_open(server, handle, &peer, listener->direct_tls);
        if (session == NULL) {
            refuse(server, handle, listener->direct_tls, STREAM_RESOURCE_CONSTRAINT);
            continue;
        }
        session_due(server, server->now_ms + LOGIN_MS_MAX);
        session_watch(server, session);
    }
}
