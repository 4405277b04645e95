/* borrowed.c: while one client is told what is stored, or a page of its archive, memory for output
 * is refused at every point, so that the stream of another one who is away ends and the rest of it
 * is written into the tables that the first one is told from: what that one gets is what was said
 * to it, byte by byte, and what the other one had not acknowledged is stored (OFF-2, OFF-4, MAM-3).
 * The same among the participants of a channel, where the store then breaks (GR-2). */
#include "base/heap.h"
#include "core/channel_join.h"
#include "core/channel_make.h"
#include "crowd.h"
#include "house.h"
#include "world.h"
#include "wrap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES 6
#define FILLING 700 /* some fit a page of the store */
#define BODY_BYTES 1024
#define RETRY_MS 2000 /* more than until it is tried again */
#define HEAP_REQUESTS 4
#define PATIENCE_SECONDS 120

static unsigned passed, failed, ends;

static void check(bool good, const char *words, unsigned n)
{
    passed += good;
    failed += !good;
    if (!good)
        fprintf(stderr, "%s (%u)\n", words, n);
}

static void settle(uint64_t ms)
{
    const char *trouble = house_settle(ms, crowd_listen);
    check(trouble == NULL, trouble == NULL ? "" : trouble, 0);
}

static void body_of(char out[BODY_BYTES], const char *to, unsigned n)
{
    char filling[FILLING + 1];
    memset(filling, to[0] + (int)n, FILLING);
    filling[FILLING] = 0;
    snprintf(out, BODY_BYTES, "<body>%s.%u.%s.%u</body>", to, n, filling, n);
}

static void send(struct guest *romeo, const char *to, unsigned n)
{
    char words[2 * BODY_BYTES], body[BODY_BYTES];
    body_of(body, to, n);
    snprintf(words, sizeof words, "<message type='chat' to='%s@example.com'>%s</message>", to,
             body);
    guest_say(romeo, words);
}

/* Every body that was heard is one that was said to `to`, whole. Returns how many. */
static unsigned told(const struct guest *guest, const char *to, unsigned n)
{
    unsigned count = 0, whole = 0;
    for (const char *at = guest->heard.bytes; at != NULL && (at = strstr(at, "<body>")) != NULL;
         at++) {
        bool known = false;
        if (strstr(at, "</body>") == NULL) /* cut off by the end of its stream */
            break;
        for (unsigned i = 0; i < MESSAGES; i++) {
            char body[BODY_BYTES];
            body_of(body, to, i);
            known |= strncmp(at, body, strlen(body)) == 0;
        }
        count++;
        whole += known;
    }
    check(whole == count, "something else was told than was said", n);
    return count;
}

static bool start(unsigned n)
{
    const char *why = "";
    memory_forget();
    world_begin(n);
    house_begin();
    if (!house_open(&why) || !house_account("romeo", CROWD_PASSWORD, 0) ||
        !house_account("juliet", CROWD_PASSWORD, 0) || !house_account("jules", CROWD_PASSWORD, 0) ||
        !house_account("julian", CROWD_PASSWORD, 0)) {
        fprintf(stderr, "the server does not start: %s\n", why);
        return false;
    }
    crowd_begin();
    return true;
}

/* Away, with messages that it has not acknowledged. */
static void sleeper(struct guest *romeo)
{
    struct guest *jules = guest_enter("jules", "home");
    check(jules != NULL, "cannot log in", 0);
    if (jules == NULL)
        return;
    guest_say(jules, "<enable xmlns='urn:xmpp:sm:3' resume='true'/><presence/>");
    settle(0);
    guest_leave(jules);
    settle(0);
    for (unsigned i = 0; i < MESSAGES; i++)
        send(romeo, "jules", i);
    settle(0);
}

/* The n-th request for memory of the tick in which juliet is told is refused. false: there were not
 * so many. */
static bool run(const char *question, unsigned least, unsigned n)
{
    if (!start(n))
        return false;
    struct guest *romeo = guest_enter("romeo", "home");
    struct guest *juliet = guest_enter("juliet", "home");
    if (romeo == NULL || juliet == NULL)
        return false;
    sleeper(romeo);
    for (unsigned i = 0; i < MESSAGES; i++)
        send(romeo, "juliet", i);
    settle(0);
    guest_forget(juliet);
    /* In the same tick something is stored, so that the page she is told from is a changed one. */
    send(romeo, "julian", 0);
    guest_say(juliet, question);
    wrap_begin(WRAP_POOL, n);
    settle(RETRY_MS);
    bool refused = wrap_count(WRAP_POOL) >= n;
    wrap_end();
    unsigned count = told(juliet, "juliet", n);
    check(count >= least || guest_ended(juliet) || guest_heard(juliet, "type='error'") > 0,
          "not all of it was told", n);
    struct guest *jules = guest_enter("jules", "again");
    check(jules != NULL, "cannot log in again", n);
    if (jules != NULL) {
        guest_forget(jules);
        guest_say(jules, "<presence/>");
        settle(0);
        count = told(jules, "jules", n);
        ends += count == MESSAGES;
        check(count == 0 || count == MESSAGES, "some are stored and some are not", n);
    }
    house_close();
    return refused;
}

/* --- a channel whose store breaks while it tells --- */

static unsigned refused_at; /* of the requests to the heap in a tick */
static void (*wrap_hook)(bool begins);

static void breaks(bool begins)
{
    wrap_hook(begins);
    heap_fail_at(begins ? refused_at : 0);
}

static void channel_enter(const struct channel_here *channel, const char *name)
{
    struct server *server = house_server();
    struct channel_joining joining = {
        .nick_any = true, .nodes = 1 << CHANNEL_MESSAGES, .nodes_asked = true};
    check(jid_of(span_string(name), SPAN("example.com"), SPAN(""), &server->arena, &joining.who) &&
              channel_join(server, channel, &joining) == CHANNEL_DONE,
          "cannot join", 0);
}

static void channel_make(void)
{
    struct server *server = house_server();
    struct channel_here channel;
    struct jid owner;
    size_t mark = server->arena.used;
    if (jid_of(SPAN("romeo"), SPAN("example.com"), SPAN(""), &server->arena, &owner) &&
        channel_create(server, SPAN("coven"), &owner, &channel) == CHANNEL_DONE) {
        channel_enter(&channel, "romeo");
        channel_enter(&channel, "juliet");
        channel_enter(&channel, "julian");
    }
    check(store_commit(server->store) == STORE_OK, "no channel", 0);
    arena_reset(&server->arena, mark);
}

static struct guest *participant(const char *name)
{
    struct guest *guest = guest_enter(name, "home");
    if (guest == NULL)
        return NULL;
    guest_say(guest, "<presence/><iq type='get' id='r'><query xmlns='jabber:iq:roster'>"
                     "<annotate xmlns='urn:xmpp:mix:roster:0'/></query></iq>");
    return guest;
}

/* Somebody types, which is written down nowhere. false: so many requests were not made. */
static bool run_channel(unsigned heap, unsigned n)
{
    if (!start(n))
        return false;
    channel_make();
    struct guest *romeo = participant("romeo"), *juliet = participant("juliet");
    struct guest *julian = participant("julian");
    if (romeo == NULL || juliet == NULL || julian == NULL)
        return false;
    sleeper(romeo);
    guest_say(romeo, "<message type='groupchat' to='coven@mix.example.com'>"
                     "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    wrap_begin(WRAP_POOL, n);
    wrap_hook = house_tick_hook;
    house_tick_hook = breaks;
    refused_at = heap;
    settle(0);
    bool refused = wrap_count(WRAP_POOL) >= n;
    wrap_end();
    heap_fail_at(0);
    ends += guest_ended(juliet);
    house_close();
    return refused;
}

int main(void)
{
    unsigned n;
    alarm(PATIENCE_SECONDS); /* a tick without end is a failure too */
    house_boot();
    for (n = 1; run("<presence/>", MESSAGES, n); n++)
        ;
    check(n > MESSAGES, "memory was hardly asked for", n);
    check(ends > 0, "no stream has ended", 0);
    ends = 0;
    for (n = 1; run("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>", MESSAGES, n); n++)
        ;
    check(n > MESSAGES, "memory was hardly asked for", n);
    check(ends > 0, "no stream has ended", 0);
    ends = 0;
    for (unsigned heap = 1; heap <= HEAP_REQUESTS; heap++)
        for (n = 1; run_channel(heap, n); n++)
            ;
    check(n > 3, "memory was hardly asked for", n);
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
