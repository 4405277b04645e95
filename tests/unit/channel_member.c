/* channel_member.c: an account in channels, and what becomes of them when it is deleted, on a store
 * and a server without sessions. PAM-3, PAM-4, PAM-8. */
#include "core/channel_member.h"
#include "core/channel_make.h"

#include "core/session.h"
#include "plan.h"
#include "store/accounts.h"
#include "store/forget.h"
#include "store/memberships.h"
#include "store_test.h"

#define NOW UINT64_C(1700000000000000)

static struct server server;
static struct session *bucket;
static char turn_bytes[256 << 10];

static struct jid jid(const char *text)
{
    struct jid jid = {0};
    CHECK(jid_parse(span_string(text), &server.arena, &jid));
    return jid;
}

static void account_make(const char *name)
{
    struct account account = {.iterations = 4096, .made_us = NOW};
    CHECK(account_put(server.store, span_string(name), &account, true) == STORE_OK);
}

static struct channel_here find(const char *local)
{
    struct channel_here here;
    memset(&here, 0, sizeof here);
    CHECK(channel_find(&server, span_string(local), &here) == STORE_OK);
    return here;
}

static void create(const char *local, const char *owner)
{
    struct jid who = jid(owner);
    struct channel_here here;
    CHECK(channel_create(&server, span_string(local), &who, &here) == CHANNEL_DONE);
}

static void join(const char *local, const char *who)
{
    struct channel_here here = find(local);
    struct channel_joining joining = {.who = jid(who), .nick_any = true};
    CHECK(channel_join(&server, &here, &joining) == CHANNEL_DONE);
}

static unsigned participants(const char *local)
{
    struct channel_here here = find(local);
    unsigned count = 99;
    CHECK(participant_count(server.store, here.channel.id, &count) == STORE_OK);
    return count;
}

static bool listed(const char *local, const char *contact)
{
    struct roster_item item;
    return roster_get(server.store, span_string(local), span_string(contact), &item) == STORE_OK;
}

/* Who the account is there; empty: nobody. */
static struct span seen_as(const char *local, const char *contact)
{
    static char id[PARTICIPANT_ID_CHARS];
    return channel_member_id(server.store, span_string(local), span_string(contact), id);
}

static void test_addresses(void)
{
    static const struct {
        const char *text;
        bool good;
    } addresses[] = {
        {"coven@mix.example.com", true},    {"mix.example.com", false},
        {"coven@mix.example.com/x", false}, {"1#coven@mix.example.com", false},
        {"coven@example.com", false},       {"coven@mix.example.net", false},
        {"coven@a.mix.example.com", false},
    };
    struct jid address;
    char text[256] = "";
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        address = jid(addresses[i].text);
        CHECK(channel_address(&address) == addresses[i].good);
    }
    memset(text, 'a', CHANNEL_LOCAL_BYTES_MAX + 1);
    strcat(text, "@mix.example.com");
    address = jid(text);
    CHECK(!channel_address(&address));
    address = jid(text + 1);
    CHECK(channel_address(&address));
}

static void test_seen(void)
{
    struct jid romeo = jid("romeo@example.com"), coven = jid("coven@mix.example.com");
    struct jid heath = jid("heath@mix.example.com");
    struct roster_item item = {.state = 0};
    create("coven", "romeo@example.com");
    CHECK(seen_as("romeo", "coven@mix.example.com").bytes == NULL);
    join("coven", "romeo@example.com");
    CHECK(seen_as("romeo", "coven@mix.example.com").len == PARTICIPANT_ID_CHARS);
    CHECK(seen_as("juliet", "coven@mix.example.com").bytes == NULL);
    CHECK(seen_as("romeo", "coven@example.com").bytes == NULL);
    CHECK(seen_as("romeo", "coven@mix.example.com/x").bytes == NULL);
    CHECK(seen_as("romeo", "coven").bytes == NULL && seen_as("romeo", "").bytes == NULL);
    CHECK(channel_member_leave(&server, &romeo, &coven) == CHANNEL_DONE);
    CHECK(seen_as("romeo", "coven@mix.example.com").bytes == NULL && participants("coven") == 0);
    CHECK(!listed("romeo", "coven@mix.example.com"));
    CHECK(channel_member_leave(&server, &romeo, &coven) == CHANNEL_DONE);
    /* What stands for a channel that is no more. */
    CHECK(roster_put(server.store, jid_local(&romeo), jid_bare(&heath), &item) == STORE_OK);
    CHECK(channel_member_leave(&server, &romeo, &heath) == CHANNEL_DONE);
    CHECK(!listed("romeo", "heath@mix.example.com"));
}

/* people: jids with a blank behind each. */
static void people_set(struct span *people, char *room, const char *text)
{
    size_t len = strlen(text);
    memcpy(room, text, len);
    for (size_t i = 0; i < len; i++)
        if (room[i] == ' ')
            room[i] = '\0';
    *people = span_of(room, len);
}

static bool people_are(struct span people, const char *text)
{
    char room[256];
    struct span wanted;
    people_set(&wanted, room, text);
    return span_equal(people, wanted);
}

static void change(const char *local, const char *owners, const char *admins, const char *contacts)
{
    char rooms[3][256];
    struct channel_here here = find(local);
    people_set(&here.channel.owners, rooms[0], owners);
    people_set(&here.channel.admins, rooms[1], admins);
    people_set(&here.channel.contacts, rooms[2], contacts);
    CHECK(channel_put(server.store, span_string(local), &here.channel) == STORE_OK);
}

static bool allowed(const char *local, const char *who)
{
    struct channel_here here = find(local);
    return channel_entry_get(server.store, here.channel.id, CHANNEL_LIST_ALLOWED,
                             span_string(who)) == STORE_OK;
}

/* One step after the other, each in a turn of its own. */
static unsigned quit_all(const char *text)
{
    struct jid who = jid(text);
    size_t mark = server.arena.used;
    enum store_outcome outcome;
    unsigned steps = 0;
    while ((outcome = channel_member_leave_next(&server, &who)) == STORE_OK) {
        steps++;
        arena_reset(&server.arena, mark);
        CHECK(store_commit(server.store) == STORE_OK);
    }
    CHECK(outcome == STORE_NONE);
    return steps;
}

static void test_deleted(void)
{
    struct channel_here here;
    create("one", "juliet@example.com");
    create("two", "juliet@example.com");
    create("three", "romeo@example.com");
    create("four", "romeo@example.com");
    join("two", "romeo@example.com");
    join("two", "juliet@example.com");
    join("three", "juliet@example.com");
    change("two", "juliet@example.com ", "nurse@example.com juliet@example.com paris@example.com ",
           "juliet@example.com romeo@example.com ");
    change("three", "romeo@example.com juliet@example.com ", "paris@example.com ", "");
    here = find("four");
    CHECK(channel_entry_put(server.store, here.channel.id, CHANNEL_LIST_ALLOWED,
                            SPAN("juliet@example.com")) == STORE_OK);
    CHECK(channel_entry_put(server.store, here.channel.id, CHANNEL_LIST_ALLOWED,
                            SPAN("paris@example.com")) == STORE_OK);
    CHECK(account_forget(server.store, SPAN("juliet"), NOW) == STORE_OK);
    CHECK(leaving_get(server.store, SPAN("juliet")) == STORE_OK);
    CHECK(quit_all("juliet@example.com") == 2 + 4);
    CHECK(participants("two") == 1 && participants("three") == 0);
    CHECK(seen_as("juliet", "two@mix.example.com").bytes == NULL);
    CHECK(people_are(find("one").channel.owners, "example.com "));
    CHECK(people_are(find("one").channel.admins, ""));
    CHECK(people_are(find("two").channel.owners, "nurse@example.com "));
    CHECK(people_are(find("two").channel.admins, "paris@example.com "));
    CHECK(people_are(find("two").channel.contacts, "romeo@example.com "));
    CHECK(people_are(find("three").channel.owners, "romeo@example.com "));
    CHECK(people_are(find("three").channel.admins, "paris@example.com "));
    CHECK(!allowed("four", "juliet@example.com") && allowed("four", "paris@example.com"));
    CHECK(people_are(find("four").channel.owners, "romeo@example.com "));
}

/* Who owns a channel only, and has no contact: the server is to do it. */
static void test_owner_alone(void)
{
    account_make("nurse");
    create("five", "nurse@example.com");
    CHECK(account_forget(server.store, SPAN("nurse"), NOW) == STORE_OK);
    CHECK(leaving_get(server.store, SPAN("nurse")) == STORE_OK);
    CHECK(quit_all("nurse@example.com") == 2); /* and what was made hers of another's */
    CHECK(people_are(find("five").channel.owners, "example.com "));
    CHECK(people_are(find("two").channel.owners, "paris@example.com "));
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    snprintf(config.domain, sizeof config.domain, "example.com");
    snprintf(config.mix_domain, sizeof config.mix_domain, "mix.example.com");
    config.channels = 20;
    config.participants_per_channel = 20;
    plan.participants = 20;
    plan.roster_items = 20;
    plan.output_bytes = 262144;
    server.store = open_store(MAP_USUAL, false, &why);
    server.buckets = &bucket;
    server.wall_us = NOW;
    arena_init(&server.arena, turn_bytes, sizeof turn_bytes);
    if (server.store == NULL) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    account_make("romeo");
    account_make("juliet");
    test_addresses();
    test_seen();
    test_deleted();
    test_owner_alone();
    store_close(server.store);
    directory_remove();
    return test_end();
}
