/* steady.c: what must not happen while nothing special happens: no allocation for a stanza, no tick
 * without a cause, no pause without an end, no place that idlers keep from others. */
#include "base/heap.h"
#include "core/limits.h"
#include "core/turn.h"
#include "crowd.h"
#include "house.h"
#include "store/accounts.h"
#include "tally.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 10000
#define WARM_ROUNDS 100
#define ARCHIVE_CALLS_MAX 4 /* a round of two messages, each of which is kept */
#define IDLE_TICKS_MAX 100  /* in nine minutes, with a dozen deadlines */
#define BODY "<body>Wherefore art thou?</body>"

static uint64_t heap_calls(void)
{
    struct heap_use use;
    heap_usage(&use);
    return use.calls;
}

static void say_filled(struct guest *guest, const char *begin, size_t bytes, const char *end)
{
    struct text text = {0};
    text_string(&text, begin);
    while (text.len + strlen(end) < bytes)
        text_string(&text, "x");
    text_string(&text, end);
    guest_say_bytes(guest, text.bytes, text.len);
}

/* A house with these settings ("key value", ended by NULL), and the accounts anna and ben. */
static bool begin(const char *name, const char *const *settings)
{
    const char *why;
    tally_part = name;
    memory_forget();
    world_begin(7);
    crowd_begin();
    house_begin();
    for (; *settings; settings += 2) {
        if (!check(house_set(settings[0], settings[1]), "no setting %s", settings[0]))
            return false;
    }
    return check(house_open(&why), "does not start: %s", why) &&
           check(house_account("anna", CROWD_PASSWORD, 0), "no account anna") &&
           check(house_account("ben", CROWD_PASSWORD, 0), "no account ben");
}

static void end(void)
{
    for (unsigned i = 0; i < crowd_count(); i++)
        guest_leave(crowd_at(i));
    settle(130000);
    const char *leftovers = house_is_open() ? house_leftovers() : NULL;
    check(!leftovers, "in the end %s", leftovers ? leftovers : "");
    house_close();
}

static bool chat_round(struct guest *anna, struct guest *ben)
{
    static const char *const stanzas[] = {
        "<message type='chat' id='m' to='ben@" HOUSE_DOMAIN "'>" BODY "</message>",
        "<message type='chat' to='ben@" HOUSE_DOMAIN "/home'>" BODY "</message>",
        "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='get' id='d' to='" HOUSE_DOMAIN "'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "<presence><show>away</show></presence>",
        "<iq type='get' id='q' to='ben@" HOUSE_DOMAIN "/home'><ping xmlns='urn:xmpp:ping'/></iq>",
    };
    crowd_forget();
    for (size_t i = 0; i < sizeof(stanzas) / sizeof(stanzas[0]); i++)
        guest_say(anna, stanzas[i]);
    return settle(0) && guest_heard(ben, BODY) == 2 && guest_heard(anna, "type='result'") == 2;
}

/* Calls of malloc for so many rounds of six stanzas. */
static uint64_t rounds_calls(const char *name, const char *archive)
{
    if (!begin(name, (const char *const[]){"archive", archive, NULL}))
        return UINT64_MAX;
    struct guest *anna = guest_enter("anna", "home"), *ben = guest_enter("ben", "home");
    guest_say(anna, "<presence/>");
    guest_say(ben, "<presence/>");
    bool fine = settle(0);
    for (unsigned i = 0; fine && i < WARM_ROUNDS; i++)
        fine = chat_round(anna, ben);
    uint64_t before = heap_calls();
    unsigned rounds = 0;
    while (fine && rounds < ROUNDS && (fine = chat_round(anna, ben)))
        rounds++;
    check(fine, "round %u went wrong: %s", rounds, anna->heard.bytes);
    uint64_t calls = heap_calls() - before;
    printf("%u rounds of 6 stanzas, archive = %s: %llu calls of malloc\n", rounds, archive,
           (unsigned long long)calls);
    end();
    return calls;
}

/* Design, idea 3: a stanza costs no allocation. */
static void allocations(void)
{
    uint64_t calls = rounds_calls("no allocation for a stanza", "no");
    check(calls == 0, "%u rounds made %llu calls of malloc", ROUNDS, (unsigned long long)calls);
}

/* Of what is kept, only LMDB allocates: pages, where it has not yet kept as many for itself. */
static void allocations_archive(void)
{
    uint64_t calls = rounds_calls("allocations for the archive", "yes");
    check(calls <= ARCHIVE_CALLS_MAX * (uint64_t)ROUNDS, "%u rounds made %llu calls of malloc",
          ROUNDS, (unsigned long long)calls);
}

/* Of a tick that writes, only LMDB may allocate, and that little. */
static void allocations_writing(void)
{
    struct account account;
    uint64_t most = 0, total = 0;
    if (!begin("allocations of a commit", (const char *const[]){NULL}))
        return;
    struct store *store = house_server()->store;
    check(account_get(store, SPAN("anna"), &account) == STORE_OK, "anna is not there");
    for (unsigned i = 0; i < WARM_ROUNDS + 100; i++) {
        uint64_t before = heap_calls();
        account.flags = i % 2 ? ACCOUNT_DISABLED : 0;
        check(account_put(store, SPAN("anna"), &account, true) == STORE_OK && store_dirty(store),
              "cannot be written");
        settle(0);
        check(!store_dirty(store), "the tick has not committed");
        uint64_t calls = heap_calls() - before;
        if (i < WARM_ROUNDS)
            continue;
        total += calls;
        most = calls > most ? calls : most;
    }
    check(most <= 1, "a tick that wrote one record made %llu calls of malloc",
          (unsigned long long)most);
    printf("100 ticks that write one record: %llu calls of malloc, at most %llu\n",
           (unsigned long long)total, (unsigned long long)most);
    end();
}

/* Ticks within so much virtual time. */
static unsigned ticks_in(uint64_t ms)
{
    unsigned ticks = 0;
    world_allow(ms);
    while (world_allowed() > 0 && ticks < 1000000 && house_tick()) {
        crowd_listen();
        ticks++;
    }
    return ticks;
}

/* Streams in every state that waits for something; the server must wait too. */
static void ticks_idle(void)
{
    if (!begin("no tick without a cause", (const char *const[]){"leases", "1", NULL}))
        return;
    struct guest *anna = guest_enter("anna", "home"), *ben = guest_enter("ben", "home");
    struct guest *deaf = guest_enter("ben", "deaf");
    deaf->deaf = true;
    for (unsigned i = 0; i < 60; i++)
        say_filled(anna, "<message to='ben@" HOUSE_DOMAIN "/deaf'><body>", 1000,
                   "</body></message>");
    settle(0);
    guest_say(guest_enter("ben", "half"), "<message><body>");
    say_filled(guest_enter("ben", "leased"), "<message><body>", 9000, "");
    say_filled(guest_enter("ben", "waiting"), "<message><body>", 9000, "");
    struct guest *silent = guest_come(), *gone = guest_enter("ben", "gone");
    struct guest *half = guest_enter("ben", "finished");
    world_finish(half->link);
    world_leave(gone->link);
    settle(0);
    check(silent && house_server()->leases.used == 1, "the states are not what they should be");
    unsigned ticks = ticks_in(9 * 60000);
    check(ticks <= IDLE_TICKS_MAX, "%u ticks in nine minutes of silence", ticks);
    check(!guest_ended(anna) && !guest_ended(ben), "who is silent for nine minutes is ended");
    printf("nine minutes of silence: %u ticks\n", ticks);
    end();
}

/* ST-20: throttled by not reading, not by ending; and no tick for each byte. */
static void pause_rate(void)
{
    if (!begin("PAUSE_RATE", (const char *const[]){"rate_limits", "yes", NULL}))
        return;
    struct guest *anna = guest_enter("anna", "home"), *ben = guest_enter("ben", "home");
    const unsigned count = 3 * RATE_BURST_BYTES / 1000;
    crowd_forget();
    for (unsigned i = 0; i < count; i++)
        say_filled(anna, "<message to='ben@" HOUSE_DOMAIN "/home'><body>", 1000,
                   "</body></message>");
    settle(0);
    unsigned at_once = guest_heard(ben, "</message>");
    check(at_once < count, "no limit was felt: %u of %u", at_once, count);
    unsigned ticks = ticks_in(30000);
    check(guest_heard(ben, "</message>") == count, "after half a minute %u of %u came",
          guest_heard(ben, "</message>"), count);
    check(ticks < 4 * count, "%u ticks for %u stanzas", ticks, count);
    printf("%u stanzas of 1,000 bytes: %u at once, %u ticks for the others\n", count, at_once,
           ticks);
    end();
}

/* One whose answers pile up is not read; once it reads, all of it is answered. */
static void pause_output(void)
{
    static const char ask[] = "<iq type='get' id='d' to='" HOUSE_DOMAIN "'>"
                              "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    const unsigned count = 2000;
    if (!begin("PAUSE_OUTPUT", (const char *const[]){"output_bytes", "65536", NULL}))
        return;
    struct guest *anna = guest_enter("anna", "home");
    anna->deaf = true;
    for (unsigned i = 0; i < count; i++)
        guest_say(anna, ask);
    settle(0);
    check(house_server()->chunks.chunks.used > 16, "nothing waits for one who does not read");
    check(ticks_in(20000) <= IDLE_TICKS_MAX, "waiting for one who does not read costs ticks");
    anna->deaf = false;
    settle(0);
    check(guest_heard(anna, "type='result'") == count && !guest_ended(anna),
          "%u of %u requests were answered in the end", guest_heard(anna, "type='result'"), count);
    end();
}

/* Each big stanza is complete at once, but the next has always begun: none took too long. */
static void lease_kept(void)
{
    if (!begin("a lease in use again and again", (const char *const[]){NULL}))
        return;
    struct guest *anna = guest_enter("anna", "home"), *ben = guest_enter("ben", "home");
    unsigned sent = 0;
    crowd_forget();
    say_filled(anna, "<message to='ben@" HOUSE_DOMAIN "/home'><body>", 9000, "");
    for (uint64_t ms = 0; ms < 3 * LEASE_MS_MAX && !guest_ended(anna); ms += 1000) {
        struct text text = {0};
        text_string(&text, "</body></message><message to='ben@" HOUSE_DOMAIN "/home'><body>");
        while (text.len < 9000)
            text_string(&text, "y");
        guest_say_bytes(anna, text.bytes, text.len);
        settle(1000);
        sent++;
    }
    check(!guest_ended(anna), "ended after %u stanzas, each complete within a second: %s", sent,
          anna->heard.bytes);
    check(guest_heard(ben, "</message>") == sent, "%u of %u came", guest_heard(ben, "</message>"),
          sent);
    end();
}

/* Who holds a lease is cut off: those who wait have their turn, one after the other. */
static void leases_waited_for(void)
{
    struct guest *waiting[5];
    if (!begin("PAUSE_LEASE", (const char *const[]){"leases", "1", NULL}))
        return;
    struct guest *holder = guest_enter("anna", "home");
    say_filled(holder, "<message><body>", 9000, "");
    settle(0);
    for (unsigned i = 0; i < 5; i++) {
        char resource[16];
        snprintf(resource, sizeof(resource), "w%u", i);
        waiting[i] = guest_enter("ben", resource);
        say_filled(waiting[i], "<message to='nobody@" HOUSE_DOMAIN "'><body>", 9000,
                   "</body></message>");
    }
    settle(0);
    for (unsigned i = 0; i < 5; i++)
        check(waiting[i]->heard.len == 0, "a second big stanza was read without a lease");
    guest_leave(holder);
    settle(0);
    for (unsigned i = 0; i < 5; i++)
        check(guest_heard(waiting[i], "<service-unavailable ") == 1, "waiter %u had no turn", i);
    end();
}

/* Logins that stand still keep others from logging in for a few seconds at most. */
static void logins_idle(void)
{
    if (!begin("logins that stand still", (const char *const[]){"exchanges", "2", NULL}))
        return;
    for (unsigned i = 0; i < 2; i++)
        guest_say(guest_come(),
                  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>"
                  "biwsbj1hbm5hLHI9MTIzNDU2Nzg5MA==</auth>");
    settle(6000);
    struct guest *anna = guest_come();
    bool welcome = anna && guest_login(anna, "anna");
    check(welcome, "with two idle logins a third hears %s", anna ? anna->heard.bytes : "nothing");
    end();
}

/* The longest start tags, of quotes that are six bytes each when they are forwarded, around so many
 * elements. Any answer is right, as long as there is one and the server lives. */
static void start_tags(const char *nodes, unsigned elements)
{
    const char *const settings[] = {
        "nodes", nodes, "stanza_bytes", "16384", "output_bytes", "65536", "leases", "4", NULL};
    if (!begin("long start tags", settings))
        return;
    struct guest *ben = guest_enter("ben", "home"), *anna = guest_enter("anna", "home");
    guest_say(ben, "<presence/>");
    settle(0);
    for (size_t bytes = 1300; bytes <= plan.stanza_bytes; bytes += 300) {
        struct text text = {0};
        text_string(&text, "<message type='chat' to='ben@" HOUSE_DOMAIN "' id='x' x=\"");
        while (text.len < bytes - 4 * elements - strlen("\"></message>"))
            text_string(&text, "'");
        text_string(&text, "\">");
        for (unsigned i = 0; i < elements; i++)
            text_string(&text, "<a/>");
        text_string(&text, "</message>");
        crowd_forget();
        guest_say_bytes(anna, text.bytes, text.len);
        settle(0);
        check(anna->heard.len + ben->heard.len > 0, "of %zu bytes nobody hears a word", bytes);
        if (!check(!guest_ended(anna) && !guest_ended(ben), "%zu bytes ended a stream", bytes))
            break;
    }
    end();
}

static void start_tags_empty(void)
{
    start_tags("200", 0);
}

static void start_tags_around_elements(void)
{
    start_tags("500", 250);
}

int main(int count, char **arguments)
{
    static char line[4096]; /* malloc is under test */
    static void (*const tests[])(void) = {
        allocations,         allocations_archive,
        allocations_writing, ticks_idle,
        pause_rate,          pause_output,
        lease_kept,          leases_waited_for,
        logins_idle,         start_tags_around_elements,
        start_tags_empty,
    };
    setvbuf(stdout, line, _IOLBF, sizeof(line));
    house_boot();
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (count == 1 || (size_t)(arguments[1][0] - '0') == i)
            tests[i]();
    }
    house_leave();
    return tally_end();
}
