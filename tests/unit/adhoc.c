/* adhoc.c: every row of adhoc[] is known by its node, and can be carried out by those it is meant
 * for and by nobody else. What is listed is what adhoc_allowed says: tests/dialogs/commands-*. */
#include "core/adhoc.h"

#include "store/accounts.h"
#include "store_test.h"

static struct server server;
static struct session session;

/* Makes it the turn of this account. */
static void turn_of(struct turn *turn, const char *name)
{
    static char scratch[512];
    struct arena text;
    arena_init(&text, scratch, sizeof scratch);
    *turn = (struct turn){.server = &server, .session = &session};
    CHECK(jid_of(span_string(name), SPAN("example.com"), SPAN("home"), &text, &session.jid));
}

static void account_make(const char *name, uint32_t flags)
{
    const struct account account = {.flags = flags, .iterations = 4096};
    CHECK(account_put(server.store, span_string(name), &account, false) == STORE_OK);
}

static void rows_are_found(void)
{
    struct turn turn;
    turn_of(&turn, "ann");
    for (size_t i = 0; i < adhoc_len; i++) {
        bool domain = adhoc[i].who != ADHOC_INVITERS && adhoc[i].who != ADHOC_KEEPERS;
        CHECK(adhoc_find(&turn, span_string(adhoc[i].node)) == (domain ? &adhoc[i] : NULL));
        CHECK(adhoc[i].name[0] != '\0' && adhoc[i].run != NULL);
    }
    CHECK(adhoc_find(&turn, SPAN("")) == NULL && adhoc_find(&turn, SPAN_NONE) == NULL);
    CHECK(adhoc_find(&turn, SPAN("urn:xmpp:invite")) == NULL);
}

/* How many rows this account may carry out; all of those for users are among them. */
static size_t allowed(const char *name)
{
    struct turn turn;
    size_t count = 0;
    turn_of(&turn, name);
    for (size_t i = 0; i < adhoc_len; i++) {
        bool may = adhoc_allowed(&turn, &adhoc[i]);
        if (adhoc[i].who == ADHOC_USERS)
            CHECK(may);
        count += may;
    }
    return count;
}

static void rows_are_for_somebody(void)
{
    size_t users = 0, registrars = 0, channels = 0;
    for (size_t i = 0; i < adhoc_len; i++) {
        users += adhoc[i].who == ADHOC_USERS;
        registrars += adhoc[i].who == ADHOC_REGISTRARS;
        channels += adhoc[i].who == ADHOC_INVITERS || adhoc[i].who == ADHOC_KEEPERS;
    }
    CHECK(users > 0 && users < adhoc_len && registrars > 0);
    config.registration = REGISTRATION_INVITE;
    CHECK(allowed("juliet") == users);
    CHECK(allowed("friar") == adhoc_len - channels);
    config.registration = REGISTRATION_CLOSED;
    CHECK(allowed("juliet") == users);
    CHECK(allowed("friar") == adhoc_len - channels - registrars);
}

/* An admin is one as long as the account says so, not as long as the session lasts. */
static void rights_end(void)
{
    struct turn turn;
    struct account account;
    turn_of(&turn, "friar");
    CHECK(adhoc_admin(&turn));
    CHECK(account_get(server.store, SPAN("friar"), &account) == STORE_OK);
    account.flags = 0;
    CHECK(account_put(server.store, SPAN("friar"), &account, true) == STORE_OK);
    CHECK(!adhoc_admin(&turn));
    CHECK(account_delete(server.store, SPAN("friar")) == STORE_OK);
    CHECK(!adhoc_admin(&turn));
}

int main(void)
{
    const char *why = "";
    if (!directory_make())
        return 1;
    server.store = open_store(MAP_USUAL, false, &why);
    CHECK(server.store != NULL);
    if (server.store == NULL)
        return test_end();
    plan.accounts = 10;
    account_make("juliet", 0);
    account_make("friar", ACCOUNT_ADMIN);
    rows_are_found();
    rows_are_for_somebody();
    rights_end();
    store_close(server.store);
    directory_remove();
    return test_end();
}
