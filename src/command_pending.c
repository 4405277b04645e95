/* command_pending.c: registrations that wait for somebody's yes, by command (REG-18b). Decided by
 * the running server, since contacts may have to be told. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/line.h"
#include "command_parts.h"
#include "core/session.h"
#include "features/registration.h"

#define TIME_BYTES 64

/* What a stranger wrote. */
static void words_print(const char *before, struct span text, const char *after)
{
    if (text.len == 0)
        return;
    printf("%s", before);
    line_print(stdout, text);
    printf("%s", after);
}

static void one_print(const struct pending *pending)
{
    char text[TIME_BYTES];
    time_t seconds = (time_t)(pending->expires_us / 1000000);
    struct tm parts;
    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &parts) == 0)
        text[0] = '\0';
    printf("%.*s  until %s", (int)pending->local.len, pending->local.bytes, text);
    words_print("  ", pending->email, "");
    words_print("  ", pending->phone, "");
    words_print("  \"", pending->reason, "\"");
    printf("\n");
}

/* Printed as it is read, like the accounts. */
enum command_exit pending_list(struct request *request)
{
    char name[PENDING_LOCAL_BYTES_MAX];
    struct span after = SPAN_NONE;
    struct pending pending;
    enum store_outcome outcome;
    uint64_t now_us = plat_wall_us();
    unsigned shown = 0;
    while ((outcome = pending_next(request->store, after, &pending)) == STORE_OK) {
        if (!(pending.flags & PENDING_OF_ACCOUNT) && pending.expires_us > now_us) {
            one_print(&pending);
            shown++;
        }
        memcpy(name, pending.local.bytes, pending.local.len);
        after = span_of(name, pending.local.len);
    }
    if (outcome == STORE_NONE && shown == 0)
        printf("no registration waits\n");
    return reply_printed(request, outcome);
}

static enum command_exit decided(struct request *request, enum store_outcome outcome,
                                 const char *what)
{
    int len = (int)request->arguments[0].len;
    const char *name = request->arguments[0].bytes;
    if (outcome == STORE_OK) {
        reply_line(request->reply, "%.*s@%s %s", len, name, config.domain, what);
        return COMMAND_DONE;
    }
    if (outcome == STORE_NONE)
        reply_line(request->reply,
                   "kith: no registration of %.*s waits; `kith pending list` shows all", len, name);
    else if (outcome == STORE_EXISTS)
        reply_line(request->reply, "kith: there is an account %.*s already", len, name);
    else if (outcome == STORE_FULL)
        reply_line(request->reply, "kith: there is no room for another account; see `kith status`");
    else
        reply_line(request->reply, "kith: the disk failed; nothing was changed, see the log");
    return COMMAND_FAILED;
}

enum command_exit pending_approve(struct request *request)
{
    if (request->count != 1 || request->arguments[0].len > PENDING_LOCAL_BYTES_MAX)
        return reply_malformed(request);
    return decided(request, registration_approve(request->server, request->arguments[0]),
                   "can log in now");
}

enum command_exit pending_refuse(struct request *request)
{
    if (request->count != 1 || request->arguments[0].len > PENDING_LOCAL_BYTES_MAX)
        return reply_malformed(request);
    return decided(request, registration_refuse(request->server, request->arguments[0]),
                   "is refused; the name is free again");
}
