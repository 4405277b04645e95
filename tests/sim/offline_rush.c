/* offline_rush.c: many people write to many who are not there, all in the same tick, more than one
 * transaction holds: nobody is refused, all of it is stored, and each receiver is told all of it in
 * order (GR-1, OFF-2), while the memory for output is short. */
#include "crowd.h"
#include "house.h"
#include "store/offline.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define SENDERS 30
#define RECEIVERS 30
#define ROUNDS 3
#define EACH 30 /* messages of each sender in one round */
#define FILLING 900

static unsigned passed, failed;

static void check(bool good, const char *words, unsigned n)
{
    passed += good;
    failed += !good;
    if (!good)
        fprintf(stderr, "%s (%u)\n", words, n);
}

static void settle(void)
{
    const char *trouble = house_settle(0, crowd_listen);
    check(trouble == NULL, trouble == NULL ? "" : trouble, 0);
}

static void name_of(char out[16], unsigned receiver)
{
    snprintf(out, 16, "u%u", receiver);
}

static bool start(void)
{
    const char *why = "";
    char name[16];
    memory_forget();
    world_begin(7);
    house_begin();
    if (!house_set("resources", "40") || !house_set("offline_messages", "1000") ||
        !house_set("offline_bytes", "1M") || !house_set("chunks_shared", "400") ||
        !house_open(&why) || !house_account("romeo", CROWD_PASSWORD, 0)) {
        fprintf(stderr, "the server does not start: %s\n", why);
        return false;
    }
    for (unsigned i = 0; i < RECEIVERS; i++) {
        name_of(name, i);
        if (!house_account(name, CROWD_PASSWORD, 0))
            return false;
    }
    crowd_begin();
    return true;
}

/* Everybody at once. */
static void rush(struct guest **senders, unsigned round)
{
    static char words[2048];
    for (unsigned i = 0; i < SENDERS; i++)
        for (unsigned n = 0; n < EACH; n++) {
            snprintf(words, sizeof words,
                     "<message type='chat' to='u%u@example.com'><body>s%u.%u.%0*u</body></message>",
                     (i + n) % RECEIVERS, i, round * EACH + n, FILLING, 0);
            guest_say(senders[i], words);
        }
    settle();
}

/* From each sender in its order; returns how many. */
static unsigned told(const struct guest *receiver)
{
    int last[SENDERS];
    unsigned count = 0;
    memset(last, -1, sizeof last);
    for (const char *at = receiver->heard.bytes; (at = strstr(at, "<body>s")) != NULL; at++) {
        unsigned sender;
        int n;
        if (sscanf(at, "<body>s%u.%d.", &sender, &n) != 2 || sender >= SENDERS)
            continue;
        check(n > last[sender], "not in order", sender);
        last[sender] = n;
        count++;
    }
    return count;
}

int main(void)
{
    struct guest *senders[SENDERS];
    char name[16];
    unsigned count = 0;
    struct offline_queue queue;
    house_boot();
    if (!start())
        return 2;
    for (unsigned i = 0; i < SENDERS; i++) {
        name_of(name, i);
        senders[i] = guest_enter("romeo", name);
        check(senders[i] != NULL, "cannot log in", i);
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        rush(senders, round);
    for (unsigned i = 0; i < SENDERS; i++) {
        check(guest_heard(senders[i], "type='error'") == 0, "refused", i);
        guest_leave(senders[i]);
    }
    settle();
    for (unsigned i = 0; i < RECEIVERS; i++) {
        name_of(name, i);
        senders[i] = guest_enter(name, "home");
        check(senders[i] != NULL, "cannot log in", i);
    }
    for (unsigned i = 0; i < RECEIVERS; i++)
        guest_say(senders[i], "<presence/>");
    const char *trouble = house_settle(60000, crowd_listen);
    check(trouble == NULL, "the server does not come to rest", 0);
    for (unsigned i = 0; i < RECEIVERS; i++) {
        check(!guest_ended(senders[i]), "ended", i);
        count += told(senders[i]);
        name_of(name, i);
        check(offline_look(house_server()->store, span_string(name), &queue) == STORE_OK &&
                  queue.messages == 0,
              "still stored", i);
    }
    check(count == SENDERS * EACH * ROUNDS, "told", count);
    printf("%u messages\n", count);
    house_close();
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
