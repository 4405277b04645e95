/* tls_peer.h: one connection between wire/tls.h and `openssl s_client` over loopback, for the unit
 * tests of TLS. openssl is what these tests need beyond a C library. */
#ifndef KITH_TEST_TLS_PEER_H
#define KITH_TEST_TLS_PEER_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heap.h"
#include "platform/platform.h"
#include "test.h"
#include "wire/tls.h"

#define PEER_ROUNDS_MAX 10000 /* of a millisecond */
#define OUTPUT_BYTES 400000

struct peer {
    struct tls *tls;
    int handle;
    uint32_t owner;
    pid_t client;
    int to_client;   /* its standard input */
    int from_client; /* its standard output and error */
    char in[40000];
    size_t in_len;
    char output[OUTPUT_BYTES]; /* what the client has printed, with a zero behind it */
    size_t output_len;
    _Alignas(16) char room[4096];
};

static uint16_t peer_port;
static int peer_listener;
static char peer_directory[] = "/tmp/kith-tls-XXXXXX";
static struct arena peer_arena;

/* What the socket takes: every other call one byte, the others nothing. */
static bool send_dribbles;
static bool send_refuses;
static unsigned sends, sends_held;

/* Instead of libc's: plat_send comes here. */
ssize_t send(int handle, const void *bytes, size_t len, int flags)
{
    sends++;
    sends_held += (flags & MSG_MORE) != 0;
    if (send_dribbles) {
        send_refuses = !send_refuses;
        if (send_refuses) {
            errno = EAGAIN;
            return -1;
        }
        len = len < 1 ? len : 1;
    }
    return sendto(handle, bytes, len, flags, NULL, 0);
}

static inline const char *file_in(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    next = (next + 1) % 8;
    snprintf(paths[next], sizeof(paths[0]), "%s/%s", peer_directory, name);
    return paths[next];
}

__attribute__((format(printf, 1, 2))) static inline bool shell(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    return system(command) == 0;
}

/* A directory, a port and a heap; false: this machine cannot run the test. */
static inline bool peer_world(void)
{
    static char arena_bytes[400000];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    size_t slabs = 40;
    char *region = plat_reserve(1 << 20);
    char *slab_region = plat_reserve(slabs * heap_slab_bytes());
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    if (!region || !slab_region || probe < 0)
        return false;
    heap_extend(region, 1 << 20, slab_region, (uint32_t)slabs);
    arena_init(&peer_arena, arena_bytes, sizeof(arena_bytes));
    signal(SIGPIPE, SIG_IGN);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!mkdtemp(peer_directory) || bind(probe, (struct sockaddr *)&address, len) != 0 ||
        getsockname(probe, (struct sockaddr *)&address, &len) != 0)
        return false;
    close(probe);
    peer_port = ntohs(address.sin_port);
    peer_listener = plat_listen("127.0.0.1", peer_port);
    return peer_listener >= 0;
}

static inline void peer_world_end(void)
{
    plat_close(peer_listener);
    CHECK(shell("rm -rf %s", peer_directory));
}

/* Accepts whoever connects next. */
static inline bool peer_accept(struct peer *peer, struct tls_identity *identity, bool direct)
{
    static uint32_t owner;
    struct plat_peer from;
    peer->handle = PLAT_AGAIN;
    for (int i = 0; i < PEER_ROUNDS_MAX && peer->handle < 0; i++) {
        peer->handle = plat_accept(peer_listener, &from, 0, 0);
        poll(NULL, 0, 1);
    }
    if (peer->handle < 0 || tls_bytes() > sizeof(peer->room))
        return false;
    peer->owner = ++owner;
    peer->tls = tls_open(peer->room, identity, peer->handle, peer->owner, direct);
    return peer->tls != NULL;
}

/* Starts `openssl s_client` with these options and accepts it. */
static inline bool peer_open(struct peer *peer, struct tls_identity *identity, bool direct,
                             const char *options)
{
    int in[2];
    int out[2];
    memset(peer, 0, sizeof(*peer));
    char command[512];
    if (pipe(in) != 0 || pipe(out) != 0)
        return false;
    snprintf(command, sizeof(command), "exec openssl s_client -connect 127.0.0.1:%u %s", peer_port,
             options);
    peer->client = fork();
    if (peer->client == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        for (int file = 3; file < 64; file++)
            close(file);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer->to_client = in[1];
    peer->from_client = out[0];
    fcntl(peer->from_client, F_SETFL, O_NONBLOCK);
    peer->output[0] = '\0';
    return peer->client > 0 && peer_accept(peer, identity, direct);
}

/* Takes what the client has printed; false at its end. */
static inline bool peer_listen(struct peer *peer)
{
    for (;;) {
        size_t left = OUTPUT_BYTES - 1 - peer->output_len;
        ssize_t got = read(peer->from_client, peer->output + peer->output_len, left);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        peer->output_len += (size_t)got;
        peer->output[peer->output_len] = '\0';
    }
}

/* Waits for the client to print text. */
static inline bool peer_hears(struct peer *peer, const char *text)
{
    for (int i = 0; i < PEER_ROUNDS_MAX; i++) {
        bool open = peer_listen(peer);
        if (strstr(peer->output, text))
            return true;
        if (!open)
            return false;
        poll(NULL, 0, 1);
    }
    return false;
}

/* One turn: what the socket has goes to what the stream waits for; unused bytes stay in front. */
static inline enum tls_outcome peer_turn(struct peer *peer, char *out, size_t size, size_t *out_len)
{
    int got = plat_recv(peer->handle, peer->in + peer->in_len, sizeof(peer->in) - peer->in_len);
    if (got > 0)
        peer->in_len += (size_t)got;
    tls_feed(peer->tls, span_of(peer->in, peer->in_len));
    enum tls_outcome outcome =
        out ? tls_read(peer->tls, out, size, out_len) : tls_handshake(peer->tls);
    size_t unfed = tls_unfed(peer->tls);
    memmove(peer->in, peer->in + peer->in_len - unfed, unfed);
    peer->in_len = unfed;
    if (outcome == TLS_WANT_READ && (got == 0 || got == PLAT_GONE))
        return TLS_FAILED;
    return outcome;
}

static inline enum tls_outcome peer_handshake(struct peer *peer)
{
    enum tls_outcome outcome = TLS_WANT_READ;
    for (int i = 0; i < PEER_ROUNDS_MAX; i++) {
        outcome = peer_turn(peer, NULL, 0, NULL);
        if (outcome == TLS_WANT_READ)
            poll(NULL, 0, 1);
        else if (outcome != TLS_WANT_WRITE)
            break;
    }
    return outcome;
}

/* TLS_OK with some bytes, or the end. */
static inline enum tls_outcome peer_read(struct peer *peer, char *out, size_t size, size_t *out_len)
{
    enum tls_outcome outcome = TLS_WANT_READ;
    for (int i = 0; i < PEER_ROUNDS_MAX && outcome == TLS_WANT_READ; i++) {
        outcome = peer_turn(peer, out, size, out_len);
        if (outcome == TLS_WANT_READ)
            poll(NULL, 0, 1);
    }
    return outcome;
}

/* All of it, in the pieces that tls_write takes. */
static inline bool peer_write(struct peer *peer, struct span bytes)
{
    while (bytes.len > 0) {
        size_t piece = bytes.len < tls_record_bytes() ? bytes.len : tls_record_bytes();
        enum tls_outcome outcome = tls_write(peer->tls, span_cut(bytes, 0, piece));
        for (int i = 0; i < 10 * PEER_ROUNDS_MAX && outcome == TLS_WANT_WRITE; i++) {
            peer_listen(peer);
            if (!send_dribbles)
                poll(NULL, 0, 1);
            outcome = tls_flush(peer->tls);
        }
        if (outcome != TLS_OK)
            return false;
        bytes = span_cut(bytes, piece, bytes.len);
    }
    return true;
}

static inline void peer_close(struct peer *peer)
{
    if (peer->tls)
        tls_close(peer->tls);
    if (peer->handle >= 0)
        plat_close(peer->handle);
    if (peer->client > 0) {
        close(peer->to_client);
        for (int i = 0; i < 1000 && peer_listen(peer); i++)
            poll(NULL, 0, 1);
        close(peer->from_client);
        kill(peer->client, SIGKILL);
        waitpid(peer->client, NULL, 0);
    }
}

#endif
