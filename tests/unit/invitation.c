/* invitation.c: invitations made within their limits, found, opened and redeemed by an account, on
 * a store and a server without sessions. INV-1 ... INV-5, INV-8, INV-19, INV-22. */
#include "core/invitation.h"

#include "core/session.h"
#include "plan.h"
#include "store/accounts.h"
#include "store_test.h"

#define NOW UINT64_C(1700000000000000)
#define DAY UINT64_C(86400000000)

static struct server server;
static struct session *bucket;
static char turn_bytes[64 << 10];

static struct span made_token(char token[TOKEN_CHARS])
{
    return span_of(token, TOKEN_CHARS);
}

static enum invitation_outcome make(const struct invitation_wish *wish, char token[TOKEN_CHARS],
                                    struct invite *made)
{
    return invitation_make(server.store, wish, NOW, token, made);
}

static bool account_make(const char *name)
{
    struct account account = {.iterations = 4096};
    return account_put(server.store, span_string(name), &account, true) == STORE_OK;
}

static struct jid jid(const char *text)
{
    struct jid jid = {0};
    CHECK(jid_parse(span_string(text), &server.arena, &jid));
    return jid;
}

/* The state of an item; 255: there is none. */
static unsigned state(const char *local, const char *contact)
{
    struct roster_item item;
    return roster_get(server.store, span_string(local), span_string(contact), &item) == STORE_OK
               ? item.state
               : 255;
}

static void test_terms(void)
{
    const struct invitation_wish plain = {.flags = INVITE_ACCOUNT, .owner = SPAN("romeo")};
    struct invitation_wish wish = plain;
    struct invite made, found;
    char token[TOKEN_CHARS];
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(invite_get(server.store, made.hash, &found) == STORE_OK);
    CHECK(found.expires_us == NOW + 7 * DAY && found.made_us == NOW && found.uses_left == 1);
    CHECK(memcmp(found.start, token, INVITE_START_CHARS) == 0);
    wish.seconds = 30 * DAY / 1000000;
    wish.uses = 1000;
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(made.expires_us == NOW + 7 * DAY && made.uses_left == INVITE_USES_MAX);
    wish.unlimited = true;
    wish.username = SPAN("juliet");
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(made.expires_us == NOW + 30 * DAY && made.uses_left == 1);
    CHECK(make(&wish, token, &made) == INVITATION_NAME_TAKEN); /* reserved by the one before */
    wish.username = SPAN("romeo");
    CHECK(make(&wish, token, &made) == INVITATION_NAME_TAKEN);
    wish = plain;
    CHECK(make(&wish, token, &made) == INVITATION_TOO_MANY);
    wish.unlimited = true;
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    wish = plain;
    wish.owner = SPAN("nurse"); /* has none yet */
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
}

static bool link_is(uint8_t flags, const char *username, const char *expected)
{
    struct invite invite = {
        .flags = flags, .owner = SPAN("romeo"), .username = span_string(username)};
    struct build build;
    size_t mark = server.arena.used;
    build_init(&build, &server.arena, 256);
    invitation_link(&build, &invite, SPAN("abc"));
    bool is = span_is(build_span(&build), expected);
    arena_reset(&server.arena, mark);
    return is;
}

static void test_links(void)
{
    CHECK(link_is(INVITE_CONTACT, "", "xmpp:romeo@example.com?roster;preauth=abc"));
    CHECK(link_is(INVITE_CONTACT | INVITE_ACCOUNT, "",
                  "xmpp:romeo@example.com?roster;preauth=abc;ibr=y"));
    CHECK(link_is(INVITE_ACCOUNT, "", "xmpp:example.com?register;preauth=abc"));
    CHECK(link_is(INVITE_ACCOUNT, "juliet", "xmpp:juliet@example.com?register;preauth=abc"));
    CHECK(link_is(INVITE_ACCOUNT | INVITE_CONTACT, "juliet",
                  "xmpp:juliet@example.com?register;preauth=abc"));
}

static void test_finding(void)
{
    const struct invitation_wish wish = {.flags = INVITE_CONTACT, .owner = SPAN("tybalt")};
    struct invite made, found;
    char token[TOKEN_CHARS], id[INVITATION_ID_CHARS];
    struct span text = span_of(id, sizeof id);
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    invitation_id(&made, id);
    CHECK(invitation_find(server.store, text, SPAN_NONE, &found) == STORE_OK);
    CHECK(memcmp(found.hash, made.hash, sizeof found.hash) == 0);
    CHECK(invitation_find(server.store, text, SPAN("tybalt"), &found) == STORE_OK);
    CHECK(invitation_find(server.store, text, SPAN("romeo"), &found) == STORE_NONE);
    CHECK(invitation_find(server.store, SPAN("00"), SPAN_NONE, &found) == STORE_NONE);
    /* Another one that begins alike. */
    made.hash[INVITE_HASH_BYTES - 1] ^= 1;
    made.owner = SPAN("romeo");
    CHECK(invite_put(server.store, &made) == STORE_OK);
    CHECK(invitation_find(server.store, text, SPAN_NONE, &found) == STORE_EXISTS);
    CHECK(invitation_find(server.store, text, SPAN("tybalt"), &found) == STORE_OK);
    CHECK(invite_delete(server.store, made.hash) == STORE_OK);
}

static bool befriends(struct span token, const char *owner, const char *who, uint64_t now_us)
{
    struct invite found;
    return invitation_befriends(server.store, token, span_string(owner), span_string(who), now_us,
                                &found);
}

static void test_checks(void)
{
    struct invitation_wish wish = {
        .flags = INVITE_CONTACT, .owner = SPAN("romeo"), .uses = 3, .unlimited = true};
    struct invite made, found;
    char token[TOKEN_CHARS];
    struct span text = made_token(token);
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(befriends(text, "romeo", "paris@example.com", NOW));
    CHECK(befriends(text, "romeo", "paris@example.com", NOW + 7 * DAY - 1));
    CHECK(!befriends(text, "romeo", "paris@example.com", NOW + 7 * DAY));
    CHECK(!befriends(text, "tybalt", "paris@example.com", NOW));
    CHECK(!befriends(span_cut(text, 0, 25), "romeo", "paris@example.com", NOW));
    CHECK(!invitation_opens(server.store, text, NOW, &found)); /* makes no account */
    CHECK(invite_use(server.store, &made, SPAN("paris@example.com")) == STORE_OK);
    CHECK(!befriends(text, "romeo", "paris@example.com", NOW)); /* INV-16 */
    CHECK(befriends(text, "romeo", "peter@example.com", NOW));
    CHECK(invite_get(server.store, made.hash, &made) == STORE_OK);
    made.bound = SPAN("peter@example.com"); /* INV-4 */
    CHECK(invite_put(server.store, &made) == STORE_OK);
    CHECK(befriends(text, "romeo", "peter@example.com", NOW));
    CHECK(!befriends(text, "romeo", "friar@example.com", NOW));
    wish.flags = INVITE_ACCOUNT;
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(invitation_opens(server.store, text, NOW, &found) && found.uses_left == 3);
    CHECK(!invitation_opens(server.store, text, NOW + 7 * DAY, &found));
    CHECK(!befriends(text, "romeo", "friar@example.com", NOW));
}

/* An account that is locked or gone lets nobody in, however many tokens it has left. */
static void test_owner(void)
{
    const struct invitation_wish wish = {
        .flags = INVITE_ACCOUNT | INVITE_CONTACT, .owner = SPAN("mercutio"), .unlimited = true};
    struct account locked = {.iterations = 4096, .flags = ACCOUNT_DISABLED};
    struct invite made, found;
    char token[TOKEN_CHARS];
    struct span text = made_token(token);
    CHECK(account_make("mercutio"));
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(invitation_opens(server.store, text, NOW, &found));
    CHECK(befriends(text, "mercutio", "peter@example.com", NOW));
    CHECK(account_put(server.store, SPAN("mercutio"), &locked, true) == STORE_OK);
    CHECK(!invitation_opens(server.store, text, NOW, &found));
    CHECK(!befriends(text, "mercutio", "peter@example.com", NOW));
    CHECK(account_make("mercutio"));
    CHECK(invitation_opens(server.store, text, NOW, &found));
    CHECK(account_delete(server.store, SPAN("mercutio")) == STORE_OK);
    CHECK(!invitation_opens(server.store, text, NOW, &found));
    CHECK(!befriends(text, "mercutio", "peter@example.com", NOW));
}

static void test_redeeming(void)
{
    struct invitation_wish wish = {.flags = INVITE_ACCOUNT | INVITE_CONTACT | INVITE_ADMIN,
                                   .owner = SPAN("romeo"),
                                   .uses = 2,
                                   .unlimited = true};
    const struct jid benvolio = jid("benvolio@example.com"),
                     balthasar = jid("balthasar@example.com");
    struct roster_item asked = {.state = ROSTER_OUT, .approved = true, .name = SPAN("Ben")};
    struct invite made;
    char token[TOKEN_CHARS];
    bool is_admin = false;
    CHECK(roster_put(server.store, SPAN("romeo"), jid_bare(&benvolio), &asked) == STORE_OK);
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(invitation_redeem_account(&server, made.hash, &benvolio, &is_admin) == STORE_OK);
    CHECK(is_admin);
    CHECK(state("romeo", "benvolio@example.com") == (ROSTER_TO | ROSTER_FROM));
    CHECK(state("benvolio", "romeo@example.com") == (ROSTER_TO | ROSTER_FROM));
    CHECK(roster_get(server.store, SPAN("romeo"), jid_bare(&benvolio), &asked) == STORE_OK);
    CHECK(span_is(asked.name, "Ben") && !asked.approved);
    /* The owner is gone: the account is made, nobody is befriended; then it is used up. */
    CHECK(account_delete(server.store, SPAN("romeo")) == STORE_OK);
    CHECK(invitation_redeem_account(&server, made.hash, &balthasar, &is_admin) == STORE_OK);
    CHECK(state("romeo", "balthasar@example.com") == 255);
    CHECK(state("balthasar", "romeo@example.com") == 255);
    CHECK(invitation_redeem_account(&server, made.hash, &balthasar, &is_admin) == STORE_NONE);
    CHECK(account_make("romeo"));
    wish.flags = INVITE_ACCOUNT;
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(invitation_redeem_account(&server, made.hash, &balthasar, &is_admin) == STORE_OK);
    CHECK(!is_admin && state("balthasar", "romeo@example.com") == 255);
}

static void test_shortage(void)
{
    struct invitation_wish wish = {
        .flags = INVITE_ACCOUNT | INVITE_CONTACT, .owner = SPAN("tybalt"), .unlimited = true};
    const struct jid first = jid("first@example.com"), second = jid("second@example.com");
    struct invite made;
    char token[TOKEN_CHARS];
    bool is_admin;
    plan.roster_items = 1;
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    CHECK(invitation_redeem_account(&server, made.hash, &first, &is_admin) == STORE_OK);
    CHECK(state("tybalt", "first@example.com") == (ROSTER_TO | ROSTER_FROM));
    CHECK(make(&wish, token, &made) == INVITATION_MADE);
    /* No memory: nothing is done. A full roster: the account goes without a contact. */
    size_t used = server.arena.used;
    server.arena.used = server.arena.size - 1000;
    CHECK(invitation_redeem_account(&server, made.hash, &second, &is_admin) == STORE_FULL);
    server.arena.used = used;
    CHECK(invitation_redeem_account(&server, made.hash, &second, &is_admin) == STORE_OK);
    CHECK(state("tybalt", "second@example.com") == 255);
    CHECK(state("second", "tybalt@example.com") == 255);
    wish.flags = INVITE_ACCOUNT;
    unsigned count = 0;
    while (make(&wish, token, &made) == INVITATION_MADE)
        count++;
    CHECK(count > 0 && count <= INVITES_MAX);
    CHECK(make(&wish, token, &made) == INVITATION_TOO_MANY);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    snprintf(config.domain, sizeof config.domain, "example.com");
    config.invites_per_account = 3;
    config.invite_lifetime = 7 * DAY / 1000000;
    plan.roster_items = 100;
    plan.output_bytes = 65536;
    server.store = open_store(MAP_USUAL, false, &why);
    server.buckets = &bucket;
    server.wall_us = NOW;
    arena_init(&server.arena, turn_bytes, sizeof turn_bytes);
    if (server.store == NULL) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    CHECK(account_make("romeo") && account_make("tybalt") && account_make("nurse"));
    test_terms();
    test_links();
    test_finding();
    test_checks();
    test_owner();
    test_redeeming();
    test_shortage();
    store_close(server.store);
    directory_remove();
    return test_end();
}
