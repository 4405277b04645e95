/* inlines.c: what a table of inline features (core/inline.h) promises to those who add rows: this
 * one has its own rows in place of the server's, and plays tests/sim/inlines.txt with them. */
#include "core/inline.h"

#include "base/must.h"
#include "house.h"
#include "platform/platform.h"
#include "store/forget.h"
#include "tick.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

#define NS_ONE "urn:example:one"
#define NS_TWO "urn:example:two"
#define NS_OLD "urn:example:old"
#define NS_ALWAYS "urn:example:always"

/* Before binding: takes the place of it, or says that it cannot. */
static void old_request(struct login *login)
{
    struct span id = stanza_attribute(login->stanza, login->node, "id");
    must(login->session->peer == PEER_USER && login->session->jid.resource_len == 0);
    login->resumed = span_is(id, "known");
    build_str(login->answer,
              login->resumed ? "<resumed xmlns='" NS_OLD "'/>" : "<failed xmlns='" NS_OLD "'/>");
}

static void bound_only(const struct login *login)
{
    must(login->session->peer == PEER_BOUND);
    must(session_find(login->server, &login->session->jid) == login->session);
}

static void one_request(struct login *login)
{
    bound_only(login);
    build_str(login->answer, "<enabled xmlns='" NS_ONE "'");
    build_attr(login->answer, "max", stanza_attribute(login->stanza, login->node, "max"));
    build_str(login->answer, "/>");
}

static void two_request(struct login *login)
{
    bound_only(login);
    login->session->priority = -1;
}

static void always_request(struct login *login)
{
    bound_only(login);
    must(login->node == NULL);
    build_str(login->answer, "<metadata xmlns='" NS_ALWAYS "'/>");
}

/* More than there is room for. */
static void flood_request(struct login *login)
{
    for (unsigned i = 0; i <= INLINE_ANSWER_BYTES / 16; i++)
        build_str(login->answer, "<x>0123456789</x>");
}

extern const struct inline_feature __wrap_inline_features[];
const struct inline_feature __wrap_inline_features[] = {
    {INLINE_INSTEAD, NS_OLD, "resume", "<old xmlns='" NS_OLD "'/>", old_request},
    {INLINE_BOUND, NS_ALWAYS, NULL, NULL, always_request},
    {INLINE_BOUND, NS_ONE, "enable", NS_ONE, one_request},
    {INLINE_BOUND, NS_TWO, "inactive", NS_TWO, two_request},
    {INLINE_BOUND, NS_TWO, "active", NULL, two_request},
    {INLINE_BOUND, "urn:example:flood", "flood", NULL, flood_request},
    {.namespace = NULL},
};

/* A client whose password is being derived. */
static struct client *deriving(struct play *play, const char *name)
{
    struct client *client = client_named(name, strlen(name));
    const struct server *server = house_server();
    if (!verb_opens(play, client, "", NULL))
        return NULL;
    client_say_string(client, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>"
                              "<initial-response>AHJvbWVvAHBlbmNpbA==</initial-response>"
                              "<bind xmlns='urn:xmpp:bind:0'/></authenticate>");
    for (unsigned i = 0; i < 2000 && server->deriving == NULL; i++)
        house_tick();
    if (server->deriving == NULL)
        play_fail(play, "no password is being derived");
    return server->deriving == NULL ? NULL : client;
}

/* The account goes meanwhile: what was proven is worth nothing. */
static bool deleted_while_deriving(struct play *play)
{
    struct store *store = house_server()->store;
    struct client *client = deriving(play, "romeo.gone");
    if (client == NULL)
        return false;
    bool gone = account_forget(store, SPAN("romeo"), plat_wall_us()) == STORE_OK;
    if (store_commit(store) != STORE_OK || !gone || !play_settle(play, 0))
        return play_fail(play, "the account is not gone");
    struct tree *failure = client_take(client);
    if (!failure || !tree_child(failure, "not-authorized"))
        return play_fail(play, "whose account is gone was let in");
    return true;
}

/* The server stops meanwhile: nobody is bound on a stream that ends. */
static bool stops_while_deriving(struct play *play)
{
    struct client *client = deriving(play, "romeo.late");
    if (client == NULL)
        return false;
    server_stop(house_server());
    return verb_is_ended_with(play, client, "system-shutdown", NULL);
}

int main(void)
{
    static const struct conditions conditions[] = {{.seed = 1}, {.seed = 2, .read_bytes = 1}};
    unsigned passed = 0, failed = 0;
    house_boot();
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct play play;
        bool fine = play_speak(&play, "tests/sim/inlines.txt", &conditions[i]) &&
                    deleted_while_deriving(&play) && house_account("romeo", "pencil", 0) &&
                    stops_while_deriving(&play);
        if (!fine)
            fprintf(stderr, "%s\n", play.report.bytes);
        house_close();
        passed += fine;
        failed += !fine;
    }
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
