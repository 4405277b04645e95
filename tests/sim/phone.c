/* phone.c: a client that loses its network again and again, at any byte, and comes back to its
 * stream (XEP-0198), while others write to it and it to them. Nothing that the server has accepted
 * is lost, nothing comes twice while the session lives, all of it in order. Then the same where
 * memory is short and where the disk fails now and then, which may end streams. SM-2, SM-3, OFF-4.
 * Arguments: first seed (1), number of seeds (3), cuts per seed (300). */
#include "disk.h"
#include "house.h"
#include "verbs.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRIENDS 3
#define NOTES 60000
#define PENDING 4000
#define PROBE_MS 6000
#define ROUNDS 300

enum mode { CALM, SHORT, DISK, MODES };

/* A message of a friend. */
struct note {
    enum { UNSURE, ACCEPTED, REFUSED } state;
    unsigned told;
    unsigned life;   /* the phone's session when it came last */
    const char *uid; /* its <stanza-id/> */
};

struct friend
{
    struct client *client;
    bool there;
    unsigned asked_from; /* notes from here on wait for the answer to a ping */
    unsigned asked_to;   /* up to here it has been asked about; 0: not */
    unsigned next;       /* note */
    unsigned last_told;
    struct note notes[NOTES / FRIENDS];
};

static struct {
    struct client *client;
    enum { AWAY, RESUMING, ON } state;
    bool patient;     /* answers whenever it is asked */
    char id[64];      /* of the stream; "": none to come back to */
    unsigned handled; /* stanzas since <enabled/> */
    unsigned life;
    unsigned acknowledged;     /* of what it said since <enable/> */
    unsigned count;            /* of what waits */
    unsigned waiting[PENDING]; /* numbers of its messages; 0: something else */
    unsigned next;
    uint8_t told[NOTES]; /* how often a friend has got one */
    bool unsure[NOTES];  /* may have come before its session ended */
} phone;

static struct friend friends[FRIENDS];
static struct play play;
static enum mode mode;
static bool fine;
static struct {
    unsigned long cuts, resumed, notes, again, said;
} sums;

static void complain(const char *what, unsigned number)
{
    if (fine)
        fprintf(stderr, "%s (%u)\n", what, number);
    fine = false;
}

/* --- the friends --- */

static void friend_hears(struct friend *friend, const struct tree *tree)
{
    const char *id = tree_attribute(tree, "id"), *type = tree_attribute(tree, "type");
    unsigned number = id != NULL ? (unsigned)strtoul(id + 1, NULL, 10) : 0;
    bool error = type != NULL && strcmp(type, "error") == 0;
    if (strcmp(tree->name, "iq") == 0 && strcmp(type, "get") == 0) {
        client_say_string(friend->client, "<iq type='result' id='kith-ping'/>");
    } else if (strcmp(tree->name, "iq") == 0 && id != NULL && id[0] == 'k') {
        for (unsigned n = friend->asked_from; n < friend->asked_to; n++)
            if (friend->notes[n].state == UNSURE)
                friend->notes[n].state = ACCEPTED;
        friend->asked_from = friend->asked_to;
        friend->asked_to = 0;
    } else if (strcmp(tree->name, "message") == 0 && id != NULL && id[0] == 'f' && error) {
        friend->notes[number].state = REFUSED;
    } else if (strcmp(tree->name, "message") == 0 && id != NULL && id[0] == 'p' && !error) {
        phone.told[number]++;
        if (phone.told[number] > 1 && !phone.unsure[number] && mode != DISK)
            complain("a friend got it twice", number);
    }
}

static void friends_listen(void)
{
    struct tree *tree;
    clients_listen(); /* the phone is deaf */
    for (unsigned i = 0; i < FRIENDS; i++) {
        struct friend *friend = &friends[i];
        if (!friend->there)
            continue;
        while ((tree = client_take(friend->client)) != NULL)
            friend_hears(friend, tree);
        if (!friend->client->reader->ended && !world_closed(friend->client->link))
            continue;
        if (mode == CALM)
            complain("a friend's stream has ended", i);
        world_reset(friend->client->link);
        friend->client->link = -1;
        friend->there = false;
        friend->asked_from = friend->next;
        friend->asked_to = 0;
    }
}

static void settle(uint64_t ms)
{
    const char *complaint = house_settle(ms, friends_listen);
    if (complaint != NULL || world_complaint() != NULL)
        complain(complaint != NULL ? complaint : world_complaint(), 0);
    friends_listen();
}

static void friend_comes(struct friend *friend)
{
    friend->there = verb_comes_online(&play, friend->client, "", NULL);
    variables_back(play.variables, 0);
    if (friend->there || friend->client->link < 0)
        return;
    world_reset(friend->client->link);
    friend->client->link = -1;
}

static void friend_says(struct friend *friend)
{
    struct text text = {0};
    unsigned len = world_dice(30) == 0 ? world_dice(9000) : world_dice(mode == SHORT ? 1500 : 300);
    if (!friend->there)
        friend_comes(friend);
    if (!friend->there || friend->next >= NOTES / FRIENDS)
        return;
    text_format(&text, "<message type='chat' id='f%u' to='juliet@" HOUSE_DOMAIN "%s'><body>",
                friend->next, world_dice(2) ? "/phone" : "");
    for (unsigned i = 0; i < len; i++)
        text_add(&text, "x", 1);
    text_string(&text, "</body></message>");
    friend->notes[friend->next++] = (struct note){0};
    if (friend->asked_to == 0 && world_dice(3) == 0) {
        friend->asked_to = friend->next;
        text_string(&text, "<iq type='get' id='k'><ping xmlns='urn:xmpp:ping'/></iq>");
    }
    client_say(friend->client, text.bytes, text.len);
}

/* --- the phone --- */

static void phone_cut(void)
{
    if (phone.client->link >= 0)
        world_reset(phone.client->link);
    phone.client->link = -1;
    phone.client->reader = NULL;
    phone.client->deaf = true;
    phone.state = AWAY;
}

static void phone_waits(unsigned number)
{
    phone.waiting[phone.count++] = number;
}

static void phone_acknowledged(unsigned h)
{
    unsigned more = h - phone.acknowledged;
    if (more > phone.count) {
        complain("more is acknowledged than was said", h);
        return;
    }
    phone.count -= more;
    phone.acknowledged = h;
    memmove(phone.waiting, phone.waiting + more, phone.count * sizeof phone.waiting[0]);
}

static void phone_says_number(unsigned number)
{
    struct text text = {0};
    if (number == 0)
        text_string(&text, "<presence/>");
    else
        text_format(&text,
                    "<message type='chat' id='p%u' to='romeo%u@" HOUSE_DOMAIN
                    "'><body>%u</body></message>",
                    number, number % FRIENDS, number);
    client_say(phone.client, text.bytes, text.len);
}

static void phone_says(void)
{
    if (phone.state != ON || phone.next >= NOTES || phone.count + 2 >= PENDING)
        return;
    phone_waits(phone.next);
    phone_says_number(phone.next++);
    sums.said++;
    if (world_dice(2))
        client_say_string(phone.client, "<r xmlns='urn:xmpp:sm:3'/>");
}

/* A session of its own: what was not acknowledged may or may not have been handled. */
static void phone_begins(void)
{
    unsigned kept = 0;
    phone.life++;
    phone.id[0] = 0;
    phone.handled = phone.acknowledged = 0;
    for (unsigned i = 0; i < phone.count; i++)
        if (phone.waiting[i] != 0) {
            phone.unsure[phone.waiting[i]] = true;
            phone.waiting[kept++] = phone.waiting[i];
        }
    phone.count = kept;
    phone_waits(0);
    client_say_string(phone.client, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    for (unsigned i = 0; i < phone.count; i++)
        phone_says_number(phone.waiting[i]);
    phone.state = ON;
    settle(0);
}

static bool phone_binds(void)
{
    settle(0); /* until <enabled/> nobody writes to it: that would be as safe as its connection */
    phone.client->deaf = false;
    bool bound = verb_binds(&play, phone.client, "phone", NULL);
    variables_back(play.variables, 0);
    phone.client->deaf = true;
    if (bound)
        phone_begins();
    else
        phone_cut();
    return bound;
}

static void phone_told(const struct tree *tree, struct friend *friend, unsigned number)
{
    const struct tree *uid = tree_child(tree, "stanza-id");
    struct note *note = &friend->notes[number];
    const char *id = uid != NULL ? tree_attribute(uid, "id") : NULL;
    if (number >= friend->next || id == NULL) {
        complain("a message without its id, or out of nowhere", number);
        return;
    }
    if (note->state == REFUSED)
        complain("it was refused, and came", number);
    if (note->told > 0) {
        /* Another resource of the account, or one that was given up, had it stored. */
        if (note->life == phone.life && tree_child(tree, "delay") == NULL)
            complain("it came twice", number);
        else if (strcmp(note->uid, id) != 0)
            complain("it came again with another id", number);
        sums.again++;
    } else {
        /* What was stored for another resource comes when that one is given up. */
        bool stored = tree_child(tree, "delay") != NULL;
        if (number < friend->last_told && !stored)
            complain("not in order", number);
        friend->last_told = stored ? friend->last_told : number;
        sums.notes++;
    }
    note->told++;
    note->life = phone.life;
    note->uid = id;
}

static void phone_hears_stanza(const struct tree *tree)
{
    const char *id = tree_attribute(tree, "id"), *from = tree_attribute(tree, "from");
    const char *type = tree_attribute(tree, "type");
    phone.handled++;
    if (strcmp(tree->name, "message") != 0 || id == NULL || id[0] != 'f' || from == NULL ||
        (type != NULL && strcmp(type, "error") == 0))
        return;
    phone_told(tree, &friends[strtoul(from + strlen("romeo"), NULL, 10) % FRIENDS],
               (unsigned)strtoul(id + 1, NULL, 10));
}

static void phone_hears(const struct tree *tree)
{
    const char *h = tree_attribute(tree, "h"), *id = tree_attribute(tree, "id");
    struct text text = {0};
    if (strcmp(tree->name, "r") == 0) {
        text_format(&text, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", phone.handled);
        if (phone.patient || world_dice(4))
            client_say(phone.client, text.bytes, text.len);
    } else if (strcmp(tree->name, "a") == 0) {
        phone_acknowledged((unsigned)strtoul(h, NULL, 10));
    } else if (strcmp(tree->name, "enabled") == 0) {
        snprintf(phone.id, sizeof phone.id, "%s", id);
        phone.handled = 0;
    } else if (strcmp(tree->name, "resumed") == 0) {
        phone.state = ON;
        sums.resumed++;
        phone_acknowledged((unsigned)strtoul(h, NULL, 10));
        for (unsigned i = 0; i < phone.count; i++)
            phone_says_number(phone.waiting[i]);
    } else if (strcmp(tree->name, "failed") == 0) {
        if (tree_child(tree, "item-not-found") == NULL)
            return;
        phone.id[0] = 0;
        phone_binds();
    } else if (phone.state == ON) {
        phone_hears_stanza(tree);
    }
}

/* At most len bytes of what the server says. */
static void phone_listens(size_t len)
{
    char bytes[4096];
    struct tree *tree;
    while (phone.client->link >= 0 && len > 0) {
        size_t got = world_hear(phone.client->link, bytes, len < sizeof bytes ? len : sizeof bytes);
        if (got == 0)
            break;
        len -= got;
        tree_read(phone.client->reader, bytes, got);
        while (phone.client->link >= 0 && (tree = client_take(phone.client)) != NULL)
            phone_hears(tree);
    }
    if (phone.client->link >= 0 &&
        (phone.client->reader->ended || world_closed(phone.client->link)))
        phone_cut();
}

static void phone_comes(void)
{
    struct text text = {0};
    phone.client->deaf = false;
    bool in = verb_opens(&play, phone.client, "", NULL) &&
              verb_authenticates(&play, phone.client, "PLAIN", NULL) &&
              verb_opens(&play, phone.client, "", NULL);
    phone.client->deaf = true;
    if (!in) {
        phone_cut();
    } else if (phone.id[0] == 0) {
        phone_binds();
    } else {
        phone.state = RESUMING;
        text_format(&text, "<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%u'/>", phone.id,
                    phone.handled);
        client_say(phone.client, text.bytes, text.len);
    }
}

/* The network goes in the middle of a word. */
static void phone_loses(void)
{
    static const char words[] = "<message to='romeo1@" HOUSE_DOMAIN "'><body>never said";
    phone_listens(world_dice(2000));
    if (phone.client->link >= 0 && world_dice(2))
        client_say(phone.client, words, world_dice(sizeof words));
    if (world_dice(2))
        (void)house_tick();
    phone_cut();
    sums.cuts++;
}

/* --- all together --- */

static void step(void)
{
    unsigned dice = world_dice(100);
    play.report.len = 0; /* of logins that were refused */
    if (mode == DISK && world_dice(40) == 0)
        disk_fail(world_dice(2) ? DISK_WRITE : DISK_SYNC, 1 + world_dice(6), EIO, false);
    if (phone.state == AWAY) {
        if (dice < 30)
            friend_says(&friends[world_dice(FRIENDS)]);
        else if (dice < 32)
            settle(world_dice(700000));
        else if (dice < 60)
            settle(world_dice(20000));
        else
            phone_comes();
    } else if (dice < 40) {
        friend_says(&friends[world_dice(FRIENDS)]);
    } else if (dice < 60) {
        phone_says();
    } else if (dice < 90) {
        phone_listens(world_dice(3000));
    } else {
        phone_loses();
    }
    if (world_dice(2) && !house_tick())
        complain("the server has stopped", 0);
    friends_listen();
}

static void judge(void)
{
    disk_fail(DISK_WRITE, 0, 0, false);
    disk_fail(DISK_SYNC, 0, 0, false);
    phone.patient = true;
    for (unsigned i = 0; i < ROUNDS && fine; i++) {
        /* The disk recovers; what sleeps forgotten is given up. */
        settle(i < 5 ? PROBE_MS : i < 10 ? 100000 : 100);
        if (phone.state == AWAY)
            phone_comes();
        settle(0);
        phone_listens(SIZE_MAX);
    }
    for (unsigned i = 0; i < FRIENDS; i++)
        for (unsigned n = 0; n < friends[i].next; n++)
            if (friends[i].notes[n].state == ACCEPTED && friends[i].notes[n].told == 0)
                complain("it is lost", i * 100000 + n);
    for (unsigned n = 1; n < phone.next && mode == CALM; n++)
        if (phone.told[n] == 0)
            complain("what the phone said is lost", n);
}

static bool begin(unsigned seed)
{
    char name[16];
    const char *why = "";
    memory_forget();
    clients_forget();
    world_begin(seed);
    world_cut(seed % 3 == 0 ? 1 + seed % 700 : 0);
    world_pinch(seed % 2 ? 1 + seed % 300 : 0, seed % 5 < 2 ? 0 : seed % 5);
    memset(&play, 0, sizeof play);
    memset(&phone, 0, sizeof phone);
    memset(friends, 0, sizeof friends);
    play.path = "phone";
    play.variables = variables_new();
    text_string(&play.report, "");
    phone.next = 1;
    phone.client = client_named("juliet.phone", strlen("juliet.phone"));
    phone.client->deaf = true;
    house_begin();
    (void)house_set("offline_messages", "10000");
    (void)house_set("offline_bytes", "8M");
    (void)house_set("chunks_shared", mode == SHORT ? "20" : "2000");
    (void)house_set("sessions", "12");
    if (!house_open(&why) || !house_account("juliet", "pencil", 0)) {
        complain(why, 0);
        return false;
    }
    for (unsigned i = 0; i < FRIENDS; i++) {
        snprintf(name, sizeof name, "romeo%u", i);
        if (!house_account(name, "pencil", 0))
            return false;
        friends[i].client = client_named(name, strlen(name));
        friend_comes(&friends[i]);
    }
    disk_watch(house_directory());
    return true;
}

static bool run(unsigned seed, unsigned cuts)
{
    unsigned long until = sums.cuts + cuts;
    fine = true;
    if (begin(seed)) {
        while (fine && sums.cuts < until)
            step();
        if (fine)
            judge();
        house_close();
        disk_unwatch();
    }
    return fine;
}

int main(int count, char **arguments)
{
    static const char *const names[MODES] = {"calm", "memory short", "disk failing"};
    unsigned long first = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
    unsigned long seeds = count > 2 ? strtoul(arguments[2], NULL, 10) : 3;
    unsigned long cuts = count > 3 ? strtoul(arguments[3], NULL, 10) : 300;
    unsigned passed = 0, failed = 0;
    house_boot();
    for (mode = CALM; mode < MODES; mode++) {
        memset(&sums, 0, sizeof sums);
        for (unsigned long seed = first; seed < first + seeds; seed++) {
            bool good = run((unsigned)seed, (unsigned)cuts);
            passed += good;
            failed += !good;
            if (!good)
                fprintf(stderr, "%s, seed %lu\n", names[mode], seed);
        }
        printf("%s: %lu cuts, %lu resumed; %lu messages to the phone, %lu of them again after an "
               "end; %lu from it\n",
               names[mode], sums.cuts, sums.resumed, sums.notes, sums.again, sums.said);
    }
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0 || sums.resumed == 0;
}
