/* slow_disk.c: live chat over a disk whose syncs take 50 ms, or 2 s as when a flash card tidies up.
 * Pairs with stream management chat at ten messages a second, each of which is archived; how late
 * they come and how late they are acknowledged is printed for both kinds of durability, and held
 * against a bar where there is one. A commit has two syncs, and the whole server waits for them.
 * GR-2, SM-2. */
#include "crowd.h"
#include "disk.h"
#include "house.h"
#include "tally.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS 10
#define PEOPLE (2 * PAIRS)
#define MESSAGES 6000
#define GAP_MS 100   /* between two messages, on the average */
#define PING_MS 3000 /* one of the people, each once a minute */
#define BODY 300
#define QUIET_MS 60000 /* in the end everything comes and is acknowledged */
#define BAR_MS 60

struct setting {
    const char *durability;
    unsigned sync_ms;
    unsigned write_ms; /* between two changes of contact lists; 0: none */
    bool bar;
};

static const struct setting settings[] = {
    {"strict", 1, 0, true},      {"relaxed", 1, 0, true},         {"strict", 50, 0, true},
    {"relaxed", 50, 0, true},    {"strict", 50, 20000, true},     {"relaxed", 50, 20000, true},
    {"strict", 50, 1000, false}, {"relaxed", 50, 1000, false},    {"strict", 2000, 0, false},
    {"relaxed", 2000, 0, false}, {"relaxed", 2000, 60000, false},
};

/* What has come over a link, stanza by stanza. */
struct person {
    struct guest *guest;
    size_t read;      /* bytes of `heard` that were looked at */
    unsigned handled; /* stanzas it was sent */
    unsigned said;    /* stanzas of its own */
    unsigned safe;    /* of these, how many the server has acknowledged */
    uint64_t said_ms[MESSAGES];
};

static struct person people[PEOPLE];
static uint64_t due_ms[MESSAGES];
static unsigned delays[MESSAGES], waits[2 * MESSAGES];
static unsigned next, arrived, doubled, acknowledged;
static unsigned sync_ms;

static int number_order(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void person_says(struct person *person, const char *words)
{
    person->said_ms[person->said++ % MESSAGES] = world_now_ms();
    guest_say(person->guest, words);
    guest_say(person->guest, "<r xmlns='urn:xmpp:sm:3'/>");
}

static void acknowledgement_read(struct person *person, unsigned h)
{
    check(h >= person->safe && h <= person->said, "acknowledged %u of %u, before %u", h,
          person->said, person->safe);
    for (; person->safe < h; person->safe++)
        waits[acknowledged++ % (2 * MESSAGES)] =
            (unsigned)(world_now_ms() - person->said_ms[person->safe % MESSAGES]);
}

static void message_read(const char *heard)
{
    unsigned number;
    const char *body = strstr(heard, "<body>");
    if (body == NULL || sscanf(body, "<body>%u ", &number) != 1 || number >= next)
        return;
    doubled += delays[number] != 0;
    arrived++;
    delays[number] = (unsigned)(world_now_ms() - due_ms[number]) + 1;
}

/* All of them are first-level elements; what is inside of them is no start of one. */
static void person_listens(struct person *person)
{
    char answer[64];
    unsigned h;
    const char *at = person->guest->heard.bytes;
    if (at == NULL)
        return;
    while (*at != '\0') {
        if (sscanf(at, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", &h) == 1) {
            acknowledgement_read(person, h);
        } else if (strncmp(at, "<message ", 9) == 0) {
            person->handled++;
            message_read(at);
        } else if (strncmp(at, "<iq ", 4) == 0 || strncmp(at, "<presence ", 10) == 0) {
            person->handled++;
        } else if (strncmp(at, "<r xmlns='urn:xmpp:sm:3'/>", 26) == 0) {
            snprintf(answer, sizeof answer, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", person->handled);
            guest_say(person->guest, answer);
        }
        at += 1 + strcspn(at + 1, "<");
    }
    guest_forget(person->guest);
}

static void people_listen(void)
{
    crowd_listen();
    for (unsigned i = 0; i < PEOPLE; i++)
        person_listens(&people[i]);
}

/* What was sent before the sync has arrived. */
static void sync_begins(void *context)
{
    (void)context;
    people_listen();
    world_pass(sync_ms);
}

static bool people_come(const struct setting *setting)
{
    const char *why;
    char name[32];
    memory_forget();
    world_begin(1);
    house_begin();
    if (!check(house_set("durability", setting->durability) && house_set("map_bytes", "32M") &&
                   house_open(&why),
               "the server starts"))
        return false;
    crowd_begin();
    memset(people, 0, sizeof people);
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(name, sizeof name, "user%u", i);
        people[i].guest =
            house_account(name, CROWD_PASSWORD, 0) ? guest_enter(name, "phone") : NULL;
        if (!check(people[i].guest != NULL, "%s is in", name))
            return false;
        guest_say(people[i].guest, "<presence/><enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    }
    settle(1000);
    crowd_forget();
    return true;
}

static void message_say(void)
{
    char words[BODY + 200];
    unsigned from = world_dice(PEOPLE);
    snprintf(words, sizeof words,
             "<message type='chat' id='m%u' to='user%u@example.com'><body>%u %0*u</body></message>",
             next, from ^ 1, next, BODY, 0);
    next++;
    person_says(&people[from], words);
}

static void contact_change(unsigned number)
{
    char words[200];
    snprintf(words, sizeof words,
             "<iq type='set' id='c'><query xmlns='jabber:iq:roster'>"
             "<item jid='contact%u@example.com' name='%u'/></query></iq>",
             number % 50, number);
    person_says(&people[world_dice(PEOPLE)], words);
}

/* One step: what is due is said, then the server has a tick. */
static void step(const struct setting *setting, uint64_t *ping_ms, uint64_t *write_ms)
{
    uint64_t now = world_now_ms(), until = next < MESSAGES ? due_ms[next] : now + GAP_MS;
    while (next < MESSAGES && due_ms[next] <= now)
        message_say();
    for (; *ping_ms <= now; *ping_ms += PING_MS)
        person_says(&people[world_dice(PEOPLE)],
                    "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    for (; setting->write_ms > 0 && *write_ms <= now; *write_ms += setting->write_ms)
        contact_change((unsigned)(*write_ms / setting->write_ms));
    world_allow(until > now ? until - now : 0);
    (void)house_tick();
    people_listen();
}

static void chat(const struct setting *setting)
{
    uint64_t now = world_now_ms(), ping_ms = now, write_ms = now;
    for (unsigned i = 0; i < MESSAGES; i++)
        due_ms[i] = now += world_dice(2 * GAP_MS + 1);
    memset(delays, 0, sizeof delays);
    next = arrived = doubled = acknowledged = 0;
    while (next < MESSAGES || world_now_ms() < due_ms[MESSAGES - 1] + QUIET_MS / 2)
        step(setting, &ping_ms, &write_ms);
    check(house_settle(QUIET_MS / 2, people_listen) == NULL, "the server comes to rest");
}

static void report(const struct setting *setting, const struct disk_counts *before)
{
    struct disk_counts after;
    unsigned waited = acknowledged < 2 * MESSAGES ? acknowledged : 2 * MESSAGES;
    disk_count(&after);
    check(arrived == MESSAGES && doubled == 0, "%u of %u messages came, %u twice", arrived,
          MESSAGES, doubled);
    for (unsigned i = 0; i < PEOPLE; i++)
        check(people[i].safe == people[i].said, "%u of %u are acknowledged", people[i].safe,
              people[i].said);
    qsort(delays, MESSAGES, sizeof delays[0], number_order);
    qsort(waits, waited, sizeof waits[0], number_order);
    unsigned late = delays[MESSAGES * 99 / 100] - 1;
    printf("syncs of %4u ms, %-7s", setting->sync_ms, setting->durability);
    if (setting->write_ms > 0)
        printf(", a change each %2u s", setting->write_ms / 1000);
    else
        printf(", no other change ");
    printf(": delay 50 %% %u, 99 %% %4u, longest %4u ms; acknowledged after 50 %% %4u, longest "
           "%5u ms; %3llu commits, %5llu bytes a message\n",
           delays[MESSAGES / 2] - 1, late, delays[MESSAGES - 1] - 1, waits[waited / 2],
           waits[waited - 1],
           (unsigned long long)(after.calls[DISK_SYNC] - before->calls[DISK_SYNC]),
           (unsigned long long)(after.bytes - before->bytes) / MESSAGES);
    check(!setting->bar || late <= BAR_MS, "99 %% of the messages come within %u ms, not %u",
          BAR_MS, late);
    /* One commit at a time, and nothing waits for more than one that was begun before it. */
    check(delays[MESSAGES - 1] - 1 <= 4 * setting->sync_ms, "the longest delay is %u ms",
          delays[MESSAGES - 1] - 1);
}

int main(void)
{
    house_boot();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        struct disk_counts before;
        tally_part = settings[i].durability;
        if (!people_come(&settings[i]))
            break;
        disk_watch(house_directory());
        disk_count(&before);
        sync_ms = settings[i].sync_ms;
        disk_stall(sync_begins, NULL);
        chat(&settings[i]);
        report(&settings[i], &before);
        disk_stall(NULL, NULL);
        house_close();
        disk_unwatch();
    }
    house_leave();
    return tally_end();
}
