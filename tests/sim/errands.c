/* errands.c: codes and notices of the server in the test world, and the statements by which dialogs
 * see them: each is shown to hold, and to fail where it must. REG-18, REG-18b, OFF-1, OFF-3, GR-4.
 */
#include "core/errand.h"
#include "core/notice.h"
#include "house.h"
#include "jobs.h"
#include "play.h"
#include "store/accounts.h"
#include "tests/unit/test.h"
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct play play;

/* One statement of a dialog: its words, then its further parts up to NULL. */
static bool holds(const char *words, ...)
{
    struct statement statement = {.count = 1, .parts = {words}};
    const char *part;
    va_list parts;
    va_start(parts, words);
    while ((part = va_arg(parts, const char *)) != NULL)
        statement.parts[statement.count++] = part;
    va_end(parts);
    return play_statement(&play, &statement);
}

#define HOLDS(...) CHECK(holds(__VA_ARGS__, NULL))
#define FAILS(...) CHECK(!holds(__VA_ARGS__, NULL))

static void begin(const char *verify, const char *command)
{
    const char *why = "";
    memory_forget();
    clients_forget();
    world_begin(1);
    play = (struct play){.path = "errands", .variables = variables_new()};
    house_begin();
    if (!house_set("verify", verify) || (command && !house_set("verify_command", command)) ||
        !house_set("offline_messages", "3") || !house_set("output_bytes", "65536") ||
        !house_open(&why) || !house_account("romeo", "pencil", 0) ||
        !house_account("juliet", "pencil", ACCOUNT_ADMIN) ||
        !house_account("nurse", "pencil", ACCOUNT_ADMIN | ACCOUNT_DISABLED)) {
        fprintf(stderr, "the server does not start: %s\n", why);
        exit(2);
    }
}

static void end(void)
{
    CHECK(play_see_off(&play));
    if (play.report.len && getenv("VERBOSE"))
        fprintf(stderr, "%s", play.report.bytes);
}

static bool code(enum pending_channel channel, const char *address)
{
    return errand_code(house_server(), channel, span_string(address), SPAN("493817"));
}

static void test_command(void)
{
    begin("either", "/bin/send --quickly");
    CHECK(errand_possible(PENDING_EMAIL) && errand_possible(PENDING_PHONE) &&
          !errand_possible(PENDING_ADMIN));
    HOLDS("server runs nothing");
    FAILS("server runs {any}");
    CHECK(code(PENDING_PHONE, "+491701234567"));
    FAILS("server runs nothing");
    FAILS("server runs /bin/send", "phone", "{number}", "{code}");
    FAILS("server runs {any}", "phone", "{number}");
    FAILS("server runs {any}", "phone", "{number}", "{code}", "{more}");
    FAILS("server runs {any}", "email", "{rest}");
    HOLDS("server runs /bin/send --quickly", "phone", "+{number}", "493{code}");
    HOLDS("server runs nothing");
    CHECK(code(PENDING_EMAIL, "o'neil+chat@mail.example"));
    HOLDS("server runs {command}", "email", "o'neil+chat@mail.example", "{rest}");
    const char *command = variable(play.variables, "command", 7);
    CHECK(command && strcmp(command, "/bin/send --quickly") == 0);
    end();
}

static void test_mail(void)
{
    begin("email", NULL);
    CHECK(errand_possible(PENDING_EMAIL) && !errand_possible(PENDING_PHONE));
    CHECK(!code(PENDING_PHONE, "+491701234567") && !code(PENDING_ADMIN, "juliet"));
    CHECK(code(PENDING_EMAIL, "juliet@mail.example"));
    HOLDS("server runs /usr/sbin/sendmail -i -t", "From: noreply@example.com",
          "To: juliet@mail.example", "Subject: Your code",
          "Date: 21 Sep 2026 {any}:{any}:{any} +0000", "Auto-Submitted: auto-generated",
          "MIME-Version: 1.0", "Content-Type: text/plain; charset=UTF-8",
          "Content-Transfer-Encoding: 8bit", "", "Your code for the account at example.com is", "",
          "    493817", "", "{rest}");
    end();
}

/* What could be another header, another recipient, another line or a program. */
static void test_addresses(void)
{
    static const char *const refused[] = {"",
                                          "juliet",
                                          "@mail.example",
                                          "juliet@",
                                          "a@b@mail.example",
                                          "-oQ/tmp@mail.example",
                                          "a@mail.example, b@mail.example",
                                          "a@mail.example,b@mail.example",
                                          "Juliet <a@mail.example>",
                                          "a@mail.example\nBcc: b@mail.example",
                                          "a@mail.example\r",
                                          "a\t@mail.example",
                                          "\"|/bin/sh\"@mail.example",
                                          "|sh@mail.example",
                                          "a:b@mail.example;",
                                          "@a:b@mail.example",
                                          "b%mail.example@a",
                                          "a\x7f@mail.example"};
    char longest[256];
    begin("either", "/bin/send");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        CHECK(!code(PENDING_EMAIL, refused[i]));
    CHECK(!code(PENDING_PHONE, "+49\n+50") && !code(PENDING_PHONE, ""));
    memset(longest, 'a', 255);
    memcpy(longest + 200, "@mail.", 6);
    longest[255] = '\0';
    CHECK(!code(PENDING_EMAIL, longest));
    HOLDS("server runs nothing");
    longest[254] = '\0';
    CHECK(code(PENDING_EMAIL, longest));
    HOLDS("server runs /bin/send", "email", "a{any}", "493817");
    end();
}

static void test_shortage(void)
{
    begin("phone", "/bin/send");
    HOLDS("server cannot run commands");
    CHECK(!code(PENDING_PHONE, "+491701234567"));
    HOLDS("server can run commands");
    unsigned queued = 0;
    while (queued < 100 && code(PENDING_PHONE, "+491701234567"))
        queued++;
    CHECK(queued == 20);
    for (unsigned i = 0; i < queued; i++)
        HOLDS("server runs /bin/send", "phone", "{rest}");
    HOLDS("server restarts");
    CHECK(code(PENDING_PHONE, "+491701234567"));
    HOLDS("server runs /bin/send", "phone", "{rest}");
    end();
    begin("admin", "/bin/send");
    CHECK(!code(PENDING_PHONE, "+491701234567"));
    HOLDS("server runs nothing");
    end();
}

static enum store_outcome notice(const char *local, const char *body)
{
    return notice_send(house_server(), span_string(local), span_string(body));
}

#define NOTICE(body, id, more)                                                                     \
    "<message from='example.com' to='juliet@example.com' type='chat'><body>" body "</body>"        \
    "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.com' id='" id "'/>" more "</message>"
#define DELAY "<delay xmlns='urn:xmpp:delay' from='example.com' stamp='{any}'/>"

static void test_notices(void)
{
    begin("none", NULL);
    CHECK(notice("benvolio", "nobody") == STORE_NONE);
    CHECK(notice("juliet", "1 < 2") == STORE_OK && notice("juliet", "second") == STORE_OK);
    CHECK(notice("juliet", "third") == STORE_OK && notice("juliet", "fourth") == STORE_FULL);
    HOLDS("juliet comes online");
    HOLDS("juliet gets " NOTICE("1 &lt; 2", "{one}", DELAY));
    HOLDS("juliet gets " NOTICE("second", "{two}", DELAY));
    HOLDS("juliet gets " NOTICE("third", "{any}", DELAY));
    CHECK(strcmp(variable(play.variables, "one", 3), variable(play.variables, "two", 3)) != 0);
    HOLDS("juliet.balcony comes online");
    HOLDS("juliet skips presence");
    HOLDS("juliet.balcony skips presence");
    CHECK(notice_admins(house_server(), SPAN("romeo & nurse")) == 1);
    HOLDS("juliet gets " NOTICE("romeo &amp; nurse", "{three}", ""));
    HOLDS("juliet.balcony gets " NOTICE("romeo &amp; nurse", "{three}", ""));
    HOLDS("romeo comes online");
    HOLDS("romeo gets nothing");
    end();
}

/* Who has not been told all that was stored gets it behind that, if it can be stored. */
static void test_order(void)
{
    char big[30001];
    memset(big, 'b', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    begin("none", NULL);
    CHECK(notice("juliet", big) == STORE_OK && notice("juliet", big) == STORE_OK);
    HOLDS("juliet logs in");
    HOLDS("juliet stops reading");
    HOLDS("juliet sends <presence/>");
    CHECK(notice("juliet", "kept") == STORE_OK);
    CHECK(notice("juliet", "full, so it is said") == STORE_OK);
    HOLDS("juliet reads again");
    HOLDS("juliet gets <presence from='{juliet}' to='{any}'/>");
    HOLDS("juliet gets " NOTICE("{big}", "{one}", DELAY));
    HOLDS("juliet gets " NOTICE("full, so it is said", "{any}", ""));
    HOLDS("juliet gets " NOTICE("{big}", "{two}", DELAY));
    HOLDS("juliet gets " NOTICE("kept", "{any}", DELAY));
    end();
}

int main(void)
{
    house_boot();
    test_command();
    test_mail();
    test_addresses();
    test_shortage();
    test_notices();
    test_order();
    house_leave();
    return test_end();
}
