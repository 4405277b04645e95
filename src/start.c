/* start.c: a server from its reservation, and its end. See tick.h. */
#include <stdio.h>

#include "base/arena.h"
#include "base/log.h"
#include "console.h"
#include "core/application.h"
#include "core/ask.h"
#include "core/caps.h"
#include "core/management.h"
#include "core/output.h"
#include "core/remains.h"
#include "core/sasl.h"
#include "core/session.h"
#include "core/stream.h"
#include "door.h"
#include "features/disco.h"
#include "plan.h"
#include "tick.h"

#define PAGE_BYTES 4096
/* ST-19: connections from one address: this many at once, then one each CONNECTION_MS. */
#define CONNECTIONS_MAX 120
#define CONNECTION_MS 500
/* SA-4: failed logins for one account from one address: this many, then one each FAILURE_MS. */
#define FAILURES_MAX 10
#define FAILURE_MS 15000
/* RL-1, in an hour, and how they come back. */
#define HOUR_MS 3600000
#define REGISTER_GETS_MAX 30
#define REGISTER_SETS_MAX 10
#define ALL_REGISTRATIONS_MAX 30
#define WRONG_TOKENS_MAX 10
#define INVITATIONS_MAX 20
#define PASSWORDS_MAX 10
#define CHANNELS_MAX 20
#define CODE_MS 60000 /* one code in a minute */
#define CODES_TO_ONE_MAX                                                                           \
    6 /* to one e-mail address or telephone: the first and REG-17's five more */

/* Cuts the reservation into pieces; with base NULL it only adds up. */
struct cut {
    char *base;
    size_t used;
};

static void *cut(struct cut *from, size_t len, size_t alignment)
{
    size_t at = (from->used + alignment - 1) / alignment * alignment;
    from->used = at + len;
    return from->base == NULL ? NULL : from->base + at;
}

static void cut_pool(struct cut *from, struct pool *pool, const char *name, size_t object_bytes,
                     uint32_t count)
{
    void *bytes = cut(from, pool_stride(object_bytes) * count, PAGE_BYTES);
    if (bytes != NULL)
        pool_init(pool, name, bytes, object_bytes, count);
}

static uint32_t bucket_count(void)
{
    uint32_t count = 16;
    while (count < plan.sessions)
        count *= 2;
    return count;
}

/* Every piece of memory of a running server, once (design, idea 2). */
static void cut_server(struct server *server, struct cut *from, void **parser)
{
    cut_pool(from, &server->sessions, "sessions", sizeof(struct session), plan.sessions);
    cut_pool(from, &server->tls_rooms, "tls", tls_bytes(), plan.sessions);
    cut_pool(from, &server->exchanges, "exchanges", exchange_bytes(), plan.exchanges);
    cut_pool(from, &server->inputs, "inputs", plan.input_bytes, plan.sessions);
    cut_pool(from, &server->leases, "leases", plan.stanza_bytes + plan.input_bytes, plan.leases);
    cut_pool(from, &server->chunks.chunks, "chunks", CHUNK_BYTES, plan.chunks);
    cut_pool(from, &server->chunks.segments, "segments", sizeof(struct segment), plan.segments);
    cut_pool(from, &server->asks, "asks", sizeof(struct ask), plan.asks);
    cut_pool(from, &server->applications, "applications", sizeof(struct application),
             plan.applications);
    server->caps = cut(from, plan.caps * sizeof *server->caps, PAGE_BYTES);
    server->buckets = cut(from, bucket_count() * sizeof *server->buckets, PAGE_BYTES);
    server->socket_bytes_max = plan.stanza_bytes < 16384 ? plan.stanza_bytes : 16384;
    server->socket_bytes = cut(from, server->socket_bytes_max, PAGE_BYTES);
    server->record = cut(from, tls_record_bytes(), PAGE_BYTES);
    *parser = cut(from, plan.parser_bytes, PAGE_BYTES);
    void *arena = cut(from, plan.arena_bytes, PAGE_BYTES);
    if (arena != NULL)
        arena_init(&server->arena, arena, plan.arena_bytes);
    void *remains = cut(from, remains_bytes(), PAGE_BYTES);
    if (remains != NULL)
        arena_init(&server->remains, remains, remains_bytes());
    (void)cut(from, 0, PAGE_BYTES);
}

size_t server_bytes(void)
{
    static struct server scratch; /* only added up; too big for the stack */
    struct cut from = {0};
    void *parser;
    cut_server(&scratch, &from, &parser);
    return from.used;
}

static bool store_start(struct server *server, const char **why)
{
    const char *no_key;
    server->store = store_open(config.data, plan.map_bytes, false, &server->arena, why);
    if (server->store == NULL)
        return false;
    server->has_login_key = login_key(config.data, server->login_key, &server->arena, &no_key);
    if (!server->has_login_key)
        log_line(LOG_ERROR, "clients get no tokens to log in with: %s", no_key);
    uid_key(store_secret(server->store), STORE_SECRET_BYTES, server->archive_key);
    return true;
}

static bool control_start(struct server *server, const char **why)
{
    char path[CONFIG_TEXT_MAX + 16];
    if (config.control[0] != 0)
        return console_open(server, config.control, why);
    snprintf(path, sizeof path, "%s/control", config.data);
    return console_open(server, path, why);
}

bool server_start(struct server *server, void *region, struct tls_identity *identity,
                  const char **why)
{
    struct cut from = {.base = region};
    struct xml_limits limits = plan_xml_limits();
    uint64_t seed;
    void *parser;

    memset(server, 0, sizeof *server);
    server->control = -1;
    cut_server(server, &from, &parser);
    server->bucket_mask = bucket_count() - 1;
    plat_random(&server->bucket_seed, sizeof server->bucket_seed);
    plat_random(&seed, sizeof seed);
    throttle_init(&server->logins, FAILURES_MAX, FAILURE_MS, seed);
    throttle_init(&server->connections, CONNECTIONS_MAX, CONNECTION_MS, seed);
    throttle_init(&server->register_gets, REGISTER_GETS_MAX, HOUR_MS / REGISTER_GETS_MAX, seed);
    throttle_init(&server->register_sets, REGISTER_SETS_MAX, HOUR_MS / REGISTER_SETS_MAX, seed);
    throttle_init(&server->registrations, config.registrations_per_hour,
                  HOUR_MS / config.registrations_per_hour, seed);
    throttle_init(&server->all_registrations, ALL_REGISTRATIONS_MAX,
                  HOUR_MS / ALL_REGISTRATIONS_MAX, seed);
    throttle_init(&server->codes, 1, CODE_MS, seed);
    throttle_init(&server->destinations, CODES_TO_ONE_MAX, HOUR_MS / CODES_TO_ONE_MAX, seed);
    throttle_init(&server->tokens, WRONG_TOKENS_MAX, HOUR_MS / WRONG_TOKENS_MAX, seed);
    throttle_init(&server->invitations, INVITATIONS_MAX, HOUR_MS / INVITATIONS_MAX, seed);
    throttle_init(&server->channels_made, CHANNELS_MAX, HOUR_MS / CHANNELS_MAX, seed);
    throttle_init(&server->passwords, PASSWORDS_MAX, HOUR_MS / PASSWORDS_MAX, seed);
    server->identity = identity;
    server->now_ms = server->started_ms = plat_now_ms();
    server->wall_us = plat_wall_us();
    server->next_sweep_ms = UINT64_MAX;
    if (!plat_open()) {
        *why = "the system has no event queue for us";
        return false;
    }
    server->xml = xml_open(parser, plan.parser_bytes, &limits);
    if (server->xml == NULL)
        *why = "the plan leaves too little memory for the XML parser";
    else if (!disco_start(server))
        *why = "the plan leaves too little memory for what the server says of itself";
    else if (store_start(server, why) && door_open(server, why) && control_start(server, why)) {
        server->arena_kept = server->arena.used;
        return true;
    }
    server_end(server);
    return false;
}

void server_stop(struct server *server)
{
    struct session *next;
    if (server->stopping)
        return;
    server->stopping = true;
    door_shut(server);
    for (struct session *at = server->streams; at != NULL; at = next) {
        next = at->next;
        if (store_crowded(server->store) && store_commit(server->store) == STORE_OK)
            output_release(server); /* OFF-4: there may be a lot to be stored */
        management_end(server, at);
        stream_fail(server, at, STREAM_SYSTEM_SHUTDOWN, NULL);
    }
}

void server_end(struct server *server)
{
    while (server->streams != NULL)
        session_drop(server, server->streams);
    server->farewells = NULL;
    while (server->leaving != NULL) {
        server->leaving->reading = server->leaving->writing = false;
        session_free(server, server->leaving);
    }
    door_shut(server);
    console_shut(server);
    if (server->store != NULL)
        store_close(server->store);
    server->store = NULL;
    if (server->identity != NULL)
        tls_identity_drop(server->identity);
    server->identity = NULL;
    plat_shut();
}

void server_identity(struct server *server, struct tls_identity *identity)
{
    tls_identity_drop(server->identity);
    server->identity = identity;
}
