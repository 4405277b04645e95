/* channels.c: channels and their lists, against a plain list; limits; damage; what destroyed ones
 * leave behind; files without them. */
#include "store/channels.h"

#include <lmdb.h>

#include "store/memberships.h"

#include "store_damage.h"

#define NAMES 30
#define ROUNDS 3000

static struct model {
    bool there;
    struct channel channel;
    char people[3][400];
    char texts[3][300];
} model[NAMES];

static char names[NAMES][CHANNEL_LOCAL_BYTES_MAX + 1];
static char letters[2 * CHANNEL_PEOPLE_BYTES_MAX];

static bool same(const struct channel *a, const struct channel *b)
{
    return a->id == b->id && memcmp(a->secret, b->secret, sizeof a->secret) == 0 &&
           a->revocations == b->revocations && a->flags == b->flags &&
           memcmp(a->subscribe, b->subscribe, sizeof a->subscribe) == 0 &&
           a->info_update == b->info_update && a->retract_any == b->retract_any &&
           a->made_us == b->made_us && a->info_us == b->info_us && a->config_us == b->config_us &&
           span_equal(a->name, b->name) && span_equal(a->description, b->description) &&
           span_equal(a->contacts, b->contacts) && span_equal(a->owners, b->owners) &&
           span_equal(a->admins, b->admins) && span_equal(a->changed_by, b->changed_by);
}

static uint64_t random_number(void)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i++)
        number = number << 8 | (uint8_t)(rand() >> 8);
    return number;
}

static struct span random_text(char *text, size_t size)
{
    size_t len = (size_t)rand() % size;
    memset(text, 'a' + rand() % 26, len);
    return span_of(text, len);
}

static struct span random_people(char *text, unsigned least)
{
    size_t len = 0;
    for (unsigned count = least + (unsigned)rand() % 9; count > 0; count--)
        len += (size_t)sprintf(text + len, "person%u@chat.example", rand() % 99u) + 1;
    return span_of(text, len);
}

static void model_make(struct model *at)
{
    struct channel *channel = &at->channel;
    at->there = true;
    channel->id = random_number();
    for (unsigned i = 0; i < CHANNEL_SECRET_BYTES; i++)
        channel->secret[i] = (uint8_t)(rand() >> 8);
    channel->revocations = (uint32_t)random_number();
    channel->flags = (uint8_t)(rand() % 32);
    for (unsigned i = 0; i < CHANNEL_NODES; i++)
        channel->subscribe[i] = (uint8_t)(rand() % (ROLE_NOBODY + 1));
    channel->info_update = (uint8_t)(rand() % (ROLE_NOBODY + 1));
    channel->retract_any = (uint8_t)(rand() % (ROLE_NOBODY + 1));
    channel->made_us = random_number();
    channel->info_us = random_number();
    channel->config_us = random_number();
    channel->name = random_text(at->texts[0], sizeof at->texts[0]);
    channel->description = random_text(at->texts[1], sizeof at->texts[1]);
    channel->changed_by = random_text(at->texts[2], sizeof at->texts[2]);
    channel->contacts = random_people(at->people[0], 0);
    channel->owners = random_people(at->people[1], 1);
    channel->admins = random_people(at->people[2], 0);
}

static void check_walk(struct store *store)
{
    struct span local = SPAN_NONE;
    struct channel got;
    uint64_t count = 0, counted;
    for (unsigned i = 0; i < NAMES; i++) {
        if (!model[i].there)
            continue;
        CHECK(channel_next(store, local, &local, &got) == STORE_OK);
        CHECK(span_is(local, names[i]) && same(&got, &model[i].channel));
        count++;
    }
    CHECK(channel_next(store, local, &local, &got) == STORE_NONE);
    CHECK(channel_count(store, &counted) == STORE_OK && counted == count);
}

static void test_random(struct store *store)
{
    struct channel got;
    for (unsigned i = 0; i < NAMES; i++) /* sorted, one is long */
        memset(names[i], 'a' + (int)(i / 3), i == 5 ? CHANNEL_LOCAL_BYTES_MAX : 1 + i % 3);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct model *at = &model[(unsigned)rand() % NAMES];
        struct span local = span_string(names[at - model]);
        if (rand() % 3 == 0) {
            CHECK(channel_delete(store, local) == (at->there ? STORE_OK : STORE_NONE));
            at->there = false;
        } else if (at->there && rand() % 2 == 0) {
            /* What is read can be put. */
            CHECK(channel_get(store, local, &got) == STORE_OK);
            got.flags = at->channel.flags = (uint8_t)(rand() % 32);
            got.revocations = ++at->channel.revocations;
            CHECK(channel_put(store, local, &got) == STORE_OK);
        } else {
            model_make(at);
            CHECK(channel_put(store, local, &at->channel) == STORE_OK);
        }
        CHECK(channel_get(store, local, &got) == (at->there ? STORE_OK : STORE_NONE));
        CHECK(!at->there || same(&got, &at->channel));
        if (round % 20 == 0)
            check_walk(store);
        if (round % 20 == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
}

static void test_people(void)
{
    struct span people = SPAN("a@x\0bb@x\0"), jid;
    CHECK(jid_list_has(people, SPAN("a@x")) && jid_list_has(people, SPAN("bb@x")));
    CHECK(!jid_list_has(people, SPAN("b@x")) && !jid_list_has(people, SPAN("")));
    CHECK(!jid_list_has(SPAN(""), SPAN("a@x")) && !jid_list_has(SPAN_NONE, SPAN("a")));
    CHECK(jid_list_next(&people, &jid) && span_is(jid, "a@x"));
    CHECK(jid_list_next(&people, &jid) && span_is(jid, "bb@x"));
    CHECK(!jid_list_next(&people, &jid));
}

/* So many jids of so many bytes each. */
static struct span crowd(char *text, unsigned count, size_t jid_len)
{
    for (unsigned i = 0; i < count; i++) {
        memset(text + i * (jid_len + 1), 'j', jid_len);
        text[i * (jid_len + 1) + jid_len] = '\0';
    }
    return span_of(text, count * (jid_len + 1));
}

static bool takes(struct store *store, const struct channel *channel)
{
    struct channel got;
    struct span local = SPAN("limits");
    enum store_outcome outcome = channel_put(store, local, channel);
    if (outcome != STORE_OK) {
        CHECK(outcome == STORE_FULL && channel_get(store, local, &got) == STORE_NONE);
        return false;
    }
    CHECK(channel_get(store, local, &got) == STORE_OK && same(&got, channel));
    return channel_delete(store, local) == STORE_OK;
}

static void test_limits(struct store *store)
{
    static char people[3][2 * CHANNEL_PEOPLE_BYTES_MAX];
    struct channel channel = {.owners = SPAN("a@x\0")}, got;
    struct span text = span_of(letters, CHANNEL_TEXT_BYTES_MAX);
    CHECK(channel_put(store, SPAN(""), &channel) == STORE_FULL);
    CHECK(channel_put(store, span_of(letters, 128), &channel) == STORE_FULL);
    CHECK(channel_get(store, SPAN(""), &got) == STORE_NONE);
    CHECK(channel_get(store, span_of(letters, 2000), &got) == STORE_NONE);
    CHECK(channel_delete(store, span_of(letters, 2000)) == STORE_NONE);
    CHECK(takes(store, &channel));
    channel.owners = SPAN("");
    CHECK(!takes(store, &channel));
    channel.owners = SPAN("a@x");
    CHECK(!takes(store, &channel));
    channel.owners = SPAN("\0");
    CHECK(!takes(store, &channel));
    channel.owners = crowd(people[0], CHANNEL_PEOPLE_MAX + 1, 8);
    CHECK(!takes(store, &channel));
    channel.owners = crowd(people[0], CHANNEL_PEOPLE_MAX, 128);
    CHECK(!takes(store, &channel));
    channel.subscribe[CHANNEL_CONFIG] = ROLE_NOBODY + 1;
    channel.owners = crowd(people[0], CHANNEL_PEOPLE_MAX, 127);
    CHECK(!takes(store, &channel));
    channel.subscribe[CHANNEL_CONFIG] = ROLE_NOBODY;
    /* All of them at once. */
    channel.admins = crowd(people[1], CHANNEL_PEOPLE_MAX, 127);
    channel.contacts = crowd(people[2], CHANNEL_PEOPLE_MAX, 127);
    channel.name = channel.description = text;
    channel.changed_by = span_of(letters, 1500);
    CHECK(takes(store, &channel));
    channel.changed_by = span_of(letters, 2000);
    CHECK(!takes(store, &channel));
    channel.changed_by = SPAN("");
    channel.name.len++;
    CHECK(!takes(store, &channel));
}

static bool listed(struct store *store, uint64_t channel, enum channel_list list, const char *jids)
{
    struct span jid = SPAN_NONE;
    unsigned count, walked = 0;
    while (channel_entry_next(store, channel, list, jid, &jid) == STORE_OK) {
        if (strncmp(jids, jid.bytes, jid.len) != 0 || jids[jid.len] != ' ')
            return false;
        jids += jid.len + 1;
        walked++;
    }
    return *jids == '\0' && channel_entry_count(store, channel, list, &count) == STORE_OK &&
           count == walked;
}

static void test_lists(struct store *store)
{
    const enum channel_list allowed = CHANNEL_LIST_ALLOWED, banned = CHANNEL_LIST_BANNED;
    struct span jid;
    char text[32];
    unsigned count;
    CHECK(listed(store, 1, allowed, ""));
    CHECK(channel_entry_put(store, 1, banned, SPAN("b@x")) == STORE_OK);
    CHECK(channel_entry_put(store, 1, banned, SPAN("b@x")) == STORE_OK);
    CHECK(channel_entry_put(store, 1, allowed, SPAN("x")) == STORE_OK);
    CHECK(channel_entry_put(store, 1, banned, SPAN("a@x")) == STORE_OK);
    CHECK(channel_entry_put(store, 256, banned, SPAN("c@x")) == STORE_OK);
    CHECK(listed(store, 1, allowed, "x ") && listed(store, 1, banned, "a@x b@x "));
    CHECK(listed(store, 256, allowed, "") && listed(store, 256, banned, "c@x "));
    CHECK(channel_entry_get(store, 1, banned, SPAN("a@x")) == STORE_OK);
    CHECK(channel_entry_get(store, 1, banned, SPAN("a@")) == STORE_NONE);
    CHECK(channel_entry_get(store, 1, banned, SPAN("")) == STORE_NONE);
    CHECK(channel_entry_get(store, 1, banned, span_of(letters, 503)) == STORE_NONE);
    CHECK(channel_entry_put(store, 1, banned, SPAN("")) == STORE_FULL);
    CHECK(channel_entry_put(store, 1, banned, span_of(letters, 503)) == STORE_FULL);
    CHECK(channel_entry_put(store, 1, banned, span_of(letters, 502)) == STORE_OK);
    CHECK(channel_entry_next(store, 1, banned, SPAN("c"), &jid) == STORE_OK && jid.len == 502);
    CHECK(channel_entry_next(store, 1, banned, span_of(letters, 900), &jid) == STORE_NONE);
    CHECK(channel_entry_delete(store, 1, banned, span_of(letters, 502)) == STORE_OK);
    CHECK(channel_entry_delete(store, 1, banned, SPAN("a@x")) == STORE_OK);
    CHECK(channel_entry_delete(store, 1, banned, SPAN("a@x")) == STORE_NONE);
    CHECK(listed(store, 1, banned, "b@x "));
    for (unsigned i = 0; i < CHANNEL_ENTRIES_MAX; i++) {
        snprintf(text, sizeof text, "p%04u@chat.example", i);
        CHECK(channel_entry_put(store, 2, allowed, span_string(text)) == STORE_OK);
        if (i % 50 == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    CHECK(channel_entry_put(store, 2, allowed, SPAN("one@more")) == STORE_FULL);
    CHECK(channel_entry_put(store, 2, allowed, SPAN("p0007@chat.example")) == STORE_OK);
    CHECK(channel_entry_put(store, 2, banned, SPAN("one@more")) == STORE_OK);
    CHECK(channel_entry_count(store, 2, allowed, &count) == STORE_OK &&
          count == CHANNEL_ENTRIES_MAX);
}

static bool read_channel(struct store *store, enum store_outcome *outcome)
{
    struct channel got, walked;
    struct span local;
    uint64_t damaged;
    bool sound = true;
    *outcome = channel_get(store, SPAN("damaged"), &got);
    for (unsigned i = 0; i < CHANNEL_NODES; i++)
        sound = sound && got.subscribe[i] <= ROLE_NOBODY;
    if (*outcome == STORE_OK)
        sound = sound && got.owners.len > 0 && got.name.len <= 60 && got.admins.len <= 60;
    else
        sound = sound && got.owners.bytes == NULL && got.id == 0;
    bool whole = *outcome == STORE_OK;
    return sound && channel_damage(store, &damaged) == STORE_OK && damaged == !whole &&
           channel_next(store, SPAN("damagec"), &local, &walked) == STORE_OK &&
           span_is(local, whole ? "damaged" : "damagee") && (!whole || same(&got, &walked));
}

static bool read_entry(struct store *store, enum store_outcome *outcome)
{
    struct span jid;
    uint64_t damaged;
    *outcome = channel_entry_get(store, 3, CHANNEL_LIST_BANNED, SPAN("a"));
    bool whole = *outcome == STORE_OK;
    return channel_damage(store, &damaged) == STORE_OK && damaged == !whole &&
           channel_entry_next(store, 3, CHANNEL_LIST_BANNED, SPAN_NONE, &jid) == STORE_OK &&
           span_is(jid, whole ? "a" : "b");
}

static void test_damage(struct store *store)
{
    struct channel channel = {.name = SPAN("Coven"),
                              .description = SPAN("A dark cave"),
                              .contacts = SPAN("a@x\0"),
                              .owners = SPAN("a@x\0b@x\0"),
                              .admins = SPAN("c@x\0"),
                              .changed_by = SPAN("b@x")};
    const enum channel_list banned = CHANNEL_LIST_BANNED;
    CHECK(channel_put(store, SPAN("damaged"), &channel) == STORE_OK);
    CHECK(channel_put(store, SPAN("damagee"), &channel) == STORE_OK);
    CHECK(damage_try(store, TABLE_CHANNELS, SPAN("damaged"), read_channel) > 150);
    CHECK(channel_delete(store, SPAN("damaged")) == STORE_OK);
    CHECK(channel_delete(store, SPAN("damagee")) == STORE_OK);
    CHECK(channel_entry_put(store, 3, banned, SPAN("a")) == STORE_OK);
    CHECK(channel_entry_put(store, 3, banned, SPAN("b")) == STORE_OK);
    CHECK(damage_try(store, TABLE_CHANNEL_LISTS, SPAN("\0\0\0\0\0\0\0\3\1a"), read_entry) == 8);
    CHECK(channel_entry_delete(store, 3, banned, SPAN("a")) == STORE_OK);
    CHECK(channel_entry_delete(store, 3, banned, SPAN("b")) == STORE_OK);
}

static uint64_t left_of_all(struct store *store)
{
    static const enum store_table tables[] = {TABLE_CHANNEL_LISTS, TABLE_PARTICIPANTS, TABLE_FORMER,
                                              TABLE_CHANNELS_ENDED};
    uint64_t all = 0, count;
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        CHECK(store_count(store, tables[i], &count) == STORE_OK);
        all += count;
    }
    return all;
}

static void channel_fill(struct store *store, uint64_t id)
{
    char text[32];
    struct participant participant = {.jid = SPAN("guest@chat.example")};
    for (unsigned i = 0; i < 25; i++) {
        snprintf(text, sizeof text, "%020u", i);
        memcpy(participant.id, text, PARTICIPANT_ID_CHARS);
        CHECK(participant_put(store, id, &participant) == STORE_OK);
        if (i % 5 < 2)
            CHECK(participant_leave(store, id, participant.id) == STORE_OK);
        CHECK(channel_entry_put(store, id, i % 2, span_string(text)) == STORE_OK);
    }
}

/* Goes in steps, also over a restart, and takes nobody else's. */
static struct store *test_end_of_channels(struct store *store)
{
    const char *why;
    unsigned steps = 0, count;
    CHECK(channel_forget(store, 50) == STORE_NONE);
    for (uint64_t id = 0; id < 4; id++)
        CHECK(channel_ended_put(store, id) == STORE_OK);
    while (channel_forget(store, 50) == STORE_OK)
        CHECK(store_commit(store) == STORE_OK);
    CHECK(left_of_all(store) == 1); /* of 256 */
    channel_fill(store, 255);
    channel_fill(store, 257);
    channel_fill(store, UINT64_MAX);
    CHECK(left_of_all(store) == 1 + 3 * 50);
    CHECK(channel_ended_put(store, 257) == STORE_OK);
    CHECK(channel_ended_put(store, UINT64_MAX) == STORE_OK);
    uint64_t before = left_of_all(store), now;
    for (steps = 0; channel_forget(store, 8) == STORE_OK; steps++) {
        CHECK(store_commit(store) == STORE_OK);
        now = left_of_all(store);
        CHECK(now < before && before - now <= 8);
        before = now;
        if (steps == 4) {
            store_close(store);
            store = open_store(MAP_USUAL, false, &why);
            CHECK(store != NULL);
            if (store == NULL)
                return NULL;
        }
    }
    CHECK(steps == (2 * 50 + 2) / 8 && left_of_all(store) == 1 + 50);
    CHECK(participant_count(store, 255, &count) == STORE_OK && count == 15);
    CHECK(listed(store, 256, CHANNEL_LIST_BANNED, "c@x "));
    /* What is no number is nobody's. */
    CHECK(store_put(store, TABLE_CHANNELS_ENDED, SPAN("\0"), SPAN("\1"), false) == STORE_OK);
    CHECK(channel_forget(store, 8) == STORE_NONE && left_of_all(store) == 1 + 50);
    return store;
}

/* A file of before there were channels: to who only reads, there are none. */
static void test_older_file(void)
{
    static const char *const tables[] = {"channels",     "channel_lists", "channels_ended",
                                         "participants", "former",        "memberships"};
    const char *why;
    struct channel channel;
    struct participant participant;
    struct membership membership;
    struct span text;
    uint64_t count = 9;
    unsigned few = 9;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    bool dropped = mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 4) == 0 &&
                   mdb_env_open(env, file, MDB_NOSUBDIR, 0600) == 0;
    for (size_t i = 0; dropped && i < sizeof tables / sizeof tables[0]; i++) {
        dropped = mdb_txn_begin(env, NULL, 0, &txn) == 0 &&
                  mdb_dbi_open(txn, tables[i], 0, &table) == 0 && mdb_drop(txn, table, 1) == 0 &&
                  mdb_txn_commit(txn) == 0;
    }
    mdb_env_close(env);
    CHECK(dropped);
    for (int read_only = 1; read_only >= 0; read_only--) {
        struct store *store = open_store(MAP_USUAL, read_only, &why);
        CHECK(store != NULL);
        CHECK(channel_next(store, SPAN_NONE, &text, &channel) == STORE_NONE);
        CHECK(channel_get(store, SPAN("a"), &channel) == STORE_NONE);
        CHECK(channel_count(store, &count) == STORE_OK && count == 0);
        CHECK(channel_damage(store, &count) == STORE_OK && count == 0);
        CHECK(participant_next(store, 255, NULL, &participant) == STORE_NONE);
        CHECK(participant_count(store, 255, &few) == STORE_OK && few == 0);
        CHECK(channel_entry_next(store, 256, CHANNEL_LIST_BANNED, SPAN_NONE, &text) == STORE_NONE);
        CHECK(membership_next(store, SPAN("a"), SPAN_NONE, &text, &membership) == STORE_NONE);
        CHECK(read_only || channel_ended_put(store, 1) == STORE_OK);
        CHECK(read_only || channel_forget(store, 9) == STORE_NONE);
        store_close(store);
    }
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    srand(20120411);
    memset(letters, 'x', sizeof letters);
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_people();
        test_random(store);
        test_limits(store);
        test_lists(store);
        test_damage(store);
        store = test_end_of_channels(store);
    }
    if (store != NULL) {
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
        test_older_file();
    }
    directory_remove();
    return test_end();
}
