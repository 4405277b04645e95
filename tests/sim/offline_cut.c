/* offline_cut.c: the power goes at each write and sync while messages are stored, told and dropped
 * (OFF-2, GR-2). Of every disk that may come of it: what was acknowledged to its sender reaches its
 * receiver, in order; what comes twice has the same id. Last the proof that a disk which lies would
 * be noticed. */
#include "crowd.h"
#include "disk.h"
#include "house.h"
#include "store/store.h"
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES 12
#define FIRST_VISIT 4 /* juliet comes for the first time after so many */
#define LEAVES 8
#define IMAGES 3
#define ID_BYTES 16

/* What both sides know of one message. */
struct fate {
    bool acknowledged;
    unsigned told;
    char id[ID_BYTES + 1]; /* "": not told yet */
};

static struct fate fates[MESSAGES];
static const char *complaint; /* the first one of a run */
static unsigned lost, doubled;

static void complain(const char *words)
{
    if (complaint == NULL)
        complaint = words;
}

static void settle(void)
{
    const char *trouble = house_settle(0, crowd_listen);
    if (trouble != NULL)
        complain(trouble);
}

/* Takes down what a visit of juliet's brought. */
static void visit_read(const struct guest *juliet)
{
    const char *heard = juliet->heard.bytes == NULL ? "" : juliet->heard.bytes;
    int last = -1;
    while ((heard = strstr(heard, "<body>m")) != NULL) {
        int n = -1;
        const char *id = strstr(heard, "<stanza-id "), *end = strstr(heard, "</message>");
        if (sscanf(heard, "<body>m%d.", &n) != 1 || n < 0 || n >= MESSAGES || end == NULL)
            return; /* cut off in the middle */
        if (n <= last)
            complain("out of order, or twice in one visit");
        last = n;
        heard = end;
        id = id == NULL || id > end ? NULL : strstr(id, " id='");
        if (id == NULL)
            continue; /* told as it came, so it was not stored */
        if (fates[n].told > 0 && strncmp(fates[n].id, id + 5, ID_BYTES) != 0)
            complain("twice, with different ids");
        memcpy(fates[n].id, id + 5, ID_BYTES);
        doubled += fates[n].told > 0;
        fates[n].told++;
    }
}

static struct guest *visit(void)
{
    struct guest *juliet = guest_enter("juliet", "home");
    if (juliet == NULL)
        return NULL;
    guest_say(juliet, "<presence/>");
    settle();
    return juliet;
}

static void visit_end(struct guest *juliet)
{
    if (juliet == NULL)
        return;
    crowd_listen();
    visit_read(juliet);
    if (house_is_open()) {
        guest_leave(juliet);
        settle();
    }
}

/* One message and a question behind it, whose answer acknowledges both. */
static void send(struct guest *romeo, unsigned n)
{
    char words[1024], answer[32];
    snprintf(words, sizeof words,
             "<message type='chat' to='juliet@example.com'><body>m%u.%0*u</body></message>"
             "<iq type='get' id='q%u' to='example.com'><ping xmlns='urn:xmpp:ping'/></iq>",
             n, n % 3 == 0 ? 600 : 20, n, n);
    guest_say(romeo, words);
    settle();
    snprintf(answer, sizeof answer, "id='q%u'", n);
    fates[n].acknowledged = guest_heard(romeo, answer) > 0;
}

static void converse(void)
{
    struct guest *romeo = guest_enter("romeo", "home"), *juliet = NULL;
    for (unsigned n = 0; n < MESSAGES && romeo != NULL && !guest_ended(romeo); n++) {
        if (n == FIRST_VISIT)
            juliet = visit();
        if (n == LEAVES) {
            visit_end(juliet);
            juliet = NULL;
        }
        send(romeo, n);
        /* What comes while she is there is told as it comes: as safe as her connection. */
        if (juliet != NULL)
            fates[n].acknowledged = false;
    }
    visit_end(juliet);
}

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

static void judge(void)
{
    for (unsigned n = 0; n < MESSAGES; n++)
        if (fates[n].acknowledged && fates[n].told == 0) {
            lost++;
            complain("an acknowledged message is lost");
        }
}

/* false: the conversation ended before the n-th event. */
static bool run(uint64_t n, uint64_t seed, enum disk_lie lie)
{
    const char *why;
    memory_forget();
    world_begin(seed);
    house_begin();
    memset(fates, 0, sizeof fates);
    complaint = NULL;
    if (!house_open(&why) || !house_account("romeo", CROWD_PASSWORD, 0) ||
        !house_account("juliet", CROWD_PASSWORD, 0)) {
        complain("the server does not start");
        return false;
    }
    crowd_begin();
    disk_watch(house_directory());
    disk_lie(lie);
    disk_cut_at(n);
    quiet(true);
    converse();
    bool cut = disk_is_cut();
    disk_cut_at(0);
    house_close();
    disk_image(seed);
    disk_power_on();
    disk_lie(DISK_HONEST);
    world_begin(seed);
    crowd_begin();
    if (house_open(&why)) {
        visit_end(visit());
        house_close();
    } else {
        complain("the server does not start after the cut");
    }
    quiet(false);
    disk_unwatch();
    judge();
    return cut;
}

int main(void)
{
    unsigned passed = 0, failed = 0;
    house_boot();
    for (uint64_t seed = 1; seed <= IMAGES; seed++) {
        uint64_t n = 1;
        doubled = 0;
        for (bool cut = true; cut; n++) {
            cut = run(n, seed, DISK_HONEST);
            passed += complaint == NULL;
            failed += complaint != NULL;
            if (complaint != NULL)
                fprintf(stderr, "cut at event %llu, seed %llu: %s\n", (unsigned long long)n,
                        (unsigned long long)seed, complaint);
        }
        printf("seed %llu: %llu events, %u messages came twice\n", (unsigned long long)seed,
               (unsigned long long)n - 2, doubled);
    }
    lost = 0;
    for (uint64_t n = 1; n < 30; n++)
        (void)run(n, n, DISK_DSYNC_LIES);
    printf("on a disk that lies %u acknowledged messages are lost\n", lost);
    passed += lost > 0;
    failed += lost == 0;
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
