/* plan.c: how much there is of everything, as one table of duties: who needs how many of what size.
 * Owns the global plan, constant after the boot. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/must.h"
#include "base/settings.h"
#include "core/application.h"
#include "core/ask.h"
#include "core/caps.h"
#include "core/turn.h"
#include "store/store.h"
#include "tick.h"

/* What LMDB asks for when it opens its file. Debian's and OpenWrt's builds keep lists for 131,072
 * dirty pages (3,150,608 bytes were measured, next to nothing of it is ever touched); those of
 * tools/bundle keep shorter ones and say so in their header. */
#ifndef KITH_LMDB_HEAP_BYTES
#define KITH_LMDB_HEAP_BYTES (sizeof(void *) == 8 ? 3250000 : 1700000)
#endif

/* The process itself: data, stack, what the dynamic linker keeps (not the code, which is the
 * file's and can be dropped and read again). */
#define PROGRAM_BYTES (384 << 10)
/* Buffers and tables of libc, the random generator and other settings of the TLS library. */
#define LIBRARY_BYTES (64 << 10)
/* A certificate chain with its key and what is made of them. */
#define IDENTITY_BYTES (32 << 10)
/* Linux counts a socket buffer twice: as much again for its own notes. */
#define SOCKET_FACTOR 2
/* A share of the heap that may lie in pieces too small for what is asked. */
#define HEAP_SPARE_SHARE 16

#define SESSIONS_MIN 4
#define SESSIONS_MAX 60000
#define MEMORY_MAX_32 ((uint64_t)1 << 30)

struct plan plan;

/* What a profile says beside the plan itself. */
static struct {
    uint64_t memory;
    uint32_t chunks_per_session;
    uint32_t chunks_shared;
} wish;

struct line {
    const char *key;
    void *field;
    bool wide; /* uint64_t, else uint32_t */
    uint64_t minimum;
    uint64_t maximum;
};

static const struct line lines[] = {
    {"memory", &wish.memory, true, 1 << 20, (uint64_t)1 << 40},
    {"handshakes", &plan.handshakes, false, 1, 1000},
    {"exchanges", &plan.exchanges, false, 1, 1000},
    {"applications", &plan.applications, false, 1, 1000},
    {"stanza_bytes", &plan.stanza_bytes, false, 10000, 16 << 20}, /* ST-22 */
    {"stanza_bytes_before", &plan.stanza_bytes_before, false, 10000, 16 << 20},
    {"leases", &plan.leases, false, 1, 1000},
    {"input_bytes", &plan.input_bytes, false, 1024, 65536},
    {"output_bytes", &plan.output_bytes, false, 16384, 64 << 20},
    {"chunks_per_session", &wish.chunks_per_session, false, 1, 1000},
    {"chunks_shared", &wish.chunks_shared, false, 16, 1000000},
    {"nodes", &plan.nodes, false, 200, 65000},
    {"accounts", &plan.accounts, false, 1, 1000000},
    {"resources", &plan.resources, false, 1, 100},
    {"roster_items", &plan.roster_items, false, 1, 10000},
    {"offline_messages", &plan.offline_messages, false, 1, 100000},
    {"offline_bytes", &plan.offline_bytes, false, 10000, 64 << 20},
    {"archive_messages", &plan.archive_messages, false, 1, 1000000},
    {"archive_percent", &plan.archive_percent, false, 1, 75},
    {"participants", &plan.participants, false, 2, 1000},
    {"blocks", &plan.blocks, false, 1, 1000},
    {"vcard_bytes", &plan.vcard_bytes, false, 1024, 1 << 20},
    {"private_bytes", &plan.private_bytes, false, 1024, 1 << 20},
    {"pep_nodes", &plan.pep_nodes, false, 1, 10000},
    {"pep_items", &plan.pep_items, false, 1, 10000},
    {"pep_item_bytes", &plan.pep_item_bytes, false, 1024, 1 << 20},
    {"pep_bytes", &plan.pep_bytes, false, 4096, 64 << 20},
    {"caps", &plan.caps, false, 1, 10000},
    {"asks", &plan.asks, false, 1, 10000},
    {"per_address", &plan.per_address, false, 1, SESSIONS_MAX},
    {"receive_buffer", &plan.receive_buffer, false, 2048, 1 << 20},
    {"send_buffer", &plan.send_buffer, false, 2048, 1 << 20},
    {"map_bytes", &plan.map_bytes, true, 1 << 20, (uint64_t)1 << 40},
};

#define LINE_COUNT (sizeof lines / sizeof lines[0])

struct xml_limits plan_xml_limits(void)
{
    return (struct xml_limits){
        .depth_max = 64,
        .attributes_max = 64,
        .declarations_max = plan.nodes < 1000 ? plan.nodes / 4 : 250,
        .nodes_max = plan.nodes,
        .name_bytes_max = 512,
        .stanza_bytes_max = plan.stanza_bytes,
    };
}

bool plan_duty(unsigned n, struct duty *out)
{
    const uint64_t sessions = plan.sessions;
    const struct duty duties[] = {
        {"TLS record buffers", DUTY_SLABS, heap_slab_bytes(), plan.slabs,
         "new connections wait, then are closed"},
        {"TLS sessions", DUTY_HEAP, tls_idle_heap_bytes(), sessions,
         "new connections wait, then are closed"},
        {"TLS handshakes", DUTY_HEAP, tls_handshake_heap_bytes(), plan.handshakes,
         "the next handshake begins when one is over"},
        {"socket buffers (kernel)", DUTY_KERNEL,
         (uint64_t)SOCKET_FACTOR * (plan.receive_buffer + plan.send_buffer), sessions,
         "TCP slows the sender down"},
        {"streams", DUTY_SERVER, pool_stride(sizeof(struct session)) + pool_stride(tls_bytes()),
         sessions, "stream error resource-constraint"},
        {"output, presence", DUTY_SERVER, pool_stride(CHUNK_BYTES), plan.chunks,
         "the slowest reader's stream ends"},
        {"queues of output", DUTY_SERVER, pool_stride(sizeof(struct segment)), plan.segments,
         "the slowest reader's stream ends"},
        {"stanzas under way", DUTY_SERVER, pool_stride(plan.input_bytes), sessions,
         "the stream is read when one is free"},
        {"large stanzas under way", DUTY_SERVER, pool_stride(plan.stanza_bytes + plan.input_bytes),
         plan.leases, "the stream is read when one is free"},
        {"capabilities of clients", DUTY_SERVER, sizeof(struct caps), plan.caps,
         "those of the rarest clients are not known"},
        {"questions to clients", DUTY_SERVER, pool_stride(sizeof(struct ask)), plan.asks,
         "clients are not asked what they can"},
        {"registrations under way", DUTY_SERVER, pool_stride(sizeof(struct application)),
         plan.applications, "error resource-constraint"},
        {"stanza being handled", DUTY_SERVER, plan.arena_bytes, 1, "error resource-constraint"},
        {"XML parser", DUTY_SERVER, plan.parser_bytes, 1, "error resource-constraint"},
        {"store: LMDB", DUTY_HEAP, KITH_LMDB_HEAP_BYTES, 1, "none: taken at the start"},
        {"store: changes of one tick", DUTY_HEAP, STORE_DIRTY_BYTES_MAX / 64 * 65, 1,
         "error resource-constraint"},
        {"certificates (old and new)", DUTY_HEAP, IDENTITY_BYTES, 2, "the old one stays in use"},
        {"libraries", DUTY_HEAP, LIBRARY_BYTES, 1, "none: taken at the start"},
        {"program (without its code)", DUTY_PROGRAM, PROGRAM_BYTES, 1, "none"},
    };
    const unsigned count = sizeof duties / sizeof duties[0];
    uint64_t sums[DUTY_PROGRAM + 1] = {0};

    for (unsigned i = 0; i < count; i++)
        sums[duties[i].place] += duties[i].each * duties[i].count;
    if (n < count)
        *out = duties[n];
    else if (n == count)
        *out = (struct duty){"heap: lost between blocks", DUTY_HEAP,
                             sums[DUTY_HEAP] / HEAP_SPARE_SHARE + 8 * (uint64_t)plan.slabs, 1,
                             "error resource-constraint"};
    else if (n == count + 1)
        *out = (struct duty){"logins, lists, edges", DUTY_SERVER,
                             server_bytes() - sums[DUTY_SERVER], 1, "the stream is read later"};
    else
        return false;
    must(sums[DUTY_SERVER] <= server_bytes());
    return true;
}

static uint64_t place_total(enum duty_place place)
{
    uint64_t total = 0;
    struct duty duty;
    for (unsigned n = 0; plan_duty(n, &duty); n++)
        if (duty.place == place)
            total += duty.each * duty.count;
    return total;
}

uint64_t plan_total(void)
{
    return plan.reserve_bytes + place_total(DUTY_KERNEL) + place_total(DUTY_PROGRAM);
}

/* What a number of sessions needs at the very least, so that what cannot fit is never added up in
 * a size_t of 32 bits. */
static uint64_t plan_least(uint64_t sessions)
{
    uint64_t each = tls_slabs() * heap_slab_bytes() + plan.input_bytes +
                    (uint64_t)wish.chunks_per_session * CHUNK_BYTES;
    return sessions * each + (uint64_t)wish.chunks_shared * CHUNK_BYTES +
           (uint64_t)plan.leases * plan.stanza_bytes;
}

/* Everything that follows from a number of sessions; returns the total. */
static uint64_t plan_for(uint32_t sessions, uint32_t handshakes)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct xml_limits limits = plan_xml_limits();

    if (plan_least(sessions) > plan.memory_bytes)
        return plan_least(sessions);
    plan.sessions = sessions;
    plan.handshakes = handshakes < sessions ? handshakes : sessions;
    plan.chunks = wish.chunks_shared + sessions * wish.chunks_per_session;
    plan.segments = 4 * plan.chunks; /* a stanza that is kept has one of its own */
    plan.slabs = sessions * tls_slabs();
    plan.parser_bytes = (xml_region_bytes(&limits) + page - 1) / page * page;
    /* The stanza's texts and one answer of its size; its nodes with an attribute each, held twice
     * while they are sorted; room for small answers. */
    plan.arena_bytes = 2 * (size_t)plan.stanza_bytes + ARENA_RESERVE +
                       2 * plan.nodes * (sizeof(struct node) + sizeof(struct attribute));
    plan.arena_bytes = (plan.arena_bytes + page - 1) / page * page;
    plan.heap_bytes = (size_t)((place_total(DUTY_HEAP) + page - 1) / page * page);
    plan.reserve_bytes = plan.heap_bytes + plan.slabs * heap_slab_bytes() + server_bytes();
    return plan_total();
}

static bool profile_read(const char *name, struct span text, char *why)
{
    struct settings settings = {.left = text};
    enum settings_outcome outcome;
    bool seen[LINE_COUNT] = {false};

    while ((outcome = settings_next(&settings)) == SETTINGS_PAIR) {
        size_t i = 0;
        uint64_t value;
        while (i < LINE_COUNT && !span_is(settings.key, lines[i].key))
            i++;
        if (i == LINE_COUNT || seen[i]) {
            snprintf(why, PLAN_WHY_BYTES, "profile %s:%u: `%.*s` is %s", name, settings.line,
                     settings.key.len > 60 ? 60 : (int)settings.key.len, settings.key.bytes,
                     i == LINE_COUNT ? "not a key of profiles; boards/ has examples"
                                     : "there twice; expected it once");
            return false;
        }
        if (!settings_bytes(settings.value, &value) || value < lines[i].minimum ||
            value > lines[i].maximum) {
            snprintf(why, PLAN_WHY_BYTES, "profile %s:%u: expected `%s` from %llu to %llu", name,
                     settings.line, lines[i].key, (unsigned long long)lines[i].minimum,
                     (unsigned long long)lines[i].maximum);
            return false;
        }
        seen[i] = true;
        if (lines[i].wide)
            *(uint64_t *)lines[i].field = value;
        else
            *(uint32_t *)lines[i].field = (uint32_t)value;
    }
    if (outcome == SETTINGS_BAD) {
        snprintf(why, PLAN_WHY_BYTES, "profile %s:%u: expected `key = value`", name, settings.line);
        return false;
    }
    for (size_t i = 0; i < LINE_COUNT; i++) {
        if (!seen[i]) {
            snprintf(why, PLAN_WHY_BYTES, "profile %s: `%s` is missing", name, lines[i].key);
            return false;
        }
    }
    return true;
}

static struct span profile_text(const char *name, char *why)
{
    for (const struct profile *profile = profiles; profile->name != NULL; profile++)
        if (strcmp(profile->name, name) == 0)
            return span_string(profile->text);
    struct span text = settings_file(name);
    if (text.bytes == NULL)
        snprintf(why, PLAN_WHY_BYTES,
                 "profile %.200s: %s; expected router-8m, router-16m, sbc-64m or a readable file",
                 name, strerror(errno));
    return text;
}

bool plan_make(const char *profile, uint64_t memory, char why[PLAN_WHY_BYTES])
{
    plan = (struct plan){0};
    struct span text = profile_text(profile, why);
    if (text.bytes == NULL || !profile_read(profile, text, why))
        return false;
    if (plan.stanza_bytes_before > plan.stanza_bytes || plan.output_bytes < plan.stanza_bytes) {
        snprintf(why, PLAN_WHY_BYTES,
                 "profile %.200s: expected stanza_bytes_before <= stanza_bytes <= output_bytes",
                 profile);
        return false;
    }
    if (plan.pep_bytes > plan.output_bytes / 4 * 3 || plan.pep_item_bytes > plan.stanza_bytes) {
        snprintf(why, PLAN_WHY_BYTES,
                 "profile %.200s: expected pep_item_bytes <= stanza_bytes, and pep_bytes up to 3/4 "
                 "of output_bytes",
                 profile);
        return false;
    }
    snprintf(plan.profile, sizeof plan.profile, "%s", profile);
    plan.memory_bytes = memory ? memory : wish.memory;

    if (sizeof(size_t) < 8 && plan.memory_bytes > MEMORY_MAX_32) {
        snprintf(why, PLAN_WHY_BYTES, "`memory` is more than 1024M, too much for 32 bits");
        return false;
    }
    const uint32_t handshakes = plan.handshakes;
    uint64_t least = plan_for(SESSIONS_MIN, handshakes);
    if (least > plan.memory_bytes) {
        snprintf(why, PLAN_WHY_BYTES,
                 "the profile %.200s with %u streams needs %llu KB, but there are %llu KB; give "
                 "`memory = %lluM` or take a smaller profile",
                 profile, SESSIONS_MIN, (unsigned long long)(least >> 10),
                 (unsigned long long)(plan.memory_bytes >> 10),
                 (unsigned long long)((least >> 20) + 1));
        return false;
    }
    /* The most sessions that fit; what they need grows with their number. */
    uint32_t fits = SESSIONS_MIN, beyond = SESSIONS_MAX + 1;
    while (beyond - fits > 1) {
        uint32_t middle = fits + (beyond - fits) / 2;
        if (plan_for(middle, handshakes) <= plan.memory_bytes && plan.heap_bytes >> 31 == 0)
            fits = middle;
        else
            beyond = middle;
    }
    (void)plan_for(fits, handshakes);
    return true;
}

#define AMOUNT_BYTES 32

/* "9999 B", "640 KB", "12.3 MB". */
static const char *amount(uint64_t bytes, char out[AMOUNT_BYTES])
{
    if (bytes < 10240)
        snprintf(out, AMOUNT_BYTES, "%llu B ", (unsigned long long)bytes);
    else if (bytes < (uint64_t)10240 << 10)
        snprintf(out, AMOUNT_BYTES, "%llu KB", (unsigned long long)(bytes + 512) >> 10);
    else
        snprintf(out, AMOUNT_BYTES, "%llu.%llu MB", (unsigned long long)(bytes >> 20),
                 (unsigned long long)((bytes & 0xfffff) * 10 >> 20));
    return out;
}

bool plan_print(void)
{
    static const char bar[] = "########################################";
    char text[AMOUNT_BYTES], each[AMOUNT_BYTES], total[AMOUNT_BYTES];
    struct duty duty;
    uint64_t widest = 1;

    for (unsigned n = 0; plan_duty(n, &duty); n++)
        if (duty.each * duty.count > widest)
            widest = duty.each * duty.count;
    printf("profile %s in %s: %u streams at once, stanzas up to %s\n\n", plan.profile,
           amount(plan.memory_bytes, total), plan.sessions, amount(plan.stanza_bytes, text));
    for (unsigned n = 0; plan_duty(n, &duty); n++) {
        uint64_t bytes = duty.each * duty.count;
        printf("%-27s%7llu x %8s =%9s %.*s\n", duty.name, (unsigned long long)duty.count,
               amount(duty.each, each), amount(bytes, text),
               (int)((bytes * (sizeof bar - 1) + widest - 1) / widest), bar);
    }
    printf("%-27s%30s\n", "everything", amount(plan_total(), text));
    printf("\nWhen it is used up:\n");
    for (unsigned n = 0; plan_duty(n, &duty); n++)
        printf("  %-27s%s\n", duty.name, duty.answer);
    printf("\nNot counted: the code of the program and its libraries, and the pages of the data\n"
           "file (at most %s), which the system drops when it needs the memory.\n",
           amount(plan.map_bytes, text));
    return fflush(stdout) == 0 && !ferror(stdout);
}
