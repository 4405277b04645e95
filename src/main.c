/* main.c: the boot in order: options, config, plan (in command.c), then reservation, keys, store,
 * ports, freeze, loop. Owns the one reservation and the one struct server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/log.h"
#include "command.h"
#include "core/errand.h"
#include "plan.h"
#include "tick.h"
#include "welcome.h"

#define PATH_BYTES (CONFIG_TEXT_MAX + 32)
/* Handles beside the streams: ports, store, control socket and its callers, standard ones. */
#define HANDLES_SPARE 64
/* Of a certificate that has fewer days left the log speaks. */
#define WARN_DAYS 30

static struct server server;

/* Where certificate and key are: as configured, or our own in the data directory. */
static struct {
    bool own;
    char certificate[PATH_BYTES];
    char key[PATH_BYTES];
    char ca[PATH_BYTES]; /* "" if not our own */
    char ca_key[PATH_BYTES];
} keys;

static bool fail(const char *doing, const char *why)
{
    log_line(LOG_ERROR, "%s: %s", doing, why);
    return false;
}

static bool directory_make(void)
{
    if (mkdir(config.data, 0700) == 0 || errno == EEXIST)
        return true;
    return fail(config.data, errno == ENOENT ? "the directory above it does not exist; make it, or "
                                               "give another `data`"
                                             : strerror(errno));
}

static void handles_allow(void)
{
    struct rlimit limit;
    const rlim_t wanted = plan.sessions + HANDLES_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_line(LOG_NOTE,
                 "the system allows %llu open files, which is less than %u streams need; "
                 "raise `ulimit -n`",
                 (unsigned long long)limit.rlim_cur, plan.sessions);
}

/* All memory there will ever be. NULL: there is not that much. */
static void *memory_reserve(void)
{
    const size_t slabs_bytes = plan.slabs * heap_slab_bytes();
    char *region = plat_reserve(plan.reserve_bytes);
    if (region == NULL)
        return NULL;
    heap_extend(region + slabs_bytes, plan.heap_bytes, region, plan.slabs);
    return region + slabs_bytes + plan.heap_bytes;
}

/* What starts commands for us, if codes are to be sent; before the rest, so that it stays small. */
static bool runner_make(void)
{
    if (errand_needed() && config.verify_command[0] == '\0' && access(ERRAND_SENDMAIL, X_OK) != 0)
        return fail("verify", "codes go by e-mail, but there is no " ERRAND_SENDMAIL
                              "; install one, or set `verify_command`");
    return errand_start() || fail("runner", strerror(errno));
}

static void keys_find(void)
{
    keys.own = config.certificate[0] == '\0';
    if (keys.own) {
        snprintf(keys.certificate, PATH_BYTES, "%s/certificate.pem", config.data);
        snprintf(keys.key, PATH_BYTES, "%s/key.pem", config.data);
        snprintf(keys.ca, PATH_BYTES, "%s/ca.pem", config.data);
        snprintf(keys.ca_key, PATH_BYTES, "%s/ca-key.pem", config.data);
    } else {
        snprintf(keys.certificate, PATH_BYTES, "%s", config.certificate);
        snprintf(keys.key, PATH_BYTES, "%s", config.key);
    }
}

static bool keys_make(struct arena *arena, const char **why)
{
    return tls_identity_make(config.domain, keys.ca, keys.ca_key, keys.certificate, keys.key,
                             plat_wall_us(), arena, why);
}

/* The identity of now; our own leaf is made when it is missing, for another domain, or old. */
static struct tls_identity *keys_load(struct arena *arena, const char **why)
{
    if (keys.own && !keys_make(arena, why)) {
        if (access(keys.certificate, F_OK) != 0)
            return NULL;
        log_line(LOG_NOTE, "the certificate %s is not renewed: %s", keys.certificate, *why);
    }
    struct tls_identity *identity = tls_identity_load(keys.certificate, keys.key, arena, why);
    if (identity == NULL)
        return NULL;
    bool covers = tls_identity_covers(identity, config.domain);
    int days = tls_identity_days_left(identity, plat_wall_us());
    if (!covers)
        log_line(LOG_NOTE, "the certificate %s is not for %s: clients will refuse it",
                 keys.certificate, config.domain);
    if (days < WARN_DAYS)
        log_line(LOG_NOTE, "the certificate %s has %d days left", keys.certificate, days);
    return identity;
}

/* SIGHUP: new connections get what the files hold now; the others keep what they have. */
static void keys_reload(void)
{
    static char bytes[4096];
    struct arena arena;
    const char *why = "";
    arena_init(&arena, bytes, sizeof bytes);
    struct tls_identity *identity = keys_load(&arena, &why);
    if (identity == NULL) {
        log_line(LOG_ERROR, "the certificate stays as it was: %s", why);
        return;
    }
    server_identity(&server, identity);
    log_line(LOG_NOTE, "certificate %s loaded", keys.certificate);
}

static bool boot(const struct command_line *line)
{
    static char bytes[4096];
    struct arena arena;
    const char *why = "";
    arena_init(&arena, bytes, sizeof bytes);
    (void)umask(077);
    if (!directory_make())
        return false;
    handles_allow();
    if (!runner_make())
        return false;
    void *region = memory_reserve();
    if (region == NULL)
        return fail("memory", "the system does not give that much; see `kith plan`");
    if (!tls_boot())
        return fail("TLS", "the library does not work on this machine");
    keys_find();
    struct tls_identity *identity = keys_load(&arena, &why);
    if (identity == NULL)
        return fail("certificate", why);
    if (!server_start(&server, region, identity, &why))
        return fail("start", why);
    welcome_print(line, server.store, keys.ca);
    if (!plat_freeze())
        log_line(LOG_NOTE, "memory is not frozen: %s", strerror(errno));
    return true;
}

static int serve(const struct command_line *line)
{
    if (!boot(line))
        return COMMAND_FAILED;
    log_line(LOG_NOTE, "listening");
    while (server_tick(&server, -1)) {
        if (server.reload)
            keys_reload();
        server.reload = false;
    }
    server_end(&server);
    errand_end();
    log_line(LOG_NOTE, "stopped");
    return COMMAND_DONE;
}

int main(int argc, char **argv)
{
    return command_main(argc, argv, serve);
}
