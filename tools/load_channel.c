/* load_channel.c: the mode channel. People are participants of one channel (XEP-0369, XEP-0405);
 * one of them speaks, and all of them, it too, hear it. Every delivery has its place in the books.
 * With tools/floor what is said comes to as many, as long as a server would deliver it (--answer).
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_SECONDS 5 /* nothing arrives any more: what is missing is lost */
#define CHANNEL "load"

struct books {
    unsigned arrived, doubled, reordered, strange, refused, lost_sessions, bytes;
    uint64_t last_ns;
};

static struct session *sessions;
static struct books books;
static unsigned joined;
static unsigned said;  /* messages */
static unsigned heard; /* by all */
static unsigned *left; /* of each message: who has not heard it yet */
static unsigned char *marks;
static unsigned *next; /* of each person: number after that of the latest one */
static char *padding;

static int message_write(char *text, size_t size, int pad)
{
    int fill = (int)options.body_bytes;
    if (options.floor) /* what others' servers write into every delivery */
        return snprintf(text, size,
                        "<message type='groupchat'><body>burst %u %.*s</body>%.*s</message>", said,
                        fill, padding, pad, padding);
    return snprintf(text, size,
                    "<message to='" CHANNEL "@mix.%s' type='groupchat' id='m%u'><body>burst %u "
                    "%.*s</body></message>",
                    options.domain, said, said, fill, padding);
}

static void say(void)
{
    char text[4096];
    int len = message_write(text, sizeof(text), 0);
    if (options.floor && (int)options.answer_bytes > len)
        len = message_write(text, sizeof(text), (int)options.answer_bytes - len);
    if (len < 0 || (size_t)len >= sizeof(text))
        fail("--body or --answer is too long");
    link_send(&sessions[0].link, text, (size_t)len);
    said++;
}

static void delivery_count(unsigned person, unsigned number)
{
    unsigned char *mark = &marks[(size_t)person * options.messages + number];
    books.last_ns = now_ns();
    if (*mark) {
        books.doubled++;
        return;
    }
    *mark = 1;
    books.arrived++;
    books.reordered += number < next[person];
    if (number >= next[person])
        next[person] = number + 1;
    if (--left[number] == 0)
        heard++;
}

static void channel_stanza(struct session *session, const char *stanza, size_t len)
{
    char body[40], type[16];
    unsigned number, person = (unsigned)(session - sessions);
    xml_attribute(stanza, len, "type", type, sizeof(type));
    if (xml_is(stanza, len, "iq")) {
        joined += strcmp(type, "result") == 0 && xml_has(stanza, len, "<client-join ");
        return;
    }
    if (!xml_is(stanza, len, "message"))
        return;
    books.refused += strcmp(type, "error") == 0;
    xml_text(stanza, len, "body", body, sizeof(body));
    if (sscanf(body, "burst %u", &number) != 1)
        return; /* an event of the channel */
    if (person != 0)
        books.bytes = (unsigned)len;
    if (number >= said)
        books.strange++;
    else
        delivery_count(person, number);
}

static void channel_ready(struct session *session)
{
    (void)session;
}

static void channel_lost(struct session *session)
{
    (void)session;
    books.lost_sessions++;
}

static const struct mode channel_mode = {channel_ready, channel_stanza, channel_lost};

/* Who is in it already is told so. */
static bool people_join(uint64_t until_ns)
{
    session_say(&sessions[0],
                "<iq type='set' id='create' to='mix.%s'><create xmlns='urn:xmpp:mix:core:1' "
                "channel='" CHANNEL "'/></iq>",
                options.domain);
    links_settle(0.3);
    for (unsigned i = 0; i < options.people; i++) {
        session_say(&sessions[i],
                    "<iq type='set' id='join'><client-join xmlns='urn:xmpp:mix:pam:2' "
                    "channel='" CHANNEL "@mix.%s'><join xmlns='urn:xmpp:mix:core:1'><subscribe "
                    "node='urn:xmpp:mix:nodes:messages'/><nick>%s</nick></join></client-join></iq>",
                    options.domain, sessions[i].user);
        while (joined <= i && now_ns() < until_ns && !books.lost_sessions)
            links_step(100);
    }
    return joined == options.people;
}

struct measure {
    bool begun;
    unsigned arrived;
    uint64_t from_ns;
    struct usage from, to;
};

static void burst_drive(struct measure *measure, uint64_t until_ns)
{
    books.last_ns = now_ns();
    while (heard < options.messages && now_ns() < until_ns && !books.lost_sessions &&
           now_ns() < books.last_ns + SILENCE_SECONDS * 1000000000ull) {
        while (said < options.messages && said - heard < options.window)
            say();
        links_step(100);
        if (!measure->begun && heard >= options.warmup) {
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

static unsigned burst_report(const struct measure *measure)
{
    double counted = books.arrived - measure->arrived;
    unsigned lost = 0;
    for (unsigned i = 0; i < said; i++)
        lost += left[i];
    report("messages_sent", said, "");
    report("deliveries", books.arrived, "");
    report("lost", lost, "");
    report("doubled", books.doubled, "");
    report("reordered", books.reordered, "");
    report("refused", books.refused, "");
    report("strange", books.strange, "");
    report("lost_sessions", books.lost_sessions, "");
    report("delivery_bytes", books.bytes, "");
    if (measure->begun && counted > 0) {
        report("deliveries_per_second",
               counted / ((double)(books.last_ns - measure->from_ns) / 1e9), "/s");
        if (options.server_pid)
            report_usage("delivery", &measure->from, &measure->to, counted);
    }
    return lost + books.doubled + books.reordered + books.refused + books.strange +
           books.lost_sessions;
}

static void burst_setup(void)
{
    size_t people = options.people;
    if (people < 2 || people > 1000 || options.messages == 0 ||
        people * options.messages > 200000000)
        fail("2 to 1000 people, and at least one message");
    options.users = options.people;
    if (options.floor)
        options.concurrency = options.people; /* all are waited for */
    sessions = take(people * sizeof(*sessions));
    left = take(options.messages * sizeof(*left));
    marks = take(people * options.messages);
    next = take(people * sizeof(*next));
    padding = take(4096);
    memset(padding, 'x', 4095);
    for (unsigned i = 0; i < options.messages; i++)
        left[i] = options.people;
}

int channel_run(void)
{
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct measure measure = {0};
    mode = &channel_mode;
    burst_setup();
    if (!sessions_gather(sessions, options.people, 0, until))
        fail("not all sessions could log in");
    if (sessions[0].link.secure)
        printf("tls %s %s\n", link_version(&sessions[0].link), link_suite(&sessions[0].link));
    if (!options.floor && !people_join(until))
        fail("not all could join the channel");
    links_settle(0.3);
    burst_drive(&measure, until);
    unsigned wrong = burst_report(&measure);
    for (unsigned i = 0; i < options.people; i++)
        session_close(&sessions[i]);
    return wrong == 0 ? 0 : 1;
}
