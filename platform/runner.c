/* runner.c: the process that starts commands for the server; see platform.h. They share a socket of
 * packets: a job one way, an empty word for each job that is over the other way. What waits lies in
 * the socket. Limits: RUNNING_MAX at once, WAITING_MAX more; one that overstays is killed with its
 * process group. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/platform.h"

#define RUNNING_MAX 4
#define WAITING_MAX 16
#define HANDLES_MAX 256    /* of a command */
#define INHERITED_MAX 4096 /* handles looked at where the system cannot close them all at once */

struct job {
    uint32_t command;
    char input[PLAT_INPUT_BYTES_MAX];
};

struct child {
    pid_t process; /* and its group; 0: free */
    uint32_t command;
    uint64_t until_ms;
    bool late;
};

/* The server's side. */
static int runner_handle = -1;
static pid_t runner_process;
static unsigned jobs_under_way;

/* What the runner was made with, and its children. */
static const char *const *runner_commands;
static unsigned runner_command_count;
static unsigned runner_ms_max;
static void (*runner_failed)(const char *command, enum plat_ending ending, int number);
static struct child children[RUNNING_MAX];

/* --- a command --- */

static void signal_wake(int number)
{
    (void)number;
}

static void signals_default(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void limit_set(int resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return;
    if (limit.rlim_max > most)
        limit.rlim_max = most;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(resource, &limit);
}

/* In the child. Comes back only when the system has no shell. */
static void command_become(const char *command, int input)
{
    (void)setpgid(0, 0);
    signals_default();
    limit_set(RLIMIT_CORE, 0);
    limit_set(RLIMIT_CPU, runner_ms_max / 1000 + 1);
    limit_set(RLIMIT_NOFILE, HANDLES_MAX);
    if (dup2(input, STDIN_FILENO) == STDIN_FILENO)
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
}

/* A pipe that holds all of the input, and no more to come. -1: errno. */
static int input_pipe(const char *input, size_t len)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    bool filled = fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
                  fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 && /* rather fail than wait */
                  write(ends[1], input, len) == (ssize_t)len;
    int why = errno;
    (void)close(ends[1]);
    if (filled)
        return ends[0];
    (void)close(ends[0]);
    errno = why;
    return -1;
}

static bool child_start(struct child *child, uint32_t command, int input)
{
    pid_t process = fork();
    if (process < 0)
        return false;
    if (process == 0) {
        command_become(runner_commands[command], input);
        _exit(127);
    }
    (void)setpgid(process, process); /* whoever of the two comes first */
    *child = (struct child){
        .process = process, .command = command, .until_ms = plat_now_ms() + runner_ms_max};
    return true;
}

/* --- the runner --- */

static struct child *child_of(pid_t process)
{
    unsigned i = 0;
    while (i < RUNNING_MAX && children[i].process != process)
        i++;
    return i < RUNNING_MAX ? &children[i] : NULL;
}

/* The server counts these. */
static void job_over(int server)
{
    static const char word;
    (void)send(server, &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void job_start(int server, const struct job *job, size_t len)
{
    if (len < sizeof job->command || job->command >= runner_command_count)
        return;
    int input = input_pipe(job->input, len - sizeof job->command);
    if (input < 0 || !child_start(child_of(0), job->command, input)) {
        runner_failed(runner_commands[job->command], PLAT_NOT_STARTED, errno);
        job_over(server);
    }
    if (input >= 0)
        (void)close(input);
}

static void child_over(struct child *child, int status)
{
    const char *command = runner_commands[child->command];
    if (child->late)
        runner_failed(command, PLAT_LATE, SIGKILL);
    else if (WIFSIGNALED(status))
        runner_failed(command, PLAT_SIGNALLED, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        runner_failed(command, PLAT_EXITED, WEXITSTATUS(status));
    child->process = 0;
}

static void children_reap(int server)
{
    int status;
    pid_t process;
    while ((process = waitpid(-1, &status, WNOHANG)) > 0) {
        child_over(child_of(process), status);
        job_over(server);
    }
}

static void children_kill(uint64_t due_ms)
{
    for (unsigned i = 0; i < RUNNING_MAX; i++) {
        struct child *child = &children[i];
        if (child->process == 0 || child->until_ms > due_ms || child->late)
            continue;
        (void)kill(-child->process, SIGKILL);
        child->late = true;
    }
}

/* Until the next child's time is up; -1: nobody's. */
static int64_t patience_ms(uint64_t now_ms)
{
    int64_t least = -1;
    for (unsigned i = 0; i < RUNNING_MAX; i++) {
        const struct child *child = &children[i];
        int64_t left = (int64_t)(child->until_ms - now_ms);
        if (child->process != 0 && !child->late && (least < 0 || left < least))
            least = left > 0 ? left : 0;
    }
    return least;
}

/* What happens at the server's end: a job to start (bytes > 0), nothing (-1) or its end (0). */
static ssize_t server_wait(int server, struct job *job)
{
    /* While all places are taken jobs are left in the socket; its end is reported in any case. */
    struct pollfd watched = {.fd = server, .events = child_of(0) != NULL ? POLLIN : 0};
    int64_t ms = patience_ms(plat_now_ms());
    struct timespec timeout = {ms / 1000, (long)(ms % 1000) * 1000000};
    sigset_t none;
    sigemptyset(&none);
    if (ppoll(&watched, 1, ms < 0 ? NULL : &timeout, &none) <= 0)
        return -1;
    if (watched.revents & (POLLHUP | POLLERR | POLLNVAL))
        return 0;
    ssize_t len = recv(server, job, sizeof *job, MSG_DONTWAIT);
    return len < 0 && errno != EAGAIN && errno != EINTR ? 0 : len;
}

/* SIGCHLD comes while waiting only; other signals are for the server, with which we end. */
static void signals_prepare(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    struct sigaction wake = {.sa_handler = signal_wake};
    sigset_t block;
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void)signal(ignored[i], SIG_IGN);
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &block, NULL);
    (void)sigaction(SIGCHLD, &wake, NULL);
}

/* Everything but standard input, output, error and `server`, which becomes handle 3. */
static int handles_prepare(int server)
{
    int nothing = open("/dev/null", O_RDONLY);
    int last = STDERR_FILENO + 1;
    if (nothing >= 0)
        (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    if (server != last && dup2(server, last) < 0)
        _exit(1);
    (void)fcntl(last, F_SETFD, FD_CLOEXEC);
#ifdef SYS_close_range
    if (syscall(SYS_close_range, last + 1, ~0u, 0) == 0)
        return last;
#endif
    for (int handle = last + 1; handle < INHERITED_MAX; handle++)
        (void)close(handle);
    return last;
}

static _Noreturn void runner_main(int server)
{
    static struct job job;
    ssize_t len;
    (void)setsid(); /* what the terminal says is for the server */
    server = handles_prepare(server);
    signals_prepare();
    while ((len = server_wait(server, &job)) != 0) {
        if (len > 0)
            job_start(server, &job, (size_t)len);
        memset(&job, 0, sizeof job); /* it held a code */
        children_reap(server);
        children_kill(plat_now_ms());
    }
    children_kill(UINT64_MAX);
    _exit(0);
}

/* --- the server's side --- */

bool plat_runner_open(const char *const *commands, unsigned count, unsigned ms_max,
                      void (*failed)(const char *command, enum plat_ending ending, int number))
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
        return false;
    runner_commands = commands;
    runner_command_count = count;
    runner_ms_max = ms_max;
    runner_failed = failed;
    runner_process = fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 ? fork() : -1;
    if (runner_process == 0) {
        (void)close(ends[0]);
        runner_main(ends[1]);
    }
    int why = errno;
    (void)close(ends[1]);
    if (runner_process > 0) {
        runner_handle = ends[0];
        jobs_under_way = 0;
        return true;
    }
    (void)close(ends[0]);
    errno = why;
    return false;
}

bool plat_run(unsigned command, const void *input, size_t len)
{
    static struct job job;
    char word;
    while (jobs_under_way > 0 && recv(runner_handle, &word, sizeof word, MSG_DONTWAIT) > 0)
        jobs_under_way--;
    if (jobs_under_way >= RUNNING_MAX + WAITING_MAX || len > sizeof job.input) {
        errno = len > sizeof job.input ? EMSGSIZE : EAGAIN;
        return false;
    }
    job.command = command;
    memcpy(job.input, input, len);
    ssize_t sent = send(runner_handle, &job, sizeof job.command + len, MSG_NOSIGNAL | MSG_DONTWAIT);
    memset(job.input, 0, len);
    jobs_under_way += sent > 0;
    return sent > 0;
}

void plat_runner_shut(void)
{
    if (runner_handle < 0)
        return;
    (void)close(runner_handle);
    runner_handle = -1;
    (void)waitpid(runner_process, NULL, 0); /* it does nothing that could take long */
}
