/* unix.c: the part of platform.h that every POSIX system does alike: clocks, sockets, signals,
 * memory. What waits for events is in linux.c (epoll) or posix.c (poll). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/platform.h"
#include "platform/unix.h"

/* A storm of logins waits here instead of being refused. */
#define LISTEN_BACKLOG 512

/* What fits an Ethernet frame over IPv6. Loopback would agree on 64 KB, which is more than a whole
 * socket buffer of ours: peers would then wait for a window that never opens that far. */
#define SEGMENT_BYTES 1440

static volatile sig_atomic_t signals_seen;
static sigset_t signals_before;  /* of the process, put back at the end */
static sigset_t signals_waiting; /* while the loop waits */

uint64_t plat_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t plat_wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void plat_random(void *bytes, size_t len)
{
    unsigned char *at = bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort(); /* keys from anything else would be worse than no server */
        at += got;
        len -= (size_t)got;
    }
}

static void signal_note(int number)
{
    signals_seen |= number == SIGHUP ? PLAT_SIGNAL_RELOAD : PLAT_SIGNAL_STOP;
}

/* The signals are blocked but while the loop waits, so none comes between check and wait. */
bool unix_signals_open(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = signal_note};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t block;

    sigemptyset(&block);
    if (sigprocmask(SIG_SETMASK, NULL, &signals_before) != 0)
        return false;
    signals_waiting = signals_before;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaddset(&block, numbers[i]);
        sigdelset(&signals_waiting, numbers[i]); /* whoever started us may have blocked them */
        if (sigaction(numbers[i], &action, NULL) != 0)
            return false;
    }
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && sigprocmask(SIG_BLOCK, &block, NULL) == 0;
}

void unix_signals_shut(void)
{
    sigprocmask(SIG_SETMASK, &signals_before, NULL);
}

const void *unix_signals_mask(void)
{
    return &signals_waiting;
}

unsigned plat_signals(void)
{
    unsigned seen = (unsigned)signals_seen;
    signals_seen = 0;
    return seen;
}

static bool handle_prepare(int handle)
{
    int flags = fcntl(handle, F_GETFL);
    return flags >= 0 && fcntl(handle, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(handle, F_SETFD, FD_CLOEXEC) == 0;
}

static int listen_at(const struct sockaddr *address, socklen_t len)
{
    int on = 1, segment = SEGMENT_BYTES;
    int handle = socket(address->sa_family, SOCK_STREAM, 0);
    if (handle < 0)
        return PLAT_GONE;
    if (address->sa_family != AF_UNIX) {
        (void)setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        (void)setsockopt(handle, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    if (address->sa_family == AF_INET6)
        (void)setsockopt(handle, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (!handle_prepare(handle) || bind(handle, address, len) != 0 ||
        listen(handle, LISTEN_BACKLOG) != 0) {
        int why = errno;
        close(handle);
        errno = why;
        return PLAT_GONE;
    }
    return handle;
}

int plat_listen(const char *address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return listen_at((struct sockaddr *)&v4, sizeof v4);
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        return listen_at((struct sockaddr *)&v6, sizeof v6);
    errno = EINVAL;
    return PLAT_GONE;
}

int plat_listen_local(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return PLAT_GONE;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    /* The store's lock says that no other server lives here, so what lies there is stale. */
    (void)unlink(path);
    mode_t before = umask(0177);
    int handle = listen_at((struct sockaddr *)&address, sizeof address);
    umask(before);
    return handle;
}

static void peer_of(const struct sockaddr_storage *from, struct plat_peer *peer)
{
    memset(peer, 0, sizeof *peer);
    if (from->ss_family == AF_INET) {
        peer->address[10] = peer->address[11] = 0xff;
        memcpy(peer->address + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        memcpy(peer->address, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
    }
}

int plat_accept(int listener, struct plat_peer *peer, int receive_bytes, int send_bytes)
{
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    int on = 1;
    int handle = accept(listener, (struct sockaddr *)&from, &len);
    if (handle < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS
                   ? PLAT_FULL
                   : PLAT_AGAIN;
    if (!handle_prepare(handle)) {
        close(handle);
        return PLAT_FULL;
    }
    peer_of(&from, peer);
    if (from.ss_family == AF_INET || from.ss_family == AF_INET6)
        (void)setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_bytes > 0)
        (void)setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (send_bytes > 0)
        (void)setsockopt(handle, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
    return handle;
}

int plat_recv(int handle, void *bytes, size_t len)
{
    ssize_t got = recv(handle, bytes, len, 0);
    if (got >= 0)
        return (int)got;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? PLAT_AGAIN : PLAT_GONE;
}

#ifndef MSG_MORE
#define MSG_MORE 0
#endif

int plat_send(int handle, const void *bytes, size_t len, bool more)
{
    ssize_t sent = send(handle, bytes, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent >= 0)
        return (int)sent;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? PLAT_AGAIN : PLAT_GONE;
}

void plat_push(int handle)
{
    int on = 1;
    /* Setting it again sends what MSG_MORE held back; local sockets hold nothing back. */
    (void)setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void plat_close(int handle)
{
    close(handle);
}

void *plat_reserve(size_t len)
{
    void *region = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return region == MAP_FAILED ? NULL : region;
}

void plat_give_back(void *bytes, size_t len)
{
    if (len > 0 && madvise(bytes, len, MADV_DONTNEED) != 0)
        memset(bytes, 0, len);
}

/* The n-th number of /proc/self/statm, in bytes; 0 if it cannot be read. */
static size_t statm(unsigned n)
{
    char text[128];
    int handle = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (handle < 0)
        return 0;
    ssize_t len = read(handle, text, sizeof text - 1);
    close(handle);
    if (len <= 0)
        return 0;
    text[len] = 0;
    char *at = text;
    unsigned long long pages = 0;
    for (unsigned i = 0; i <= n; i++)
        pages = strtoull(at, &at, 10);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

bool plat_freeze(void)
{
    size_t now = statm(0);
    struct rlimit limit = {.rlim_cur = now, .rlim_max = now};
    return now != 0 && setrlimit(RLIMIT_AS, &limit) == 0;
}

size_t plat_resident(void)
{
    return statm(1);
}
