/* groups.c: see groups.h. */
#include "groups.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../sim/disk.h"
#include "base/heap.h"
#include "store/channels.h"
#include "store/memberships.h"

enum { MAP_BYTES = 4 << 20, GROUP_ACCOUNTS_MAX = 40, FORGOTTEN_AT_ONCE = 32 };

char store_directory[200];

static _Alignas(4096) char heap_bytes[16 << 20];
static char arena_bytes[16384];
static struct arena arena;
static uint64_t random_state;

void quiet(bool on)
{
    static int spoken = -1;
    if (spoken < 0)
        spoken = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (spoken < 0 || nowhere < 0 || dup2(on ? nowhere : spoken, STDERR_FILENO) < 0) {
        perror("quiet");
        exit(1);
    }
    close(nowhere);
}

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

struct store *store_open_here(bool read_only, const char **why)
{
    arena_init(&arena, arena_bytes, sizeof arena_bytes);
    return store_open(store_directory, MAP_BYTES, read_only, &arena, why);
}

struct store *store_open_quietly(const char **why)
{
    quiet(true);
    struct store *store = store_open_here(false, why);
    quiet(false);
    return store;
}

void store_remove(void)
{
    static const char *const names[] = {"kith.mdb", "kith.mdb-lock", "kith.mdb.new",
                                        "kith.mdb.new-lock", "kith.lock"};
    char path[256];
    disk_unwatch();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", store_directory, names[i]);
        unlink(path);
    }
}

/* Most groups are pairs; the last two are long, so that trees split and writes are many. */
static unsigned group_size(unsigned group)
{
    return group + 2 < GROUPS ? 2 : GROUP_ACCOUNTS_MAX;
}

static struct span account_name(unsigned group, unsigned member, char *buffer, size_t size)
{
    int len = snprintf(buffer, size, "group%02u-%0*u", group, 20 + (int)(group * 9), member);
    return span_of(buffer, (size_t)len);
}

static struct span room_name(unsigned group, char *buffer, size_t size)
{
    int len = snprintf(buffer, size, "room%02u", group);
    return span_of(buffer, (size_t)len);
}

static void participant_id(char id[PARTICIPANT_ID_CHARS], unsigned member)
{
    char text[PARTICIPANT_ID_CHARS + 1];
    snprintf(text, sizeof text, "%0*x", PARTICIPANT_ID_CHARS, member * 7919);
    memcpy(id, text, PARTICIPANT_ID_CHARS);
}

/* All leave; what they leave behind goes in steps. */
static bool room_end(struct store *store, unsigned group, struct span room)
{
    char buffer[256];
    struct channel channel;
    enum store_outcome outcome = channel_get(store, room, &channel);
    if (outcome != STORE_OK)
        return outcome == STORE_NONE;
    if (channel_ended_put(store, channel.id) != STORE_OK || channel_delete(store, room) != STORE_OK)
        return false;
    for (unsigned i = 0; i < group_size(group); i++) {
        struct span name = account_name(group, i, buffer, sizeof buffer);
        if (membership_leave(store, name, room, channel.id) != STORE_OK)
            return false;
    }
    return true;
}

/* The old room ends, and its accounts are in the new one. */
static bool room_write(struct store *store, unsigned group, uint64_t version)
{
    char buffer[256], name_buffer[16];
    struct span room = room_name(group, name_buffer, sizeof name_buffer);
    static uint64_t rooms; /* no two have the same number */
    struct channel channel = {.id = ++rooms, .made_us = version, .owners = SPAN("a@x\0")};
    if (!room_end(store, group, room))
        return false;
    if (version == 0)
        return true;
    for (unsigned i = 0; i < group_size(group); i++) {
        struct participant participant = {.jid = account_name(group, i, buffer, sizeof buffer)};
        struct stay stay = {.channel = channel.id, .joined = channel.id, .left = UINT64_MAX};
        participant_id(participant.id, i);
        memcpy(stay.id, participant.id, sizeof stay.id);
        if (participant_put(store, channel.id, &participant) != STORE_OK ||
            membership_enter(store, participant.jid, room, &stay) != STORE_OK)
            return false;
    }
    return channel_put(store, room, &channel) == STORE_OK;
}

/* Whether the room says the same as the accounts, and both sides of it alike. */
static bool room_whole(struct store *store, unsigned group, uint64_t version)
{
    char buffer[256], name_buffer[16];
    struct span room = room_name(group, name_buffer, sizeof name_buffer);
    struct channel channel = {.id = 0};
    unsigned count = 0;
    enum store_outcome outcome = channel_get(store, room, &channel);
    if (outcome != (version == 0 ? STORE_NONE : STORE_OK) || channel.made_us != version ||
        participant_count(store, channel.id, &count) != STORE_OK ||
        count != (version == 0 ? 0 : group_size(group)))
        return false;
    for (unsigned i = 0; i < group_size(group); i++) {
        struct span name = account_name(group, i, buffer, sizeof buffer);
        char id[PARTICIPANT_ID_CHARS];
        struct membership membership;
        struct participant participant;
        outcome = membership_get(store, name, room, &membership);
        if ((outcome != STORE_OK && outcome != STORE_NONE) ||
            (outcome == STORE_OK && membership_stay(&membership) != NULL) != (version != 0))
            return false;
        participant_id(id, i);
        if (version != 0 && (membership.stays[membership.count - 1].channel != channel.id ||
                             participant_get(store, channel.id, id, &participant) != STORE_OK ||
                             !span_equal(participant.jid, name)))
            return false;
    }
    return true;
}

bool group_write(struct store *store, unsigned group, uint64_t version)
{
    char buffer[256];
    struct account account = {.made_us = version, .iterations = 4096};
    memset(account.salt, (int)version, sizeof account.salt);
    for (unsigned i = 0; i < group_size(group); i++) {
        struct span name = account_name(group, i, buffer, sizeof buffer);
        enum store_outcome outcome =
            version == 0 ? account_delete(store, name) : account_put(store, name, &account, true);
        if (outcome != STORE_OK)
            return false;
    }
    return room_write(store, group, version);
}

bool groups_change(struct store *store, struct groups *groups, uint64_t version)
{
    unsigned count = 1 + (unsigned)(random_next() % 3);
    for (unsigned i = 0; i < count; i++) {
        unsigned group = (unsigned)(random_next() % GROUPS);
        uint64_t next = random_next() % 4 == 0 ? 0 : version;
        if (groups->versions[group] == 0)
            next = version;
        groups->versions[group] = next;
        if (!group_write(store, group, next))
            return false;
    }
    enum store_outcome outcome = channel_forget(store, FORGOTTEN_AT_ONCE);
    return (outcome == STORE_OK || outcome == STORE_NONE) && store_commit(store) == STORE_OK;
}

bool groups_read(struct store *store, struct groups *groups)
{
    bool whole = true;
    *groups = (struct groups){{0}};
    for (unsigned group = 0; group < GROUPS; group++) {
        for (unsigned i = 0; i < group_size(group); i++) {
            char buffer[256];
            struct account account = {0};
            enum store_outcome outcome =
                account_get(store, account_name(group, i, buffer, sizeof buffer), &account);
            if (outcome != STORE_OK && outcome != STORE_NONE)
                whole = false;
            uint64_t version = outcome == STORE_OK ? account.made_us : 0;
            if (i == 0)
                groups->versions[group] = version;
            else if (groups->versions[group] != version)
                whole = false;
        }
        whole = whole && room_whole(store, group, groups->versions[group]);
    }
    uint64_t count = 0, expected = 0;
    for (unsigned group = 0; group < GROUPS; group++)
        expected += groups->versions[group] != 0 ? group_size(group) : 0;
    if (account_count(store, &count) != STORE_OK || count != expected)
        whole = false;
    return whole;
}

bool groups_sweep(struct store *store, const struct groups *groups)
{
    uint64_t count, expected = 0;
    enum store_outcome outcome;
    while ((outcome = channel_forget(store, FORGOTTEN_AT_ONCE)) == STORE_OK)
        if (store_commit(store) != STORE_OK)
            return false;
    for (unsigned group = 0; group < GROUPS; group++)
        expected += groups->versions[group] != 0 ? group_size(group) : 0;
    return outcome == STORE_NONE && store_commit(store) == STORE_OK &&
           store_count(store, TABLE_PARTICIPANTS, &count) == STORE_OK && count == expected;
}

bool groups_same(const struct groups *a, const struct groups *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void groups_begin(uint64_t seed)
{
    const char *above = getenv("TMPDIR");
    if (above == NULL) /* memory is faster, and no part of what is tested */
        above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(store_directory, sizeof store_directory, "%s/kith-crash-XXXXXX", above);
    if (mkdtemp(store_directory) == NULL) {
        perror(store_directory);
        exit(1);
    }
    heap_extend(heap_bytes, sizeof heap_bytes, NULL, 0);
    random_state = seed * 2 + 1;
}

bool groups_end(void)
{
    store_remove();
    return rmdir(store_directory) == 0;
}
