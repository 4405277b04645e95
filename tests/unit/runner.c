/* runner.c: the real runner: what a command is given, how it ends, how many there are at once. */
#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define MS_MAX 700
#define PATIENCE_MS 10000

enum { KEEP, EXIT_3, HANG, SIGNAL, MISSING, COUNTED, HANDLES, SIGNALS, MEMORY, ORPHAN, COMMANDS };

static const char *const commands[COMMANDS] = {
    [KEEP] = "cat > kept; echo >> ended",
    [EXIT_3] = "exit 3",
    [HANG] = "sleep 60 > pipe & wait",
    [SIGNAL] = "kill -TERM $$",
    [MISSING] = "exec ./there-is-no-such-program 2> /dev/null",
    [COUNTED] = "cat > /dev/null; echo + >> counted; sleep 0.4; echo - >> counted; echo >> ended",
    [HANDLES] = "ls /proc/self/fd > handles; echo >> ended",
    [SIGNALS] = "grep -E '^Sig(Blk|Ign)' /proc/self/status > signals; echo >> ended",
    [MEMORY] = "ulimit -v > memory; echo >> ended",
    [ORPHAN] = "sleep 60 > pipe",
};

/* In the runner's process. */
static void failed(const char *command, enum plat_ending ending, int number)
{
    char line[256];
    int handle = open("failures", O_WRONLY | O_APPEND | O_CREAT, 0600);
    int len = snprintf(line, sizeof line, "%d %d %s\n", (int)ending, number, command);
    if (handle < 0 || write(handle, line, (size_t)len) != len)
        abort();
    close(handle);
}

static const char *content(const char *name)
{
    static char text[65536];
    ssize_t len = 0;
    int handle = open(name, O_RDONLY);
    if (handle >= 0) {
        len = read(handle, text, sizeof text - 1);
        close(handle);
    }
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static unsigned lines_of(const char *name)
{
    unsigned lines = 0;
    for (const char *at = content(name); *at; at++)
        lines += *at == '\n';
    return lines;
}

/* false: the file did not come to have so many lines. */
static bool lines_wait(const char *name, unsigned lines)
{
    for (unsigned ms = 0; ms < PATIENCE_MS && lines_of(name) < lines; ms += 5)
        usleep(5000);
    return lines_of(name) == lines;
}

static void begin(unsigned ms_max)
{
    unlink("ended");
    unlink("failures");
    unlink("counted");
    CHECK(plat_runner_open(commands, COMMANDS, ms_max, failed));
}

static void test_input(void)
{
    static const char lines[] = "phone\n+491701234567\n493817\n";
    char big[PLAT_INPUT_BYTES_MAX + 1];
    begin(MS_MAX);
    CHECK(plat_run(KEEP, lines, strlen(lines)));
    CHECK(lines_wait("ended", 1) && strcmp(content("kept"), lines) == 0);
    CHECK(plat_run(KEEP, "", 0));
    CHECK(lines_wait("ended", 2) && content("kept")[0] == '\0');
    memset(big, 'x', sizeof big);
    CHECK(plat_run(KEEP, big, PLAT_INPUT_BYTES_MAX));
    CHECK(lines_wait("ended", 3) && strlen(content("kept")) == PLAT_INPUT_BYTES_MAX);
    CHECK(!plat_run(KEEP, big, sizeof big) && errno == EMSGSIZE);
    plat_runner_shut();
    CHECK(lines_of("failures") == 0);
    CHECK(!plat_run(KEEP, "", 0));
}

static void test_failures(void)
{
    char line[64];
    begin(60000);
    CHECK(plat_run(EXIT_3, "", 0) && lines_wait("failures", 1));
    snprintf(line, sizeof line, "%d 3 exit 3\n", PLAT_EXITED);
    CHECK(strcmp(content("failures"), line) == 0);
    CHECK(plat_run(SIGNAL, "unread", 6) && lines_wait("failures", 2));
    snprintf(line, sizeof line, "\n%d %d kill", PLAT_SIGNALLED, SIGTERM);
    CHECK(strstr(content("failures"), line) != NULL);
    CHECK(plat_run(MISSING, "", 0) && lines_wait("failures", 3));
    snprintf(line, sizeof line, "\n%d 127 exec", PLAT_EXITED);
    CHECK(strstr(content("failures"), line) != NULL);
    plat_runner_shut();
}

/* Whether everybody who could write to the pipe is gone, which had been somebody's. */
static bool pipe_ends(int pipe, unsigned ms)
{
    struct pollfd watched = {.fd = pipe, .events = POLLIN};
    return poll(&watched, 1, (int)ms) == 1 && (watched.revents & POLLHUP) != 0;
}

/* To be read, before somebody writes. */
static int pipe_open(void)
{
    unlink("pipe");
    CHECK(mkfifo("pipe", 0600) == 0);
    int handle = open("pipe", O_RDONLY | O_NONBLOCK);
    CHECK(handle >= 0);
    return handle;
}

static void test_late(void)
{
    char line[64];
    int pipe = pipe_open();
    begin(MS_MAX);
    uint64_t begun_ms = plat_now_ms();
    CHECK(plat_run(HANG, "", 0) && pipe_ends(pipe, PATIENCE_MS));
    CHECK(plat_now_ms() - begun_ms >= MS_MAX);
    CHECK(lines_wait("failures", 1));
    snprintf(line, sizeof line, "%d %d sleep", PLAT_LATE, SIGKILL);
    CHECK(strncmp(content("failures"), line, strlen(line)) == 0);
    CHECK(plat_run(KEEP, "after it", 8) && lines_wait("ended", 1));
    plat_runner_shut();
    close(pipe);
}

/* In a process of its own, which goes without a word if it is not asked to shut. */
static void end_of_server(bool shut)
{
    pid_t server = fork();
    if (server == 0) {
        if (!plat_runner_open(commands, COMMANDS, 60000, failed) || !plat_run(HANG, "", 0) ||
            !plat_run(ORPHAN, "", 0))
            _exit(1);
        usleep(MS_MAX * 1000);
        if (shut)
            plat_runner_shut();
        _exit(0);
    }
    int status = -1;
    CHECK(server > 0 && waitpid(server, &status, 0) == server && status == 0);
}

/* With the server goes the runner, with the runner what it runs. */
static void test_gone(bool shut)
{
    int pipe = pipe_open();
    end_of_server(shut);
    CHECK(pipe_ends(pipe, PATIENCE_MS));
    close(pipe);
}

/* RUNNING at once and WAITING more: the others are refused, and are not started. */
static void test_many(void)
{
    enum { RUNNING = 4, WAITING = 16 };
    unsigned taken = 0, most = 0, now = 0;
    begin(PATIENCE_MS);
    for (unsigned i = 0; i < 2 * (RUNNING + WAITING); i++) {
        bool queued = plat_run(COUNTED, "one of many", 11);
        CHECK(queued || errno == EAGAIN);
        taken += queued;
    }
    CHECK(taken == RUNNING + WAITING);
    CHECK(lines_wait("ended", taken) && lines_wait("counted", 2 * taken));
    for (const char *at = content("counted"); *at; at++) {
        now += *at == '+' ? 1u : 0u;
        now -= *at == '-' ? 1u : 0u;
        most = now > most ? now : most;
    }
    CHECK(most == RUNNING && now == 0);
    CHECK(plat_run(COUNTED, "", 0) && lines_wait("ended", taken + 1));
    plat_runner_shut();
    CHECK(lines_of("failures") == 0);
}

/* Whatever the server has, ignores and must keep to is not the command's. */
static void test_own_world(void)
{
    int leaked = open(".", O_RDONLY);
    CHECK(leaked >= 0 && signal(SIGUSR1, SIG_IGN) != SIG_ERR && plat_open());
    begin(MS_MAX);
    CHECK(plat_run(HANDLES, "", 0) && lines_wait("ended", 1));
    CHECK(strcmp(content("handles"), "0\n1\n2\n3\n") == 0); /* 3: of the directory itself */
    CHECK(plat_run(SIGNALS, "", 0) && lines_wait("ended", 2));
    unsigned long long blocked = 1, ignored = 1;
    CHECK(sscanf(content("signals"), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored) == 2);
    /* 32 and 33 belong to libc, which lets nobody set them; make ignores them. */
    CHECK(blocked == 0 && (ignored & ~0x180000000ULL) == 0);
    plat_runner_shut();
    plat_shut();
    close(leaked);
}

/* Of a process that cannot grow any more. */
static void test_frozen(void)
{
    pid_t server = fork();
    if (server == 0) {
        begin(PATIENCE_MS);
        bool frozen = plat_freeze() && mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
                                            -1, 0) == MAP_FAILED;
        bool ran = plat_run(MEMORY, "", 0) && lines_wait("ended", 1);
        plat_runner_shut();
        _exit(frozen && ran && strcmp(content("memory"), "unlimited\n") == 0 ? 0 : 1);
    }
    int status = -1;
    CHECK(server > 0 && waitpid(server, &status, 0) == server && status == 0);
}

int main(void)
{
    char directory[] = "/tmp/kith-runner-XXXXXX", remove[64];
    if (mkdtemp(directory) == NULL || chdir(directory) != 0)
        return 1;
    test_input();
    test_failures();
    test_late();
    test_gone(true);
    test_gone(false);
    test_many();
    test_own_world();
    test_frozen();
    snprintf(remove, sizeof remove, "rm -r %s", directory);
    CHECK(system(remove) == 0);
    return test_end();
}
