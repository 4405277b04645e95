/* channel.c: clients of several accounts say to channels, and about them, whatever the input makes
 * of the words below; each element that is begun is ended. Whatever it is, what they are told is
 * XML, others get on, and a channel and the accounts that are in it agree about who is. */
#include "base/log.h"
#include "core/session.h"
#include "store/channels.h"
#include "store/memberships.h"
#include "store/participants.h"
#include "store/rosters.h"
#include "tests/fuzz/served.h"
#include "tests/sim/verbs.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The world keeps every connection there ever was; so many inputs, then all begins anew. */
#define INPUTS 300
#define DEPTH 24
#define PEOPLE 4
#define REAPING_MS 5000

/* Bytes below are text, but for the first of all, which are orders. */
enum { WORDS_FROM = 112, ORDER_END = 0, ORDER_NEXT = 1, ORDER_BREAK = 2, ORDER_WAIT = 3 };

#define MIX "urn:xmpp:mix:core:1"
#define MISC "urn:xmpp:mix:misc:0"
#define NODES "urn:xmpp:mix:nodes:"
#define COVEN "coven@mix.example.com"
#define PUBSUB "http://jabber.org/protocol/pubsub"

static const struct {
    const char *begin;
    const char *end; /* NULL: it is whole, or text */
} words[] = {
    {"<iq id='1' type='set' to='" COVEN "'>", "</iq>"},
    {"<iq id='2' type='get' to='" COVEN "'>", "</iq>"},
    {"<iq id='3' type='set' to='mix.example.com'>", "</iq>"},
    {"<iq id='4' type='get' to='mix.example.com'>", "</iq>"},
    {"<iq id='5' type='set'>", "</iq>"},
    {"<iq id='6' type='get'>", "</iq>"},
    {"<iq id='7' type='set' to='heath@mix.example.com'>", "</iq>"},
    {"<message id='8' type='groupchat' to='" COVEN "'>", "</message>"},
    {"<message id='9' to='" COVEN "'>", "</message>"},
    {"<message type='groupchat' to='heath@mix.example.com' xml:lang='en'>", "</message>"},
    {"<presence to='" COVEN "'>", "</presence>"},
    {"<presence type='unavailable'>", "</presence>"},
    {"<presence>", "</presence>"},
    {"<create xmlns='" MIX "' channel='coven'/>", NULL},
    {"<create xmlns='" MIX "' channel='Heath'/>", NULL},
    {"<create xmlns='" MIX "'/>", NULL},
    {"<destroy xmlns='" MIX "' channel='coven'/>", NULL},
    {"<destroy xmlns='" MIX "' channel='heath'/>", NULL},
    {"<join xmlns='" MIX "'>", "</join>"},
    {"<leave xmlns='" MIX "'/>", NULL},
    {"<client-join xmlns='urn:xmpp:mix:pam:2' channel='" COVEN "'>", "</client-join>"},
    {"<client-leave xmlns='urn:xmpp:mix:pam:2' channel='" COVEN "'>", "</client-leave>"},
    {"<setnick xmlns='" MIX "'>", "</setnick>"},
    {"<update-subscription xmlns='" MIX "'>", "</update-subscription>"},
    {"<nick>", "</nick>"},
    {"<subscribe node='" NODES "messages'/>", NULL},
    {"<subscribe node='" NODES "participants'/>", NULL},
    {"<subscribe node='" NODES "info'/><subscribe node='" NODES "banned'/>", NULL},
    {"<subscribe node='" NODES "allowed'/><subscribe node='" NODES "config'/>", NULL},
    {"<unsubscribe node='" NODES "messages'/>", NULL},
    {"<pubsub xmlns='" PUBSUB "'>", "</pubsub>"},
    {"<pubsub xmlns='" PUBSUB "#owner'>", "</pubsub>"},
    {"<items node='" NODES "participants'>", "</items>"},
    {"<items node='" NODES "allowed'>", "</items>"},
    {"<items node='" NODES "banned'>", "</items>"},
    {"<items node='" NODES "info'>", "</items>"},
    {"<items node='" NODES "config'>", "</items>"},
    {"<publish node='" NODES "info'>", "</publish>"},
    {"<publish node='" NODES "config'>", "</publish>"},
    {"<publish node='" NODES "allowed'>", "</publish>"},
    {"<publish node='" NODES "banned'>", "</publish>"},
    {"<retract node='" NODES "allowed'>", "</retract>"},
    {"<retract node='" NODES "banned'>", "</retract>"},
    {"<create node='" NODES "allowed'/>", NULL},
    {"<delete node='" NODES "allowed'/>", NULL},
    {"<subscribe node='" NODES "info' jid='romeo@example.com'/>", NULL},
    {"<unsubscribe node='" NODES "participants' jid='juliet@example.com'/>", NULL},
    {"<affiliations/>", NULL},
    {"<item>", "</item>"},
    {"<item id='juliet@example.com'/>", NULL},
    {"<item id='romeo@example.com'/>", NULL},
    {"<item id='nurse@example.com'/>", NULL},
    {"<item id='example.com'/>", NULL},
    {"<item id='NURSE@example.com/x'/>", NULL},
    {"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" MIX "</value></field>",
     "</x>"},
    {"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
     "<value>urn:xmpp:mix:admin:0</value></field>",
     "</x>"},
    {"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
     "<value>urn:xmpp:mam:2</value></field>",
     "</x>"},
    {"<field var='Owner'>", "</field>"},
    {"<field var='Administrator'>", "</field>"},
    {"<field var='Contact'>", "</field>"},
    {"<field var='Name'>", "</field>"},
    {"<field var='Description'>", "</field>"},
    {"<field var='Mandatory Nicks'>", "</field>"},
    {"<field var='User Message Retraction'>", "</field>"},
    {"<field var='Participation Addition by Invitation from Participant'>", "</field>"},
    {"<field var='Participants Node Subscription'>", "</field>"},
    {"<field var='Allowed Node Subscription'>", "</field>"},
    {"<field var='Administrator Message Retraction Rights'>", "</field>"},
    {"<field var='with'>", "</field>"},
    {"<field var='include-groupchat'>", "</field>"},
    {"<value>true</value>", NULL},
    {"<value>0</value>", NULL},
    {"<value>admins</value>", NULL},
    {"<value>owners</value>", NULL},
    {"<value>nobody</value>", NULL},
    {"<value>anyone</value>", NULL},
    {"<value>romeo@example.com</value>", NULL},
    {"<value>juliet@example.com</value>", NULL},
    {"<value>nurse@example.com</value>", NULL},
    {"<value>" COVEN "</value>", NULL},
    {"<value>", "</value>"},
    {"<invite xmlns='" MISC "'>", "</invite>"},
    {"<invitee>nurse@example.com</invitee>", NULL},
    {"<invitee>", "</invitee>"},
    {"<invitation xmlns='" MISC "'>", "</invitation>"},
    {"<inviter>romeo@example.com</inviter><invitee>nurse@example.com</invitee><channel>" COVEN
     "</channel>",
     NULL},
    {"<token>", "</token>"},
    {"<preauth xmlns='urn:xmpp:pars:0' token='d1234567890abcdefghijklmnop'/>", NULL},
    {"<retract xmlns='" MISC "' id='1'/>", NULL},
    {"<body>", "</body>"},
    {"<mix xmlns='" MIX "'>", "</mix>"},
    {"<stanza-id xmlns='urn:xmpp:sid:0' id='x' by='" COVEN "'/>", NULL},
    {"<no-store xmlns='urn:xmpp:hints'/>", NULL},
    {"<composing xmlns='http://jabber.org/protocol/chatstates'/>", NULL},
    {"<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>", NULL},
    {"<query xmlns='urn:xmpp:mam:2'>", "</query>"},
    {"<metadata xmlns='urn:xmpp:mam:2'/>", NULL},
    {"<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set>", NULL},
    {"<query xmlns='http://jabber.org/protocol/disco#info'/>", NULL},
    {"<query xmlns='http://jabber.org/protocol/disco#items' node='mix'/>", NULL},
    {"<query xmlns='jabber:iq:roster'>", "</query>"},
    {"<annotate xmlns='urn:xmpp:mix:roster:0'/>", NULL},
    {"<item jid='" COVEN "' subscription='remove'/>", NULL},
    {"<item jid='" COVEN "' name='c'><group>g</group></item>", NULL},
    {"<block xmlns='urn:xmpp:blocking'>", "</block>"},
    {"<unblock xmlns='urn:xmpp:blocking'/>", NULL},
    {"<item jid='" COVEN "'/>", NULL},
    {"<query xmlns='jabber:iq:register'><remove/></query>", NULL},
    {"<enable xmlns='urn:xmpp:sm:3' resume='true'/>", NULL},
    {"&#x1f36a;&amp;", NULL},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static const char *const names[PEOPLE] = {"romeo", "juliet", "nurse", "tybalt"};

static struct play play;
static struct client *people[PEOPLE];
static unsigned inputs;

static void broken(const char *what)
{
    fprintf(stderr, "%s\n%s\n", what, play.report.bytes ? play.report.bytes : "");
    abort();
}

static void settle(uint64_t ms)
{
    const char *complaint = house_settle(ms, clients_listen);
    if (complaint || world_complaint())
        broken(complaint ? complaint : world_complaint());
    if (!house_is_open())
        broken("the server has stopped");
}

static void listen(void)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        const char *fault = client_fault(people[i]);
        if (fault)
            broken(fault);
        while (client_take(people[i]))
            ;
    }
}

static void begin(void)
{
    static unsigned seed;
    const char *why = "";
    house_close();
    memory_forget();
    clients_forget();
    world_begin(++seed);
    memset(&play, 0, sizeof(play));
    play.path = "fuzz";
    play.variables = variables_new();
    text_string(&play.report, "");
    house_begin();
    (void)house_set("sessions", "8");
    (void)house_set("chunks_shared", "600");
    (void)house_set("channels", "4");
    if (!house_open(&why))
        broken(why);
    for (unsigned i = 0; i < PEOPLE; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s.fuzz", names[i]);
        people[i] = client_named(name, strlen(name));
    }
    inputs = 0;
}

/* Whoever has gone comes again, as a new account where the old one is deleted. */
static void gather(void)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        if (people[i]->link >= 0)
            continue;
        (void)house_account(names[i], "pencil", 0);
        if (!verb_comes_online(&play, people[i], "", NULL))
            broken("a client cannot log in");
    }
    listen();
}

/* --- what must hold --- */

static bool member(const struct participant *participant, struct span channel)
{
    struct store *store = house_server()->store;
    struct span local = span_cut(participant->jid, 0, span_find(participant->jid, '@'));
    struct membership membership;
    if (membership_get(store, local, channel, &membership) != STORE_OK)
        return false;
    const struct stay *stay = membership_stay(&membership);
    return stay != NULL && memcmp(stay->id, participant->id, PARTICIPANT_ID_CHARS) == 0;
}

static void channel_agrees(struct span local, const struct channel *channel)
{
    struct store *store = house_server()->store;
    struct participant participant;
    enum store_outcome outcome = participant_next(store, channel->id, NULL, &participant);
    for (; outcome == STORE_OK;
         outcome = participant_next(store, channel->id, participant.id, &participant))
        if (!member(&participant, local))
            broken("a participant whose own server knows nothing of it");
    if (outcome != STORE_NONE)
        broken("the participants cannot be read");
}

static void account_agrees(const char *name)
{
    struct store *store = house_server()->store;
    struct span channel = SPAN_NONE;
    struct membership membership;
    struct channel there;
    struct participant participant;
    struct roster_item item;
    char jid[192];
    while (membership_next(store, span_string(name), channel, &channel, &membership) == STORE_OK) {
        const struct stay *stay = membership_stay(&membership);
        if (stay == NULL)
            continue;
        snprintf(jid, sizeof(jid), "%.*s@mix.example.com", (int)channel.len, channel.bytes);
        if (channel_get(store, channel, &there) != STORE_OK || there.id != stay->channel ||
            participant_get(store, there.id, stay->id, &participant) != STORE_OK)
            broken("a member of a channel that knows nothing of it");
        if (roster_get(store, span_string(name), span_string(jid), &item) != STORE_OK)
            broken("a member whose roster knows nothing of it");
    }
}

static void agree(void)
{
    struct store *store = house_server()->store;
    struct span local = SPAN_NONE;
    struct channel channel;
    while (channel_next(store, local, &local, &channel) == STORE_OK)
        if (!(channel.flags & CHANNEL_ENDING))
            channel_agrees(local, &channel);
    for (unsigned i = 0; i < PEOPLE; i++)
        account_agrees(names[i]);
    store_tick_end(store);
}

/* --- saying it --- */

struct speech {
    struct text text;
    const char *open[DEPTH];
    unsigned depth;
    unsigned who;
};

static void word_end(struct speech *speech)
{
    if (speech->depth > 0)
        text_string(&speech->text, speech->open[--speech->depth]);
}

static void speak(struct speech *speech)
{
    while (speech->depth > 0)
        word_end(speech);
    struct client *client = people[speech->who];
    if (speech->text.len > 0 && client->link >= 0 && !world_closed(client->link))
        client_say(client, speech->text.bytes, speech->text.len);
    speech->text.len = 0;
}

static void word(struct speech *speech, unsigned byte)
{
    const char *end = words[byte % WORDS].end;
    if (end && speech->depth == DEPTH)
        return;
    text_string(&speech->text, words[byte % WORDS].begin);
    if (end)
        speech->open[speech->depth++] = end;
}

static void say(const uint8_t *data, size_t size)
{
    struct speech speech = {.depth = 0};
    text_string(&speech.text, "");
    for (size_t i = 0; i < size; i++) {
        char byte = (char)data[i];
        if (data[i] >= WORDS_FROM)
            word(&speech, data[i] - WORDS_FROM);
        else if (data[i] >= ' ' && !strchr("<>&]", byte) && speech.depth > 0)
            text_add(&speech.text, &byte, 1);
        else if (data[i] == ORDER_END)
            word_end(&speech);
        else if (data[i] < ' ')
            speak(&speech);
        if (data[i] == ORDER_NEXT)
            speech.who = (speech.who + 1) % PEOPLE;
        if (data[i] == ORDER_BREAK && people[speech.who]->link >= 0)
            world_reset(people[speech.who]->link);
        if (data[i] == ORDER_WAIT)
            settle(0);
    }
    speak(&speech);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    served_begin();
    begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (++inputs > INPUTS)
        begin();
    gather();
    say(data, size);
    settle(REAPING_MS);
    listen();
    agree();
    for (unsigned i = 0; i < PEOPLE; i++) {
        if (people[i]->link >= 0)
            world_reset(people[i]->link);
        people[i]->link = -1;
    }
    settle(0);
    variables_back(play.variables, 0);
    return 0;
}
