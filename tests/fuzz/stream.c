/* stream.c: the whole server in the test world. The first byte says whether what follows comes from
 * a stranger or on a bound stream, and in what pieces it is read; bytes from 128 on stand for words
 * of the protocol. Whatever it is, what the server says is XML, others get on, and when the stream
 * is over everything is given back. */
#include "base/log.h"
#include "core/session.h"
#include "tests/fuzz/served.h"
#include "tests/sim/verbs.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The world keeps every connection there ever was; so many inputs, then all begins anew. */
#define INPUTS 400
#define DEADLINES_MS 130000

#define HEADER                                                                                     \
    "<stream:stream to='example.com' version='1.0' xmlns='jabber:client' "                         \
    "xmlns:stream='http://etherx.jabber.org/streams'>"

/* Bits of the first byte; two more choose the pieces. With all the rest set, deadlines pass. */
enum { BOUND = 1, SEND_CUT = 2, HALF_CLOSE = 4, CUT_SHIFT = 3, PATIENT = 0xe0 };

static const size_t cuts[] = {0, 1, 3, 64};

/* What byte 128 and the following stand for; the others are themselves. */
static const char *const words[] = {
    HEADER,
    "</stream:stream>",
    "<message to='juliet@example.com/balcony'>",
    "<message to='juliet@example.com/balcony' type='chat' ",
    "</message>",
    "<body>",
    "</body>",
    "<presence>",
    "<presence ",
    "</presence>",
    "<priority>",
    "</priority>",
    "<iq id='1' type='get'>",
    "<iq id='2' type='set' to='example.com'>",
    "<iq id='3' type='result' to='juliet@example.com/balcony'>",
    "</iq>",
    "<query xmlns='jabber:iq:roster'>",
    "</query>",
    "<item jid='romeo@example.com' ",
    "</item>",
    "<group>",
    "</group>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    "<query xmlns='jabber:iq:version'/>",
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>",
    "</bind>",
    "<resource>",
    "</resource>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>",
    "</response>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "</auth>",
    "AG5ib2R5AHRoaW5n",
    "biwsbj1ib2IscjEyMzQ1Njc4OTA=",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "type='unavailable'",
    "type='subscribe'",
    "type='subscribed'",
    "type='unsubscribe'",
    "type='probe'",
    "type='error'",
    " to='romeo@example.com'",
    " from='juliet@example.com/fuzz'",
    " xmlns='jabber:client'",
    " xmlns:x='urn:x'",
    " xml:lang='en'",
    "<x:y>",
    "<![CDATA[",
    "]]>",
    "<?xml version='1.0'?>",
    "<!--",
    "&amp;",
    "&#x10ffff;",
    "\xf0\x9f\x8d\xaa",
    "\xff",
    "subscription='remove'",
    "/>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'>",
    "<initial-response>",
    "</initial-response>",
    "AGp1bGlldABwZW5jaWw=",
    "anVsaWV0ADEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEy",
    "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>",
    "<bind xmlns='urn:xmpp:bind:0'><tag>fuzz</tag></bind>",
    "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>",
    "<fast xmlns='urn:xmpp:fast:0' count='1'/>",
    "</authenticate>",
    "<response xmlns='urn:xmpp:sasl:2'>",
    "<abort xmlns='urn:xmpp:sasl:2'/>",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static struct play play;
static struct client *observer, *stranger;
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

static void listen_to(struct client *client)
{
    const char *fault = client_fault(client);
    if (fault)
        broken(fault);
    while (client_take(client))
        ;
}

static void begin(void)
{
    const char *why;
    static unsigned seed;
    house_close();
    memory_forget();
    clients_forget();
    world_begin(++seed);
    memset(&play, 0, sizeof(play));
    play.path = "fuzz";
    play.variables = variables_new();
    text_string(&play.report, "");
    house_begin();
    (void)house_set("sessions", "4");
    (void)house_set("leases", "2");
    (void)house_set("chunks_shared", "300");
    if (!house_open(&why) || !house_account("juliet", "pencil", 0) ||
        !house_account("romeo", "pencil", 0))
        broken(why);
    observer = client_named("juliet.balcony", strlen("juliet.balcony"));
    stranger = client_named("juliet.fuzz", strlen("juliet.fuzz"));
    if (!verb_comes_online(&play, observer, "", NULL))
        broken("the observer cannot log in");
    inputs = 0;
}

/* The observer's stream is as it was: a word to itself comes back. */
static void observe(void)
{
    settle(0);
    listen_to(observer);
    client_say_string(observer, "<message id='here' to='juliet@example.com/balcony'/>");
    settle(0);
    const struct tree *came = client_take(observer);
    const char *id = came ? tree_attribute(came, "id") : NULL;
    if (!id || strcmp(id, "here") != 0)
        broken("the observer's message did not come back");
    listen_to(observer);
}

static void given_back(void)
{
    const struct server *server = house_server();
    if (server->sessions.used != 1 || server->inputs.used || server->leases.used ||
        server->exchanges.used || server->streams->next || server->leaving || server->readers ||
        server->writers || server->deriving)
        broken("something of the stream is left");
    if (server->chunks.chunks.used > 1 || server->streams->out.bytes)
        broken("chunks are left");
}

static void say(const uint8_t *data, size_t size)
{
    struct text text = {0};
    text_string(&text, "");
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= 128 && data[i] - 128u < WORDS)
            text_string(&text, words[data[i] - 128u]);
        else
            text_add(&text, &data[i], 1);
    }
    client_say(stranger, text.bytes, text.len);
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
    if (size < 1)
        return 0;
    unsigned how = data[0];
    bool patient = (how & PATIENT) == PATIENT;
    if (++inputs > INPUTS)
        begin();
    if (how & BOUND) {
        if (!verb_comes_online(&play, stranger, "", NULL))
            broken("the stranger cannot log in");
    } else if (!client_connect(stranger, NULL)) {
        broken("nobody listens");
    }
    stranger->spoke = true; /* or did not: then it is the server's to say so */
    world_cut(cuts[how >> CUT_SHIFT & 3]);
    world_pinch(how & SEND_CUT ? 7 : 0, how & SEND_CUT ? 3 : 0);
    say(data + 1, size - 1);
    if (how & HALF_CLOSE)
        world_finish(stranger->link);
    settle(patient ? DEADLINES_MS : 0);
    listen_to(stranger);
    world_cut(0);
    world_pinch(0, 0);
    if (patient) {
        begin(); /* nobody answered the observer's ping */
        return 0;
    }
    world_reset(stranger->link);
    observe();
    given_back();
    stranger->link = -1;
    variables_back(play.variables, 0);
    return 0;
}
