/* load_presence.c: the mode presence. People in a ring are contacts of their nearest neighbours;
 * each in turn changes its presence, and all its contacts and it itself hear of it (RFC
 * 6121 4.4.2). Every delivery has its place in the books. With tools/floor a change goes to one
 * other person, as long as a server would deliver it. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_SECONDS 5 /* nothing arrives any more: what is missing is lost */

struct books {
    unsigned arrived, doubled, reordered, strange, lost_sessions;
    unsigned echoes; /* of those that arrived: the sender's own */
    uint64_t last_ns;
};

static struct session *sessions;
static struct books books;
static unsigned rounds;
static unsigned changes_sent;
static unsigned changes_heard;    /* by all who are to hear of them */
static unsigned *left;            /* of each change: deliveries that are still to come */
static unsigned char *deliveries; /* by sender, receiver, round */
static unsigned *heard;           /* by sender, receiver: the round after the latest one */
static char *padding;

static bool neighbours(unsigned a, unsigned b)
{
    unsigned distance = a > b ? a - b : b - a;
    if (distance > options.people - distance)
        distance = options.people - distance;
    return distance >= 1 && distance <= options.contacts / 2;
}

static bool hears(unsigned receiver, unsigned sender)
{
    if (options.floor)
        return receiver == (sender ^ 1);
    return receiver == sender || neighbours(receiver, sender);
}

static void change_send(void)
{
    char text[4096], addresses[300] = "";
    unsigned sender = changes_sent % options.people;
    if (options.floor) /* what others' servers write into every delivery */
        snprintf(addresses, sizeof(addresses),
                 " from='%s@%s/abcdefghijkl' to='%s@%s' xml:lang='en'", sessions[sender].user,
                 options.domain, sessions[sender ^ 1].user, options.domain);
    int len = snprintf(text, sizeof(text),
                       "<presence%s><show>away</show><status>storm %u %u %.*s</status></presence>",
                       addresses, sender, changes_sent / options.people, (int)options.body_bytes,
                       padding);
    if (len < 0 || (size_t)len >= sizeof(text))
        fail("--body is too long");
    link_send(&sessions[sender].link, text, (size_t)len);
    changes_sent++;
}

static void delivery_count(unsigned sender, unsigned receiver, unsigned round)
{
    size_t pair = (size_t)sender * options.people + receiver;
    books.last_ns = now_ns();
    if (deliveries[pair * rounds + round]) {
        books.doubled++;
        return;
    }
    deliveries[pair * rounds + round] = 1;
    books.arrived++;
    books.echoes += sender == receiver;
    books.reordered += round < heard[pair];
    if (round >= heard[pair])
        heard[pair] = round + 1;
    if (--left[round * options.people + sender] == 0)
        changes_heard++;
}

static void presence_stanza(struct session *session, const char *stanza, size_t len)
{
    char status[40];
    unsigned sender, round, receiver = (unsigned)(session - sessions);
    if (!xml_is(stanza, len, "presence"))
        return;
    xml_text(stanza, len, "status", status, sizeof(status));
    if (strncmp(status, "storm ", 6) != 0)
        return; /* somebody came */
    if (sscanf(status, "storm %u %u", &sender, &round) != 2 || sender >= options.people ||
        round * options.people + sender >= changes_sent || !hears(receiver, sender))
        books.strange++;
    else
        delivery_count(sender, receiver, round);
}

static void presence_ready(struct session *session)
{
    (void)session;
}

static void presence_lost(struct session *session)
{
    (void)session;
    books.lost_sessions++;
}

static const struct mode presence_mode = {presence_ready, presence_stanza, presence_lost};

struct measure {
    bool begun;
    unsigned arrived;
    uint64_t from_ns;
    struct usage from, to;
};

static void storm_drive(struct measure *measure, uint64_t until_ns)
{
    unsigned all = rounds * options.people;
    books.last_ns = now_ns();
    while (changes_heard < all && now_ns() < until_ns && !books.lost_sessions &&
           now_ns() < books.last_ns + SILENCE_SECONDS * 1000000000ull) {
        while (changes_sent < all && changes_sent - changes_heard < options.window)
            change_send();
        links_step(100);
        if (!measure->begun && changes_heard >= options.warmup) {
            measure->begun = true;
            measure->arrived = books.arrived;
            measure->from_ns = now_ns();
            if (options.server_pid)
                usage_read(options.server_pid, &measure->from);
        }
    }
    if (options.server_pid)
        usage_read(options.server_pid, &measure->to);
    links_settle(0.2); /* what comes twice may come late */
}

static unsigned storm_report(const struct measure *measure)
{
    double counted = books.arrived - measure->arrived;
    unsigned lost = 0;
    for (unsigned i = 0; i < changes_sent; i++)
        lost += left[i];
    report("changes_sent", changes_sent, "");
    report("deliveries", books.arrived, "");
    report("echoes", books.echoes, "");
    report("lost", lost, "");
    report("doubled", books.doubled, "");
    report("reordered", books.reordered, "");
    report("strange", books.strange, "");
    report("lost_sessions", books.lost_sessions, "");
    if (measure->begun && counted > 0) {
        report("deliveries_per_second",
               counted / ((double)(books.last_ns - measure->from_ns) / 1e9), "/s");
        if (options.server_pid)
            report_usage("delivery", &measure->from, &measure->to, counted);
    }
    return lost + books.doubled + books.reordered + books.strange + books.lost_sessions;
}

static void storm_setup(void)
{
    size_t people = options.people;
    rounds = options.messages / options.people;
    if (rounds == 0 || people < 2 || people % 2 != 0 || people > 1000 ||
        people * people * rounds > 200000000)
        fail("an even number of people, at most 1000, and at least one change for each");
    if (options.contacts == 0)
        options.contacts = 20;
    if (options.contacts % 2 != 0 || options.contacts >= options.people)
        fail("--contacts is even, and fewer than --people");
    options.users = options.people;
    sessions = take(people * sizeof(*sessions));
    left = take(people * rounds * sizeof(*left));
    deliveries = take(people * people * rounds);
    heard = take(people * people * sizeof(*heard));
    padding = take(options.body_bytes + 1);
    memset(padding, 'x', options.body_bytes);
    for (size_t i = 0; i < people * rounds; i++)
        left[i] = options.floor ? 1 : options.contacts + 1;
}

int presence_run(void)
{
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct measure measure = {0};
    mode = &presence_mode;
    storm_setup();
    if (!sessions_gather(sessions, options.people, options.floor ? options.people / 2 : 0, until))
        fail("not all sessions could log in");
    uint64_t started = now_ns();
    if (!options.floor && !friends_make(sessions, options.people, neighbours, until))
        fail("not all became contacts of each other");
    report("subscribe_seconds", (double)(now_ns() - started) / 1e9, "s");
    links_settle(0.3);
    storm_drive(&measure, until);
    unsigned wrong = storm_report(&measure);
    for (unsigned i = 0; i < options.people; i++)
        session_close(&sessions[i]);
    return wrong == 0 ? 0 : 1;
}
