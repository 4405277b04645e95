/* filled.c: each memory profile booted and filled: all sessions bound, presence set, big stanzas on
 * all leases, queues filled by readers that do not read. GR-1: who comes too many is told so, and
 * nobody else notices; when all have left everything is back. Arguments: profiles; none: all. */
#include "base/heap.h"
#include "crowd.h"
#include "house.h"
#include "tally.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_OFF_MS 130000  /* longer than any deadline of a stream whose client is gone */
#define ANSWER_MS 3000      /* a stream that is ended waits so long for the client's end */
#define PRESENCE_BYTES 4096 /* PR-5 */
#define BODY_BYTES 900
#define GIVERS 64

static struct guest *anna, *ben; /* they chat whatever happens */
static unsigned chat_number;

/* A message of exactly `bytes` bytes. */
static struct text message_of(const struct guest *to, size_t bytes, char filler)
{
    static const char tail[] = "</body></message>";
    struct text text = {0};
    text_format(&text, "<message to='%s'><body>", to->jid);
    while (text.len < bytes - strlen(tail))
        text_add(&text, &filler, 1);
    text_string(&text, tail);
    return text;
}

/* A word from one to the other arrives, once, and whole. */
static bool hears(struct guest *from, struct guest *to)
{
    struct text text = {0}, body = {0};
    text_format(&body, "<body>word %u</body>", ++chat_number);
    text_format(&text, "<message type='chat' to='%s'>%s</message>", to->jid, body.bytes);
    guest_say_bytes(from, text.bytes, text.len);
    return settle(0) && guest_heard(to, body.bytes) == 1;
}

static bool chat(const char *when)
{
    bool fine = hears(anna, ben) && hears(ben, anna);
    return check(fine && !guest_ended(anna) && !guest_ended(ben), "no chat %s", when);
}

/* Nobody but these has heard more than the presence of their own devices. */
static bool quiet(const char *when, const struct guest *but)
{
    for (unsigned i = 0; i < crowd_count(); i++) {
        const struct guest *guest = crowd_at(i);
        if (guest == anna || guest == ben || guest == but || guest->link < 0)
            continue;
        if (guest_heard(guest, "<message") || guest_heard(guest, "<iq") ||
            guest_heard(guest, "<stream:error") || guest_ended(guest))
            return check(false, "%s notices %s: %.200s", guest->jid, when, guest->heard.bytes);
    }
    return check(true, " ");
}

static struct guest *enter(unsigned n)
{
    char account[24], resource[24];
    snprintf(account, sizeof(account), "user%u", n / plan.resources);
    snprintf(resource, sizeof(resource), "device%u", n % plan.resources);
    struct guest *guest = guest_enter(account, resource);
    check(guest != NULL, "number %u of %u cannot log in", n + 1, plan.sessions);
    return guest;
}

/* Somebody took a place and was ended on purpose; the place is taken again. */
static struct guest *enter_again(struct guest *guest)
{
    char jid[96], *at, *slash;
    snprintf(jid, sizeof(jid), "%s", guest->jid);
    guest_leave(guest);
    if (!settle(0) || !(at = strchr(jid, '@')) || !(slash = strchr(at, '/')))
        return NULL;
    *at = '\0';
    struct guest *again = guest_enter(jid, slash + 1);
    check(again != NULL, "%s cannot log in again", jid);
    return again;
}

/* Whoever was ended comes back, so that each test begins with a full house. */
static void all_back(void)
{
    for (unsigned i = 0; i < crowd_count(); i++)
        crowd_at(i)->deaf = false;
    settle(ANSWER_MS);
    for (unsigned i = 0; i < crowd_count(); i++) {
        if (crowd_at(i)->jid[0] && guest_ended(crowd_at(i)))
            enter_again(crowd_at(i));
    }
    crowd_forget();
}

/* ST-19: bound to an account whose resources are all in use. */
static void resource_too_many(void)
{
    struct guest *guest = guest_come();
    if (!check(guest && guest_login(guest, "user0"), "no place for one more of user0"))
        return;
    check(!guest_bind(guest, "user0", "more"), "%u resources and one more", plan.resources);
    check(guest_heard(guest, "<error type='wait'><resource-constraint ") == 1,
          "the resource too many hears %s", guest->heard.bytes);
    check(!guest_ended(guest), "the resource too many is no reason to end a stream");
    guest_leave(guest);
    settle(0);
}

static bool sessions_fill(void)
{
    for (unsigned n = 0; n < plan.sessions; n++) {
        if (n == plan.sessions - 1)
            resource_too_many();
        struct guest *guest = enter(n);
        if (!guest)
            return false;
        if (n == 0)
            anna = guest;
        if (n == plan.sessions - 1)
            ben = guest;
    }
    return check(house_server()->sessions.used == plan.sessions, "not all sessions are in use");
}

/* Header, error, end; and the connection closed, though the client says nothing more. */
static void session_too_many(void)
{
    struct guest *guest = guest_come();
    if (!check(guest != NULL, "nobody listens") || !settle(0))
        return;
    const char *header = strstr(guest->heard.bytes, "<stream:stream ");
    const char *error = strstr(guest->heard.bytes, "<stream:error><resource-constraint ");
    check(header && error && header < error && guest_heard(guest, "</stream:stream>") == 1,
          "the one too many hears %s", guest->heard.bytes);
    settle(ANSWER_MS);
    check(guest_ended(guest), "the one too many is not closed");
    guest_leave(guest);
    quiet("the one too many", NULL);
    chat("after the one too many");
}

/* Everybody's presence, padded to `bytes`, comes back to them, or they are told that it cannot. */
static void presences(size_t bytes, const char *begin, char filler, const char *end)
{
    struct text text = {0};
    text_string(&text, begin);
    while (text.len + strlen(end) < bytes)
        text_add(&text, &filler, 1);
    text_string(&text, end);
    for (unsigned i = 0; i < crowd_count(); i++) {
        struct guest *guest = crowd_at(i);
        struct text from = {0};
        if (guest->link < 0)
            continue; /* the place of one who came too many */
        text_format(&from, "<presence from='%s'", guest->jid);
        guest_forget(guest);
        guest_say_bytes(guest, text.bytes, text.len);
        settle(0);
        if (!check(guest_heard(guest, from.bytes) == 1 ||
                       guest_heard(guest, "<resource-constraint ") == 1,
                   "%s is told nothing of its presence of %zu bytes (%u of %u chunks in use)",
                   guest->jid, bytes, house_server()->chunks.chunks.used, plan.chunks))
            return;
    }
    chat("with all presences set");
    struct text giant = message_of(ben, plan.stanza_bytes, 'c');
    guest_forget(anna);
    guest_say_bytes(anna, giant.bytes, giant.len);
    settle(0);
    check(guest_heard(ben, "ccc</body>") || guest_heard(anna, "<resource-constraint "),
          "with all presences set a stanza of %u bytes is dropped without a word",
          plan.stanza_bytes);
}

static void presences_small(void)
{
    presences(64, "<presence><status>", 'p', "</status></presence>");
}

static void presences_largest(void)
{
    presences(PRESENCE_BYTES, "<presence><status>", 'p', "</status></presence>");
    presences_small();
}

/* In its start tag each of these is escaped by six bytes. */
static void presences_swollen(void)
{
    presences(PRESENCE_BYTES, "<presence id='p' x=\"", '\'', "\"/>");
    presences_small();
}

/* Half-sent giants on every lease, each to its sender, and one that has to wait. */
static void leases_fill(void)
{
    struct text giants[GIVERS];
    struct guest *givers[GIVERS];
    unsigned count = 0, arrived = 0;
    for (unsigned i = 0; i < crowd_count() && count <= plan.leases && count < GIVERS; i++) {
        struct guest *guest = crowd_at(i);
        if (guest == anna || guest == ben)
            continue;
        givers[count] = guest;
        giants[count] = message_of(guest, plan.stanza_bytes, 'g');
        guest_say_bytes(guest, giants[count].bytes, plan.stanza_bytes - 1);
        count++;
        settle(0);
    }
    check(house_server()->leases.used == plan.leases, "%u of %u leases in use",
          house_server()->leases.used, plan.leases);
    check(house_server()->leases.peak == plan.leases, "the high-water mark of the leases is wrong");
    chat("with all leases taken");
    quiet("that all leases are taken", NULL);
    for (unsigned i = 0; i < count; i++)
        guest_say(givers[i], ">");
    settle(0);
    for (unsigned i = 0; i < count; i++)
        arrived +=
            guest_heard(givers[i], "ggg</body>") == 1 && givers[i]->heard.len >= plan.stanza_bytes;
    check(arrived == count, "%u of %u giants arrived", arrived, count);
    check(house_server()->leases.used == 0, "a lease is not given back");
}

/* ST-22: the limit itself passes, one byte more does not. */
static void stanza_limit(void)
{
    struct text exact = message_of(ben, plan.stanza_bytes, 'e');
    struct text longer = message_of(ben, plan.stanza_bytes + 1, 'l');
    struct guest *guest = crowd_at(1);
    crowd_forget();
    guest_say_bytes(guest, exact.bytes, exact.len);
    settle(0);
    check(guest_heard(ben, "eee</body>") == 1 && guest->heard.len == 0,
          "a stanza of %u bytes does not pass", plan.stanza_bytes);
    guest_say_bytes(guest, longer.bytes, longer.len);
    settle(ANSWER_MS);
    check(guest_heard(guest, "<policy-violation ") == 1 &&
              guest_heard(guest, "<stanza-too-big ") == 1 && guest_ended(guest),
          "to a stanza of one byte more the answer is %s", guest->heard.bytes);
    check(guest_heard(ben, "lll") == 0, "a stanza of one byte more was delivered");
    chat("after a stanza too big");
}

/* One who does not read is told why when the queue is full; nobody else notices. */
static void reader_too_slow(void)
{
    struct guest *slow = crowd_at(2), *giver = crowd_at(3);
    struct text text = message_of(slow, BODY_BYTES, 's');
    crowd_forget();
    slow->deaf = true;
    unsigned before = house_server()->sessions.used;
    size_t bytes = 0;
    for (; house_server()->sessions.used == before && bytes < 4 * (size_t)plan.output_bytes;
         bytes += text.len) {
        guest_say_bytes(giver, text.bytes, text.len);
        settle(0);
        if (guest_ended(giver))
            break;
        if (bytes > plan.output_bytes)
            settle(ANSWER_MS);
    }
    check(bytes >= plan.output_bytes, "a reader's stream ended after %zu bytes of %u", bytes,
          plan.output_bytes);
    check(house_server()->sessions.used < before, "%zu bytes wait for one reader", bytes);
    slow->deaf = false;
    settle(0);
    guest_forget(giver); /* it was told what could not be delivered */
    chat("while one did not read");
    quiet("one who did not read", slow);
}

/* All but three stop reading; one goes on talking to them. */
static void output_fill(void)
{
    struct guest *giver = crowd_at(4);
    unsigned sent = 0, ended = 0, stayed = 0;
    for (unsigned i = 0; i < crowd_count(); i++) {
        struct guest *guest = crowd_at(i);
        guest->deaf = guest != anna && guest != ben && guest != giver;
    }
    size_t window = 16384 + plan.send_buffer, share = plan.chunks * 1024 / plan.sessions;
    unsigned rounds = (unsigned)((window + 3 * share) / BODY_BYTES);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < crowd_count(); i++) {
            struct guest *guest = crowd_at(i);
            if (!guest->deaf || guest->link < 0)
                continue;
            struct text text = message_of(guest, BODY_BYTES, 'o');
            guest_say_bytes(giver, text.bytes, text.len);
            sent++;
        }
        settle(0);
        if (!chat("while nobody else reads"))
            break;
        check(!guest_ended(giver), "the giver was ended after %u messages", sent);
        guest_forget(giver);
    }
    settle(0);
    for (unsigned i = 0; i < crowd_count(); i++)
        crowd_at(i)->deaf = false;
    settle(0);
    for (unsigned i = 0; i < crowd_count(); i++) {
        ended += guest_ended(crowd_at(i));
        stayed += !guest_ended(crowd_at(i));
    }
    check(ended > 0, "%u messages waited for those who do not read, and none was ended", sent);
    check(house_server()->chunks.chunks.peak > plan.chunks - 24, "the chunks were never short: %u",
          house_server()->chunks.chunks.peak);
    printf("%s: %u messages to %u that did not read: %u ended, %u stay\n", tally_part, sent,
           plan.sessions - 3, ended, stayed);
}

/* Many end a giant for one reader in the same tick: more than may wait for it, but it does read. */
static void burst(void)
{
    struct text giant = message_of(ben, plan.stanza_bytes, 'b');
    const unsigned count = plan.leases;
    for (unsigned i = 0; i < count; i++)
        guest_say_bytes(crowd_at(2 + i), giant.bytes, giant.len - 1);
    settle(0);
    for (unsigned i = 0; i < count; i++)
        guest_say(crowd_at(2 + i), ">");
    settle(0);
    check(guest_heard(ben, "bbb</body>") == count, "%u of %u giants at once came to one who reads",
          guest_heard(ben, "bbb</body>"), count);
    check(!guest_ended(ben), "one who reads was ended: %s",
          ben->heard.len > 200 ? ben->heard.bytes + ben->heard.len - 200 : "");
}

/* Some hold a little and do not read, until chunks are short; one who reads is sent more than each
 * of them holds: it is they who have to go. */
static void burst_in_need(void)
{
    struct text giant = message_of(ben, plan.stanza_bytes, 'n');
    size_t window = 16384 + plan.send_buffer;
    unsigned i = 2;
    for (; pool_left(&house_server()->chunks.chunks) * 1000 > plan.stanza_bytes / 2; i++) {
        struct guest *deaf = crowd_at(i);
        struct text text = message_of(deaf, BODY_BYTES, 'd');
        if (!check(i < crowd_count() - 1, "there are not enough to hold all chunks"))
            return;
        deaf->deaf = true;
        for (size_t bytes = 0; bytes < window + plan.stanza_bytes / 2; bytes += text.len) {
            guest_say_bytes(anna, text.bytes, text.len);
            settle(0);
        }
    }
    guest_say_bytes(anna, giant.bytes, giant.len);
    settle(0);
    check(!guest_ended(ben) && guest_heard(ben, "nnn</body>") == 1,
          "who reads was ended for want of memory, before %u who do not", i - 2);
}

/* Without the pages that LMDB has once written and keeps for the next ones. */
static size_t heap_used(void)
{
    struct heap_use use;
    check(!store_dirty(house_server()->store) && store_reopen(house_server()->store) &&
              store_probe(house_server()->store),
          "the store does not open again");
    heap_usage(&use);
    return use.used;
}

/* Half of them say so, the others are cut off. */
static void leave(size_t heap_before)
{
    for (unsigned i = 0; i < crowd_count(); i++) {
        if (i % 2)
            guest_leave(crowd_at(i));
        else if (crowd_at(i)->link >= 0)
            guest_say(crowd_at(i), "</stream:stream>");
    }
    settle(SEEN_OFF_MS);
    const char *leftovers = house_leftovers();
    check(!leftovers, "after all have left %s", leftovers ? leftovers : "");
    check(house_server()->sessions.peak == plan.sessions, "the high-water mark of sessions");
    size_t heap_after = heap_used();
    check(heap_after == heap_before, "the heap holds %zu bytes, before it were %zu", heap_after,
          heap_before);
}

static void fill(const struct profile *profile)
{
    const char *why;
    tally_part = profile->name;
    if (!crowd_house(profile) || !check(house_open(&why), "does not start: %s", why))
        return;
    for (unsigned n = 0; n <= plan.sessions / plan.resources; n++) {
        char name[16];
        snprintf(name, sizeof(name), "user%u", n);
        check(house_account(name, CROWD_PASSWORD, 0), "no account %s", name);
    }
    struct guest *first = guest_enter("user0", "first");
    check(first != NULL, "nobody can log in");
    guest_leave(first);
    settle(SEEN_OFF_MS);
    crowd_begin();
    size_t heap_before = heap_used();
    if (sessions_fill()) {
        static void (*const tests[])(void) = {
            session_too_many, presences_small, leases_fill,       stanza_limit,
            reader_too_slow,  burst,           presences_largest, presences_swollen,
            burst_in_need,    output_fill,
        };
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
            all_back();
            tests[i]();
        }
    }
    leave(heap_before);
    house_close();
}

int main(int count, char **arguments)
{
    static char line[4096]; /* malloc is under test */
    setvbuf(stdout, line, _IOLBF, sizeof(line));
    house_boot();
    for (const struct profile *profile = profiles; profile->name; profile++) {
        bool wanted = count == 1;
        for (int i = 1; i < count; i++)
            wanted |= strcmp(arguments[i], profile->name) == 0;
        if (wanted)
            fill(profile);
    }
    house_leave();
    return tally_end();
}
