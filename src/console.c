/* console.c: see console.h. What can be asked is in command.c. */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/session.h"
#include "door.h"

#define CONSOLE_MS_MAX 10000

bool console_open(struct server *server, const char *path, const char **why)
{
    static char text[CONFIG_TEXT_MAX + 128];
    server->control = plat_listen_local(path);
    if (server->control >= 0 &&
        plat_watch(server->control, TAG_LISTENER + SERVER_LISTENERS, PLAT_READ))
        return true;
    snprintf(text, sizeof text, "cannot open the control socket %s: %s", path, strerror(errno));
    *why = text;
    return false;
}

static void console_free(struct console *console)
{
    if (console->state == CONSOLE_FREE)
        return;
    (void)plat_watch(console->handle, 0, PLAT_NONE);
    plat_close(console->handle);
    console->state = CONSOLE_FREE;
}

void console_shut(struct server *server)
{
    for (unsigned i = 0; i < CONSOLES; i++)
        console_free(&server->consoles[i]);
    if (server->control < 0)
        return;
    (void)plat_watch(server->control, 0, PLAT_NONE);
    plat_close(server->control);
    server->control = -1;
}

void console_answer(struct server *server)
{
    struct plat_peer peer;
    unsigned n = 0;
    int handle = plat_accept(server->control, &peer, 0, 0);
    if (handle < 0)
        return;
    while (n < CONSOLES && server->consoles[n].state != CONSOLE_FREE)
        n++;
    if (n == CONSOLES || !plat_watch(handle, TAG_CONSOLE + n, PLAT_READ)) {
        plat_close(handle);
        return;
    }
    struct console *console = &server->consoles[n];
    console->handle = handle;
    console->state = CONSOLE_ASKING;
    console->len = 0;
    console->until_ms = server->now_ms + CONSOLE_MS_MAX;
    session_due(server, console->until_ms);
}

/* A request ends with an empty line. */
static bool complete(const struct console *console)
{
    size_t len = console->len;
    return (len >= 2 && memcmp(console->request + len - 2, "\n\n", 2) == 0);
}

static void console_read(struct server *server, struct console *console)
{
    size_t room = sizeof console->request - console->len;
    int got = plat_recv(console->handle, console->request + console->len, room);
    if (got == PLAT_AGAIN)
        return;
    if (got <= 0 || (size_t)got == room) {
        console_free(console);
        return;
    }
    console->len += (size_t)got;
    if (!complete(console))
        return;
    struct build reply = {.bytes = console->reply, .size = sizeof console->reply};
    command_answer(server, span_of(console->request, console->len), &reply);
    memset(console->request, 0, sizeof console->request); /* it may hold keys */
    console->len = reply.used;
    console->sent = 0;
    console->state = CONSOLE_WAITING;
    server->consoles_waiting = true;
}

static void console_write(struct server *server, struct console *console)
{
    unsigned n = (unsigned)(console - server->consoles);
    int sent = plat_send(console->handle, console->reply + console->sent,
                         console->len - console->sent, false);
    if (sent > 0)
        console->sent += (size_t)sent;
    if (sent == PLAT_GONE || console->sent == console->len ||
        !plat_watch(console->handle, TAG_CONSOLE + n, PLAT_WRITE))
        console_free(console);
}

void console_event(struct server *server, unsigned n)
{
    struct console *console = &server->consoles[n];
    if (console->state == CONSOLE_ASKING)
        console_read(server, console);
    else if (console->state == CONSOLE_SAYING)
        console_write(server, console);
}

void console_flush(struct server *server, bool safe)
{
    if (!server->consoles_waiting)
        return;
    server->consoles_waiting = false;
    for (unsigned i = 0; i < CONSOLES; i++) {
        struct console *console = &server->consoles[i];
        if (console->state != CONSOLE_WAITING)
            continue;
        if (!safe) {
            console_free(console);
            continue;
        }
        console->state = CONSOLE_SAYING;
        console_write(server, console);
    }
}

void console_sweep(struct server *server)
{
    for (unsigned i = 0; i < CONSOLES; i++) {
        struct console *console = &server->consoles[i];
        if (console->state == CONSOLE_FREE)
            continue;
        if (server->now_ms >= console->until_ms)
            console_free(console);
        else
            session_due(server, console->until_ms);
    }
}
