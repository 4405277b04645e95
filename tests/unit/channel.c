/* Tests of src/core/channel*.c where no client can reach them alone: what somebody is to a channel,
 * whom a private one lets in, ids, nicks that are found, limits, what a destroyed one leaves. */
#include "core/channel_make.h"
#include "store/accounts.h"
#include "store/memberships.h"
#include "store_test.h"

#define MANY 40 /* more than leave a destroyed channel in one tick */

static struct server server;
static struct session *buckets[1];
static struct channel_here coven;

static void account_make(const char *name, uint64_t made_us)
{
    const struct account account = {.iterations = 4096, .made_us = made_us};
    CHECK(account_put(server.store, span_string(name), &account, true) == STORE_OK);
}

static struct jid jid_make(const char *name)
{
    struct jid jid;
    CHECK(jid_of(span_string(name), SPAN("example.com"), SPAN(""), &server.arena, &jid));
    return jid;
}

/* Each step is a tick of its own. */
static void tick(void)
{
    CHECK(store_commit(server.store) == STORE_OK);
    store_tick_end(server.store);
    arena_reset(&server.arena, server.arena_kept);
    server.now_ms++;
    server.wall_us += 1000;
    CHECK(channel_find(&server, SPAN("coven"), &coven) == STORE_OK);
}

static void flags_put(uint8_t flags)
{
    coven.channel.flags = flags;
    CHECK(channel_put(server.store, SPAN("coven"), &coven.channel) == STORE_OK);
    tick();
}

static void entry(enum channel_list list, const char *jid, bool there)
{
    CHECK((there ? channel_entry_put(server.store, coven.channel.id, list, span_string(jid))
                 : channel_entry_delete(server.store, coven.channel.id, list, span_string(jid))) ==
          STORE_OK);
    tick();
}

static bool is(const char *name, enum channel_role role, bool banned)
{
    enum channel_role found;
    bool found_banned;
    struct jid jid = jid_make(name);
    return channel_role(&server, &coven.channel, jid_bare(&jid), &found, &found_banned) ==
               STORE_OK &&
           found == role && found_banned == banned;
}

static enum channel_outcome join(const char *name, struct channel_joining *joining)
{
    joining->who = jid_make(name);
    enum channel_outcome outcome = channel_join(&server, &coven, joining);
    CHECK(store_commit(server.store) == STORE_OK);
    return outcome;
}

static enum channel_outcome enter(const char *name, bool invited)
{
    struct channel_joining joining = {.nick_any = true, .invited = invited};
    enum channel_outcome outcome = join(name, &joining);
    tick();
    return outcome;
}

static void leave(const char *name)
{
    struct jid jid = jid_make(name);
    CHECK(channel_leave(&server, &coven, &jid, true) == CHANNEL_DONE);
    tick();
}

static bool has_membership(const char *name, const char *channel)
{
    struct membership membership;
    return membership_get(server.store, span_string(name), span_string(channel), &membership) ==
               STORE_OK &&
           membership_stay(&membership) != NULL;
}

static bool in_roster(const char *name, const char *contact)
{
    struct roster_item item;
    return roster_get(server.store, span_string(name), span_string(contact), &item) == STORE_OK;
}

/* MX-2, MX-6, MX-21, XEP-0406 2.1. */
static void roles(void)
{
    CHECK(is("romeo", ROLE_OWNER, false) && is("juliet", ROLE_ALLOWED, false));
    CHECK(enter("juliet", false) == CHANNEL_DONE && is("juliet", ROLE_PARTICIPANT, false));
    leave("juliet");
    entry(CHANNEL_LIST_BANNED, "juliet@example.com", true);
    CHECK(is("juliet", ROLE_ANYONE, true) && enter("juliet", false) == CHANNEL_FORBIDDEN);
    CHECK(enter("juliet", true) == CHANNEL_FORBIDDEN);
    entry(CHANNEL_LIST_BANNED, "example.com", true);
    CHECK(is("romeo", ROLE_OWNER, false) && is("nurse", ROLE_ANYONE, true));
    coven.channel.admins = SPAN("nurse@example.com\0");
    flags_put(coven.channel.flags);
    CHECK(is("nurse", ROLE_ADMIN, false));
    CHECK(channel_may_invite(&coven.channel, ROLE_ADMIN, false));
    CHECK(!channel_may_invite(&coven.channel, ROLE_ADMIN, true));
    CHECK(!channel_may_invite(&coven.channel, ROLE_PARTICIPANT, false));
    coven.channel.admins = SPAN("");
    flags_put(CHANNEL_NICKS_NEEDED | CHANNEL_INVITE_ALL);
    CHECK(channel_may_invite(&coven.channel, ROLE_PARTICIPANT, false));
    CHECK(!channel_may_invite(&coven.channel, ROLE_ALLOWED, false));
    entry(CHANNEL_LIST_BANNED, "example.com", false);
    entry(CHANNEL_LIST_BANNED, "juliet@example.com", false);
}

/* MT-6: an invitation is used only where it is needed. */
static void private_channel(void)
{
    struct channel_joining joining = {.nick = SPAN("Juliet"), .invited = true};
    CHECK(!channel_node_there(&coven.channel, CHANNEL_ALLOWED));
    flags_put(CHANNEL_NICKS_NEEDED | CHANNEL_PRIVATE);
    CHECK(channel_node_there(&coven.channel, CHANNEL_ALLOWED));
    CHECK(is("juliet", ROLE_ANYONE, false) && enter("juliet", false) == CHANNEL_FORBIDDEN);
    CHECK(!has_membership("juliet", "coven") && !in_roster("juliet", "coven@mix.example.com"));
    CHECK(join("juliet", &joining) == CHANNEL_DONE && joining.invitation_used);
    tick();
    CHECK(channel_entry_get(server.store, coven.channel.id, CHANNEL_LIST_ALLOWED,
                            SPAN("juliet@example.com")) == STORE_OK);
    CHECK(has_membership("juliet", "coven") && in_roster("juliet", "coven@mix.example.com"));
    CHECK(join("juliet", &joining) == CHANNEL_DONE && !joining.invitation_used);
    leave("juliet");
    CHECK(!has_membership("juliet", "coven") && !in_roster("juliet", "coven@mix.example.com"));
    CHECK(is("juliet", ROLE_ALLOWED, false) && is("nurse", ROLE_ANYONE, false));
    entry(CHANNEL_LIST_ALLOWED, "example.com", true);
    CHECK(is("nurse", ROLE_ALLOWED, false) && enter("nurse", false) == CHANNEL_DONE);
    entry(CHANNEL_LIST_ALLOWED, "example.com", false);
    CHECK(is("nurse", ROLE_PARTICIPANT, false)); /* in it is in it */
    leave("nurse");
    flags_put(CHANNEL_NICKS_NEEDED);
}

static bool id_of(const char *name, char id[PARTICIPANT_ID_CHARS])
{
    struct jid jid = jid_make(name);
    return channel_id_of(&server, &coven.channel, jid_bare(&jid), id);
}

/* MX-5. */
static void ids(void)
{
    char first[PARTICIPANT_ID_CHARS], second[PARTICIPANT_ID_CHARS];
    CHECK(id_of("juliet", first) && id_of("juliet", second) && memcmp(first, second, 20) == 0);
    for (size_t i = 0; i < sizeof first; i++)
        CHECK(strchr("0123456789abcdef", first[i]) != NULL);
    CHECK(id_of("nurse", second) && memcmp(first, second, 20) != 0);
    account_make("juliet", 77); /* another one of that name */
    CHECK(id_of("juliet", second) && memcmp(first, second, 20) != 0);
    account_make("juliet", 1);
    coven.channel.secret[31] ^= 1;
    CHECK(id_of("juliet", second) && memcmp(first, second, 20) != 0);
    coven.channel.secret[31] ^= 1;
    CHECK(!id_of("nobody", first));
    CHECK(!channel_id_of(&server, &coven.channel, SPAN("juliet@example.net"), first));
    CHECK(!channel_id_of(&server, &coven.channel, SPAN("example.com"), first));
}

static bool nick_is(const char *name, const char *asked, bool any, const char *had)
{
    struct channel_joining joining = {.nick = span_string(asked), .nick_any = any};
    enum channel_outcome outcome = join(name, &joining);
    bool good = had == NULL ? outcome == CHANNEL_NAME_TAKEN
                            : outcome == CHANNEL_DONE && span_is(joining.nick_had, had);
    tick();
    return good;
}

/* MX-7, MX-11, MT-8. */
static void nicks(void)
{
    CHECK(nick_is("juliet", "Witch", false, "Witch"));
    CHECK(nick_is("nurse", "wITCH", false, NULL) && nick_is("nurse", "WITCH", true, "WITCH2"));
    CHECK(nick_is("romeo", "witch", true, "witch3"));
    leave("nurse");
    CHECK(nick_is("nurse", "witch", true, "witch2"));
    leave("nurse");
    CHECK(nick_is("nurse", "", true, "nurse"));
    leave("juliet");
    leave("nurse");
    CHECK(nick_is("nurse", "romeo", false, "romeo") && nick_is("romeo", "romeo", false, NULL));
    leave("romeo");
    CHECK(nick_is("romeo", "", true, "romeo2"));
    leave("romeo");
    leave("nurse");
    flags_put(0);
    struct channel_joining joining = {.nick = SPAN("")};
    CHECK(join("nurse", &joining) == CHANNEL_DONE && joining.nick_had.len == 0);
    tick();
    leave("nurse");
    flags_put(CHANNEL_NICKS_NEEDED);
}

static void limits(void)
{
    char name[16];
    struct channel_here other;
    struct jid romeo = jid_make("romeo");
    plan.participants = 1;
    CHECK(enter("juliet", false) == CHANNEL_DONE && enter("nurse", false) == CHANNEL_FULL);
    CHECK(enter("juliet", false) == CHANNEL_DONE);
    plan.participants = 1000;
    config.participants_per_channel = 1;
    CHECK(enter("nurse", false) == CHANNEL_FULL && !has_membership("nurse", "coven"));
    config.participants_per_channel = 1000;
    leave("juliet");
    for (unsigned i = 1; i < MEMBERSHIPS_MAX + 1; i++) {
        struct channel_joining joining = {.who = romeo, .nick_any = true};
        romeo = joining.who = jid_make("romeo");
        snprintf(name, sizeof name, "room%u", i);
        CHECK(channel_create(&server, span_string(name), &romeo, &other) == CHANNEL_DONE);
        CHECK(channel_join(&server, &other, &joining) == CHANNEL_DONE);
        tick();
    }
    CHECK(enter("romeo", false) == CHANNEL_FULL && !in_roster("romeo", "coven@mix.example.com"));
    config.channels = MEMBERSHIPS_MAX + 1;
    romeo = jid_make("romeo");
    CHECK(channel_create(&server, SPAN("one"), &romeo, &other) == CHANNEL_FULL);
    config.channels = 1000;
    tick();
}

/* What is left of the many who were in it. */
static unsigned many_left(void)
{
    char name[16];
    unsigned left = 0;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many%02u", i);
        bool member = has_membership(name, "heath");
        CHECK(member == in_roster(name, "heath@mix.example.com"));
        left += member;
    }
    return left;
}

/* 6.3: nobody finds it from the first moment on; the rest goes in steps, also over a restart. */
static void destroyed(void)
{
    char name[16];
    struct channel_here heath;
    struct channel channel;
    struct participant participant;
    struct jid who = jid_make("romeo");
    CHECK(channel_create(&server, SPAN("heath"), &who, &heath) == CHANNEL_DONE);
    uint64_t id = heath.channel.id;
    tick();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many%02u", i);
        account_make(name, i + 1);
        struct channel_joining joining = {.who = jid_make(name), .nick_any = true};
        CHECK(channel_find(&server, SPAN("heath"), &heath) == STORE_OK);
        CHECK(channel_join(&server, &heath, &joining) == CHANNEL_DONE);
        tick();
    }
    CHECK(channel_find(&server, SPAN("heath"), &heath) == STORE_OK);
    CHECK(many_left() == MANY && channel_destroy(&server, &heath) == CHANNEL_DONE);
    tick();
    CHECK(channel_find(&server, SPAN("heath"), &heath) == STORE_NONE && many_left() == MANY);
    channel_reap(&server);
    tick();
    unsigned left = many_left();
    CHECK(left > 0 && left < MANY);
    server.channel_reap_ms = 0; /* as after a restart */
    for (unsigned i = 0; i < MANY && server.channel_reap_ms != UINT64_MAX; i++) {
        channel_reap(&server);
        tick();
    }
    CHECK(server.channel_reap_ms == UINT64_MAX && many_left() == 0);
    CHECK(channel_get(server.store, SPAN("heath"), &channel) == STORE_NONE);
    CHECK(participant_next(server.store, id, NULL, &participant) == STORE_NONE);
    who = jid_make("romeo");
    CHECK(channel_create(&server, SPAN("Heath"), &who, &heath) == CHANNEL_NAME_TAKEN);
    account_make("heath", 1); /* an account's name is another thing */
    server.wall_us += UINT64_C(31) * 86400 * 1000000;
    CHECK(channel_create(&server, SPAN("heath"), &who, &heath) == CHANNEL_DONE);
    CHECK(heath.channel.id != id);
    tick();
}

/* Where there is no room nothing is written. */
static void no_room(void)
{
    struct channel_joining joining = {.nick_any = true};
    size_t used = server.arena.used;
    server.arena.used = server.arena.size - 20000; /* too little for a push */
    CHECK(join("nurse", &joining) == CHANNEL_NO_ROOM);
    server.arena.used = used;
    CHECK(!has_membership("nurse", "coven") && !in_roster("nurse", "coven@mix.example.com"));
}

int main(void)
{
    const char *why = "";
    struct channel_here made;
    if (!directory_make())
        return 1;
    strcpy(config.domain, "example.com");
    strcpy(config.mix_domain, "mix.example.com");
    config.channels = config.participants_per_channel = 1000;
    plan.participants = plan.roster_items = 1000;
    plan.output_bytes = 1 << 20;
    server.store = open_store(MAP_USUAL, false, &why);
    CHECK(server.store != NULL);
    if (server.store != NULL) {
        server.arena = arena;
        server.arena_kept = arena.used;
        server.buckets = buckets;
        server.wall_us = 1000000;
        account_make("romeo", 1);
        account_make("juliet", 1);
        account_make("nurse", 1);
        struct jid romeo = jid_make("romeo");
        CHECK(channel_create(&server, SPAN("coven"), &romeo, &made) == CHANNEL_DONE);
        tick();
        roles();
        private_channel();
        ids();
        nicks();
        no_room();
        limits();
        destroyed();
        store_close(server.store);
    }
    directory_remove();
    return test_end();
}
