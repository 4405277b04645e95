/* invites.c: invitations: there and back, used up, of whom, reserving names, ended, damaged. */
#include "store/invites.h"

#include "store_test.h"

#define HOUR UINT64_C(3600000000)

static struct invite sample(unsigned n)
{
    struct invite invite = {.start = {'a', 'b', 'c', 'd'},
                            .flags = INVITE_ACCOUNT | INVITE_CONTACT,
                            .made_us = UINT64_C(0x0102030405060708),
                            .expires_us = HOUR,
                            .uses_left = 1};
    for (unsigned i = 0; i < INVITE_HASH_BYTES; i++)
        invite.hash[i] = (uint8_t)(n * 7 + i);
    invite.hash[0] = (uint8_t)n;
    invite.hash[1] = (uint8_t)(n >> 8);
    return invite;
}

static bool same(const struct invite *a, const struct invite *b)
{
    return memcmp(a->hash, b->hash, sizeof a->hash) == 0 &&
           memcmp(a->start, b->start, sizeof a->start) == 0 && a->flags == b->flags &&
           a->made_us == b->made_us && a->expires_us == b->expires_us &&
           a->uses_left == b->uses_left && span_equal(a->owner, b->owner) &&
           span_equal(a->username, b->username) && span_equal(a->bound, b->bound) &&
           span_equal(a->note, b->note) && span_equal(a->channels, b->channels) &&
           span_equal(a->used_by, b->used_by);
}

static void test_records(struct store *store)
{
    struct invite invite = sample(1), got;
    CHECK(invite_get(store, invite.hash, &got) == STORE_NONE);
    CHECK(invite_put(store, &invite) == STORE_OK);
    CHECK(invite_get(store, invite.hash, &got) == STORE_OK && same(&got, &invite));
    invite.owner = SPAN("juliet");
    invite.username = SPAN("nurse");
    invite.bound = SPAN("nurse@verona.example");
    invite.note = SPAN("for <the> nurse");
    invite.channels = SPAN("a@mix.example\0b@mix.example\0");
    CHECK(invite_put(store, &invite) == STORE_OK && store_commit(store) == STORE_OK);
    CHECK(invite_get(store, invite.hash, &got) == STORE_OK && same(&got, &invite));
    /* What is read can be put, and read into itself. */
    got.flags = INVITE_ADMIN;
    invite.flags = INVITE_ADMIN;
    CHECK(invite_put(store, &got) == STORE_OK);
    CHECK(invite_get(store, got.hash, &got) == STORE_OK && same(&got, &invite));
    CHECK(invite_delete(store, invite.hash) == STORE_OK);
    CHECK(invite_delete(store, invite.hash) == STORE_NONE);
}

static void test_uses(struct store *store)
{
    struct invite invite = sample(2), got;
    char who[16];
    invite.uses_left = INVITE_USES_MAX;
    invite.note = SPAN("many");
    CHECK(invite_put(store, &invite) == STORE_OK);
    for (unsigned i = 0; i < INVITE_USES_MAX; i++) {
        snprintf(who, sizeof who, "u%u@x.example", i);
        CHECK(invite_get(store, invite.hash, &got) == STORE_OK);
        CHECK(got.uses_left == INVITE_USES_MAX - i && span_is(got.note, "many"));
        CHECK(!invite_used_by(&got, span_string(who)));
        CHECK(i == 0 || invite_used_by(&got, SPAN("u0@x.example")));
        /* An old reading of it counts all the same. */
        CHECK(invite_use(store, &invite, span_string(who)) == STORE_OK);
        if (i + 1 < INVITE_USES_MAX)
            CHECK(invite_get(store, invite.hash, &got) == STORE_OK &&
                  invite_used_by(&got, span_string(who)) && got.used_by.len == 8 * (size_t)(i + 1));
    }
    CHECK(invite_get(store, invite.hash, &got) == STORE_NONE);
    CHECK(invite_use(store, &invite, SPAN("late@x.example")) == STORE_NONE);
}

static void test_scans(struct store *store)
{
    struct invite got = {.flags = 0};
    unsigned count = 9, walked = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct invite invite = sample(i);
        invite.owner = i % 2 == 0 ? SPAN("juliet") : i % 4 == 1 ? SPAN("romeo") : SPAN("");
        invite.username = i == 7 ? SPAN("nurse") : i == 9 ? SPAN("peter") : SPAN("");
        invite.expires_us = i < 8 ? HOUR : 2 * HOUR;
        CHECK(invite_put(store, &invite) == STORE_OK);
    }
    struct span after = SPAN_NONE;
    while (invite_next(store, after, &got) == STORE_OK) {
        CHECK(got.hash[0] == walked++);
        after = span_of((const char *)got.hash, sizeof got.hash);
    }
    CHECK(walked == 20);
    CHECK(invite_count_of(store, SPAN("juliet"), 0, &count) == STORE_OK && count == 10);
    CHECK(invite_count_of(store, SPAN("juliet"), HOUR, &count) == STORE_OK && count == 6);
    CHECK(invite_count_of(store, SPAN("julie"), 0, &count) == STORE_OK && count == 0);
    CHECK(invite_reserving(store, SPAN("nurse"), HOUR - 1, &got) == STORE_OK && got.hash[0] == 7);
    CHECK(invite_reserving(store, SPAN("nurse"), HOUR, &got) == STORE_NONE);
    CHECK(invite_reserving(store, SPAN("peter"), HOUR, &got) == STORE_OK && got.hash[0] == 9);
    CHECK(invite_reserving(store, SPAN(""), HOUR, &got) == STORE_NONE);
    CHECK(invite_sweep(store, HOUR - 1, 99) == STORE_NONE);
    CHECK(invite_sweep(store, HOUR, 5) == STORE_OK);
    CHECK(invite_sweep(store, HOUR, 5) == STORE_NONE);
    CHECK(invite_count_of(store, SPAN("juliet"), 0, &count) == STORE_OK && count == 6);
    CHECK(invite_forget(store, SPAN("juliet"), 4) == STORE_OK);
    CHECK(invite_forget(store, SPAN("juliet"), 4) == STORE_NONE);
    CHECK(invite_count_of(store, SPAN("romeo"), 0, &count) == STORE_OK && count == 3);
    CHECK(invite_sweep(store, 2 * HOUR, 99) == STORE_NONE);
    CHECK(invite_next(store, SPAN_NONE, &got) == STORE_NONE);
}

static void test_limits(struct store *store)
{
    static char letters[5000];
    struct invite invite = sample(0), got;
    memset(letters, 'x', sizeof letters);
    invite.note = span_of(letters, INVITE_NOTE_BYTES_MAX + 1);
    CHECK(invite_put(store, &invite) == STORE_FULL);
    invite.note = SPAN("");
    invite.uses_left = INVITE_USES_MAX + 1;
    CHECK(invite_put(store, &invite) == STORE_FULL);
    invite.uses_left = 1;
    invite.channels = SPAN("no-end");
    CHECK(invite_put(store, &invite) == STORE_FULL);
    invite.channels = SPAN("1\0002\0003\0004\0005\0");
    CHECK(invite_put(store, &invite) == STORE_FULL);
    invite.channels = SPAN("1\0002\0003\0004\0");
    CHECK(invite_put(store, &invite) == STORE_OK);
    invite.channels = SPAN("");
    invite.bound = span_of(letters, sizeof letters);
    CHECK(invite_put(store, &invite) == STORE_FULL);
    /* Who could not be noted later is no surprise then. */
    invite.bound = span_of(letters, 3700);
    invite.uses_left = INVITE_USES_MAX;
    CHECK(invite_put(store, &invite) == STORE_FULL);
    invite.uses_left = 1;
    CHECK(invite_put(store, &invite) == STORE_OK);
    for (unsigned i = 1; i < INVITES_MAX; i++) {
        invite = sample(i);
        CHECK(invite_put(store, &invite) == STORE_OK);
    }
    invite = sample(INVITES_MAX);
    CHECK(invite_put(store, &invite) == STORE_FULL);
    invite = sample(3);
    CHECK(invite_put(store, &invite) == STORE_OK);
    CHECK(store_commit(store) == STORE_OK);
    CHECK(invite_sweep(store, HOUR, INVITES_MAX + 1) == STORE_NONE);
    CHECK(invite_next(store, SPAN_NONE, &got) == STORE_NONE);
}

static void test_damage(struct store *store)
{
    struct invite invite = sample(5), got;
    struct span key = span_of((const char *)invite.hash, sizeof invite.hash), record;
    char bytes[300];
    unsigned count;
    invite.owner = SPAN("juliet");
    invite.note = SPAN("note");
    invite.channels = SPAN("c\0");
    invite.uses_left = 2;
    CHECK(invite_put(store, &invite) == STORE_OK);
    CHECK(invite_use(store, &invite, SPAN("romeo@x.example")) == STORE_OK);
    CHECK(store_get(store, TABLE_INVITES, key, &record) == STORE_OK);
    size_t len = record.len;
    memcpy(bytes, record.bytes, len);
    CHECK(len == 36 + 6 + 4 + 2 + 8);
    for (size_t cut = 0; cut < len; cut++) {
        CHECK(store_put(store, TABLE_INVITES, key, span_of(bytes, cut), false) == STORE_OK);
        CHECK(invite_get(store, invite.hash, &got) == STORE_FAILED);
        CHECK(invite_next(store, SPAN_NONE, &got) == STORE_FAILED && got.hash[0] == 5);
        CHECK(invite_count_of(store, SPAN("juliet"), 0, &count) == STORE_OK && count == 0);
    }
    bytes[0] = 2;
    CHECK(store_put(store, TABLE_INVITES, key, span_of(bytes, len), false) == STORE_OK);
    CHECK(invite_get(store, invite.hash, &got) == STORE_FAILED);
    CHECK(store_put(store, TABLE_INVITES, SPAN("short"), SPAN("\1"), false) == STORE_OK);
    CHECK(invite_sweep(store, 0, 9) == STORE_NONE); /* the damaged go */
    CHECK(invite_next(store, SPAN_NONE, &got) == STORE_NONE);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_records(store);
        test_uses(store);
        test_scans(store);
        test_limits(store);
        test_damage(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
