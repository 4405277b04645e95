/* storm.c: clients that do legal and illegal things in an order rolled from a seed, against a
 * server that is short of everything. Whatever they do: every IQ request that the server itself
 * must answer is answered exactly once; a message comes at most once, in order, from its true
 * sender; nothing crashes; in the end all is given back. Arguments: first seed (1), number of seeds
 * (20), steps per seed (1500). */
#include "base/heap.h"
#include "house.h"
#include "verbs.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTORS 10
#define IDS 40000
#define CHANNEL "storm@mix." HOUSE_DOMAIN

enum fate { UNUSED, ASKED, ANSWERED, LOST };

/* One client and what it still expects. */
struct actor {
    struct client *client;
    enum { AWAY, CONNECTED, BOUND } state;
    char jid[128];
    const char *tail;           /* of a stanza that was half sent */
    unsigned last_seen[ACTORS]; /* newest message heard from each, to see the order */
    unsigned last_said[ACTORS]; /* the same in the channel */
};

static struct actor actors[ACTORS];
static uint8_t fates[IDS];   /* of the IQ request or message with that id */
static uint8_t senders[IDS]; /* who sent it */
static unsigned next_id;
static unsigned long answers, messages,
    said; /* heard in all, so that a storm in a glass of water shows */
static struct play play;

static unsigned actor_index(const struct actor *actor)
{
    return (unsigned)(actor - actors);
}

/* What it asked need not be answered any more. */
static void requests_lost(const struct actor *actor)
{
    for (unsigned id = 1; id < next_id; id++) {
        if (senders[id] == actor_index(actor) && fates[id] == ASKED)
            fates[id] = LOST;
    }
}

/* Its stream is over. */
static void actor_lost(struct actor *actor)
{
    requests_lost(actor);
    if (actor->client->link >= 0)
        world_reset(actor->client->link);
    actor->client->link = -1;
    actor->client->reader = NULL;
    actor->client->deaf = false;
    actor->state = AWAY;
    actor->tail = NULL;
    memset(actor->last_seen, 0, sizeof(actor->last_seen));
    memset(actor->last_said, 0, sizeof(actor->last_said));
}

static bool hear_answer(struct actor *actor, const struct tree *tree, unsigned id)
{
    const char *type = tree_attribute(tree, "type");
    bool answer = type && (strcmp(type, "result") == 0 || strcmp(type, "error") == 0);
    if (!answer || id == 0 || id >= next_id || fates[id] == UNUSED)
        return true;
    if (senders[id] != actor_index(actor))
        return play_fail(&play, "%s got the answer to somebody else's request %u",
                         actor->client->name, id);
    if (fates[id] == ANSWERED)
        return play_fail(&play, "request %u of %s was answered twice", id, actor->client->name);
    fates[id] = ANSWERED;
    answers++;
    return true;
}

/* Its id is the channel's; the sender's stands in the body. Once, and in each sender's order. */
static bool hear_channel(struct actor *actor, const struct tree *tree)
{
    const struct tree *body = tree_child(tree, "body");
    const struct tree *words = body ? body->child : NULL;
    unsigned id = words && words->text.bytes ? (unsigned)strtoul(words->text.bytes, NULL, 10) : 0;
    if (id == 0)
        return true; /* an event, a retraction */
    if (id >= next_id || actor->last_said[senders[id]] >= id)
        return play_fail(&play, "message %u in the channel came to %s twice or late", id,
                         actor->client->name);
    actor->last_said[senders[id]] = id;
    said++;
    return true;
}

static bool hear_message(struct actor *actor, const struct tree *tree, unsigned id)
{
    const char *type = tree_attribute(tree, "type");
    const char *from = tree_attribute(tree, "from");
    if (tree_child(tree, "event") || tree_child(tree, "result")) /* nobody's words */
        return true;
    if (from && strncmp(from, CHANNEL, strlen(CHANNEL)) == 0 &&
        !(type && strcmp(type, "error") == 0))
        return hear_channel(actor, tree);
    if (id == 0 || id >= next_id)
        return play_fail(&play, "%s got a message without its id", actor->client->name);
    if (type && strcmp(type, "error") == 0)
        return true;
    unsigned sender = senders[id];
    if (!from ||
        strncmp(from, actors[sender].client->account, strlen(actors[sender].client->account)) != 0)
        return play_fail(&play, "message %u came from %s", id, from ? from : "nobody");
    /* What was stored may come again where a session died before it was told all, and it comes
     * after what was said meanwhile to a resource that nobody's bare address reached. */
    if (tree_child(tree, "delay"))
        return true;
    if (actor->last_seen[sender] >= id)
        return play_fail(&play, "message %u of %s came to %s twice or after %u", id,
                         actors[sender].client->name, actor->client->name,
                         actor->last_seen[sender]);
    actor->last_seen[sender] = id;
    messages++;
    return true;
}

/* Reads what has come to everybody; false: something that must not be. */
static bool hear_all(void)
{
    bool fine = true;
    for (unsigned i = 0; i < ACTORS; i++) {
        struct actor *actor = &actors[i];
        struct client *client = actor->client;
        const struct tree *tree;
        if (client->link < 0)
            continue;
        const char *fault = client_fault(client);
        if (fault)
            fine = play_fail(&play, "%s: %s", client->name, fault);
        while ((tree = client_take(client)) != NULL) {
            const char *id = tree_attribute(tree, "id");
            unsigned number = id ? (unsigned)strtoul(id, NULL, 10) : 0;
            if (strcmp(tree->name, "iq") == 0)
                fine &= hear_answer(actor, tree, number);
            else if (strcmp(tree->name, "message") == 0)
                fine &= hear_message(actor, tree, number);
        }
        if (client->reader->ended || world_closed(client->link))
            actor_lost(actor);
    }
    return fine;
}

/* --- what an actor does --- */

static void act_connect(struct actor *actor)
{
    if (!client_connect(actor->client, NULL))
        return;
    actor->state = CONNECTED;
    client_expect_header(actor->client);
    if (world_dice(2) == 0)
        client_say_header(actor->client, NULL);
}

static void act_login(struct actor *actor)
{
    actor_lost(actor);
    size_t mark = play.report.len;
    if (verb_logs_in(&play, actor->client, "", NULL)) {
        const char *jid =
            variable(play.variables, actor->client->name, strlen(actor->client->name));
        snprintf(actor->jid, sizeof(actor->jid), "%s", jid);
        actor->state = BOUND;
    } else {
        actor_lost(actor); /* no room, or ended in the middle: that is its right */
        play.report.len = mark;
        play.report.bytes[mark] = '\0';
    }
    variables_back(play.variables, 0);
}

static void say(struct actor *actor, const struct text *text)
{
    struct client *client = actor->client;
    if (actor->tail) {
        client_say_string(client, actor->tail);
        actor->tail = NULL;
    }
    if (world_dice(8) > 0) {
        client_say(client, text->bytes, text->len);
        return;
    }
    size_t cut = world_dice((uint32_t)text->len);
    client_say(client, text->bytes, cut);
    actor->tail = memory_string(text->bytes + cut, text->len - cut);
}

static unsigned new_id(struct actor *actor, enum fate fate)
{
    if (next_id + 1 >= IDS)
        return 0;
    fates[next_id] = (uint8_t)fate;
    senders[next_id] = (uint8_t)actor_index(actor);
    return next_id++;
}

#define PUBSUB(inside) "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" inside "</pubsub>"
/* Many items that everybody may see. */
#define OPEN                                                                                       \
    "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"       \
    "http://jabber.org/protocol/pubsub#publish-options</value></field>"                            \
    "<field var='pubsub#access_model'><value>open</value></field>"                                 \
    "<field var='pubsub#max_items'><value>max</value></field></x></publish-options>"

/* Requests that the server answers by itself, whoever is there. */
static void act_ask(struct actor *actor)
{
    static const char *const targets[] = {
        "",        " to='example.com'", " to='nobody@example.com/x'", " to='juliet@example.com'",
        " to='@'", " to='example.org'"};
    static const char *const payloads[] = {
        "<ping xmlns='urn:xmpp:ping'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<query xmlns='jabber:iq:version'/>",
        "<query xmlns='urn:example:none'/>",
        "",
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
        PUBSUB("<publish node='a'><item><a xmlns='a'/>"
               "</item></publish>" OPEN),
        PUBSUB("<publish node='b'><item id='x'><a xmlns='a'/></item>"
               "</publish>"),
        PUBSUB("<items node='a'/>"),
        PUBSUB("<retract node='b'><item id='x'/></retract>"),
        PUBSUB("<subscribe node='a' jid='juliet@example.com'/>"),
        "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
        "<delete node='a'/></pubsub>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
        "<purge node='a'/></pubsub>"};
    enum { PAYLOADS = sizeof(payloads) / sizeof(payloads[0]) };
    struct text text = {0};
    text_format(&text, "<iq type='%s' id='%u'%s>", world_dice(2) ? "get" : "set",
                new_id(actor, ASKED), targets[world_dice(6)]);
    text_string(&text, payloads[world_dice(PAYLOADS)]);
    text_string(&text, "</iq>");
    say(actor, &text);
}

static void act_message(struct actor *actor)
{
    static const char *const types[] = {"chat", "normal", "headline", "groupchat", "error", "odd"};
    const struct actor *other = &actors[world_dice(ACTORS)];
    struct text text = {0};
    bool full = world_dice(2) && other->jid[0];
    text_format(&text, "<message type='%s' id='%u' to='%s%s'><body>", types[world_dice(6)],
                new_id(actor, UNUSED), full ? other->jid : other->client->account,
                full ? "" : "@" HOUSE_DOMAIN);
    unsigned len = world_dice(20) == 0 ? world_dice(70000) : world_dice(600);
    for (unsigned i = 0; i < len; i++)
        text_add(&text, "x", 1);
    text_string(&text, "</body></message>");
    say(actor, &text);
}

#define JOIN(nick)                                                                                 \
    "<client-join channel='" CHANNEL "' xmlns='urn:xmpp:mix:pam:2'><join "                         \
    "xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/>"                  \
    "<nick>" nick "</nick></join></client-join>"
#define MIX "xmlns='urn:xmpp:mix:core:1'"

/* Of the channel, of its service, of the own server about it. Leaving and the end are rare. */
static void act_channel_ask(struct actor *actor)
{
    static const char *const asks[][2] = {
        {" type='set' to='mix.example.com'", "<create channel='storm' " MIX "/>"},
        {" type='set'", JOIN("n")},
        {" type='set'", "<query xmlns='urn:xmpp:mam:2'/>"},
        {" type='set' to='" CHANNEL "'", "<query xmlns='urn:xmpp:mam:2'/>"},
        {" type='set' to='" CHANNEL "'", "<setnick " MIX "><nick>o</nick></setnick>"},
        {" type='set' to='" CHANNEL "'", "<leave " MIX "/>"},
        {" type='set' to='mix.example.com'", "<destroy channel='storm' " MIX "/>"},
    };
    enum { ASKS = sizeof(asks) / sizeof(asks[0]) };
    struct text text = {0};
    unsigned n = world_dice(20) ? world_dice(ASKS - 2) : world_dice(ASKS);
    text_format(&text, "<iq id='%u'%s>%s</iq>", new_id(actor, ASKED), asks[n][0], asks[n][1]);
    say(actor, &text);
}

static void act_channel_say(struct actor *actor)
{
    struct text text = {0};
    unsigned id = new_id(actor, UNUSED);
    text_format(&text,
                "<message type='groupchat' id='%u' to='" CHANNEL "'><body>%u</body>%*s</message>",
                id, id, (int)(world_dice(20) == 0 ? world_dice(60000) : world_dice(600)), "");
    say(actor, &text);
}

static void act_presence(struct actor *actor)
{
    static const char *const presences[] = {
        "<presence/>",
        "<presence/>",
        "<presence><priority>-1</priority></presence>",
        "<presence type='unavailable'/>",
        "<presence><priority>x</priority></presence>",
        "<presence to='romeo@example.com'/>",
        "<presence type='error'/>",
        "<presence type='probe' to='juliet@example.com'/>",
    };
    struct text text = {0};
    text_string(&text, presences[world_dice(8)]);
    say(actor, &text);
}

static void act_nonsense(struct actor *actor)
{
    static const char *const words[] = {
        " ",
        "\n\n",
        "</",
        "<a>",
        "&",
        "<!--",
        "<iq type='result'/>",
        "</stream:stream>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "\xff",
        "<message from='x'/>",
        "<stream:stream to='example.com' version='1.0'>",
        "<x:y/>",
        "]]>",
    };
    client_say_string(actor->client, words[world_dice(16)]);
    /* It may have begun something that never ends, so it asks no more; what it was in the middle of
     * asking is spoilt. */
    if (actor->tail)
        requests_lost(actor);
    actor->state = CONNECTED;
}

static void act_leave(struct actor *actor)
{
    switch (world_dice(4)) {
    case 0:
        client_say_string(actor->client, "</stream:stream>");
        return;
    case 1:
        world_finish(actor->client->link);
        return;
    case 2:
        world_leave(actor->client->link);
        actor->client->link = -1;
        break;
    default:
        break;
    }
    actor_lost(actor);
}

static void act(struct actor *actor)
{
    unsigned dice = world_dice(100);
    if (actor->state == AWAY) {
        if (dice < 80)
            act_login(actor);
        else
            act_connect(actor);
    } else if (actor->state == CONNECTED || dice < 4) {
        if (dice < 50)
            act_nonsense(actor);
        else
            act_leave(actor);
    } else if (dice < 30) {
        act_message(actor);
    } else if (dice < 42) {
        act_channel_say(actor);
    } else if (dice < 65) {
        act_ask(actor);
    } else if (dice < 75) {
        act_channel_ask(actor);
    } else if (dice < 92) {
        act_presence(actor);
    } else {
        actor->client->deaf = !actor->client->deaf;
    }
}

static bool storm_step(void)
{
    const char *complaint = NULL;
    unsigned dice = world_dice(100);
    act(&actors[world_dice(ACTORS)]);
    if (dice < 40)
        complaint = house_settle(0, clients_listen);
    else if (dice < 42)
        complaint = house_settle(world_dice(90000), clients_listen);
    else if (dice < 60 && house_tick())
        clients_listen();
    if (complaint || world_complaint())
        return play_fail(&play, "%s", complaint ? complaint : world_complaint());
    return hear_all();
}

/* Everybody listens and finishes what was begun; then all that was asked is answered. */
static bool storm_calm(void)
{
    for (unsigned i = 0; i < ACTORS; i++) {
        actors[i].client->deaf = false;
        if (actors[i].client->link >= 0 && actors[i].tail)
            client_say_string(actors[i].client, actors[i].tail);
        actors[i].tail = NULL;
    }
    for (unsigned i = 0; i < 3; i++) {
        const char *complaint = house_settle(120000, clients_listen);
        if (complaint)
            return play_fail(&play, "%s", complaint);
        if (!hear_all())
            return false;
    }
    for (unsigned id = 1; id < next_id; id++) {
        if (fates[id] == ASKED)
            return play_fail(&play, "request %u of %s was never answered", id,
                             actors[senders[id]].client->name);
    }
    return true;
}

static void storm_begin(unsigned seed)
{
    static const char *const names[ACTORS] = {
        "romeo.a",  "romeo.b",  "romeo.c", "romeo.d", "juliet.a",
        "juliet.b", "juliet.c", "nurse.a", "nurse.b", "nurse.c",
    };
    static const unsigned stuck[] = {0, 0, 2, 3, 7};
    memory_forget();
    clients_forget();
    world_begin(seed);
    world_cut(seed % 3 == 0 ? 1 + seed % 900 : 0);
    world_pinch(seed % 4 == 1 ? 1 + seed % 300 : 0, stuck[seed % 5]);
    memset(&play, 0, sizeof(play));
    memset(fates, 0, sizeof(fates));
    memset(actors, 0, sizeof(actors));
    play.path = "storm";
    play.line = (int)seed;
    play.variables = variables_new();
    text_string(&play.report, "");
    next_id = 1;
    for (unsigned i = 0; i < ACTORS; i++)
        actors[i].client = client_named(names[i], strlen(names[i]));
}

static bool storm(unsigned seed, unsigned steps)
{
    const char *why;
    bool fine = true;
    storm_begin(seed);
    house_begin();
    (void)house_set("sessions", seed % 2 ? "8" : "40");
    (void)house_set("chunks_shared", seed % 3 ? "90" : "2000");
    (void)house_set("leases", seed % 4 ? "1" : "4");
    (void)house_set("handshakes", "2");
    (void)house_set("resources", "3");
    (void)house_set("rate_limits", seed % 5 ? "no" : "yes");
    if (!house_open(&why))
        return play_fail(&play, "the server does not start: %s", why);
    fine = house_account("romeo", "pencil", 0) && house_account("juliet", "pencil", 0) &&
           house_account("nurse", "pencil", 0);
    for (unsigned i = 0; fine && i < steps; i++)
        fine = storm_step();
    fine = fine && storm_calm();
    return play_see_off(&play) && fine;
}

int main(int count, char **arguments)
{
    unsigned long first = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
    unsigned long seeds = count > 2 ? strtoul(arguments[2], NULL, 10) : 20;
    unsigned long steps = count > 3 ? strtoul(arguments[3], NULL, 10) : 1500;
    unsigned passed = 0, failed = 0;
    house_boot();
    for (unsigned long seed = first; seed < first + seeds; seed++) {
        bool fine = storm((unsigned)seed, (unsigned)steps);
        passed += fine;
        failed += !fine;
        if (!fine)
            fprintf(stderr, "seed %lu:\n%s", seed, play.report.bytes);
    }
    house_leave();
    printf("%lu requests answered, %lu messages delivered, %lu in a channel\n", answers, messages,
           said);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0 || answers == 0 || messages == 0 || said == 0;
}
