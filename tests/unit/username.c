/* What may be the name of a new account (core/username.h): prepared, and nobody else's. */
#include "core/username.h"
#include "base/config.h"
#include "store/accounts.h"
#include "store/invites.h"
#include "store/released.h"
#include "store/rosters.h"
#include "store_test.h"

#define NOW_US 1000000000u

static struct store *store;

static bool becomes(const char *typed, const char *expected)
{
    struct span out;
    size_t mark = arena.used;
    bool good = username_prepare(span_string(typed), &arena, &out);
    bool fits = expected == NULL ? !good : good && span_is(out, expected);
    arena_reset(&arena, mark);
    return fits;
}

static void test_prepare(void)
{
    char longest[USERNAME_BYTES_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[USERNAME_BYTES_MAX] = '\0';
    CHECK(becomes("juliet", "juliet") && becomes("Juliet", "juliet"));
    CHECK(becomes("juliet@example.com", "juliet") && becomes("JULIET@Example.COM", "juliet"));
    CHECK(becomes("+1234567890", "+1234567890"));
    CHECK(becomes("juliet\\40capulett.com", "juliet\\40capulett.com"));
    CHECK(becomes("\xc3\x89lan", "\xc3\xa9lan"));
    CHECK(becomes("juliet@example.net", NULL) && becomes("juliet@", NULL));
    CHECK(becomes("@example.com", NULL) && becomes("", NULL) && becomes("two words", NULL));
    CHECK(becomes("a/b", NULL) && becomes("a\"b", NULL) && becomes("\xff", NULL));
    CHECK(becomes(longest, longest));
    longest[USERNAME_BYTES_MAX] = 'n';
    longest[USERNAME_BYTES_MAX + 1] = '\0';
    CHECK(becomes(longest, NULL));
}

static bool is(const char *local, enum username_fate fate)
{
    return username_look(store, span_string(local), NOW_US, NULL, false) == fate;
}

static void pending_make(const char *local, uint64_t expires_us)
{
    struct pending pending = {.local = span_string(local), .expires_us = expires_us};
    pending.handle_hash[0] = (uint8_t)local[0];
    CHECK(pending_put(store, &pending) == STORE_OK);
}

static void invite_make(const char *username, uint8_t hash, uint64_t expires_us)
{
    struct invite invite = {.flags = INVITE_ACCOUNT,
                            .expires_us = expires_us,
                            .uses_left = 1,
                            .username = span_string(username)};
    invite.hash[0] = hash;
    CHECK(invite_put(store, &invite) == STORE_OK);
}

static void test_look(void)
{
    struct account account = {.iterations = 4096};
    const uint8_t own[INVITE_HASH_BYTES] = {7}, other[INVITE_HASH_BYTES] = {8};
    CHECK(is("juliet", USERNAME_FREE));
    CHECK(account_put(store, SPAN("juliet"), &account, false) == STORE_OK);
    CHECK(leaving_put(store, SPAN("tybalt")) == STORE_OK);
    CHECK(released_put(store, SPAN("paris"), NOW_US + 1) == STORE_OK);
    CHECK(released_put(store, SPAN("rosaline"), NOW_US) == STORE_OK);
    CHECK(is("juliet", USERNAME_TAKEN) && is("tybalt", USERNAME_TAKEN));
    CHECK(is("paris", USERNAME_TAKEN) && is("rosaline", USERNAME_FREE));
    CHECK(is("mix", USERNAME_TAKEN) && is("prince", USERNAME_TAKEN));
    CHECK(is("escalus", USERNAME_TAKEN) && is("prince escalus", USERNAME_FREE));

    pending_make("nurse", NOW_US + 1);
    pending_make("peter", NOW_US);
    CHECK(is("nurse", USERNAME_TAKEN) && is("peter", USERNAME_FREE));
    CHECK(username_look(store, SPAN("nurse"), NOW_US, NULL, true) == USERNAME_FREE);

    invite_make("gregory", 7, NOW_US + 1);
    invite_make("samson", 9, NOW_US);
    CHECK(is("gregory", USERNAME_TAKEN) && is("samson", USERNAME_FREE));
    CHECK(username_look(store, SPAN("gregory"), NOW_US, own, false) == USERNAME_FREE);
    CHECK(username_look(store, SPAN("gregory"), NOW_US, other, false) == USERNAME_TAKEN);
    CHECK(username_look(store, SPAN("juliet"), NOW_US, own, true) == USERNAME_TAKEN);
}

int main(void)
{
    const char *why = "";
    if (!directory_make())
        return 1;
    strcpy(config.domain, "example.com");
    strcpy(config.reserved_names, "prince escalus");
    store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_prepare();
        test_look();
        store_close(store);
    }
    directory_remove();
    return test_end();
}
