/* control.c: the command line's end of the control socket. One request, one answer, closed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "command_parts.h"

#define ANSWER_SECONDS_MAX 30

/* A connection to the server, or -1 and errno. */
static int control_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = ANSWER_SECONDS_MAX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (handle < 0)
        return -1;
    if (setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
        connect(handle, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        (void)close(handle);
        errno = error;
        return -1;
    }
    return handle;
}

static bool nobody(int error)
{
    return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

static bool send_all(int handle, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(handle, bytes.bytes, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = span_cut(bytes, (size_t)sent, bytes.len);
    }
    return true;
}

/* The whole answer, to the end of the stream; how many bytes. */
static size_t receive_all(int handle, char *bytes, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = recv(handle, bytes + len, size - len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    return len;
}

/* Takes the line `exit N` off the end. */
static bool exit_line(struct span *answer, enum command_exit *code)
{
    struct span text = *answer;
    uint64_t number;
    if (text.len == 0 || text.bytes[text.len - 1] != '\n')
        return false;
    size_t start = text.len - 1;
    while (start > 0 && text.bytes[start - 1] != '\n')
        start--;
    struct span last = span_cut(text, start, text.len - 1);
    if (!span_starts(last, "exit ") ||
        !span_number(span_cut(last, 5, last.len), COMMAND_USAGE, &number))
        return false;
    *code = (enum command_exit)number;
    answer->len = start;
    return true;
}

enum control_outcome control_ask(const char *path, struct span request, struct span *answer,
                                 enum command_exit *code)
{
    static char bytes[COMMAND_REPLY_BYTES];
    int handle = control_connect(path);

    if (handle < 0 && nobody(errno))
        return CONTROL_NOBODY;
    if (handle < 0) {
        complain("the control socket %s: %s; run this as the user that runs the server", path,
                 strerror(errno));
        return CONTROL_FAILED;
    }
    bool sent = send_all(handle, request);
    *answer = span_of(bytes, sent ? receive_all(handle, bytes, sizeof bytes) : 0);
    (void)close(handle);
    if (!exit_line(answer, code)) {
        complain("the server closed the control socket without confirming; nothing is known to "
                 "have changed: look at its log, then try again");
        return CONTROL_FAILED;
    }
    return CONTROL_ANSWERED;
}

bool control_answers(const char *path)
{
    int handle = control_connect(path);
    bool answers = handle >= 0 || !nobody(errno);
    if (handle >= 0)
        (void)close(handle);
    return answers;
}
