/* platform.h: everything outside the process, as the server sees it.
 * Chosen by linking: linux.c (epoll), posix.c (poll), tests/sim/world.c (virtual).
 * Handles are small non-negative integers. Nothing here blocks except plat_wait. */
#ifndef KITH_PLATFORM_H
#define KITH_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What plat_recv, plat_send, plat_accept and plat_listen return below zero. */
enum {
    PLAT_AGAIN = -1, /* nothing now, ask again when plat_wait says so */
    PLAT_GONE = -2,  /* the peer or the handle is lost; close it */
    PLAT_FULL = -3,  /* the system has no more handles or memory */
};

enum plat_interest { PLAT_NONE = 0, PLAT_READ = 1, PLAT_WRITE = 2 };

/* One thing that plat_wait saw. tag is what plat_watch was given. */
struct plat_event {
    uint32_t tag;
    bool readable;
    bool writable;
    bool hangup; /* error or reset: the handle will say so when it is used */
};

/* Who is at the other end: 16 bytes of IPv6, IPv4 as ::ffff:a.b.c.d; all zero for local sockets. */
struct plat_peer {
    uint8_t address[16];
};

enum plat_signal { PLAT_SIGNAL_STOP = 1, PLAT_SIGNAL_RELOAD = 2 };

/* The clocks: monotonic milliseconds, and UTC microseconds since 1970. */
uint64_t plat_now_ms(void);
uint64_t plat_wall_us(void);

/* Unpredictable bytes. Waits for the kernel's pool once; ends the process if there are none. */
void plat_random(void *bytes, size_t len);

/* Opens what the loop needs (epoll, signal handlers). false: errno says why. */
bool plat_open(void);
void plat_shut(void);

/* A listening handle. address is numeric ("0.0.0.0", "::"); IPv6 handles take IPv6 only.
 * PLAT_GONE: errno says why. */
int plat_listen(const char *address, uint16_t port);

/* A listening handle on a Unix socket at path (mode 0600; a stale one is replaced). */
int plat_listen_local(const char *path);

/* Takes one waiting connection: non-blocking, TCP_NODELAY, socket buffers fixed to the given
 * sizes (0: leave). Returns its handle or PLAT_AGAIN, PLAT_FULL. */
int plat_accept(int listener, struct plat_peer *peer, int receive_bytes, int send_bytes);

/* Bytes received (>0), 0 at the peer's end of stream, or PLAT_AGAIN, PLAT_GONE. */
int plat_recv(int handle, void *bytes, size_t len);

/* Bytes taken by the system (may be fewer than len), or PLAT_AGAIN, PLAT_GONE.
 * more: further bytes of the same flight follow at once, so hold a small segment back. */
int plat_send(int handle, const void *bytes, size_t len, bool more);

/* Pushes out what plat_send(more) held back. */
void plat_push(int handle);

void plat_close(int handle);

/* Says what plat_wait shall report for handle (level-triggered), and under which tag.
 * PLAT_NONE: nothing, so that a throttled socket costs no wake-ups. false: system full. */
bool plat_watch(int handle, uint32_t tag, enum plat_interest interest);

/* Waits up to timeout_ms (-1: for ever) and fills at most max events; returns how many. */
int plat_wait(struct plat_event *events, int max, int timeout_ms);

/* Signals that came since the last call, as a mask of enum plat_signal. */
unsigned plat_signals(void);

/* Commands are started for us by a small process of its own, the runner, since a frozen process
 * cannot, and what it started would be frozen as well. It is told the command lines when it is
 * made; afterwards a command is a number, so nobody can make it run anything else. */
#define PLAT_INPUT_BYTES_MAX 2048

enum plat_ending {
    PLAT_EXITED,      /* with that status, which is not 0 */
    PLAT_SIGNALLED,   /* by that signal */
    PLAT_LATE,        /* not within its time: killed, with whatever it had started */
    PLAT_NOT_STARTED, /* for the reason of that errno */
};

/* Makes the runner; before plat_reserve, so that it is small. Each command (run by /bin/sh -c,
 * borrowed for good) has ms_max of time. failed is called in the runner's process for every one
 * that did not do well. false: errno says why. */
bool plat_runner_open(const char *const *commands, unsigned count, unsigned ms_max,
                      void (*failed)(const char *command, enum plat_ending ending, int number));

/* Queues a command that reads len (at most PLAT_INPUT_BYTES_MAX) bytes of input. false: too many
 * wait (errno EAGAIN), or there is no runner. */
bool plat_run(unsigned command, const void *input, size_t len);

/* Ends the runner and kills what it runs, as the end of this process does. */
void plat_runner_shut(void);

/* One zeroed, page-aligned region that is reserved now and touched later; NULL: none. */
void *plat_reserve(size_t len);

/* Returns the pages of a page-aligned range to the system; they read as zero afterwards. */
void plat_give_back(void *bytes, size_t len);

/* After this the process cannot grow (RLIMIT_AS at its present size). */
bool plat_freeze(void);

/* Bytes of the process resident in memory now, 0 if unknown. */
size_t plat_resident(void);

#endif
