/* command_look.c: commands that change nothing: status, version, plan, check. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "command_parts.h"
#include "core/channel_join.h"
#include "core/errand.h"
#include "core/offline.h"
#include "extensions.h"
#include "features/version.h"
#include "plan.h"
#include "qr_code.h"
#include "store/archive.h"
#include "store/channels.h"
#include "store/library.h"
#include "store/memberships.h"
#include "store/participants.h"
#include "wire/library.h"

#define DAYS_WARN 14
#define DISK_BYTES_WARN (4 * STORE_DISK_BYTES_MIN)

static void status_pool(struct build *reply, const struct pool *pool)
{
    reply_line(reply, "  %-22s %8u in use %8u most %8u in all %8u refused", pool->name, pool->used,
               pool->peak, pool->count, pool->refused);
}

static void status_bytes(struct build *reply, const char *name, size_t used, size_t peak,
                         size_t size)
{
    reply_line(reply, "  %-22s %8zu in use %8zu most %8zu in all (KB)", name, used >> 10,
               (peak + 1023) >> 10, size >> 10);
}

static unsigned long long seconds_since(const struct server *server, uint64_t ms)
{
    return (unsigned long long)((server->now_ms - ms) / 1000);
}

static void status_archive(struct server *server, struct build *reply)
{
    struct archive_use use;
    uint64_t share = plan.map_bytes / 100 * plan.archive_percent;
    if (archive_usage(server->store, &use) != STORE_OK)
        return;
    reply_line(reply, "  %-22s %8llu messages, %llu entries, %llu KB of %llu KB", "archive",
               (unsigned long long)use.messages, (unsigned long long)use.entries,
               (unsigned long long)(use.bytes >> 10), (unsigned long long)(share >> 10));
}

static void status_channels(struct server *server, struct build *reply)
{
    uint64_t count;
    if (channel_count(server->store, &count) == STORE_OK)
        reply_line(reply, "  %-22s %8llu of %u", "channels", (unsigned long long)count,
                   config.channels);
}

enum command_exit look_status(struct request *request)
{
    struct server *server = request->server;
    struct build *reply = request->reply;
    struct heap_use heap;
    struct store_use store;

    heap_usage(&heap);
    store_usage(server->store, &store);
    reply_line(reply, "kith %s for %s, up %llu s, %u streams, %llu stanzas, %llu commits%s",
               version_text, config.domain, seconds_since(server, server->started_ms),
               server->sessions.used, (unsigned long long)server->stanzas,
               (unsigned long long)store.commits,
               server->read_only ? ", READ-ONLY: the disk failed" : "");
    reply_line(reply, "memory: profile %s, %zu KB reserved, %zu KB resident", plan.profile,
               plan.reserve_bytes >> 10, plat_resident() >> 10);
    const struct pool *pools[] = {
        &server->sessions,  &server->inputs,        &server->leases,         &server->tls_rooms,
        &server->exchanges, &server->chunks.chunks, &server->chunks.segments};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        status_pool(reply, pools[i]);
    reply_line(reply, "  %-22s %8u in use %8u most %8u in all", "TLS record buffers",
               heap.slabs_used, heap.slabs_peak, heap.slabs);
    status_bytes(reply, "heap of the libraries", heap.used, heap.peak, heap.bytes);
    status_bytes(reply, "tick's arena", server->arena.used, server->arena.peak, server->arena.size);
    status_bytes(reply, "XML parser", 0, xml_peak(server->xml), plan.parser_bytes);
    status_bytes(reply, "data file", (size_t)store.used_bytes, (size_t)store.used_bytes,
                 (size_t)store.map_bytes);
    status_archive(server, reply);
    status_channels(server, reply);
    reply_line(reply, "heap calls %llu, refused %llu", (unsigned long long)heap.calls,
               (unsigned long long)heap.refused);
    return COMMAND_DONE;
}

enum command_exit look_version(struct request *request)
{
    reply_line(request->reply, "kith %s", version_text);
    reply_line(request->reply, "%s, %s, %s, %s", tls_library(), xml_library(), store_library(),
               qr_code_library());
    return COMMAND_DONE;
}

enum command_exit look_plan(struct request *request)
{
    (void)request;
    return plan_print() ? COMMAND_DONE : COMMAND_FAILED;
}

/* --- check --- */

/* One finding; advice NULL: all is well. */
static bool finding(struct build *reply, const char *what, const char *detail, const char *advice)
{
    reply_line(reply, "%-12s %s%s%s", what, detail, advice ? "\n             -> " : "",
               advice ? advice : "");
    return advice == NULL;
}

static bool check_certificate(struct request *request)
{
    char text[CONFIG_TEXT_MAX + 100];
    char certificate[CONFIG_TEXT_MAX + 20], key[CONFIG_TEXT_MAX + 20];
    const char *why = "";
    bool own = config.certificate[0] == '\0';
    snprintf(certificate, sizeof certificate, "%s%s", own ? config.data : config.certificate,
             own ? "/certificate.pem" : "");
    snprintf(key, sizeof key, "%s%s", own ? config.data : config.key, own ? "/key.pem" : "");
    if (own && access(certificate, F_OK) != 0)
        return finding(request->reply, "certificate", "none yet; the first start makes one", NULL);
    if (!tls_boot())
        return finding(request->reply, "TLS", tls_library(), "this library does not work here");
    struct tls_identity *identity = tls_identity_load(certificate, key, request->arena, &why);
    if (identity == NULL)
        return finding(request->reply, "certificate", certificate, why);
    int days = tls_identity_days_left(identity, plat_wall_us());
    bool covers = tls_identity_covers(identity, config.domain);
    tls_identity_drop(identity);
    snprintf(text, sizeof text, "%s, %d days left", certificate, days);
    if (!covers)
        return finding(request->reply, "certificate", text,
                       own ? "not for this domain; the next start makes a new one"
                           : "not for this domain: get one whose names include it");
    if (days < DAYS_WARN)
        return finding(request->reply, "certificate", text,
                       own ? "the next start makes a new one"
                           : "renew it, then send the server SIGHUP");
    return finding(request->reply, "certificate", text, NULL);
}

/* What belongs to channels is read to its end. */
static bool check_channels(struct build *reply, struct store *store)
{
    static enum store_outcome (*const looks[])(struct store *, uint64_t *) = {
        channel_damage, participant_damage, membership_damage};
    char text[100];
    uint64_t channels, damaged = 0, count;
    bool read = channel_count(store, &channels) == STORE_OK;
    for (size_t i = 0; read && i < sizeof looks / sizeof looks[0]; i++) {
        read = looks[i](store, &count) == STORE_OK;
        damaged += count;
    }
    if (read && damaged == 0 && channels == 0)
        return true;
    snprintf(text, sizeof text, "%llu, and %llu damaged records", (unsigned long long)channels,
             (unsigned long long)damaged);
    return finding(reply, "channels", text,
                   read && damaged == 0 ? NULL : "see above which they are: restore a backup");
}

static bool check_store(struct request *request)
{
    char path[CONFIG_TEXT_MAX + 20];
    struct store_use use;
    const char *why = "";
    snprintf(path, sizeof path, "%s/kith.mdb", config.data);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return finding(request->reply, "data", "none yet; the first start makes it", NULL);
    struct store *store = store_open(config.data, plan.map_bytes, true, request->arena, &why);
    if (store == NULL)
        return finding(request->reply, "data", path, why);
    store_usage(store, &use);
    bool whole = check_channels(request->reply, store);
    store_close(store);
    snprintf(path, sizeof path, "%llu of %llu KB in use", (unsigned long long)use.used_bytes >> 10,
             (unsigned long long)use.map_bytes >> 10);
    bool tight = use.used_bytes / 4 > use.map_bytes / 5;
    return finding(request->reply, "data", path,
                   tight ? "nearly full: give a profile with larger map_bytes" : NULL) &&
           whole;
}

/* The directory of the data, or where it will be made. */
static void data_place(char directory[CONFIG_TEXT_MAX])
{
    char *slash;
    size_t len = strlen(config.data);
    memcpy(directory, config.data, CONFIG_TEXT_MAX);
    while (len > 1 && directory[len - 1] == '/')
        directory[--len] = '\0';
    if (access(directory, F_OK) == 0)
        return;
    slash = strrchr(directory, '/');
    if (slash == NULL)
        snprintf(directory, CONFIG_TEXT_MAX, ".");
    else
        slash[slash == directory] = '\0'; /* "/" stays */
}

static bool check_disk(struct build *reply)
{
    char text[100], advice[100];
    char directory[CONFIG_TEXT_MAX];
    uint64_t bytes;
    data_place(directory);
    if (access(directory, W_OK) != 0)
        return finding(reply, "disk", directory,
                       "nothing can be written there: make it, or give another `data`");
    if (!store_disk_left(directory, &bytes))
        return true;
    snprintf(text, sizeof text, "%llu MB left for `data`", (unsigned long long)bytes >> 20);
    snprintf(advice, sizeof advice, "make room: with less than %d KB nothing more is stored",
             STORE_DISK_BYTES_MIN >> 10);
    return finding(reply, "disk", text, bytes < DISK_BYTES_WARN ? advice : NULL);
}

static bool check_port(struct build *reply, const struct config_address *address)
{
    char text[100];
    int handle = plat_listen(address->address, address->port);
    snprintf(text, sizeof text, "%s port %u%s%s", address->address, address->port,
             handle < 0 ? ": " : " is free", handle < 0 ? strerror(errno) : "");
    if (handle >= 0)
        plat_close(handle);
    return finding(reply, "listen", text,
                   handle >= 0 ? NULL : "stop what uses it, or give another address in kith.conf");
}

static bool check_ports(struct build *reply)
{
    bool good = true;
    if (control_answers(config.control))
        return finding(reply, "listen", "a server is running; its ports are not tried", NULL);
    for (unsigned i = 0; i < config.listen_count; i++)
        good = check_port(reply, &config.listen[i]) && good;
    for (unsigned i = 0; i < config.listen_tls_count; i++)
        good = check_port(reply, &config.listen_tls[i]) && good;
    if (config.listen_count + config.listen_tls_count == 0)
        good = finding(reply, "listen", "no port at all", "give `listen` in kith.conf");
    return good;
}

/* How codes would leave (REG-18). */
static bool check_codes(struct build *reply)
{
    if (!errand_needed())
        return true;
    if (config.verify_command[0] != '\0')
        return finding(reply, "verify", config.verify_command, NULL);
    bool there = access(ERRAND_SENDMAIL, X_OK) == 0;
    return finding(reply, "verify",
                   there ? "codes go by " ERRAND_SENDMAIL : "there is no " ERRAND_SENDMAIL,
                   there ? NULL : "install a mail server's sendmail, or set `verify_command`");
}

static bool check_offline(struct build *reply)
{
    char text[100];
    snprintf(text, sizeof text, "at most %u messages wait for one account", offline_messages_max());
    return finding(reply, "offline", text,
                   config.offline_messages > plan.offline_messages
                       ? "`offline_messages` asks for more: give a profile that has as many"
                       : NULL);
}

static bool check_participants(struct build *reply)
{
    char text[100];
    snprintf(text, sizeof text, "at most %u participants", channel_participants_max());
    return finding(reply, "channel", text, NULL);
}

enum command_exit look_check(struct request *request)
{
    char text[200];
    bool good = finding(request->reply, "domain", config.domain, NULL);
    snprintf(text, sizeof text, "%s: %u streams in %llu KB", plan.profile, plan.sessions,
             (unsigned long long)plan_total() >> 10);
    good = finding(request->reply, "memory", text, NULL) && good;
    good = check_offline(request->reply) && good;
    good = check_participants(request->reply) && good;
    good = check_certificate(request) && good;
    good = check_store(request) && good;
    good = check_disk(request->reply) && good;
    good = check_ports(request->reply) && good;
    good = check_codes(request->reply) && good;
    return good ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_exit look_extensions(struct request *request)
{
    for (size_t i = 0; i < extensions_len; i++) {
        const struct extension *at = &extensions[i];
        reply_line(request->reply, "%-9s %-7s %s%s%s", at->number, at->version, at->name,
                   at->missing != NULL ? "; without: " : "",
                   at->missing != NULL ? at->missing : "");
    }
    return COMMAND_DONE;
}
