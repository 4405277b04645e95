/* errand.c: see errand.h. The runner knows one command: number 0. */
#include "core/errand.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "wire/build.h"
#include "wire/digest.h"
#include "wire/timestamp.h"

#define SENDMAIL_COMMAND ERRAND_SENDMAIL " -i -t"
#define ADDRESS_BYTES_MAX 254 /* RFC 5321 4.5.3.1.3 */

static const char *commands[1];

/* --- the runner --- */

static void errand_failed(const char *command, enum plat_ending ending, int number)
{
    switch (ending) {
    case PLAT_EXITED:
        log_line(LOG_ERROR, "a code was not sent: `%s` ended with status %d", command, number);
        break;
    case PLAT_SIGNALLED:
        log_line(LOG_ERROR, "a code was not sent: `%s` was ended by signal %d", command, number);
        break;
    case PLAT_LATE:
        log_line(LOG_ERROR, "a code was not sent: `%s` took longer than %d s and was ended",
                 command, ERRAND_MS_MAX / 1000);
        break;
    case PLAT_NOT_STARTED:
        log_line(LOG_ERROR, "a code was not sent: `%s` cannot be started: %s", command,
                 strerror(number));
        break;
    }
}

bool errand_possible(enum pending_channel channel)
{
    return channel == PENDING_EMAIL ||
           (channel == PENDING_PHONE && config.verify_command[0] != '\0');
}

bool errand_needed(void)
{
    return config.verify != VERIFY_NONE && config.verify != VERIFY_ADMIN;
}

bool errand_start(void)
{
    commands[0] = config.verify_command[0] != '\0' ? config.verify_command : SENDMAIL_COMMAND;
    return !errand_needed() || plat_runner_open(commands, 1, ERRAND_MS_MAX, errand_failed);
}

void errand_end(void)
{
    plat_runner_shut();
}

/* --- what is said to the command --- */

/* Anything that begins another line, or that a shell script may take for one. */
static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.bytes[i] < 0x20 || text.bytes[i] == 0x7f)
            return true;
    return false;
}

/* One mailbox and no more, whatever mail software makes of a header or of an address: no quoting,
 * lists, groups, routes, pipes, files (RFC 5322 3.4, 4.4). */
static bool is_mailbox(struct span address)
{
    static const char refused[] = " \"(),:;<>[]\\!%|/`$";
    size_t at = span_find(address, '@');
    struct span domain = span_cut(address, at + 1, address.len);
    for (size_t i = 0; i < address.len; i++)
        if (memchr(refused, address.bytes[i], sizeof refused - 1) != NULL)
            return false;
    return at > 0 && domain.len > 0 && span_find(domain, '@') == domain.len &&
           address.bytes[0] != '-';
}

static bool is_ascii(const char *text)
{
    while (*text > 0)
        text++;
    return *text == '\0';
}

/* RFC 5322 3.3, without the day of the week: "10 Sep 2002 23:08:25 +0000". */
static void date_build(struct build *build, uint64_t utc_us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char stamp[TIMESTAMP_BYTES]; /* "2002-09-10T23:08:25.000Z" */
    timestamp_write(utc_us, stamp);
    unsigned month = (unsigned)(stamp[5] - '0') * 10 + (unsigned)(stamp[6] - '0') - 1;
    build_put(build, span_of(stamp + 8, 2));
    build_str(build, " ");
    build_put(build, span_of(months + 3 * month, 3));
    build_str(build, " ");
    build_put(build, span_of(stamp, 4));
    build_str(build, " ");
    build_put(build, span_of(stamp + 11, 8));
    build_str(build, " +0000");
}

/* RFC 5322, RFC 3834 5 (Auto-Submitted). */
static void mail_build(const struct server *server, struct build *build, struct span address,
                       struct span code)
{
    /* Else the system's own sender is put there: not every system takes UTF-8 (RFC 6532). */
    if (is_ascii(config.domain)) {
        build_str(build, "From: noreply@");
        build_str(build, config.domain);
        build_str(build, "\n");
    }
    build_str(build, "To: ");
    build_put(build, address);
    build_str(build, "\nSubject: Your code\nDate: ");
    date_build(build, server->wall_us);
    build_str(build, "\nAuto-Submitted: auto-generated\n"
                     "MIME-Version: 1.0\n"
                     "Content-Type: text/plain; charset=UTF-8\n"
                     "Content-Transfer-Encoding: 8bit\n"
                     "\n"
                     "Your code for the account at ");
    build_str(build, config.domain);
    build_str(build, " is\n\n    ");
    build_put(build, code);
    build_str(build, "\n\n"
                     "If you did not ask for it, somebody else gave your address, perhaps by\n"
                     "mistake. Then there is nothing to do.\n");
}

static void lines_build(struct build *build, enum pending_channel channel, struct span address,
                        struct span code)
{
    build_str(build, channel == PENDING_EMAIL ? "email\n" : "phone\n");
    build_put(build, address);
    build_str(build, "\n");
    build_put(build, code);
    build_str(build, "\n");
}

bool errand_code(struct server *server, enum pending_channel channel, struct span address,
                 struct span code)
{
    char bytes[PLAT_INPUT_BYTES_MAX];
    struct build build = {.bytes = bytes, .size = sizeof bytes};
    if (!errand_possible(channel) || address.len == 0 || address.len > ADDRESS_BYTES_MAX ||
        has_control(address) || (channel == PENDING_EMAIL && !is_mailbox(address)))
        return false;
    if (config.verify_command[0] != '\0')
        lines_build(&build, channel, address, code);
    else
        mail_build(server, &build, address, code);
    must(!build.full); /* any domain and address fit */
    bool queued = plat_run(0, bytes, build.used);
    if (!queued)
        log_line(LOG_ERROR, "a code was not sent: %s `%s`%s",
                 errno == EAGAIN ? "too many wait for" : "the process that runs", commands[0],
                 errno == EAGAIN ? "" : " is gone; restart kith");
    secret_forget(bytes, sizeof bytes);
    return queued;
}
