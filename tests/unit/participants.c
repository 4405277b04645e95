/* participants.c: who is in a channel and who left it, against a plain list; limits; damage. */
#include "store/participants.h"

#include "store_damage.h"

#define CHANNELS 3
#define PEOPLE 40
#define ROUNDS 6000

/* The first bytes of the numbers are alike, and one is the beginning of no other. */
static const uint64_t channels[CHANNELS] = {1, 256, UINT64_C(0x0100000000000001)};

static struct person {
    bool present;
    unsigned left; /* 0: never was there; else how many had left before */
    uint8_t nodes;
    char jid[64];
    char nick[PARTICIPANT_NICK_BYTES_MAX + 1];
} people[CHANNELS][PEOPLE];

static char ids[PEOPLE][PARTICIPANT_ID_CHARS + 1];

static bool same(const struct participant *got, const struct person *person, const char *id)
{
    return memcmp(got->id, id, PARTICIPANT_ID_CHARS) == 0 && got->nodes == person->nodes &&
           span_is(got->jid, person->jid) && span_is(got->nick, person->nick);
}

static void check_one(struct store *store, unsigned channel, unsigned n)
{
    const struct person *person = &people[channel][n];
    struct participant got;
    struct span jid;
    CHECK(participant_get(store, channels[channel], ids[n], &got) ==
          (person->present ? STORE_OK : STORE_NONE));
    CHECK(!person->present || same(&got, person, ids[n]));
    bool former = !person->present && person->left > 0;
    CHECK(participant_former(store, channels[channel], ids[n], &jid) ==
          (former ? STORE_OK : STORE_NONE));
    CHECK(!former || span_is(jid, person->jid));
}

/* In order of ids, and no one else's. */
static void check_walk(struct store *store, unsigned channel)
{
    struct participant got;
    const char *after = NULL;
    unsigned count = 0, n = 0;
    while (participant_next(store, channels[channel], after, &got) == STORE_OK) {
        while (n < PEOPLE && !people[channel][n].present)
            n++;
        CHECK(n < PEOPLE && same(&got, &people[channel][n], ids[n]));
        n++;
        after = got.id;
    }
    for (unsigned i = 0; i < PEOPLE; i++)
        count += people[channel][i].present;
    unsigned counted = 99;
    CHECK(participant_count(store, channels[channel], &counted) == STORE_OK && counted == count);
    while (n < PEOPLE && !people[channel][n].present)
        n++;
    CHECK(n == PEOPLE);
}

static void step(struct store *store, unsigned round)
{
    unsigned channel = (unsigned)rand() % CHANNELS, n = (unsigned)rand() % PEOPLE;
    struct person *person = &people[channel][n];
    struct participant participant, got;
    if (rand() % 3 == 0) {
        CHECK(participant_leave(store, channels[channel], ids[n]) ==
              (person->present ? STORE_OK : STORE_NONE));
        if (person->present)
            person->left = round + 1;
        person->present = false;
    } else if (person->present && rand() % 2 == 0) {
        /* What is read can be put. */
        CHECK(participant_get(store, channels[channel], ids[n], &got) == STORE_OK);
        got.nodes = person->nodes = (uint8_t)rand();
        CHECK(participant_put(store, channels[channel], &got) == STORE_OK);
    } else {
        person->nodes = (uint8_t)rand();
        person->present = true;
        snprintf(person->jid, sizeof person->jid, "person%u@chat.example", n);
        snprintf(person->nick, sizeof person->nick, "%.*s", rand() % 30,
                 "nickname nickname nickname nickname");
        participant = (struct participant){.nodes = person->nodes,
                                           .jid = span_string(person->jid),
                                           .nick = span_string(person->nick)};
        memcpy(participant.id, ids[n], PARTICIPANT_ID_CHARS);
        CHECK(participant_put(store, channels[channel], &participant) == STORE_OK);
    }
    check_one(store, channel, n);
}

static void test_random(struct store *store)
{
    for (unsigned n = 0; n < PEOPLE; n++)
        snprintf(ids[n], sizeof ids[n], "%020x", n * 7 + n * n * n * 4099);
    for (unsigned round = 0; round < ROUNDS; round++) {
        step(store, round);
        if (round % 50 == 0)
            check_walk(store, round / 50 % CHANNELS);
        if (round % 100 == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
        check_walk(store, channel);
        for (unsigned n = 0; n < PEOPLE; n++)
            check_one(store, channel, n);
    }
}

/* A walk goes on behind what is put and deleted meanwhile. */
static void test_walk_writing(struct store *store)
{
    struct participant got = {.nodes = 0};
    unsigned walked = 0;
    for (unsigned n = 0; n < PEOPLE; n++) {
        struct participant participant = {.jid = SPAN("a@b")};
        memcpy(participant.id, ids[n], PARTICIPANT_ID_CHARS);
        CHECK(participant_put(store, 5, &participant) == STORE_OK);
    }
    const char *after = NULL;
    while (participant_next(store, 5, after, &got) == STORE_OK) {
        walked++;
        after = got.id;
        if (walked % 3 == 0)
            CHECK(participant_leave(store, 5, got.id) == STORE_OK);
        else
            CHECK(participant_put(store, 5, &got) == STORE_OK);
    }
    CHECK(walked == PEOPLE && participant_count(store, 5, &walked) == STORE_OK);
    CHECK(walked == PEOPLE - PEOPLE / 3);
}

static void pass_through(struct store *store, unsigned n)
{
    char id[PARTICIPANT_ID_CHARS + 1];
    struct participant participant = {.jid = SPAN("guest@chat.example")};
    snprintf(id, sizeof id, "%020u", n);
    memcpy(participant.id, id, PARTICIPANT_ID_CHARS);
    CHECK(participant_put(store, 9, &participant) == STORE_OK);
    CHECK(participant_leave(store, 9, id) == STORE_OK);
    if (n % 50 == 0)
        CHECK(store_commit(store) == STORE_OK);
}

static bool was_there(struct store *store, unsigned n)
{
    char id[PARTICIPANT_ID_CHARS + 1];
    struct span jid;
    snprintf(id, sizeof id, "%020u", n);
    return participant_former(store, 9, id, &jid) == STORE_OK;
}

/* Who left longest ago is forgotten first, whatever its id. */
static void test_former_limit(struct store *store)
{
    for (unsigned i = 0; i < PARTICIPANT_FORMER_MAX; i++)
        pass_through(store, (i * 7 + 3) % PARTICIPANT_FORMER_MAX);
    CHECK(was_there(store, 3) && was_there(store, 10) && was_there(store, 17));
    pass_through(store, 10); /* again: is no longer the second */
    CHECK(was_there(store, 3) && was_there(store, 10));
    pass_through(store, PARTICIPANT_FORMER_MAX);
    CHECK(!was_there(store, 3) && was_there(store, 17));
    pass_through(store, PARTICIPANT_FORMER_MAX + 1);
    CHECK(!was_there(store, 17) && was_there(store, 10) && was_there(store, 24));
    CHECK(was_there(store, PARTICIPANT_FORMER_MAX) && was_there(store, PARTICIPANT_FORMER_MAX + 1));
}

static void test_limits(struct store *store)
{
    static char letters[PARTICIPANT_CHANGE_BYTES];
    struct participant participant = {.jid = SPAN("")}, got;
    struct span jid;
    memset(letters, 'x', sizeof letters);
    memcpy(participant.id, "abcdefghijabcdefghij", PARTICIPANT_ID_CHARS);
    CHECK(participant_put(store, 11, &participant) == STORE_FULL);
    participant.jid = span_of(letters, sizeof letters);
    CHECK(participant_put(store, 11, &participant) == STORE_FULL);
    participant.jid = span_of(letters, 1900);
    participant.nick = span_of(letters, PARTICIPANT_NICK_BYTES_MAX + 1);
    CHECK(participant_put(store, 11, &participant) == STORE_FULL);
    CHECK(participant_get(store, 11, participant.id, &got) == STORE_NONE);
    participant.nick.len--;
    CHECK(participant_put(store, 11, &participant) == STORE_OK);
    CHECK(participant_get(store, 11, participant.id, &got) == STORE_OK && got.jid.len == 1900);
    CHECK(participant_leave(store, 11, participant.id) == STORE_OK);
    CHECK(participant_former(store, 11, participant.id, &jid) == STORE_OK && jid.len == 1900);
}

static char damaged_id[] = "0123456789abcdef0123";

static bool read_present(struct store *store, enum store_outcome *outcome)
{
    struct participant got, walked;
    *outcome = participant_get(store, 12, damaged_id, &got);
    uint64_t damaged;
    bool alike = participant_next(store, 12, NULL, &walked) ==
                     (*outcome == STORE_OK ? STORE_OK : STORE_NONE) &&
                 participant_next(store, 12, damaged_id, &walked) == STORE_NONE &&
                 participant_damage(store, &damaged) == STORE_OK &&
                 damaged == (*outcome != STORE_OK);
    return alike && got.jid.len < 32 && got.nick.len < 32 &&
           (*outcome != STORE_OK || got.jid.len + got.nick.len <= 14) &&
           (*outcome == STORE_OK || got.jid.bytes == NULL);
}

static bool read_former(struct store *store, enum store_outcome *outcome)
{
    struct span jid;
    uint64_t damaged;
    *outcome = participant_former(store, 12, damaged_id, &jid);
    return participant_damage(store, &damaged) == STORE_OK && damaged == (*outcome != STORE_OK) &&
           jid.len <= 11 && (*outcome == STORE_OK) == (jid.bytes != NULL);
}

static void test_damage(struct store *store)
{
    char key[8 + PARTICIPANT_ID_CHARS] = {0, 0, 0, 0, 0, 0, 0, 12};
    struct span name = span_of(key, sizeof key), jid;
    struct participant participant = {.nodes = 3, .jid = SPAN("romeo@x.org"), .nick = SPAN("Rom")};
    memcpy(key + 8, damaged_id, PARTICIPANT_ID_CHARS);
    memcpy(participant.id, damaged_id, PARTICIPANT_ID_CHARS);
    CHECK(participant_put(store, 12, &participant) == STORE_OK);
    /* Of the version all, of the length those that make it more than there is. */
    CHECK(damage_try(store, TABLE_PARTICIPANTS, name, read_present) == 8 + 13);
    CHECK(participant_leave(store, 12, damaged_id) == STORE_OK);
    CHECK(damage_try(store, TABLE_FORMER, name, read_former) == 8);
    /* A damaged one can leave, and is nobody then. */
    CHECK(participant_put(store, 12, &participant) == STORE_OK);
    CHECK(store_put(store, TABLE_PARTICIPANTS, name, SPAN("\2"), false) == STORE_OK);
    CHECK(participant_leave(store, 12, damaged_id) == STORE_OK);
    CHECK(participant_leave(store, 12, damaged_id) == STORE_NONE);
    CHECK(participant_former(store, 12, damaged_id, &jid) == STORE_NONE);
    /* One whose id is damaged is passed by. */
    participant.id[0] = 'x';
    CHECK(participant_put(store, 12, &participant) == STORE_OK);
    CHECK(store_put(store, TABLE_PARTICIPANTS, span_of(key, 9), SPAN("\1"), false) == STORE_OK);
    CHECK(participant_next(store, 12, NULL, &participant) == STORE_OK && participant.id[0] == 'x');
    CHECK(participant_next(store, 12, participant.id, &participant) == STORE_NONE);
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
        test_walk_writing(store);
        test_former_limit(store);
        test_limits(store);
        test_damage(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
