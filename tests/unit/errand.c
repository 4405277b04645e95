/* errand.c: a code by the real runner: what the command reads, what the log says when it fails. */
#include "core/errand.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define PATIENCE_MS 10000

static struct server server;

static const char *content(const char *name)
{
    static char text[4096];
    ssize_t len = -1;
    int handle = open(name, O_RDONLY);
    if (handle >= 0) {
        len = read(handle, text, sizeof text - 1);
        close(handle);
    }
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static bool content_comes(const char *name, const char *expected)
{
    for (unsigned ms = 0; ms < PATIENCE_MS && strcmp(content(name), expected) != 0; ms += 5)
        usleep(5000);
    return strcmp(content(name), expected) == 0;
}

/* Everything the runner and we say on standard error goes to a file. */
static void begin(enum verify verify, const char *command)
{
    int log = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    config.verify = verify;
    snprintf(config.verify_command, sizeof config.verify_command, "%s", command);
    CHECK(log >= 0 && dup2(log, STDERR_FILENO) == STDERR_FILENO);
    close(log);
    CHECK(errand_needed() && errand_start());
}

static void test_sending(void)
{
    begin(VERIFY_EITHER, "cat >> read");
    CHECK(errand_code(&server, PENDING_PHONE, SPAN("+491701234567"), SPAN("493817")));
    CHECK(content_comes("read", "phone\n+491701234567\n493817\n"));
    errand_end();
    CHECK(!errand_code(&server, PENDING_PHONE, SPAN("+491701234567"), SPAN("493817")));
    CHECK(content_comes("log", "kith: a code was not sent: the process that runs `cat >> read` is "
                               "gone; restart kith\n"));
}

static void test_failing(void)
{
    begin(VERIFY_EMAIL, "exit 4");
    CHECK(errand_code(&server, PENDING_EMAIL, SPAN("juliet@mail.example"), SPAN("493817")));
    CHECK(content_comes("log", "kith: a code was not sent: `exit 4` ended with status 4\n"));
    errand_end();
    begin(VERIFY_EMAIL, "kill -9 $$");
    CHECK(errand_code(&server, PENDING_EMAIL, SPAN("juliet@mail.example"), SPAN("493817")));
    CHECK(content_comes("log", "kith: a code was not sent: `kill -9 $$` was ended by signal 9\n"));
    errand_end();
}

int main(void)
{
    char directory[] = "/tmp/kith-errand-XXXXXX", clean[64];
    int said = dup(STDERR_FILENO);
    if (mkdtemp(directory) == NULL || chdir(directory) != 0 || said < 0)
        return 1;
    test_sending();
    test_failing();
    CHECK(dup2(said, STDERR_FILENO) == STDERR_FILENO);
    snprintf(clean, sizeof clean, "rm -r %s", directory);
    CHECK(system(clean) == 0);
    return test_end();
}
