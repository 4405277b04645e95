/* linux.c: waiting with epoll, level-triggered. See platform.h, unix.c. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "platform/platform.h"
#include "platform/unix.h"

#define EVENTS_MAX 256

static int epoll_handle = -1;

bool plat_open(void)
{
    epoll_handle = epoll_create1(EPOLL_CLOEXEC);
    return epoll_handle >= 0 && unix_signals_open();
}

void plat_shut(void)
{
    close(epoll_handle);
    epoll_handle = -1;
    unix_signals_shut();
}

bool plat_watch(int handle, uint32_t tag, enum plat_interest interest)
{
    struct epoll_event event = {.data.u32 = tag};
    /* Even with no event asked for, epoll announces a hang-up again and again: take it out. */
    if (interest == PLAT_NONE)
        return epoll_ctl(epoll_handle, EPOLL_CTL_DEL, handle, &event) == 0 || errno == ENOENT;
    if (interest & PLAT_READ)
        event.events |= EPOLLIN;
    if (interest & PLAT_WRITE)
        event.events |= EPOLLOUT;
    if (epoll_ctl(epoll_handle, EPOLL_CTL_MOD, handle, &event) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(epoll_handle, EPOLL_CTL_ADD, handle, &event) == 0;
}

int plat_wait(struct plat_event *events, int max, int timeout_ms)
{
    struct epoll_event seen[EVENTS_MAX];
    int count = epoll_pwait(epoll_handle, seen, max < EVENTS_MAX ? max : EVENTS_MAX, timeout_ms,
                            unix_signals_mask());
    for (int i = 0; i < count; i++)
        events[i] = (struct plat_event){
            .tag = seen[i].data.u32,
            .readable = (seen[i].events & EPOLLIN) != 0,
            .writable = (seen[i].events & EPOLLOUT) != 0,
            .hangup = (seen[i].events & (EPOLLERR | EPOLLHUP)) != 0,
        };
    return count < 0 ? 0 : count;
}
