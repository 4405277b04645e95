/* register_storm.c: a hundred people register at once in every mode, where memory is short: two
 * applications, little output; until the tables of accounts, pending registrations and invitations,
 * and the store itself, are full; while half of them go away, and while the disk fails. Each
 * request gets its one answer (GR-1), nobody waits for ever, no table is over its limit, in the end
 * all is given back. Argument: seeds (6). */
#include "applicants.h"
#include "disk.h"
#include "house.h"
#include "store/accounts.h"
#include "store/invites.h"
#include "store/pending.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 6
#define ROUNDS 100    /* in which everybody must have got what there is */
#define PROBE_MS 6000 /* by then the server has tried the disk again */
#define ACCOUNTS 60
#define PENDING_BYTES 1024       /* of the store, all pages counted */
#define NEARLY_FULL (300u << 10) /* what such a store still has room for */

static unsigned seed;
static unsigned largest; /* bytes of the store that a pending registration took */

struct mode {
    const char *name;
    const char *settings[5][2];
    bool flow;          /* by XEP-0389 */
    uint16_t uses;      /* of the token that all have shown; 0: none */
    enum answer answer; /* what so many get in the end, all others are to wait, or `rest` */
    unsigned count;
    enum answer rest;
    unsigned accounts, pendings; /* then */
};

static const struct mode modes[] = {
    {.name = "closed",
     .settings = {{"registration", "closed"}},
     .answer = ANSWER_CLOSED,
     .count = APPLICANTS},
    {.name = "redirect",
     .settings = {{"registration", "redirect"}, {"registration_url", "https://example.com/join"}},
     .answer = ANSWER_NOT_ALLOWED,
     .count = APPLICANTS},
    {.name = "no invitation",
     .settings = {{"registration", "invite"}},
     .answer = ANSWER_NOT_ALLOWED,
     .count = APPLICANTS},
    {.name = "invitation",
     .settings = {{"registration", "invite"}},
     .uses = 50,
     .answer = ANSWER_RESULT,
     .count = 50,
     .rest = ANSWER_USED,
     .accounts = 50},
    {.name = "open",
     .settings = {{"registration", "open"}},
     .answer = ANSWER_RESULT,
     .count = APPLICANTS,
     .accounts = APPLICANTS},
    {.name = "open, by XEP-0389",
     .settings = {{"registration", "open"}},
     .flow = true,
     .answer = ANSWER_RESULT,
     .count = APPLICANTS,
     .accounts = APPLICANTS},
    {.name = "few accounts",
     .settings = {{"registration", "open"}, {"accounts", "60"}},
     .answer = ANSWER_RESULT,
     .count = ACCOUNTS,
     .rest = ANSWER_WAIT,
     .accounts = ACCOUNTS},
    {.name = "phone",
     .settings = {{"registration", "open"}, {"verify", "phone"}},
     .answer = ANSWER_STAGE,
     .count = PENDING_MAX,
     .rest = ANSWER_WAIT,
     .pendings = PENDING_MAX},
    {.name = "either",
     .settings = {{"registration", "open"}, {"verify", "either"}, {"verify_strict", "yes"}},
     .answer = ANSWER_STAGE,
     .count = PENDING_MAX,
     .rest = ANSWER_WAIT,
     .pendings = PENDING_MAX},
    {.name = "invitation and phone",
     .settings = {{"registration", "invite"}, {"verify", "phone"}, {"verify_invited", "yes"}},
     .uses = 50,
     .answer = ANSWER_STAGE,
     .count = PENDING_MAX,
     .rest = ANSWER_WAIT,
     .pendings = PENDING_MAX},
};

static unsigned count_of(enum answer answer)
{
    unsigned count = 0;
    for (unsigned i = 0; i < APPLICANTS; i++)
        count += answer_of(crowd_at(i)) == answer;
    return count;
}

/* Those who have no account and no pending registration ask, and again as long as they are to wait,
 * until that helps nobody. Returns how often somebody was to wait. */
static unsigned all_register(bool flow)
{
    unsigned waiting = APPLICANTS, before = APPLICANTS + 1, round = 0, waits = 0;
    while (waiting > 0 && waiting < before && round++ < ROUNDS) {
        before = waiting;
        for (unsigned i = 0; i < APPLICANTS; i++) {
            enum answer answer = answer_of(crowd_at(i));
            if (answer != ANSWER_NONE && answer != ANSWER_WAIT)
                continue;
            if (flow)
                response_say(crowd_at(i), i, CROWD_PASSWORD);
            else
                details_say(crowd_at(i), i, CROWD_PASSWORD, i);
        }
        applicants_settle(0);
        check(count_of(ANSWER_NONE) == 0, "not answered (%u)", count_of(ANSWER_NONE));
        waiting = count_of(ANSWER_WAIT);
        waits += waiting;
    }
    check(round < ROUNDS, "it does not come to an end (%u)", waiting);
    return waits;
}

static void all_come(const struct mode *mode)
{
    char token[TOKEN_CHARS + 1];
    if (mode->uses > 0)
        check(invite(mode->uses, token), "no invitation");
    for (unsigned i = 0; i < APPLICANTS; i++)
        (void)applicant_come();
    applicants_settle(0);
    for (unsigned i = 0; i < APPLICANTS; i++)
        if (mode->flow)
            guest_say(crowd_at(i),
                      "<register xmlns='urn:xmpp:register:0'><flow id='0'/></register>");
        else if (mode->uses > 0)
            token_say(crowd_at(i), token);
    applicants_settle(0);
    for (unsigned i = 0; i < APPLICANTS; i++) {
        check(mode->uses == 0 || guest_heard(crowd_at(i), "type='result' id='t'") == 1,
              "the token is refused (%u)", i);
        guest_forget(crowd_at(i));
    }
}

static void all_finish(void)
{
    char handle[TOKEN_CHARS + 1];
    for (unsigned i = 0; i < APPLICANTS; i++)
        if (answer_of(crowd_at(i)) == ANSWER_STAGE) {
            handle_of(crowd_at(i), handle);
            code_say(crowd_at(i), handle, code_of(i));
        }
    applicants_settle(0);
}

static uint64_t store_bytes(void)
{
    struct store_use use;
    store_usage(house_server()->store, &use);
    return use.used_bytes;
}

/* Those who have a code finish, which makes room for the others. */
static void codes_finish(const struct mode *mode)
{
    all_finish();
    unsigned done = mode->uses > 0 ? mode->uses : PENDING_MAX;
    check(count_of(ANSWER_RESULT) == done && accounts() == done, "codes finish (%u)", accounts());
    if (mode->uses > 0)
        return;
    (void)all_register(false);
    all_finish();
    check(accounts() == APPLICANTS && pendings() == 0, "room is made (%u)", accounts());
}

static void together(const struct mode *mode)
{
    if (!applicants_begin(mode->name, seed, mode->settings))
        return;
    all_come(mode);
    uint64_t before = store_bytes();
    unsigned waits = all_register(mode->flow);
    if (mode->pendings > 0) {
        unsigned each = (unsigned)(store_bytes() - before) / mode->pendings;
        check(each > 0 && each <= PENDING_BYTES, "a pending registration takes %u bytes", each);
        largest = each > largest ? each : largest;
    }
    check(mode->accounts + mode->pendings == 0 || waits > 0, "nobody had to wait (%u)", waits);
    for (unsigned i = 0; i < APPLICANTS; i++) {
        enum answer answer = answer_of(crowd_at(i));
        if (answer != mode->rest || mode->rest == ANSWER_NONE)
            expect(crowd_at(i), mode->answer, "in the end");
    }
    check(count_of(mode->answer) == mode->count, "so many get it (%u)", count_of(mode->answer));
    check(accounts() == mode->accounts, "accounts (%u)", accounts());
    check(pendings() == mode->pendings, "pending (%u)", pendings());
    if (mode->pendings > 0)
        codes_finish(mode);
    applicants_end();
}

/* REG-9 10: a store without room is a reason to wait, and nothing breaks. */
static void store_full(void)
{
    static const char *const settings[][2] = {
        {"registration", "open"}, {"accounts", "100000"}, {"map_bytes", "2M"}, {NULL, NULL}};
    static const struct mode mode = {.name = "full"};
    struct account account = {.iterations = 4096};
    unsigned fillers = 0;
    char name[16];
    if (!applicants_begin("a full store", seed, settings))
        return;
    struct store *store = house_server()->store;
    check(house_account("romeo", CROWD_PASSWORD, 0), "no account");
    while (store_has_room(store, NEARLY_FULL) && fillers < 100000) {
        snprintf(name, sizeof name, "filler%u", fillers++);
        check(account_put(store, span_string(name), &account, false) == STORE_OK, "no filler");
        if (fillers % 20 == 0)
            check(store_commit(store) == STORE_OK, "fillers are not safe (%u)", fillers);
    }
    check(store_commit(store) == STORE_OK, "fillers are not safe (%u)", fillers);
    all_come(&mode);
    (void)all_register(false);
    unsigned done = count_of(ANSWER_RESULT), waiting = count_of(ANSWER_WAIT);
    check(done + waiting == APPLICANTS, "a full store (%u)", done);
    check(accounts() == fillers + 1 + done, "accounts (%u)", accounts());
    check(!house_server()->read_only, "the store has failed");
    check(guest_enter("romeo", "home") != NULL, "nobody can log in");
    applicants_end();
}

/* The table of invitations is full; one that is redeemed makes room for one. */
static void invites_full(void)
{
    static const char *const settings[][2] = {{"registration", "invite"}, {NULL, NULL}};
    char token[TOKEN_CHARS + 1], other[TOKEN_CHARS + 1];
    unsigned made = 0;
    if (!applicants_begin("invitations", seed, settings))
        return;
    while (made <= INVITES_MAX && invite(1, made % 2 == 0 ? other : token))
        made++;
    check(made == INVITES_MAX && invites() == INVITES_MAX, "invitations (%u)", made);
    struct guest *guest = applicant_come();
    token_say(guest, token);
    applicants_settle(0);
    details_say(guest, 0, CROWD_PASSWORD, 0);
    applicants_settle(0);
    expect(guest, ANSWER_RESULT, "redeemed");
    check(invites() == INVITES_MAX - 1, "redeemed (%u)", invites());
    check(invite(1, token) && !invite(1, other), "there is room for one");
    applicants_end();
}

/* Half of them go away while keys are derived; the others are served. */
static void half_leave(void)
{
    static const char *const settings[][2] = {
        {"registration", "open"}, {"applications", "64"}, {NULL, NULL}};
    static const struct mode mode = {.name = "leavers"};
    unsigned left = 0;
    if (!applicants_begin("half leave", seed, settings))
        return;
    config.sasl_iterations = 4096;
    all_come(&mode);
    for (unsigned i = 0; i < APPLICANTS; i++)
        details_say(crowd_at(i), i, CROWD_PASSWORD, i);
    while (left < APPLICANTS / 2) {
        check(house_tick(), "the server has stopped");
        struct guest *guest = crowd_at(world_dice(APPLICANTS));
        left += guest->link >= 0;
        guest_leave(guest);
    }
    applicants_settle(0);
    for (unsigned i = 0; i < APPLICANTS; i++) {
        enum answer answer = answer_of(crowd_at(i));
        if (crowd_at(i)->link >= 0)
            check(answer == ANSWER_RESULT || answer == ANSWER_WAIT, "who stays is answered (%u)",
                  i);
    }
    check(accounts() >= count_of(ANSWER_RESULT), "accounts (%u)", accounts());
    applicants_end();
}

/* A commit fails while they register: who was told so has an account, all others are cut off; until
 * the disk takes writes again they are to wait, then all get in. */
static void disk_fails(void)
{
    static const char *const settings[][2] = {{"registration", "open"}, {NULL, NULL}};
    static const struct mode mode = {.name = "disk"};
    if (!applicants_begin("the disk fails", seed, settings))
        return;
    all_come(&mode);
    disk_watch(house_directory());
    disk_fail(DISK_SYNC, seed % 2 == 0 ? 2 * seed : 1, EIO, true);
    for (unsigned round = 0; round < ROUNDS && !house_server()->read_only; round++)
        (void)all_register(false);
    check(house_server()->read_only, "no commit has failed");
    unsigned done = count_of(ANSWER_RESULT);
    for (unsigned i = 0; i < APPLICANTS; i++)
        check(guest_ended(crowd_at(i)), "a stream lives on (%u)", i);
    struct guest *guest = applicant_come();
    details_say(guest, APPLICANTS, CROWD_PASSWORD, 0);
    applicants_settle(0);
    expect(guest, ANSWER_WAIT, "while the disk fails");
    disk_fail(DISK_SYNC, 0, 0, false);
    applicants_settle(PROBE_MS);
    /* More than were told: a connection that takes little at once had not sent the answer yet. */
    unsigned safe = accounts();
    check(safe >= done, "%u were told of %u accounts", done, safe);
    for (unsigned i = 0; i < crowd_count(); i++)
        guest_leave(crowd_at(i));
    all_come(&mode);
    (void)all_register(false);
    check(count_of(ANSWER_CONFLICT) == safe, "who had one has it (%u)", safe);
    check(count_of(ANSWER_RESULT) == APPLICANTS - safe && accounts() == APPLICANTS,
          "all are in (%u)", accounts());
    applicants_end();
    disk_unwatch();
}

int main(int count, char **arguments)
{
    unsigned seeds = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : SEEDS;
    house_boot();
    for (seed = 1; seed <= seeds; seed++) {
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
            together(&modes[i]);
        store_full();
        invites_full();
        half_leave();
        disk_fails();
    }
    house_leave();
    printf("a pending registration takes %u bytes of the store\n", largest);
    return applicants_report();
}
