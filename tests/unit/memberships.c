/* memberships.c: where accounts are and were, against a plain list; limits; damage; the end. */
#include "store/memberships.h"

#include "store_damage.h"

#define ACCOUNTS 3
#define CHANNELS 6
#define ROUNDS 6000

/* Names that begin alike. */
static const char *const accounts[ACCOUNTS] = {"rome", "romeo", "romeo2"};
static const char *const channels[CHANNELS] = {"a", "aa", "ab", "b", "coven", "coven2"};

static struct membership model[ACCOUNTS][CHANNELS];

static bool same(const struct membership *a, const struct membership *b)
{
    bool alike = a->count == b->count;
    for (unsigned i = 0; alike && i < a->count; i++)
        alike = a->stays[i].channel == b->stays[i].channel &&
                memcmp(a->stays[i].id, b->stays[i].id, PARTICIPANT_ID_CHARS) == 0 &&
                a->stays[i].joined == b->stays[i].joined && a->stays[i].left == b->stays[i].left;
    return alike;
}

static void enter(struct store *store, unsigned account, unsigned channel, uint64_t number)
{
    struct membership *kept = &model[account][channel];
    struct stay stay = {.channel = (uint64_t)rand() << 33, .joined = number, .left = UINT64_MAX};
    bool present = membership_stay(kept) != NULL;
    for (unsigned i = 0; i < PARTICIPANT_ID_CHARS; i++)
        stay.id[i] = (char)('a' + rand() % 26);
    CHECK(membership_enter(store, span_string(accounts[account]), span_string(channels[channel]),
                           &stay) == (present ? STORE_EXISTS : STORE_OK));
    if (present)
        return;
    if (kept->count == MEMBERSHIP_STAYS_MAX)
        memmove(kept->stays, kept->stays + 1, --kept->count * sizeof kept->stays[0]);
    kept->stays[kept->count++] = stay;
}

static void leave(struct store *store, unsigned account, unsigned channel, uint64_t number)
{
    struct membership *kept = &model[account][channel];
    bool present = membership_stay(kept) != NULL;
    CHECK(membership_leave(store, span_string(accounts[account]), span_string(channels[channel]),
                           number) == (present ? STORE_OK : STORE_NONE));
    if (present)
        kept->stays[kept->count - 1].left = number;
}

static void check_walk(struct store *store, unsigned account)
{
    struct span local = span_string(accounts[account]), channel = SPAN_NONE;
    struct membership got;
    for (unsigned i = 0; i < CHANNELS; i++) {
        const struct membership *kept = &model[account][i];
        if (kept->count == 0)
            continue;
        CHECK(membership_next(store, local, channel, &channel, &got) == STORE_OK);
        CHECK(span_is(channel, channels[i]) && same(&got, kept));
    }
    CHECK(membership_next(store, local, channel, &channel, &got) == STORE_NONE);
}

static void test_random(struct store *store)
{
    struct membership got;
    unsigned rejoined = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        unsigned account = (unsigned)rand() % ACCOUNTS, channel = (unsigned)rand() % CHANNELS;
        if (rand() % 2 == 0)
            enter(store, account, channel, round);
        else
            leave(store, account, channel, round);
        const struct membership *kept = &model[account][channel];
        CHECK(membership_get(store, span_string(accounts[account]), span_string(channels[channel]),
                             &got) == (kept->count > 0 ? STORE_OK : STORE_NONE));
        CHECK(kept->count == 0 || same(&got, kept));
        rejoined += kept->count == MEMBERSHIP_STAYS_MAX;
        if (round % 20 == 0)
            check_walk(store, round / 20 % ACCOUNTS);
        if (round % 100 == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    CHECK(rejoined > ROUNDS / 4);
}

static void check_first(struct store *store, struct span local, const char *wanted)
{
    struct membership got;
    struct span channel;
    CHECK(membership_first_present(store, local, &channel, &got) ==
          (wanted == NULL ? STORE_NONE : STORE_OK));
    CHECK(wanted == NULL || (span_is(channel, wanted) && membership_stay(&got) != NULL));
}

/* An account's end goes in steps, and takes nobody else's. */
static void test_forget(struct store *store)
{
    for (unsigned i = 0; i < CHANNELS; i++)
        enter(store, 1, i, 2 * ROUNDS);
    check_walk(store, 1);
    check_first(store, SPAN("romeo"), "a");
    leave(store, 1, 0, 3 * ROUNDS);
    check_first(store, SPAN("romeo"), "aa");
    CHECK(membership_forget(store, SPAN("romeo"), 4) == STORE_OK);
    memset(model[1], 0, 4 * sizeof model[1][0]);
    check_walk(store, 1);
    CHECK(membership_forget(store, SPAN("romeo"), 4) == STORE_NONE);
    memset(model[1], 0, sizeof model[1]);
    for (unsigned account = 0; account < ACCOUNTS; account++)
        check_walk(store, account);
    CHECK(membership_forget(store, SPAN("romeo"), 4) == STORE_NONE);
    check_first(store, SPAN("romeo"), NULL);
}

static enum store_outcome enter_room(struct store *store, unsigned n, uint64_t joined)
{
    char name[16];
    struct stay stay = {.channel = n, .joined = joined, .left = UINT64_MAX};
    snprintf(name, sizeof name, "room%03u", n);
    return membership_enter(store, SPAN("nurse"), span_string(name), &stay);
}

static bool room_is(struct store *store, const char *name, enum store_outcome outcome)
{
    struct membership got;
    return membership_get(store, SPAN("nurse"), span_string(name), &got) == outcome;
}

static void test_limits(struct store *store)
{
    static char longest[511];
    struct membership got;
    struct stay stay = {.joined = 5, .left = 4};
    memset(longest, 'x', sizeof longest);
    CHECK(membership_enter(store, SPAN("nurse"), SPAN("a"), &stay) == STORE_FULL);
    stay.left = 5;
    CHECK(membership_enter(store, SPAN("nurse"), SPAN(""), &stay) == STORE_FULL);
    CHECK(membership_enter(store, SPAN(""), SPAN("a"), &stay) == STORE_FULL);
    CHECK(membership_enter(store, SPAN("nurse"), span_of(longest, 506), &stay) == STORE_FULL);
    CHECK(membership_enter(store, SPAN("nurse"), span_of(longest, 505), &stay) == STORE_OK);
    CHECK(membership_get(store, SPAN("nurse"), span_of(longest, 506), &got) == STORE_NONE);
    CHECK(membership_leave(store, SPAN("nurse"), span_of(longest, 506), 6) == STORE_NONE);
    CHECK(membership_forget(store, SPAN("nurse"), 9) == STORE_NONE);
    for (unsigned n = 0; n < MEMBERSHIPS_MAX; n++)
        CHECK(enter_room(store, n, 100) == STORE_OK);
    CHECK(enter_room(store, MEMBERSHIPS_MAX, 100) == STORE_FULL);
    CHECK(enter_room(store, 7, 100) == STORE_EXISTS);
    /* Whoever has left a channel can enter another one. */
    CHECK(membership_leave(store, SPAN("nurse"), SPAN("room040"), 120) == STORE_OK);
    CHECK(membership_leave(store, SPAN("nurse"), SPAN("room050"), 110) == STORE_OK);
    CHECK(enter_room(store, 40, 130) == STORE_OK);
    CHECK(membership_leave(store, SPAN("nurse"), SPAN("room040"), 140) == STORE_OK);
    CHECK(enter_room(store, 100, 150) == STORE_OK);
    CHECK(room_is(store, "room050", STORE_NONE) && room_is(store, "room040", STORE_OK));
    CHECK(enter_room(store, 101, 150) == STORE_OK);
    CHECK(room_is(store, "room040", STORE_NONE) && room_is(store, "room101", STORE_OK));
    CHECK(enter_room(store, 102, 150) == STORE_FULL);
}

static bool read_membership(struct store *store, enum store_outcome *outcome)
{
    struct membership got, walked;
    struct span channel;
    uint64_t damaged;
    bool sound = true;
    *outcome = membership_get(store, SPAN("peter"), SPAN("a"), &got);
    for (unsigned i = 0; i < got.count && *outcome == STORE_OK; i++)
        sound = sound && got.stays[i].joined <= got.stays[i].left &&
                (got.stays[i].left != UINT64_MAX || i + 1 == got.count);
    return sound && got.count <= MEMBERSHIP_STAYS_MAX &&
           (*outcome == STORE_OK) == (got.count > 0) &&
           membership_damage(store, &damaged) == STORE_OK && damaged == (*outcome != STORE_OK) &&
           membership_next(store, SPAN("peter"), SPAN_NONE, &channel, &walked) ==
               (*outcome == STORE_OK ? STORE_OK : STORE_NONE) &&
           (*outcome != STORE_OK || (span_is(channel, "a") && same(&got, &walked)));
}

static void test_damage(struct store *store)
{
    struct span key = SPAN("peter\0a"), peter = SPAN("peter"), a = SPAN("a");
    struct membership got;
    for (unsigned i = 0; i < MEMBERSHIP_STAYS_MAX; i++) {
        struct stay stay = {.channel = i, .joined = 10 * i, .left = 10 * i + 5};
        memcpy(stay.id, "0123456789abcdef0123", PARTICIPANT_ID_CHARS);
        CHECK(membership_enter(store, peter, a, &stay) == STORE_OK);
    }
    CHECK(damage_try(store, TABLE_MEMBERSHIPS, key, read_membership) > 8 + 64);
    char bytes[1 + 44 * (MEMBERSHIP_STAYS_MAX + 1)] = {1};
    CHECK(store_put(store, TABLE_MEMBERSHIPS, key, span_of(bytes, sizeof bytes), false) ==
          STORE_OK);
    CHECK(membership_get(store, peter, a, &got) == STORE_FAILED);
    check_first(store, peter, NULL);
    struct stay now = {.left = UINT64_MAX};
    CHECK(membership_enter(store, peter, SPAN("b"), &now) == STORE_OK);
    check_first(store, peter, "b");
    /* A damaged one keeps nobody in nor out. */
    CHECK(membership_leave(store, peter, a, 7) == STORE_OK);
    CHECK(membership_leave(store, peter, a, 7) == STORE_NONE);
    CHECK(store_put(store, TABLE_MEMBERSHIPS, key, SPAN("\2"), false) == STORE_OK);
    CHECK(membership_enter(store, peter, a, &now) == STORE_OK);
    CHECK(membership_get(store, peter, a, &got) == STORE_OK && got.count == 1);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    srand(20120411);
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_random(store);
        test_forget(store);
        test_limits(store);
        test_damage(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
