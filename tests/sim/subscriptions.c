/* subscriptions.c: every cell of RFC 6121 Appendix A, with and without pre-approval, played by two
 * clients. The tables are those of requirements 2.2 in its own words; what each side must hear
 * follows from them here, not from the server's table. Then accounts that are deleted in every
 * state, and one with a large roster. */
#include "command.h"
#include "house.h"
#include "store/environment.h"
#include "store/rosters.h"
#include "verbs.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define STATES 9
#define EVENTS 4

static const char *const states[STATES] = {
    "None", "None+PO", "None+PI", "None+POI", "To", "To+PI", "From", "From+PO", "Both",
};
static const char *const events[EVENTS] = {"subscribe", "unsubscribe", "subscribed",
                                           "unsubscribed"};

/* What my user sends: routed or not, and the state after it. */
static const char *const outbound[STATES][EVENTS] = {
    /* None */ {"route None+PO", "route None", "approve None", "clear None"},
    /* None+PO */ {"route None+PO", "route None", "approve None+PO", "clear None+PO"},
    /* None+PI */ {"route None+POI", "route None+PI", "route From", "route None"},
    /* None+POI */ {"route None+POI", "route None+PI", "route From+PO", "route None+PO"},
    /* To */ {"route To", "route None", "approve To", "clear To"},
    /* To+PI */ {"route To+PI", "route None+PI", "route Both", "route To"},
    /* From */ {"route From+PO", "route From", "ignore From", "route None"},
    /* From+PO */ {"route From+PO", "route From", "ignore From+PO", "route None+PO"},
    /* Both */ {"route Both", "route From", "ignore Both", "route To"},
};

/* What arrives for my user. */
static const char *const inbound[STATES][EVENTS] = {
    /* None */ {"deliver None+PI", "ignore None", "ignore None", "ignore None"},
    /* None+PO */ {"deliver None+POI", "ignore None+PO", "deliver To", "deliver None"},
    /* None+PI */ {"ignore None+PI", "deliver None", "ignore None+PI", "ignore None+PI"},
    /* None+POI */ {"ignore None+POI", "deliver None+PO", "deliver To+PI", "deliver None+PI"},
    /* To */ {"deliver To+PI", "ignore To", "ignore To", "deliver None"},
    /* To+PI */ {"ignore To+PI", "deliver To", "ignore To+PI", "deliver None+PI"},
    /* From */ {"auto From", "deliver None", "ignore From", "ignore From"},
    /* From+PO */ {"auto From+PO", "deliver None+PO", "deliver Both", "deliver From"},
    /* Both */ {"auto Both", "deliver To", "ignore Both", "deliver From"},
};
/* The same for a subscribe that the user has approved before; NULL: cannot be. */
static const char *const inbound_approved[STATES] = {
    "auto From", "auto From+PO", NULL, NULL, "auto Both", NULL, NULL, NULL, NULL,
};

/* One side: letters of A.1 as a mask. */
static unsigned mask_of(const char *state)
{
    unsigned mask = 0;
    mask |= strncmp(state, "To", 2) == 0 || strcmp(state, "Both") == 0 ? ROSTER_TO : 0;
    mask |= strncmp(state, "From", 4) == 0 || strcmp(state, "Both") == 0 ? ROSTER_FROM : 0;
    mask |= strstr(state, "+PO") != NULL ? ROSTER_OUT : 0;
    mask |= strstr(state, "+PI") != NULL || strstr(state, "+POI") != NULL ? ROSTER_IN : 0;
    return mask;
}

static void side_set(const char *user, const char *contact, unsigned mask, bool approved)
{
    struct store *store = house_server()->store;
    struct roster_item item = {.state = (uint8_t)(mask & ~(unsigned)ROSTER_IN),
                               .approved = approved};
    bool done = true;
    if (item.state != 0 || approved)
        done = roster_put(store, span_string(user), span_string(contact), &item) == STORE_OK;
    if (mask & ROSTER_IN)
        done &= request_put(store, span_string(user), span_string(contact),
                            SPAN("<presence type='subscribe'/>")) == STORE_OK;
    if (!done || store_commit(store) != STORE_OK)
        fprintf(stderr, "no state can be set\n");
    store_tick_end(store);
}

static unsigned side_get(const char *user, const char *contact, bool *approved)
{
    struct store *store = house_server()->store;
    struct roster_item item;
    struct span request;
    enum store_outcome found = roster_get(store, span_string(user), span_string(contact), &item);
    unsigned mask = found == STORE_OK ? item.state : 0;
    *approved = found == STORE_OK && item.approved;
    if (request_get(store, span_string(user), span_string(contact), &request) == STORE_OK)
        mask |= ROSTER_IN;
    store_tick_end(store);
    return mask;
}

/* An item as a push has it: "[both,ask,approved]". */
static void push_text(struct text *out, unsigned mask, bool approved)
{
    static const char *const names[] = {"none", "to", "from", "both"};
    text_format(out, "[%s%s%s]", names[mask & (ROSTER_TO | ROSTER_FROM)],
                mask & ROSTER_OUT ? ",ask" : "", approved ? ",approved" : "");
}

/* What a client has heard, in one line: types of presence (available: "+"), items of pushes. */
static const char *heard(struct client *client)
{
    struct text out = {0};
    struct tree *tree;
    text_string(&out, "");
    while ((tree = client_take(client)) != NULL) {
        const char *type = tree_attribute(tree, "type");
        if (strcmp(tree->name, "presence") == 0) {
            const char *from = tree_attribute(tree, "from");
            const char *slash = from ? strchr(from, '/') : NULL;
            bool full = !type || strcmp(type, "unavailable") == 0;
            text_string(&out, (slash != NULL) != full ? "WRONG FROM " : "");
            text_format(&out, "%s ", type ? type : "+");
            continue;
        }
        const struct tree *query = tree_child(tree, "query");
        const struct tree *item = query ? tree_child(query, "item") : NULL;
        const char *subscription = item ? tree_attribute(item, "subscription") : NULL;
        text_format(&out, "[%s%s%s] ", subscription ? subscription : tree->name,
                    item && tree_attribute(item, "ask") ? ",ask" : "",
                    item && tree_attribute(item, "approved") ? ",approved" : "");
    }
    return out.bytes;
}

static bool line(struct play *play, const char *text)
{
    struct statement statement = {.count = 1, .parts = {text}};
    return play_statement(play, &statement);
}

static bool begin(struct play *play, unsigned seed)
{
    const char *why;
    memset(play, 0, sizeof *play);
    memory_forget();
    clients_forget();
    world_begin(seed);
    world_cut(0);
    world_pinch(0, 0);
    play->path = "subscriptions";
    play->variables = variables_new();
    text_string(&play->report, "");
    house_begin();
    return house_open(&why) && house_account("romeo", "pencil", 0) &&
           house_account("juliet", "pencil", 0);
}

static bool both_online(struct play *play)
{
    static const char get[] = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";
    struct client *romeo = client_named("romeo", 5), *juliet = client_named("juliet", 6);
    if (!line(play, "romeo comes online") || !line(play, "juliet comes online"))
        return false;
    client_say_string(romeo, get);
    client_say_string(juliet, get);
    if (!play_settle(play, 0))
        return false;
    (void)heard(romeo);
    (void)heard(juliet);
    return true;
}

/* What a side becomes, and what both must hear. */
struct expectation {
    unsigned mask;
    bool approved;
    struct text romeo, juliet;
};

static void push_if(struct text *out, unsigned before, bool was_approved, unsigned after,
                    bool approved)
{
    if (((before ^ after) & ~(unsigned)ROSTER_IN) == 0 && was_approved == approved)
        return;
    push_text(out, after, approved);
    text_string(out, " ");
}

/* Romeo sends; juliet's side stands so that whatever is routed has its effect. */
static unsigned expect_outbound(struct expectation *out, unsigned before, bool approved,
                                unsigned event, const char *cell)
{
    static const unsigned others[EVENTS] = {0, ROSTER_FROM, ROSTER_OUT, ROSTER_TO};
    static const char *const heard_there[EVENTS] = {"subscribe ", "unsubscribe [none] ",
                                                    "subscribed [to] + ", "unsubscribed [none] "};
    bool routed = strncmp(cell, "route", 5) == 0;
    out->mask = mask_of(strchr(cell, ' ') + 1);
    out->approved = strncmp(cell, "approve", 7) == 0 || (approved && event != 3);
    push_if(&out->romeo, before, approved, out->mask, out->approved);
    if (routed && event == 1) /* she is seen no more */
        text_string(&out->romeo, "unavailable ");
    if (routed && event == 3 && (before & ROSTER_FROM))
        text_string(&out->juliet, "unavailable ");
    text_string(&out->juliet, routed ? heard_there[event] : "");
    return others[event];
}

/* Juliet sends; her side stands so that it is routed. */
static unsigned expect_inbound(struct expectation *out, unsigned before, bool approved,
                               unsigned event, const char *cell)
{
    static const unsigned others[EVENTS] = {0, 0, ROSTER_IN, ROSTER_IN};
    bool automatic = strncmp(cell, "auto", 4) == 0;
    out->mask = mask_of(strchr(cell, ' ') + 1);
    out->approved = approved && !automatic;
    if (strncmp(cell, "deliver", 7) == 0)
        text_format(&out->romeo, "%s ", events[event]);
    push_if(&out->romeo, before, approved, out->mask, out->approved);
    if (event == 0)
        text_string(&out->juliet, "[none,ask] ");
    if (event == 0 && automatic)
        text_string(&out->juliet, "subscribed [to] + ");
    if (event == 1 && (before & ROSTER_FROM)) /* he is seen no more */
        text_string(&out->juliet, "unavailable ");
    if (event == 2) {
        text_string(&out->juliet, "[from] ");
        text_string(&out->romeo, "+ "); /* now she lets him see her */
    }
    return others[event];
}

static bool cell_play(struct play *play, bool in, unsigned state, unsigned event, bool approved,
                      const char *cell)
{
    char stanza[128];
    struct expectation expected = {0};
    struct client *sender, *romeo, *juliet;
    unsigned before = mask_of(states[state]);
    bool still;
    if (!begin(play, state * EVENTS + event))
        return play_fail(play, "the house cannot be opened");
    text_string(&expected.romeo, "");
    text_string(&expected.juliet, "");
    unsigned other =
        (in ? expect_inbound : expect_outbound)(&expected, before, approved, event, cell);
    side_set("romeo", "juliet@example.com", before, approved);
    side_set("juliet", "romeo@example.com", other, false);
    if (!both_online(play))
        return false;
    romeo = client_named("romeo", 5);
    juliet = client_named("juliet", 6);
    sender = in ? juliet : romeo;
    snprintf(stanza, sizeof stanza, "<presence to='%s@example.com' type='%s'/>",
             in ? "romeo" : "juliet", events[event]);
    client_say_string(sender, stanza);
    if (!play_settle(play, 0))
        return false;
    const char *romeo_heard = heard(romeo), *juliet_heard = heard(juliet);
    if (strcmp(romeo_heard, expected.romeo.bytes) != 0)
        return play_fail(play, "romeo heard: %s; not: %s", romeo_heard, expected.romeo.bytes);
    if (strcmp(juliet_heard, expected.juliet.bytes) != 0)
        return play_fail(play, "juliet heard: %s; not: %s", juliet_heard, expected.juliet.bytes);
    if (side_get("romeo", "juliet@example.com", &still) != expected.mask ||
        still != expected.approved)
        return play_fail(play, "romeo's side is not as it should be");
    return true;
}

/* --- deleting --- */

static bool romeo_delete(struct play *play)
{
    char bytes[512];
    struct build reply = {.bytes = bytes, .size = sizeof bytes};
    command_answer(house_server(), SPAN("user del\nromeo\n\n"), &reply);
    if (reply.full || strstr(bytes, "exit 0") == NULL)
        return play_fail(play, "not deleted: %.*s", (int)reply.used, bytes);
    return play_settle(play, 0);
}

/* Whether nothing of romeo is left. */
static bool romeo_gone(struct play *play)
{
    struct store *store = house_server()->store;
    struct roster_walk walk;
    struct roster_item item;
    struct roster_head head;
    struct span contact, request, local = SPAN("romeo");
    roster_walk_begin(&walk, local);
    bool gone = roster_next(store, &walk, &contact, &item) == STORE_NONE &&
                request_next(store, &walk, &contact, &request) == STORE_NONE &&
                roster_head(store, local, &head) == STORE_OK && head.version == 0 &&
                leaving_first(store, &local) == STORE_NONE;
    store_tick_end(store);
    return gone || play_fail(play, "romeo has left something behind");
}

/* What stands between the two ends on her side, whatever it was; she sees him go if she saw him. */
static bool deletion_play(struct play *play, unsigned state)
{
    static const unsigned mirror[] = {
        [ROSTER_TO] = ROSTER_FROM,
        [ROSTER_FROM] = ROSTER_TO,
        [ROSTER_OUT] = ROSTER_IN,
        [ROSTER_IN] = ROSTER_OUT,
    };
    unsigned his = mask_of(states[state]), hers = 0;
    bool approved;
    for (unsigned bit = 1; bit <= ROSTER_IN; bit *= 2)
        hers |= his & bit ? mirror[bit] : 0;
    if (!begin(play, state))
        return play_fail(play, "the house cannot be opened");
    side_set("romeo", "juliet@example.com", his, false);
    side_set("juliet", "romeo@example.com", hers, false);
    if (!both_online(play) || !romeo_delete(play))
        return false;
    const char *there = heard(client_named("juliet", 6));
    unsigned unavailable = 0;
    for (const char *at = there; (at = strstr(at, "unavailable")) != NULL; at++)
        unavailable++;
    if (unavailable != (hers & ROSTER_TO ? 1 : 0))
        return play_fail(play, "juliet heard: %s", there);
    if (side_get("juliet", "romeo@example.com", &approved) != 0)
        return play_fail(play, "something still stands between them; juliet heard: %s", there);
    (void)heard(client_named("romeo", 5)); /* not-authorized */
    return romeo_gone(play);
}

/* More contacts than one transaction takes. */
static bool crowd_play(struct play *play)
{
    enum { CROWD = 300 };
    char name[32], address[64];
    bool approved;
    if (!begin(play, 1))
        return play_fail(play, "the house cannot be opened");
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "user%u", i);
        snprintf(address, sizeof address, "%s@example.com", name);
        if (!house_account(name, "pencil", 0))
            return play_fail(play, "no account %s", name);
        side_set("romeo", address, ROSTER_TO | ROSTER_FROM, false);
        side_set(name, "romeo@example.com", ROSTER_TO | ROSTER_FROM, false);
    }
    uint64_t commits = house_server()->store->commits;
    if (!romeo_delete(play) || !romeo_gone(play))
        return false;
    if (house_server()->store->commits - commits < 5)
        return play_fail(play, "all in one piece");
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "user%u", i);
        if (side_get(name, "romeo@example.com", &approved) != 0)
            return play_fail(play, "%s still knows romeo", name);
    }
    return true;
}

/* Deleted while the server did not run (or it was stopped before it had done): the next one does.
 */
static bool offline_play(struct play *play)
{
    const char *why;
    bool approved;
    if (!begin(play, 1))
        return play_fail(play, "the house cannot be opened");
    side_set("romeo", "juliet@example.com", ROSTER_TO | ROSTER_FROM, false);
    side_set("juliet", "romeo@example.com", ROSTER_TO | ROSTER_FROM, false);
    struct store *store = house_server()->store;
    if (leaving_put(store, SPAN("romeo")) != STORE_OK || store_commit(store) != STORE_OK)
        return play_fail(play, "not deleted");
    house_close();
    if (!house_open(&why) || !line(play, "juliet comes online") || !romeo_gone(play))
        return play_fail(play, "not done by the next one");
    return side_get("juliet", "romeo@example.com", &approved) == 0 ||
           play_fail(play, "something still stands between them");
}

static unsigned passed, failed;

static void count(struct play *play, bool fine, const char *what)
{
    fine = play_see_off(play) && fine;
    passed += fine;
    failed += !fine;
    if (!fine)
        fprintf(stderr, "%s    %s\n", play->report.bytes, what);
}

static void cell(bool in, unsigned state, unsigned event, bool approved, const char *text)
{
    struct play play;
    char what[128];
    bool fine = cell_play(&play, in, state, event, approved, text);
    snprintf(what, sizeof what, "%s %s%s, %s: %s", in ? "inbound" : "outbound", states[state],
             approved ? " approved" : "", events[event], text);
    count(&play, fine, what);
}

int main(void)
{
    house_boot();
    for (unsigned state = 0; state < STATES; state++) {
        for (unsigned event = 0; event < EVENTS; event++) {
            cell(false, state, event, false, outbound[state][event]);
            cell(true, state, event, false, inbound[state][event]);
        }
        if (inbound_approved[state] == NULL)
            continue;
        for (unsigned event = 0; event < EVENTS; event++) {
            cell(false, state, event, true, outbound[state][event]);
            cell(true, state, event, true,
                 event == 0 ? inbound_approved[state] : inbound[state][event]);
        }
    }
    for (unsigned state = 0; state < STATES; state++) {
        struct play play;
        bool fine = deletion_play(&play, state);
        count(&play, fine, states[state]);
    }
    struct play play;
    bool fine = crowd_play(&play);
    count(&play, fine, "a crowd");
    fine = offline_play(&play);
    count(&play, fine, "deleted offline");
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
