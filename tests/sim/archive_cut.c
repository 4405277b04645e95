/* archive_cut.c: the power goes at each write and sync while two people with stream management
 * chat, also in a channel (GR-2, SM-2, MX-16), with either durability. Of every disk that may come
 * of it: what was acknowledged to its sender, in the channel by his own copy, is in the archives,
 * under the id by which it was told; no id is given twice, though the clock begins anew. Last the
 * proof that a disk which lies would be noticed. */
#include "crowd.h"
#include "disk.h"
#include "house.h"
#include "tally.h"
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES 24
#define IMAGES 2
#define ID_BYTES 16 /* of more */
#define EARLIER_MS 200000
#define STEP_MS 40   /* between two messages: some share a commit */
#define LONG_MS 4000 /* with durability = relaxed, where they would all do so otherwise */
#define SYNCS 60     /* events of a whole story, at least */
#define CHANNEL "cut@mix." HOUSE_DOMAIN
#define CHANNEL_EACH 6 /* one there after so many others: it takes them along */
#define JOIN                                                                                       \
    "<iq type='set' id='j'><client-join channel='" CHANNEL "' xmlns='urn:xmpp:mix:pam:2'><join "   \
    "xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/><nick>n</nick>"    \
    "</join></client-join></iq>"

struct fate {
    bool acknowledged;
    char id[ID_BYTES + 1]; /* told to the receiver; "": not yet */
};

static struct fate fates[MESSAGES], others[MESSAGES];
static unsigned said, lost, reflected;

static void quiet(bool on)
{
    static int spoken = -1;
    if (spoken < 0)
        spoken = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (spoken < 0 || nowhere < 0 || dup2(on ? nowhere : spoken, STDERR_FILENO) < 0 ||
        close(nowhere) != 0)
        perror("quiet");
}

/* The highest h that romeo heard. */
static void acknowledgements_read(const struct guest *romeo)
{
    unsigned h;
    const char *at = romeo->heard.bytes == NULL ? "" : romeo->heard.bytes;
    for (; (at = strstr(at, "<a xmlns='urn:xmpp:sm:3' h='")) != NULL; at++)
        if (sscanf(at, "<a xmlns='urn:xmpp:sm:3' h='%u'/>", &h) == 1)
            for (unsigned n = 0; n < h && n < said; n++)
                fates[n].acknowledged = true;
}

/* What juliet was told: <body>mN</body>, then the id of it in her archive. */
static void messages_read(const struct guest *juliet, struct fate *told)
{
    unsigned n;
    const char *at = juliet->heard.bytes == NULL ? "" : juliet->heard.bytes;
    while ((at = strstr(at, "<body>m")) != NULL) {
        const char *end = strstr(at, "</message>"), *id = strstr(at, "<stanza-id ");
        if (sscanf(at, "<body>m%u<", &n) != 1 || n >= MESSAGES || end == NULL || id == NULL ||
            id > end)
            return; /* cut off in the middle */
        memcpy(told[n].id, strstr(id, " id='") + 5, ID_BYTES);
        at = end;
    }
}

/* Of those in the channel, how many its sender has heard himself: cN, with the id that he gave. */
static void reflections_read(const struct guest *juliet)
{
    unsigned n = 0;
    const char *at = juliet->heard.bytes == NULL ? "" : juliet->heard.bytes;
    for (; (at = strstr(at, "<body>c")) != NULL; at++)
        if (sscanf(at, "<body>c%u<", &n) == 1 && strstr(at, "<submission-id>") != NULL)
            reflected = n + 1;
}

static struct guest *enter(const char *name)
{
    struct guest *guest = guest_enter(name, "home");
    if (guest != NULL)
        guest_say(guest, "<enable xmlns='urn:xmpp:sm:3' resume='true'/><presence/>");
    (void)house_settle(0, crowd_listen);
    return guest;
}

static void converse(uint64_t step_ms)
{
    char words[200];
    struct guest *juliet = enter("juliet"), *romeo = guest_enter("romeo", "home");
    if (juliet == NULL || romeo == NULL)
        return;
    guest_say(romeo, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    guest_say(juliet, JOIN); /* again, so that her client is known to know MIX */
    for (said = 0; said < MESSAGES && !guest_ended(romeo);) {
        snprintf(words, sizeof words,
                 "<message type='chat' to='juliet@example.com'><body>m%u</body></message>"
                 "<r xmlns='urn:xmpp:sm:3'/>",
                 said++);
        guest_say(romeo, words);
        (void)house_settle(step_ms, crowd_listen);
        if (said % CHANNEL_EACH == 0) {
            unsigned n = said / CHANNEL_EACH - 1;
            snprintf(words, sizeof words,
                     "<message type='groupchat' id='%u' to='" CHANNEL "'><body>c%u</body>"
                     "</message>",
                     n, n);
            guest_say(juliet, words);
        }
        if (said % 8 == 0) /* somebody else's write takes them along */
            guest_say(juliet, "<iq type='set' id='c'><query xmlns='jabber:iq:roster'>"
                              "<item jid='romeo@example.com'/></query></iq>");
    }
    if (!guest_ended(romeo))
        guest_say(romeo, "</stream:stream>");
    (void)house_settle(0, crowd_listen);
    acknowledgements_read(romeo);
    messages_read(juliet, fates);
    reflections_read(juliet);
}

/* A board without a clock: before, it was later than it is now, and what comes now is numbered on
 * from there. */
static bool live_before(uint64_t seed)
{
    const char *why;
    struct guest *romeo = guest_enter("romeo", "home");
    (void)house_settle(EARLIER_MS, crowd_listen);
    if (romeo == NULL)
        return false;
    guest_say(romeo, "<iq type='set' id='c' to='mix.example.com'><create channel='cut' "
                     "xmlns='urn:xmpp:mix:core:1'/></iq>");
    struct guest *juliet = guest_enter("juliet", "home");
    if (juliet != NULL)
        guest_say(juliet, JOIN);
    guest_say(romeo, "<message type='chat' to='romeo@example.com/home'><body>earlier</body>"
                     "</message><iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    (void)house_settle(0, crowd_listen);
    bool kept = guest_heard(romeo, "<fin ") == 1 && guest_heard(romeo, "earlier") == 2;
    house_close();
    world_begin(seed);
    crowd_begin();
    return house_open(&why) && kept;
}

/* After the cut they go on: what they are told now has ids of its own. */
static void ids_judge(void)
{
    char words[200];
    struct guest *juliet = enter("juliet"), *romeo = guest_enter("romeo", "home");
    if (!check(juliet != NULL && romeo != NULL, "they can log in"))
        return;
    memset(others, 0, sizeof others);
    for (unsigned n = 0; n < MESSAGES; n++) {
        snprintf(words, sizeof words,
                 "<message type='chat' to='juliet@example.com'><body>m%u</body></message>", n);
        guest_say(romeo, words);
    }
    (void)house_settle(0, crowd_listen);
    messages_read(juliet, others);
    for (unsigned n = 0; n < MESSAGES; n++) {
        check(others[n].id[0] != '\0', "message %u comes", n);
        for (unsigned old = 0; old < MESSAGES; old++)
            check(strcmp(others[n].id, fates[old].id) != 0, "an id is given twice (%u, %u)", n,
                  old);
    }
}

/* Looks for what was acknowledged; the id is asked for only of those that juliet was told. */
static void archive_judge(const char *name)
{
    char words[64];
    struct guest *guest = guest_enter(name, "later");
    if (!check(guest != NULL, "%s can log in", name))
        return;
    guest_say(guest, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>");
    (void)house_settle(0, crowd_listen);
    for (unsigned n = 0; n < MESSAGES; n++) {
        if (!fates[n].acknowledged)
            continue;
        snprintf(words, sizeof words, "<body>m%u<", n);
        bool there = guest_heard(guest, words) == 1;
        snprintf(words, sizeof words, "<result xmlns='urn:xmpp:mam:2' id='%s", fates[n].id);
        if (there && strcmp(name, "juliet") == 0 && fates[n].id[0] != '\0')
            there = guest_heard(guest, words) == 1;
        lost += !there;
    }
    guest_forget(guest);
    guest_say(guest, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' "
                     "type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
                     "<field var='with'><value>" CHANNEL "</value></field></x></query></iq>");
    (void)house_settle(0, crowd_listen);
    for (unsigned n = 0; n < reflected && strcmp(name, "juliet") == 0; n++) {
        snprintf(words, sizeof words, "<body>c%u<", n);
        lost += guest_heard(guest, words) != 1;
    }
}

/* false: the story ended before the n-th event. */
static bool run(uint64_t n, uint64_t seed, enum disk_lie lie, const char *durability)
{
    const char *why;
    bool relaxed = strcmp(durability, "relaxed") == 0;
    memory_forget();
    world_begin(seed);
    house_begin();
    memset(fates, 0, sizeof fates);
    said = reflected = 0;
    if (!check(house_set("durability", durability) && house_open(&why) &&
                   house_account("romeo", CROWD_PASSWORD, 0) &&
                   house_account("juliet", CROWD_PASSWORD, 0),
               "the server starts"))
        return false;
    crowd_begin();
    if (!check(live_before(seed), "an earlier life"))
        return false;
    disk_watch(house_directory());
    disk_lie(lie);
    disk_cut_at(n);
    quiet(true);
    converse(relaxed ? LONG_MS : STEP_MS);
    bool cut = disk_is_cut();
    disk_cut_at(0);
    house_close();
    disk_image(seed);
    disk_power_on();
    disk_lie(DISK_HONEST);
    world_begin(seed + IMAGES);
    crowd_begin();
    bool open = house_open(&why);
    quiet(false);
    if (open) {
        archive_judge("juliet");
        archive_judge("romeo");
        if (lie == DISK_HONEST)
            ids_judge();
        house_close();
    }
    disk_unwatch();
    check(open || lie != DISK_HONEST, "the server starts after the cut");
    return cut;
}

static unsigned acknowledged_count(void)
{
    unsigned count = 0;
    for (unsigned n = 0; n < MESSAGES; n++)
        count += fates[n].acknowledged;
    return count;
}

static void cut_everywhere(uint64_t seed, const char *durability)
{
    uint64_t n = 1;
    unsigned some = 0;
    bool cut = true;
    for (; cut; n++) {
        lost = 0;
        cut = run(n, seed, DISK_HONEST, durability);
        check(lost == 0, "cut at event %llu: %u acknowledged messages are lost",
              (unsigned long long)n, lost);
        some += acknowledged_count() > 0 && acknowledged_count() < said;
    }
    check(acknowledged_count() == MESSAGES, "without a cut %u are acknowledged",
          acknowledged_count());
    check(reflected == MESSAGES / CHANNEL_EACH, "without a cut %u are heard in the channel",
          reflected);
    check(n > SYNCS / 4 && some > 0, "%llu events, %u with some acknowledged",
          (unsigned long long)n, some);
    printf("%s, seed %llu: %llu events, after %u of them some were acknowledged\n", durability,
           (unsigned long long)seed, (unsigned long long)n - 2, some);
}

int main(void)
{
    static const char *const kinds[] = {"strict", "relaxed"};
    house_boot();
    for (unsigned kind = 0; kind < 2; kind++) {
        tally_part = kinds[kind];
        for (uint64_t seed = 1; seed <= IMAGES; seed++)
            cut_everywhere(seed, kinds[kind]);
    }
    lost = 0;
    for (uint64_t n = 1; n < SYNCS / 2; n++)
        (void)run(n, n, DISK_DSYNC_LIES, "strict");
    check(lost > 0, "a disk that lies is noticed");
    printf("on a disk that lies %u acknowledged messages are lost\n", lost);
    house_leave();
    return tally_end();
}
