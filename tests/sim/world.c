/* world.c: the test world behind platform/platform.h: virtual clocks, sockets, entropy. Owns every
 * link and handle; their numbers rotate, so that a stale one shows. Limits: LINKS, HANDLES. */
#include "world.h"

#include "jobs.h"
#include "memory.h"
#include "platform/platform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINKS 4096
#define HANDLES 1024
#define FIRST_HANDLE 3
#define START_MS 5000
#define START_WALL_US 1790000000000000ull /* September 2026 */
#define SOCKET_BYTES 16384                /* what the client's kernel takes beside ours */

struct link {
    struct text to_server;
    struct text to_client;
    size_t window; /* most bytes that wait in to_client */
    uint16_t port;
    uint8_t address[16];
    bool used;
    bool waiting; /* not accepted yet */
    bool finished, left, reset, server_closed;
    unsigned segments;
};

enum kind { FREE, LISTENER, LOCAL_LISTENER, STREAM };

struct handle {
    enum kind kind;
    uint16_t port;
    struct link *link;
    bool watched;
    enum plat_interest interest;
    uint32_t tag;
    bool piece_taken; /* with world_cut: one piece a wait */
    bool refused;     /* a send was answered AGAIN: not writable before the next wait */
};

static struct {
    struct link links[LINKS];
    struct handle handles[HANDLES];
    int next_handle;
    unsigned handle_count;
    int link_count;
    size_t cut_bytes, pinch_bytes;
    unsigned pinch_every;
    uint64_t sends, calls;
    uint64_t now_us, allowed_us;
    uint64_t random, dice;
    unsigned signals;
    bool rests, opened, frozen;
    char complaint[256];
} world;

static uint64_t scramble(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list arguments;
    if (world.complaint[0])
        return;
    va_start(arguments, format);
    vsnprintf(world.complaint, sizeof(world.complaint), format, arguments);
    va_end(arguments);
}

static struct handle *handle_of(int number, const char *what)
{
    if (number < 0 || number >= HANDLES || world.handles[number].kind == FREE) {
        complain("%s of handle %d, which is not open", what, number);
        return NULL;
    }
    return &world.handles[number];
}

static struct handle *stream_of(int number, const char *what)
{
    struct handle *handle = handle_of(number, what);
    if (handle && handle->kind != STREAM) {
        complain("%s of handle %d, which is no stream", what, number);
        return NULL;
    }
    return handle;
}

static int handle_take(enum kind kind)
{
    for (int tried = 0; tried < HANDLES - FIRST_HANDLE; tried++) {
        int number = FIRST_HANDLE + (world.next_handle++ % (HANDLES - FIRST_HANDLE));
        if (world.handles[number].kind == FREE) {
            world.handles[number] = (struct handle){.kind = kind};
            world.handle_count++;
            return number;
        }
    }
    return PLAT_FULL;
}

static struct link *waiting_link(uint16_t port)
{
    for (int i = 0; i < world.link_count; i++) {
        struct link *link = &world.links[i];
        if (link->used && link->waiting && link->port == port)
            return link;
    }
    return NULL;
}

static bool readable(const struct handle *handle)
{
    if (handle->kind == LISTENER)
        return waiting_link(handle->port) != NULL;
    if (handle->kind != STREAM)
        return false;
    const struct link *link = handle->link;
    return link->to_server.len || link->finished || link->left || link->reset;
}

static bool writable(const struct handle *handle)
{
    if (handle->kind != STREAM)
        return false;
    return handle->link->reset || handle->link->to_client.len < handle->link->window;
}

/* platform.h */

uint64_t plat_now_ms(void)
{
    return world.now_us / 1000;
}

uint64_t plat_wall_us(void)
{
    return START_WALL_US + world.now_us;
}

void plat_random(void *bytes, size_t len)
{
    uint8_t *out = bytes;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(scramble(&world.random) >> 32);
}

bool plat_open(void)
{
    if (world.opened)
        complain("plat_open twice");
    world.opened = true;
    return true;
}

void plat_shut(void)
{
    if (!world.opened)
        complain("plat_shut without plat_open");
    world.opened = false;
}

int plat_listen(const char *address, uint16_t port)
{
    int number = handle_take(LISTENER);
    (void)address;
    if (number >= 0)
        world.handles[number].port = port;
    return number;
}

int plat_listen_local(const char *path)
{
    (void)path;
    return handle_take(LOCAL_LISTENER);
}

int plat_accept(int listener, struct plat_peer *peer, int receive_bytes, int send_bytes)
{
    struct handle *handle = handle_of(listener, "accept");
    (void)receive_bytes;
    world.calls++;
    if (!handle)
        return PLAT_GONE;
    if (handle->kind == STREAM)
        complain("accept of handle %d, which does not listen", listener);
    struct link *link = handle->kind == LISTENER ? waiting_link(handle->port) : NULL;
    if (!link)
        return PLAT_AGAIN;
    int number = handle_take(STREAM);
    if (number < 0)
        return number;
    link->waiting = false;
    link->window = SOCKET_BYTES + (send_bytes > 0 ? (size_t)send_bytes : 65536);
    world.handles[number].link = link;
    memcpy(peer->address, link->address, sizeof(peer->address));
    return number;
}

int plat_recv(int number, void *bytes, size_t len)
{
    struct handle *handle = stream_of(number, "recv");
    world.calls++;
    if (!handle)
        return PLAT_GONE;
    struct link *link = handle->link;
    if (link->reset)
        return PLAT_GONE;
    if (link->to_server.len == 0)
        return link->finished || link->left ? 0 : PLAT_AGAIN;
    if (len == 0 || (world.cut_bytes && handle->piece_taken))
        return PLAT_AGAIN;
    if (world.cut_bytes && len > world.cut_bytes)
        len = world.cut_bytes;
    if (len > link->to_server.len)
        len = link->to_server.len;
    memcpy(bytes, link->to_server.bytes, len);
    text_drop(&link->to_server, len);
    handle->piece_taken = true;
    return (int)len;
}

int plat_send(int number, const void *bytes, size_t len, bool more)
{
    struct handle *handle = stream_of(number, "send");
    world.calls++;
    if (!handle)
        return PLAT_GONE;
    struct link *link = handle->link;
    if (link->reset)
        return PLAT_GONE;
    if (link->left) { /* the peer's kernel answers the first of these with a reset */
        link->reset = true;
        return (int)len;
    }
    size_t room = link->window > link->to_client.len ? link->window - link->to_client.len : 0;
    world.sends++;
    if (world.pinch_every && world.sends % world.pinch_every == 0)
        room = 0;
    if (room == 0 || handle->refused) {
        handle->refused = true;
        return PLAT_AGAIN;
    }
    if (world.pinch_bytes && room > world.pinch_bytes)
        room = world.pinch_bytes;
    if (len > room)
        len = room;
    text_add(&link->to_client, bytes, len);
    if (!more)
        link->segments++;
    return (int)len;
}

void plat_push(int number)
{
    struct handle *handle = stream_of(number, "push");
    if (handle)
        handle->link->segments++;
}

void plat_close(int number)
{
    struct handle *handle = handle_of(number, "close");
    if (!handle)
        return;
    if (handle->kind == STREAM)
        handle->link->server_closed = true;
    handle->kind = FREE;
    world.handle_count--;
}

bool plat_watch(int number, uint32_t tag, enum plat_interest interest)
{
    struct handle *handle = handle_of(number, "watch");
    if (!handle)
        return false;
    handle->watched = true;
    handle->tag = tag;
    handle->interest = interest;
    return true;
}

static bool handle_event(struct handle *handle, struct plat_event *event)
{
    handle->piece_taken = false;
    handle->refused = false;
    if (handle->kind == FREE || !handle->watched || handle->interest == PLAT_NONE)
        return false;
    *event = (struct plat_event){.tag = handle->tag};
    event->readable = (handle->interest & PLAT_READ) && readable(handle);
    event->writable = (handle->interest & PLAT_WRITE) && writable(handle);
    event->hangup = handle->kind == STREAM && handle->link->reset;
    return event->readable || event->writable || event->hangup;
}

int plat_wait(struct plat_event *events, int max, int timeout_ms)
{
    int count = 0;
    unsigned from = (unsigned)scramble(&world.dice) % HANDLES;
    world.calls++;
    for (unsigned i = 0; i < HANDLES; i++) {
        struct plat_event event;
        if (handle_event(&world.handles[(from + i) % HANDLES], &event) && count < max)
            events[count++] = event;
    }
    world.rests = count == 0 && timeout_ms != 0 && !world.signals;
    if (!world.rests)
        return count;
    uint64_t wait_us = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms * 1000;
    if (wait_us > world.allowed_us)
        wait_us = world.allowed_us;
    world.now_us += wait_us;
    world.allowed_us -= wait_us;
    return 0;
}

unsigned plat_signals(void)
{
    unsigned signals = world.signals;
    world.signals = 0;
    return signals;
}

void *plat_reserve(size_t len)
{
    void *region =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return region == MAP_FAILED ? NULL : region;
}

void plat_give_back(void *bytes, size_t len)
{
    if (len && madvise(bytes, len, MADV_DONTNEED) != 0)
        complain("plat_give_back of a range that is not whole pages");
}

bool plat_freeze(void)
{
    world.frozen = true;
    return true;
}

size_t plat_resident(void)
{
    return 0;
}

/* world.h */

static struct link *link_of(int link)
{
    if (link < 0 || link >= world.link_count) {
        fprintf(stderr, "link %d is not one\n", link);
        exit(2);
    }
    return &world.links[link];
}

void world_begin(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    world.now_us = START_MS * 1000;
    world.random = seed * 2 + 1;
    world.dice = seed * 2;
    jobs_begin();
}

void world_cut(size_t bytes)
{
    world.cut_bytes = bytes;
}

void world_pinch(size_t bytes, unsigned every)
{
    world.pinch_bytes = bytes;
    world.pinch_every = every;
}

int world_connect(uint16_t port, const uint8_t *address)
{
    static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    bool heard = false;
    for (int i = 0; i < HANDLES; i++)
        heard |= world.handles[i].kind == LISTENER && world.handles[i].port == port;
    if (!heard || world.link_count == LINKS)
        return -1;
    struct link *link = &world.links[world.link_count];
    *link = (struct link){.used = true, .waiting = true, .port = port};
    memcpy(link->address, address ? address : loopback, sizeof(link->address));
    return world.link_count++;
}

void world_say(int number, const void *bytes, size_t len)
{
    struct link *link = link_of(number);
    if (!link->finished && !link->left && !link->reset && !link->server_closed)
        text_add(&link->to_server, bytes, len);
}

size_t world_hear(int number, char *out, size_t size)
{
    struct link *link = link_of(number);
    if (size > link->to_client.len)
        size = link->to_client.len;
    if (size) {
        memcpy(out, link->to_client.bytes, size);
        text_drop(&link->to_client, size);
    }
    return size;
}

void world_finish(int link)
{
    link_of(link)->finished = true;
}

void world_leave(int link)
{
    link_of(link)->left = true;
}

void world_reset(int number)
{
    struct link *link = link_of(number);
    link->reset = true;
    link->to_server.len = 0;
    link->to_client.len = 0;
}

bool world_closed(int number)
{
    const struct link *link = link_of(number);
    return link->server_closed && link->to_client.len == 0;
}

unsigned world_segments(int link)
{
    return link_of(link)->segments;
}

void world_allow(uint64_t ms)
{
    world.allowed_us = ms * 1000;
}

uint64_t world_allowed(void)
{
    return world.allowed_us / 1000;
}

bool world_rests(void)
{
    return world.rests;
}

void world_pass(uint64_t ms)
{
    world.now_us += ms * 1000;
}

uint64_t world_now_ms(void)
{
    return world.now_us / 1000;
}

uint64_t world_calls(void)
{
    return world.calls;
}

void world_signal(unsigned signals)
{
    world.signals |= signals;
}

uint32_t world_dice(uint32_t bound)
{
    return (uint32_t)((scramble(&world.dice) >> 32) % bound);
}

unsigned world_handles(void)
{
    return world.handle_count;
}

const char *world_complaint(void)
{
    return world.complaint[0] ? world.complaint : NULL;
}
