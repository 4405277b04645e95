/* posix.c: waiting with poll, for any POSIX system. See platform.h, unix.c.
 * Limit: HANDLES_MAX watched handles. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "platform/platform.h"
#include "platform/unix.h"

#define HANDLES_MAX 4096

static struct pollfd watched[HANDLES_MAX];
static uint32_t tags[HANDLES_MAX];
static unsigned watched_count;
static unsigned next_first; /* where the next wait begins to report, so that nobody starves */

bool plat_open(void)
{
    watched_count = 0;
    return unix_signals_open();
}

void plat_shut(void)
{
    unix_signals_shut();
}

bool plat_watch(int handle, uint32_t tag, enum plat_interest interest)
{
    unsigned at = 0;
    while (at < watched_count && watched[at].fd != handle)
        at++;
    if (interest == PLAT_NONE) {
        if (at < watched_count) {
            watched[at] = watched[--watched_count];
            tags[at] = tags[watched_count];
        }
        return true;
    }
    if (at == watched_count) {
        if (watched_count == HANDLES_MAX)
            return false;
        watched_count++;
    }
    short wanted =
        (short)(((interest & PLAT_READ) ? POLLIN : 0) | ((interest & PLAT_WRITE) ? POLLOUT : 0));
    watched[at] = (struct pollfd){.fd = handle, .events = wanted};
    tags[at] = tag;
    return true;
}

int plat_wait(struct plat_event *events, int max, int timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    int count = 0;
    if (ppoll(watched, watched_count, timeout_ms < 0 ? NULL : &timeout, unix_signals_mask()) <= 0)
        return 0;
    for (unsigned i = 0; i < watched_count && count < max; i++) {
        unsigned at = (next_first + i) % watched_count;
        short seen = watched[at].revents;
        if (seen == 0)
            continue;
        events[count++] = (struct plat_event){
            .tag = tags[at],
            .readable = (seen & POLLIN) != 0,
            .writable = (seen & POLLOUT) != 0,
            .hangup = (seen & (POLLERR | POLLHUP | POLLNVAL)) != 0,
        };
        if (count == max)
            next_first = at + 1;
    }
    return count;
}
