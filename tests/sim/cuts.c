/* cuts.c: see cuts.h. */
#include "cuts.h"

#include "disk.h"
#include "store/accounts.h"
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ITERATIONS 16       /* nobody attacks these passwords */
#define SECOND_CUT_MAX 16   /* events after the first one */
#define LIES 60             /* cuts on a disk that lies */
#define COMPLAINTS_SHOWN 20 /* of a program */

static const char *complaint; /* the first one of a run */

void cuts_complain(const char *words)
{
    if (complaint == NULL)
        complaint = words;
}

void cuts_require(bool holds, const char *words)
{
    if (!holds)
        cuts_complain(words);
}

void cuts_settle(void)
{
    const char *trouble = house_settle(0, crowd_listen);
    cuts_require(trouble == NULL, trouble);
}

bool cuts_account(const char *name, const char *password)
{
    struct store *store = house_server()->store;
    struct account account = {.iterations = ITERATIONS, .salt = "sixteen bytes..."};
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA256; digest++) {
        struct derive derive;
        derive_begin(&derive, digest, span_string(password),
                     span_of((char *)account.salt, sizeof account.salt), ITERATIONS);
        while (!derive_slice(&derive, ITERATIONS))
            ;
        scram_keys_of(digest, derive.out, digest == DIGEST_SHA1 ? &account.sha1 : &account.sha256);
    }
    bool put = account_put(store, span_string(name), &account, false) == STORE_OK;
    return store_commit(store) == STORE_OK && put;
}

/* Keeps the log from standard error: what fails is the point. */
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

static bool start(void)
{
    const char *why;
    crowd_begin();
    if (!house_open(&why)) {
        cuts_complain("the server does not start");
        return false;
    }
    config.sasl_iterations = ITERATIONS;
    return true;
}

/* The power goes, if it has not gone yet, and comes back. */
static bool restart(const struct story *story, uint64_t seed)
{
    disk_cut_at(0);
    house_close();
    disk_image(seed);
    disk_power_on();
    disk_lie(DISK_HONEST);
    world_begin(seed);
    if (!start())
        return false;
    story->judge();
    store_tick_end(house_server()->store);
    return true;
}

/* The second cut comes so many events after the first one; 0: there is none. Returns how many cuts
 * there were; 0: the story had ended before the n-th event. */
static unsigned run(const struct story *story, uint64_t n, uint64_t second, uint64_t seed,
                    enum disk_lie lie)
{
    unsigned cuts = 0;
    complaint = NULL;
    memory_forget();
    world_begin(seed);
    house_begin();
    story->set();
    if (!start() || !story->begin(seed)) {
        cuts_complain("the story does not begin");
        return 0;
    }
    disk_watch(house_directory());
    disk_lie(lie);
    quiet(true);
    disk_cut_at(n);
    story->live();
    cuts = disk_is_cut();
    bool up = restart(story, seed);
    if (up && cuts > 0 && second > 0) {
        disk_cut_at(second);
        story->live();
        cuts += disk_is_cut();
        up = restart(story, seed ^ second);
    }
    if (up) {
        story->live();
        story->judge();
        store_tick_end(house_server()->store);
        story->end();
        house_close();
    }
    quiet(false);
    disk_unwatch();
    return cuts;
}

/* The n-th event of each way through the story. */
static unsigned tell(const struct story *story, uint64_t seed, unsigned *failed)
{
    unsigned cuts = 0, more = 1;
    for (uint64_t n = 1; more > 0; n++) {
        uint64_t second = seed % 2 == 0 ? 1 + (seed / 2 * 7 + n) % SECOND_CUT_MAX : 0;
        more = run(story, n, second, seed, DISK_HONEST);
        cuts += more;
        if (complaint != NULL && (*failed)++ < COMPLAINTS_SHOWN)
            fprintf(stderr, "%s, cut at event %llu, then %llu, seed %llu: %s\n", story->name,
                    (unsigned long long)n, (unsigned long long)second, (unsigned long long)seed,
                    complaint);
    }
    return cuts;
}

/* How often a disk that does not keep its promises shows. */
static unsigned lies_found(const struct story *story)
{
    unsigned found = 0;
    for (uint64_t n = 1; n <= LIES; n++) {
        (void)run(story, 1 + n % 20, 0, n, DISK_DSYNC_LIES);
        found += complaint != NULL;
    }
    return found;
}

int cuts_main(const struct story *stories, unsigned count, unsigned cuts)
{
    const char *wish = getenv("KITH_CUTS");
    unsigned wanted = wish == NULL ? cuts : (unsigned)strtoul(wish, NULL, 10);
    unsigned made[16] = {0}, failed = 0, total = 0;
    house_boot();
    for (uint64_t seed = 1; total < wanted && failed < COMPLAINTS_SHOWN; seed++)
        for (unsigned i = 0; i < count; i++) {
            unsigned more = tell(&stories[i], seed, &failed);
            made[i] += more;
            total += more;
        }
    for (unsigned i = 0; i < count; i++) {
        unsigned found = lies_found(&stories[i]);
        printf("%s: %u cuts; on a disk that lies %u of %d show\n", stories[i].name, made[i], found,
               LIES);
        failed += found == 0 || made[i] == 0;
    }
    house_leave();
    printf("%u cuts, %u failed\n", total, failed);
    return failed != 0;
}
