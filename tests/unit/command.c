/* Tests of what the control socket takes: src/command.c, src/command_user.c,
 * src/command_invite.c. */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "config.h"
#include "core/invitation.h"
#include "plan.h"
#include "store/accounts.h"
#include "store/invites.h"
#include "store/pending.h"
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

/* The n-th line of the reply. */
static struct span line(unsigned n)
{
    struct span text = span_string(reply);
    while (n-- > 0)
        text = span_cut(text, span_find(text, '\n') + 1, text.len);
    return span_cut(text, 0, span_find(text, '\n'));
}

/* The invitation that the last reply gave the token of. */
static enum store_outcome invited(struct invite *invite)
{
    uint8_t hash[TOKEN_HASH_BYTES];
    token_hash(line(1), hash);
    return invite_get(server.store, hash, invite);
}

static void revoke_twice(const struct invite *invite)
{
    char id[INVITATION_ID_CHARS + 1] = "", request[64];
    invitation_id(invite, id);
    snprintf(request, sizeof request, "invite revoke\n%s\n\n", id);
    CHECK(ask(request) == COMMAND_DONE && strstr(reply, id) != NULL);
    CHECK(ask(request) == COMMAND_FAILED && strstr(reply, "there is no invitation") != NULL);
}

static void test_invite(void)
{
    struct invite invite;
    const uint64_t day_us = (uint64_t)86400 * 1000000;
    CHECK(ask("invite\n\n") == COMMAND_DONE);
    CHECK(span_starts(line(0), "xmpp:kith.example?register;preauth=") && line(1).len == 26);
    CHECK(span_is(line(2), "makes an account on kith.example"));
    CHECK(invited(&invite) == STORE_OK && invite.flags == INVITE_ACCOUNT && invite.uses_left == 1);
    CHECK(invite.expires_us - invite.made_us == config.invite_lifetime * 1000000);
    CHECK(memcmp(invite.start, line(1).bytes, INVITE_START_CHARS) == 0);
    revoke_twice(&invite);
    CHECK(ask("invite\nfor juliet\nadmin yes\nnote for \xc3\xa9lan\n\n") == COMMAND_DONE);
    CHECK(span_starts(line(0), "xmpp:juliet@kith.example?register;preauth="));
    CHECK(span_is(line(2), "makes the account juliet@kith.example, whose owner may administer the "
                           "server"));
    CHECK(invited(&invite) == STORE_OK && invite.flags == (INVITE_ACCOUNT | INVITE_ADMIN));
    CHECK(span_is(invite.username, "juliet") && span_is(invite.note, "for \xc3\xa9lan"));
    CHECK(ask("invite\nfor juliet\n\n") == COMMAND_FAILED);
    CHECK(strstr(reply, "the name juliet is taken") != NULL);
    revoke_twice(&invite);
    CHECK(ask("invite\ncontact anna\n\n") == COMMAND_FAILED);
    CHECK(strstr(reply, "there is no account anna") != NULL);
    CHECK(ask("user add\nanna\nuser\n10000\n" KEYS "\n") == COMMAND_DONE);
    CHECK(ask("invite\ncontact anna\nuses 3\ndays 30\n\n") == COMMAND_DONE);
    CHECK(span_starts(line(0), "xmpp:anna@kith.example?roster;preauth="));
    CHECK(strstr(reply, ";ibr=y\n") != NULL);
    CHECK(span_is(line(2),
                  "makes an account on kith.example, whose owner becomes a contact of anna"));
    CHECK(invited(&invite) == STORE_OK && invite.flags == (INVITE_ACCOUNT | INVITE_CONTACT));
    CHECK(invite.uses_left == 3 && span_is(invite.owner, "anna"));
    CHECK(invite.expires_us - invite.made_us == 30 * day_us);
    revoke_twice(&invite);
    CHECK(ask("user del\nanna\n\n") == COMMAND_DONE);
    config.registration = REGISTRATION_CLOSED;
    CHECK(ask("invite\n\n") == COMMAND_FAILED && strstr(reply, "registration") != NULL);
    config.registration = REGISTRATION_INVITE;
}

/* Whatever comes, there is an answer, no account and no invitation. */
/* An admin may take a name that somebody is about to get: by an invitation, or by registering,
 * which hears of it at its next stage (tests/dialogs/register-made-meanwhile.txt). */
static void test_names_of_others(void)
{
    struct pending pending = {
        .local = SPAN("nurse"),
        .flags = PENDING_NAME_GIVEN,
        .made_us = plat_wall_us(),
        .expires_us = plat_wall_us() + 3600000000u,
        .iterations = 10000,
        .email = SPAN(""),
        .phone = SPAN("+12345678901"),
        .reason = SPAN(""),
    };
    struct account account;
    struct invite invite;
    CHECK(pending_put(server.store, &pending) == STORE_OK);
    CHECK(ask("user add\nnurse\nuser\n10000\n" KEYS "\n") == COMMAND_DONE);
    CHECK(account_get(server.store, SPAN("nurse"), &account) == STORE_OK);
    CHECK(pending_delete(server.store, SPAN("nurse")) == STORE_OK);
    CHECK(ask("invite\nfor peter\n\n") == COMMAND_DONE);
    CHECK(invited(&invite) == STORE_OK);
    CHECK(ask("user add\npeter\nuser\n10000\n" KEYS "\n") == COMMAND_DONE);
    CHECK(account_get(server.store, SPAN("peter"), &account) == STORE_OK);
    revoke_twice(&invite);
    CHECK(ask("user del\nnurse\n\n") == COMMAND_DONE);
    CHECK(ask("user del\npeter\n\n") == COMMAND_DONE);
}

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
        "invite\nnonsense\n\n",
        "invite\nfor\n\n",
        "invite\nfor \n\n",
        "invite\nuses 51\n\n",
        "invite\nuses -1\n\n",
        "invite\ndays 366\n\n",
        "invite\nnote a\tb\n\n",
        "invite\nnote \xff\n\n",
        "invite revoke\n\n",
        "invite revoke\n1234567\n\n",
        "invite revoke\n12345678\n12345678\n\n",
        "invite list\n\n",
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
    struct invite invite;
    CHECK(account_count(server.store, &count) == STORE_OK && count == 0);
    CHECK(invite_next(server.store, SPAN_NONE, &invite) == STORE_NONE);
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
        test_names_of_others();
        test_invite();
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
