/* channel_burst.c: a full channel of a profile and a burst of messages, while some read slowly or
 * not at all, some are away and others chat outside: memory stays what it is, the others do not
 * wait, and each participant gets all of them in the order of the archive, or reads from there what
 * its stream did not live to bring (MX-16, PAM-6, GR-1). Arguments: profiles; none: two. */
#include "core/channel_make.h"
#include "crowd.h"
#include "house.h"
#include "tally.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PEOPLE_MAX 200
#define BURST 1000
#define NICKS 16
#define ROUNDS_MAX 200000
#define ID_BYTES 32
#define CHANNEL "burst@mix." HOUSE_DOMAIN

enum manner {
    MANNER_READS,
    MANNER_SLOW, /* reads a little now and then */
    MANNER_DEAF,
    MANNER_AWAY, /* comes when all is over */
};

static struct person {
    struct guest *guest;
    enum manner manner;
    unsigned next;       /* number of the message that comes next */
    char last[ID_BYTES]; /* id of the one that came last, in the own archive */
} people[PEOPLE_MAX];

static struct guest *anna, *ben; /* they chat outside */
static unsigned count, words, waited[BURST * 4], waits;

/* With four places left for others. */
static enum manner manner_of(unsigned i)
{
    if (i + 4 >= plan.sessions)
        return MANNER_AWAY;
    return i % 10 == 3   ? MANNER_SLOW
           : i % 10 == 6 ? MANNER_DEAF
           : i % 10 == 9 ? MANNER_AWAY
                         : MANNER_READS;
}

/* --- what each has heard --- */

static bool value_of(const char *bytes, const char *end, const char *before, char *out, size_t size)
{
    const char *at = strstr(bytes, before);
    size_t len;
    if (!at || at > end)
        return false;
    at += strlen(before);
    len = strcspn(at, "'<");
    snprintf(out, size, "%.*s", (int)len, at);
    return true;
}

/* One message of the channel, live or out of the archive. */
static void hear(struct person *person, const char *bytes, const char *end, const char *id)
{
    char body[32];
    unsigned number = 0;
    if (!value_of(bytes, end, "<body>m", body, sizeof(body)))
        return;
    number = (unsigned)strtoul(body, NULL, 10);
    check(number == person->next, "%s hears message %u instead of %u", person->guest->jid, number,
          person->next);
    person->next = number + 1;
    check(value_of(bytes, end, id, person->last, sizeof(person->last)), "a message without id");
}

static void people_hear(void)
{
    char own[96];
    for (unsigned i = 0; i < count; i++) {
        struct person *person = &people[i];
        const char *at, *end;
        if (!person->guest)
            continue;
        snprintf(own, sizeof(own), "by='u%u@" HOUSE_DOMAIN "' id='", i);
        at = person->guest->heard.bytes;
        while (at && (end = strstr(at, "</message>")) != NULL) {
            hear(person, at, end, own);
            at = end + strlen("</message>");
        }
        if (at)
            text_drop(&person->guest->heard, (size_t)(at - person->guest->heard.bytes));
    }
}

/* --- a channel --- */

static void join(const struct channel_here *channel, unsigned i)
{
    struct server *server = house_server();
    char jid[64], nick[16];
    struct channel_joining joining = {.nodes = 1 << CHANNEL_MESSAGES | 1 << CHANNEL_PARTICIPANTS,
                                      .nodes_asked = true};
    snprintf(jid, sizeof(jid), "u%u@" HOUSE_DOMAIN, i);
    snprintf(nick, sizeof(nick), "nick %u", i);
    joining.nick = span_string(nick);
    bool joined = jid_parse(span_string(jid), &server->arena, &joining.who) &&
                  channel_join(server, channel, &joining) == CHANNEL_DONE;
    check(joined, "%s cannot join", jid);
}

static void channel_make(void)
{
    struct server *server = house_server();
    struct channel_here channel;
    struct jid owner;
    bool made = jid_parse(SPAN("u0@" HOUSE_DOMAIN), &server->arena, &owner) &&
                channel_create(server, SPAN("burst"), &owner, &channel) == CHANNEL_DONE;
    check(made && store_commit(server->store) == STORE_OK, "no channel");
    for (unsigned i = 0; i < count && made; i++) {
        size_t mark = server->arena.used;
        join(&channel, i);
        check(store_commit(server->store) == STORE_OK, "the store fails");
        arena_reset(&server->arena, mark);
    }
}

/* Its client shows that it knows MIX (PAM-5). */
static struct guest *enter(unsigned i)
{
    char name[16];
    snprintf(name, sizeof(name), "u%u", i);
    struct guest *guest = guest_enter(name, "home");
    if (!check(guest != NULL, "%s cannot log in", name))
        return NULL;
    guest_say(guest, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'>"
                     "<annotate xmlns='urn:xmpp:mix:roster:0'/></query></iq><presence/>");
    settle(0);
    guest_forget(guest);
    return guest;
}

/* --- the burst --- */

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void listen(unsigned round)
{
    for (unsigned i = 0; i < count; i++)
        if (people[i].guest && people[i].manner == MANNER_SLOW)
            people[i].guest->deaf = round % 40 != i % 40;
    crowd_listen();
    people_hear();
}

/* A word from anna to ben: how many ticks until it is there. Between two of them the world may come
 * to rest, so that its clock goes on. */
static void chat(unsigned round, unsigned *said, unsigned *rests)
{
    char body[32];
    struct text text = {0};
    snprintf(body, sizeof(body), "<body>w%u</body>", words);
    if (*said && guest_heard(ben, body)) {
        if (waits < BURST * 4)
            waited[waits++] = round - *said;
        guest_forget(ben);
        words++;
        *said = 0;
        *rests = 2;
    }
    if (*said || (*rests > 0 && (*rests)--))
        return;
    text_format(&text, "<message type='chat' to='%s'><body>w%u</body></message>", ben->jid, words);
    guest_say_bytes(anna, text.bytes, text.len);
    *said = round;
}

static bool all_heard(void)
{
    for (unsigned i = 0; i < count; i++)
        if (people[i].guest && people[i].manner != MANNER_DEAF && people[i].next < BURST &&
            !guest_ended(people[i].guest))
            return false;
    return true;
}

static int larger(const void *a, const void *b)
{
    return *(const unsigned *)a < *(const unsigned *)b ? 1 : -1;
}

static void burst(void)
{
    struct text text = {0};
    unsigned said = 0, rests = 0, round = 1;
    uint64_t longest = 0, begun = world_now_ms();
    for (unsigned i = 0; i < BURST; i++)
        text_format(&text,
                    "<message type='groupchat' to='" CHANNEL
                    "' id='%u'><body>m%u.%0*u</body></message>",
                    i, i, 200, 0);
    guest_say_bytes(people[0].guest, text.bytes, text.len);
    for (; round < ROUNDS_MAX && !all_heard(); round++) {
        world_allow(10);
        uint64_t before = now_us();
        bool going = house_tick();
        uint64_t took = now_us() - before;
        if (took > longest)
            longest = took;
        if (!check(going && !world_complaint(), "%s", world_complaint()))
            return;
        listen(round);
        chat(round, &said, &rests);
    }
    qsort(waited, waits, sizeof(waited[0]), larger);
    check(waits > 100 && waited[waits / 100] <= 4, "outside one waits for %u ticks",
          waited[waits / 100]);
    printf("%s: %u ticks, %llu ms of virtual time; outside p99 %u of %u words ticks, longest tick "
           "%llu us CPU\n",
           tally_part, round, (unsigned long long)(world_now_ms() - begun),
           waits ? waited[waits / 100] : 0, waits, (unsigned long long)longest);
}

/* --- what waits for the commit --- */

/* Somebody takes as many nicks as are read in one turn: what all are told of it cannot leave before
 * the commit, and ends nobody's stream. */
static void nicks(void)
{
    struct text text = {0};
    unsigned told = 0, ended = 0;
    for (unsigned i = 0; i < NICKS; i++)
        text_format(&text,
                    "<iq type='set' id='%u' to='" CHANNEL "'><setnick xmlns='urn:xmpp:mix:core:1'>"
                    "<nick>somebody else %u</nick></setnick></iq>",
                    i, i);
    guest_say_bytes(people[0].guest, text.bytes, text.len);
    settle(1000);
    for (unsigned i = 0; i < count; i++) {
        struct guest *guest = people[i].guest;
        ended += guest && guest_ended(guest);
        told += guest && guest_heard(guest, "<nick>somebody else") == NICKS;
    }
    check(ended == 0 && told > count / 4, "%u streams end, %u hear all %u nicks", ended, told,
          NICKS);
    crowd_forget();
}

/* --- what is left --- */

/* Reads on in its own archive, page by page. */
static void catch_up(unsigned i)
{
    struct person *person = &people[i];
    for (unsigned page = 0; page <= BURST / 20; page++) {
        struct text query = {0};
        unsigned before = person->next;
        text_format(&query,
                    "<iq type='set' id='q%u'><query xmlns='urn:xmpp:mam:2'>"
                    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
                    "<value>urn:xmpp:mam:2</value></field><field var='with'><value>" CHANNEL
                    "</value></field></x><set xmlns='http://jabber.org/protocol/rsm'>"
                    "<max>50</max>",
                    page);
        if (person->last[0])
            text_format(&query, "<after>%s</after>", person->last);
        text_format(&query, "</set></query></iq>");
        guest_say_bytes(person->guest, query.bytes, query.len);
        settle(100);
        /* Ids of results stand before the ids within what was forwarded. */
        const char *at = person->guest->heard.bytes, *end;
        while ((end = strstr(at, "</result></message>")) != NULL) {
            hear(person, at, end, "mam:2' id='");
            at = end + strlen("</result></message>");
        }
        bool complete = strstr(at, "complete='true'") != NULL;
        guest_forget(person->guest);
        if (complete || person->next == before)
            return;
    }
}

static void people_check(void)
{
    unsigned whole = 0, later = 0;
    for (unsigned i = 0; i < count; i++) {
        struct person *person = &people[i];
        if (person->guest)
            person->guest->deaf = false;
    }
    settle(5000);
    people_hear();
    for (unsigned i = 0; i < count; i++) {
        struct person *person = &people[i];
        if (person->guest && person->next == BURST) {
            whole++;
            continue;
        }
        check(!person->guest || guest_ended(person->guest),
              "u%u has heard %u, and its stream goes on", i, person->next);
        if (person->guest)
            guest_leave(person->guest);
        settle(100);
        person->guest = enter(i);
        if (person->guest) {
            catch_up(i);
            guest_leave(person->guest);
            person->guest = NULL;
        }
        check(person->next == BURST, "u%u knows %u of %u", i, person->next, BURST);
        later++;
    }
    printf("%s: %u participants heard all live, %u read on in the archive\n", tally_part, whole,
           later);
}

static void play(const struct profile *profile)
{
    const char *why;
    char name[16];
    tally_part = profile->name;
    if (!crowd_house(profile) || !check(house_open(&why), "does not start: %s", why))
        return;
    count = plan.participants < PEOPLE_MAX ? plan.participants : PEOPLE_MAX;
    if (count > plan.accounts - 2)
        count = plan.accounts - 2;
    memset(people, 0, sizeof(people));
    waits = words = 0;
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "u%u", i);
        check(house_account(name, CROWD_PASSWORD, 0), "no account %s", name);
    }
    check(house_account("anna", CROWD_PASSWORD, 0) && house_account("ben", CROWD_PASSWORD, 0),
          "no accounts");
    channel_make();
    anna = guest_enter("anna", "home");
    ben = guest_enter("ben", "home");
    if (!check(anna && ben, "cannot log in"))
        return;
    guest_say(ben, "<presence/>");
    for (unsigned i = 0; i < count; i++) {
        people[i].manner = manner_of(i);
        if (people[i].manner != MANNER_AWAY)
            people[i].guest = enter(i);
        if (people[i].guest)
            people[i].guest->deaf = people[i].manner == MANNER_DEAF;
    }
    crowd_forget();
    nicks();
    burst();
    people_check();
    house_close();
}

int main(int argc, char **arguments)
{
    static char line[4096]; /* malloc is under test */
    setvbuf(stdout, line, _IOLBF, sizeof(line));
    house_boot();
    for (const struct profile *profile = profiles; profile->name; profile++) {
        bool wanted = argc == 1 && (strcmp(profile->name, "router-8m") == 0 ||
                                    strcmp(profile->name, "sbc-64m") == 0);
        for (int i = 1; i < argc; i++)
            wanted |= strcmp(arguments[i], profile->name) == 0;
        if (wanted)
            play(profile);
    }
    house_leave();
    return tally_end();
}
