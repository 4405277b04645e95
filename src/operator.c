/* operator.c: see operator.h. What can be asked is in command.c. */
#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/session.h"
#include "door.h"

#define OPERATOR_MS_MAX 10000

bool operator_open(struct server *server, const char *path, const char **why)
{
    static char text[CONFIG_TEXT_MAX + 128];
    server->control = plat_listen_local(path);
    if (server->control >= 0 && plat_watch(server->control, TAG_LISTENER + SERVER_LISTENERS,
                                           PLAT_READ))
        return true;
    snprintf(text, sizeof text, "cannot open the control socket %s: %s", path, strerror(errno));
    *why = text;
    return false;
}

static void operator_free(struct operator *operator)
{
    if (operator->state == OPERATOR_FREE)
        return;
    (void)plat_watch(operator->handle, 0, PLAT_NONE);
    plat_close(operator->handle);
    operator->state = OPERATOR_FREE;
}

void operator_shut(struct server *server)
{
    for (unsigned i = 0; i < OPERATORS; i++)
        operator_free(&server->operators[i]);
    if (server->control < 0)
        return;
    (void)plat_watch(server->control, 0, PLAT_NONE);
    plat_close(server->control);
    server->control = -1;
}

void operator_answer(struct server *server)
{
    struct plat_peer peer;
    unsigned n = 0;
    int handle = plat_accept(server->control, &peer, 0, 0);
    if (handle < 0)
        return;
    while (n < OPERATORS && server->operators[n].state != OPERATOR_FREE)
        n++;
    if (n == OPERATORS || !plat_watch(handle, TAG_OPERATOR + n, PLAT_READ)) {
        plat_close(handle);
        return;
    }
    struct operator *operator = &server->operators[n];
    operator->handle = handle;
    operator->state = OPERATOR_ASKING;
    operator->len = 0;
    operator->until_ms = server->now_ms + OPERATOR_MS_MAX;
    session_due(server, operator->until_ms);
}

/* A request ends with an empty line. */
static bool complete(const struct operator *operator)
{
    size_t len = operator->len;
    return (len >= 2 && memcmp(operator->request + len - 2, "\n\n", 2) == 0);
}

static void operator_read(struct server *server, struct operator *operator)
{
    size_t room = sizeof operator->request - operator->len;
    int got = plat_recv(operator->handle, operator->request + operator->len, room);
    if (got == PLAT_AGAIN)
        return;
    if (got <= 0 || (size_t)got == room) {
        operator_free(operator);
        return;
    }
    operator->len += (size_t)got;
    if (!complete(operator))
        return;
    struct build reply = {.bytes = operator->reply, .size = sizeof operator->reply};
    command_answer(server, span_of(operator->request, operator->len), &reply);
    memset(operator->request, 0, sizeof operator->request); /* it may hold keys */
    operator->len = reply.used;
    operator->sent = 0;
    operator->state = OPERATOR_WAITING;
    server->operators_waiting = true;
}

static void operator_write(struct server *server, struct operator *operator)
{
    unsigned n = (unsigned)(operator- server->operators);
    int sent = plat_send(operator->handle, operator->reply + operator->sent,
                         operator->len - operator->sent, false);
    if (sent > 0)
        operator->sent += (size_t)sent;
    if (sent == PLAT_GONE || operator->sent == operator->len ||
        !plat_watch(operator->handle, TAG_OPERATOR + n, PLAT_WRITE))
        operator_free(operator);
}

void operator_event(struct server *server, unsigned n)
{
    struct operator *operator = &server->operators[n];
    if (operator->state == OPERATOR_ASKING)
        operator_read(server, operator);
    else if (operator->state == OPERATOR_SAYING)
        operator_write(server, operator);
}

void operator_flush(struct server *server, bool safe)
{
    if (!server->operators_waiting)
        return;
    server->operators_waiting = false;
    for (unsigned i = 0; i < OPERATORS; i++) {
        struct operator *operator = &server->operators[i];
        if (operator->state != OPERATOR_WAITING)
            continue;
        if (!safe) {
            operator_free(operator);
            continue;
        }
        operator->state = OPERATOR_SAYING;
        operator_write(server, operator);
    }
}

void operator_sweep(struct server *server)
{
    for (unsigned i = 0; i < OPERATORS; i++) {
        struct operator *operator = &server->operators[i];
        if (operator->state == OPERATOR_FREE)
            continue;
        if (server->now_ms >= operator->until_ms)
            operator_free(operator);
        else
            session_due(server, operator->until_ms);
    }
}
