/* Tests of what the control socket takes: src/command.c, src/command_user.c. */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "config.h"
#include "plan.h"
#include "store/accounts.h"
#include "test.h"

#define HEAP_BYTES ((size_t)8 << 20)
#define SALT "AAAAAAAAAAAAAAAAAAAAAA=="
#define SHA1_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SHA256_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEYS SALT "\n" SHA1_KEY "\n" SHA1_KEY "\n" SHA256_KEY "\n" SHA256_KEY "\n"

static struct server server;
static char reply[8192];

/* The reply without its last line, which says the exit code. */
static int ask_bytes(const char *text, size_t len)
{
    struct build build = {.bytes = reply, .size = sizeof reply - 1};
    command_answer(&server, span_of(text, len), &build);
    CHECK(!build.full && build.used > 0);
    reply[build.used] = '\0';
    char *last = strstr(reply, "exit ");
    CHECK(last != NULL && last[6] == '\n' && last[7] == '\0' &&
          (last == reply || last[-1] == '\n'));
    return last == NULL ? -1 : last[5] - '0';
}

static int ask(const char *text)
{
    return ask_bytes(text, strlen(text));
}

static void test_accounts(void)
{
    struct account account;
    CHECK(ask("user add\nanna\nadmin\n10000\n" KEYS "\n") == COMMAND_DONE);
    CHECK(strstr(reply, "anna@kith.example can log in") != NULL);
    CHECK(account_get(server.store, SPAN("anna"), &account) == STORE_OK);
    CHECK(account.flags == ACCOUNT_ADMIN && account.iterations == 10000 && account.made_us > 0);
    uint64_t made_us = account.made_us;
    CHECK(ask("user add\nanna\nuser\n10000\n" KEYS "\n") == COMMAND_FAILED);
    CHECK(strstr(reply, "user password anna") != NULL);
    CHECK(ask("user password\nanna\nuser\n4096\n" KEYS "\n") == COMMAND_DONE);
    CHECK(account_get(server.store, SPAN("anna"), &account) == STORE_OK);
    CHECK(account.flags == ACCOUNT_ADMIN && account.iterations == 4096);
    CHECK(account.made_us == made_us);
    CHECK(ask("user password\nben\nuser\n4096\n" KEYS "\n") == COMMAND_FAILED);
    CHECK(strstr(reply, "no account ben") != NULL);
    CHECK(ask("user del\nben\n\n") == COMMAND_FAILED);
    CHECK(ask("user del\nanna\n\n") == COMMAND_DONE);
    CHECK(account_get(server.store, SPAN("anna"), &account) == STORE_NONE);
}

static void test_limit(void)
{
    uint32_t accounts = plan.accounts;
    plan.accounts = 1;
    CHECK(ask("user add\none\nuser\n10000\n" KEYS "\n") == COMMAND_DONE);
    CHECK(ask("user add\ntwo\nuser\n10000\n" KEYS "\n") == COMMAND_FAILED);
    CHECK(strstr(reply, "allows 1 accounts") != NULL);
    plan.accounts = accounts;
    CHECK(ask("user del\none\n\n") == COMMAND_DONE);
}

/* Whatever comes, there is an answer and no account. */
static void test_malformed(void)
{
    static const char *const requests[] = {
        "",
        "\n",
        "user",
        "user add",
        "user add\n\n",
        "user add\nanna\n\n",
        "user add\nanna\nuser\n10000\n" SALT "\n\n",
        "user add\nanna\nuser\n4095\n" KEYS "\n",
        "user add\nanna\nuser\n1000001\n" KEYS "\n",
        "user add\nanna\nuser\n10000\n" KEYS "more\n\n",
        "user add\nanna\nuser\n10000\n" SHA1_KEY "\n" SHA1_KEY "\n" SHA1_KEY "\n" SHA256_KEY
        "\n" SHA256_KEY "\n\n",
        "user add\nanna\nuser\n10000\nAAAA\n" SHA1_KEY "\n" SHA1_KEY "\n" SHA256_KEY "\n" SHA256_KEY
        "\n\n",
        "user del\n\n",
        "user del\nanna\nben\n\n",
        "user list\n\n",
        "serve\n\n",
        "plan\n\n",
        "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n",
    };
    static char request[4096];
    uint64_t count = 1;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        CHECK(ask(requests[i]) != COMMAND_DONE);
    memset(request, 'x', sizeof request);
    CHECK(ask_bytes(request, sizeof request) == COMMAND_USAGE);
    memcpy(request, "user del\n", 9);
    CHECK(ask_bytes(request, sizeof request) == COMMAND_FAILED);
    /* Each request cut short at each byte. */
    const char *whole = "user add\nanna\nuser\n10000\n" KEYS;
    for (size_t len = 0; len + 1 < strlen(whole); len++)
        CHECK(ask_bytes(whole, len) != COMMAND_DONE);
    CHECK(account_count(server.store, &count) == STORE_OK && count == 0);
}

int main(void)
{
    static char bytes[65536];
    char directory[] = "/tmp/kith-command-XXXXXX";
    char path[64], why[512] = "";
    const char *reason = "";

    void *heap = plat_reserve(HEAP_BYTES);
    CHECK(heap != NULL);
    heap_extend(heap, HEAP_BYTES, NULL, 0);
    CHECK(mkdtemp(directory) != NULL);
    CHECK(config_parse("test", SPAN("domain = kith.example"), why));
    CHECK(plan_make("router-8m", 0, why));
    arena_init(&server.arena, bytes, sizeof bytes);
    server.store = store_open(directory, plan.map_bytes, false, &server.arena, &reason);
    CHECK(server.store != NULL);
    if (server.store != NULL) {
        test_accounts();
        test_limit();
        test_malformed();
        CHECK(store_commit(server.store) == STORE_OK);
        store_close(server.store);
    }
    static const char *const files[] = {"kith.mdb", "kith.mdb-lock", "kith.lock"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, files[i]);
        CHECK(unlink(path) == 0);
    }
    CHECK(rmdir(directory) == 0);
    return test_end();
}
