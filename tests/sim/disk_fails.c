/* disk_fails.c: the disk fails under a whole server (design, idea 1): a failed commit is a power
 * cut, nothing that hung on it is said, every stream is closed; meanwhile people can log in and
 * read, and a change is refused; when the disk takes writes again, so does kith, with what was
 * acknowledged. */
#include "crowd.h"
#include "disk.h"
#include "house.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROBE_MS 6000
#define WRITES 12 /* more than one small commit has */

static unsigned passed, failed;

static void check(bool good, const char *what, unsigned n, int error)
{
    passed += good;
    failed += !good;
    if (!good)
        printf("failed: %s (write %u, %s)\n", what, n, strerror(error));
}

static void settle(uint64_t ms)
{
    const char *trouble = house_settle(ms, crowd_listen);
    check(trouble == NULL, trouble == NULL ? "" : trouble, 0, 0);
}

static void roster_set(struct guest *guest, const char *id, const char *contact)
{
    char words[256];
    snprintf(words, sizeof words,
             "<iq type='set' id='%s'><query xmlns='jabber:iq:roster'><item jid='%s'/></query></iq>",
             id, contact);
    guest_say(guest, words);
    settle(0);
}

static bool has(struct guest *guest, const char *contact)
{
    char words[64];
    snprintf(words, sizeof words, "jid='%s'", contact);
    guest_forget(guest);
    guest_say(guest, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    settle(0);
    return guest_heard(guest, words) > 0;
}

/* The n-th call of this kind during a commit fails. false: there was none. */
static bool run(enum disk_call call, unsigned n, int error)
{
    const char *why;
    memory_forget();
    world_begin(n);
    house_begin();
    if (!house_open(&why) || !house_account("romeo", CROWD_PASSWORD, 0) ||
        !house_account("juliet", CROWD_PASSWORD, 0)) {
        check(false, "the server does not start", n, error);
        return false;
    }
    crowd_begin();
    disk_watch(house_directory());
    struct guest *romeo = guest_enter("romeo", "home"), *juliet = guest_enter("juliet", "home");
    guest_say(romeo, "<presence/>");
    guest_say(juliet, "<presence/>");
    roster_set(romeo, "before", "one@example.com");
    check(guest_heard(romeo, "id='before'") == 1, "the first change is not acknowledged", n, error);

    disk_fail(call, n, error, true);
    roster_set(romeo, "lost", "two@example.com");
    bool hit = house_server()->read_only;
    if (hit) {
        check(guest_heard(romeo, "id='lost'") == 0, "a lost change is acknowledged", n, error);
        check(guest_ended(romeo) && guest_ended(juliet), "a stream lives on", n, error);
        settle(PROBE_MS); /* a probe fails */
        check(house_server()->read_only, "writes are taken while the disk fails", n, error);
        romeo = guest_enter("romeo", "home");
        check(romeo != NULL, "nobody can log in while the disk fails", n, error);
        if (romeo != NULL) {
            check(has(romeo, "one@example.com"), "nothing can be read", n, error);
            check(!has(romeo, "two@example.com"), "half of a change is there", n, error);
            roster_set(romeo, "refused", "three@example.com");
            check(guest_heard(romeo, "<resource-constraint ") == 1, "not refused", n, error);
        }
    }
    disk_fail(call, 0, 0, false);
    settle(PROBE_MS);
    check(!house_server()->read_only, "no writes are taken from a good disk", n, error);
    romeo = guest_enter("romeo", "later");
    if (romeo != NULL)
        roster_set(romeo, "after", "four@example.com");
    check(romeo != NULL && guest_heard(romeo, "id='after'") == 1, "no way back", n, error);
    check(romeo != NULL && has(romeo, "one@example.com") && has(romeo, "four@example.com"),
          "an acknowledged change is lost", n, error);
    house_close();
    disk_unwatch();
    return hit;
}

/* REG-30: an account whose removal was not made safe is there, and none of its streams was told. */
static void removal(int error)
{
    static const char remove[] =
        "<iq type='set' id='remove'><query xmlns='jabber:iq:register'><remove/></query></iq>";
    const char *why;
    memory_forget();
    world_begin(1);
    house_begin();
    if (!house_open(&why) || !house_account("romeo", CROWD_PASSWORD, 0)) {
        check(false, "the server does not start", 0, error);
        return;
    }
    crowd_begin();
    disk_watch(house_directory());
    struct guest *home = guest_enter("romeo", "home"), *garden = guest_enter("romeo", "garden");
    disk_fail(DISK_SYNC, 1, error, true);
    guest_say(home, remove);
    settle(0);
    check(guest_ended(home) && guest_ended(garden), "a stream lives on", 0, error);
    check(guest_heard(home, "id='remove'") == 0, "a lost removal is acknowledged", 0, error);
    check(guest_heard(home, "not-authorized") == 0 && guest_heard(garden, "not-authorized") == 0,
          "a stream is told of a lost removal", 0, error);
    disk_fail(DISK_SYNC, 0, 0, false);
    settle(PROBE_MS);
    home = guest_enter("romeo", "home");
    garden = guest_enter("romeo", "garden");
    check(home != NULL && garden != NULL, "the account is gone", 0, error);
    if (home != NULL && garden != NULL) {
        guest_say(home, remove);
        settle(0);
        check(guest_heard(home, "type='result' id='remove'") == 1, "not removed", 0, error);
        check(guest_heard(home, "not-authorized") == 1 &&
                  guest_heard(garden, "not-authorized") == 1,
              "a stream of no account lives on", 0, error);
    }
    house_close();
    disk_unwatch();
}

static struct guest *manager(const char *account, const char *resource)
{
    struct guest *guest = guest_enter(account, resource);
    if (guest != NULL)
        guest_say(guest, "<enable xmlns='urn:xmpp:sm:3' resume='true'/><presence/>");
    settle(0);
    return guest;
}

#define FILLING 5000
#define LONG_MESSAGES 40 /* more than any of the deaf has */
#define DEAF 20
#define DEAF_MESSAGES 12
#define ASLEEP_MS 310000 /* more than a client may take to come back */

static void send(struct guest *from, const char *to, const char *type, unsigned count)
{
    char words[FILLING + 256];
    snprintf(words, sizeof words, "<message type='%s' to='%s'><body>%0*u</body></message>", type,
             to, FILLING, count);
    for (unsigned i = 0; i < count; i++) {
        guest_say(from, words);
        settle(0);
    }
}

/* So much for those who do not read that there is no memory for more. */
static void rush(struct guest *romeo)
{
    struct guest *deaf[DEAF];
    for (unsigned i = 0; i < DEAF; i++) {
        char name[16];
        snprintf(name, sizeof name, "deaf%u", i);
        deaf[i] = guest_enter("romeo", name);
        if (deaf[i] != NULL)
            deaf[i]->deaf = true;
    }
    for (unsigned i = 0; i < DEAF && deaf[i] != NULL; i++)
        send(romeo, deaf[i]->jid, "headline", DEAF_MESSAGES);
    settle(PROBE_MS);
    unsigned ended = 0;
    for (unsigned i = 0; i < DEAF && deaf[i] != NULL; i++) {
        deaf[i]->deaf = false;
        settle(0);
        ended += guest_ended(deaf[i]);
    }
    check(ended > 0, "memory was not short", 0, 0);
}

static bool remains_begin(void)
{
    const char *why;
    memory_forget();
    world_begin(2);
    house_begin();
    bool good = house_set("chunks_shared", "100") && house_set("resources", "40") &&
                house_open(&why) && house_account("romeo", CROWD_PASSWORD, 0) &&
                house_account("juliet", CROWD_PASSWORD, 0) &&
                house_account("nurse", CROWD_PASSWORD, 0);
    check(good, "the server does not start", 0, 0);
    crowd_begin();
    disk_watch(house_directory());
    return good;
}

/* OFF-4: what a stream has not acknowledged when it ends while the disk fails, by its end tag, or
 * might end because memory is short. */
static void remains(int error)
{
    if (!remains_begin())
        return;
    struct guest *romeo = guest_enter("romeo", "home"), *juliet = manager("juliet", "home");
    send(romeo, "juliet@example.com", "chat", LONG_MESSAGES);
    check(guest_heard(juliet, "</body>") == LONG_MESSAGES, "not told", 0, error);
    disk_fail(DISK_SYNC, 1, error, true);
    roster_set(romeo, "lost", "two@example.com");
    check(house_server()->read_only, "the disk did not fail", 0, error);
    romeo = guest_enter("romeo", "home");
    struct guest *nurse = manager("nurse", "home");
    send(romeo, "nurse@example.com", "chat", 1);
    check(guest_heard(nurse, "</body>") == 1, "not told", 0, error);
    guest_say(nurse, "</stream:stream>");
    rush(romeo);
    check(house_server()->read_only, "writes are taken while the disk fails", 0, error);
    disk_fail(DISK_SYNC, 0, 0, false);
    settle(ASLEEP_MS);
    nurse = guest_enter("nurse", "home");
    juliet = guest_enter("juliet", "home");
    guest_say(nurse, "<presence/>");
    guest_say(juliet, "<presence/>");
    settle(0);
    check(guest_heard(juliet, "</body>") == LONG_MESSAGES, "lost where memory was short", 0, error);
    check(guest_heard(nurse, "</body>") == 1, "lost with a stream that closed", 0, error);
    house_close();
    disk_unwatch();
}

int main(void)
{
    static const int errors[] = {EIO, ENOSPC};
    house_boot();
    for (unsigned i = 0; i < 2; i++) {
        unsigned writes = 0, syncs = 0;
        while (writes < WRITES && run(DISK_WRITE, writes + 1, errors[i]))
            writes++;
        while (syncs < WRITES && run(DISK_SYNC, syncs + 1, errors[i]))
            syncs++;
        removal(errors[i]);
        remains(errors[i]);
        check(writes > 1 && writes < WRITES && syncs > 0, "the disk did not fail", 0, errors[i]);
        printf("%s: %u writes and %u syncs failed\n", strerror(errors[i]), writes, syncs);
    }
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
