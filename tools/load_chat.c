/* load_chat.c: the mode chat. Each pair is a sender and a receiver in this process; every message
 * carries the pair, its number and when it was sent, and the receiver keeps the books.
 * Closed loop: at most `window` messages of a pair are on their way. Open loop (--rate): messages
 * leave when they are due, in steps of the millisecond. Bounded by --messages and --timeout. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_SECONDS 5 /* nothing arrives any more: what is missing is lost */
#define SAMPLES_MAX 2000000

struct pair {
    unsigned number;
    unsigned quota; /* messages it may send in all */
    unsigned sent;
    unsigned seen;
    unsigned highest; /* number of the latest message, plus one */
    unsigned char *marks;
};

struct books {
    unsigned arrived;
    unsigned doubled;
    unsigned reordered;
    unsigned strange;
    unsigned refused; /* came back as an error */
    unsigned lost_sessions;
    uint64_t last_ns;
};

static struct books books;
static struct pair *pairs;
static struct session *sessions;
static double *latency_us;
static size_t samples;
static char *padding;

static struct session *sender_of(const struct pair *pair)
{
    return &sessions[2 * pair->number];
}

static void pair_send(struct pair *pair)
{
    char text[4096];
    char body[80];
    struct session *sender = sender_of(pair);
    int body_len = snprintf(body, sizeof(body), "%u %u %llu ", pair->number, pair->sent,
                            (unsigned long long)now_ns());
    unsigned fill =
        options.body_bytes > (unsigned)body_len ? options.body_bytes - (unsigned)body_len : 0;
    int len = snprintf(text, sizeof(text),
                       "<message to='%s@%s' type='chat' id='%u-%u'><body>%s%.*s</body></message>",
                       sessions[2 * pair->number + 1].user, options.domain, pair->number,
                       pair->sent, body, (int)fill, padding);
    if (len < 0 || (size_t)len >= sizeof(text))
        fail("--body is too long");
    pair->sent++;
    link_send(&sender->link, text, (size_t)len);
}

static void pair_fill(struct pair *pair)
{
    while (pair->sent < pair->quota && pair->sent - pair->seen < options.window &&
           sender_of(pair)->state == SESSION_READY)
        pair_send(pair);
}

static void pair_count(struct pair *pair, unsigned sequence, uint64_t sent_ns)
{
    unsigned char bit = (unsigned char)(1 << (sequence % 8));
    books.last_ns = now_ns();
    books.arrived++;
    if (pair->marks[sequence / 8] & bit) {
        books.doubled++;
        return;
    }
    pair->marks[sequence / 8] |= bit;
    pair->seen++;
    if (sequence < pair->highest)
        books.reordered++;
    else
        pair->highest = sequence + 1;
    if (samples < SAMPLES_MAX)
        latency_us[samples++] = (double)(books.last_ns - sent_ns) / 1000;
    if (options.rate <= 0)
        pair_fill(pair);
}

static void chat_stanza(struct session *session, const char *stanza, size_t len)
{
    char type[16], body[80];
    unsigned number, sequence;
    unsigned long long sent_ns;
    if (!xml_is(stanza, len, "message"))
        return;
    xml_attribute(stanza, len, "type", type, sizeof(type));
    if (strcmp(type, "error") == 0) {
        books.refused++;
        return;
    }
    xml_text(stanza, len, "body", body, sizeof(body));
    if (body[0] == '\0')
        return; /* a chat state, a receipt */
    if (sscanf(body, "%u %u %llu", &number, &sequence, &sent_ns) != 3 || number >= options.pairs ||
        sequence >= pairs[number].sent || session != &sessions[2 * number + 1])
        books.strange++;
    else
        pair_count(&pairs[number], sequence, sent_ns);
}

static void chat_ready(struct session *session)
{
    (void)session;
}

static void chat_lost(struct session *session)
{
    (void)session;
    books.lost_sessions++;
}

static const struct mode chat_mode = {chat_ready, chat_stanza, chat_lost};

static void pairs_setup(void)
{
    pairs = take(options.pairs * sizeof(*pairs));
    sessions = take(2 * (size_t)options.pairs * sizeof(*sessions));
    latency_us = take(SAMPLES_MAX * sizeof(*latency_us));
    padding = take(options.body_bytes + 1);
    memset(padding, 'x', options.body_bytes);
    for (unsigned i = 0; i < options.pairs; i++) {
        pairs[i].number = i;
        pairs[i].quota = options.messages / options.pairs;
        pairs[i].marks = take(pairs[i].quota / 8 + 1);
    }
}

/* What is due by now in the open loop, in turn over the pairs. */
static void chat_due(uint64_t started_ns, unsigned *total, unsigned all)
{
    double due = (double)(now_ns() - started_ns) / 1e9 * options.rate;
    for (; *total < all && *total < due; (*total)++)
        if (sender_of(&pairs[*total % options.pairs])->state == SESSION_READY)
            pair_send(&pairs[*total % options.pairs]);
}

struct measure {
    bool begun;
    unsigned arrived;
    uint64_t from_ns;
    struct usage server_from, server_to, server_later, self_from, self_to;
};

static void measure_begin(struct measure *measure)
{
    measure->begun = true;
    measure->arrived = books.arrived;
    measure->from_ns = now_ns();
    samples = 0;
    usage_self(&measure->self_from);
    if (options.server_pid)
        usage_read(options.server_pid, &measure->server_from);
}

static void chat_drive(struct measure *measure, uint64_t until_ns)
{
    unsigned all = pairs[0].quota * options.pairs, total = 0;
    uint64_t started = now_ns();
    books.last_ns = started;
    for (unsigned i = 0; options.rate <= 0 && i < options.pairs; i++)
        pair_fill(&pairs[i]);
    while (books.arrived - books.doubled + books.refused < all && now_ns() < until_ns &&
           now_ns() < books.last_ns + SILENCE_SECONDS * 1000000000ull && !books.lost_sessions) {
        if (options.rate > 0)
            chat_due(started, &total, all);
        links_step(options.rate > 0 ? 1 : 100);
        if (!measure->begun && books.arrived >= options.warmup)
            measure_begin(measure);
    }
    usage_self(&measure->self_to);
    if (options.server_pid)
        usage_read(options.server_pid, &measure->server_to);
    /* A message that comes twice may come late; the server may write later still. */
    links_settle(0.2 + options.linger);
    if (options.server_pid)
        usage_read(options.server_pid, &measure->server_later);
}

static unsigned chat_report(struct measure *measure)
{
    unsigned sent = 0, seen = 0;
    for (unsigned i = 0; i < options.pairs; i++) {
        sent += pairs[i].sent;
        seen += pairs[i].seen;
    }
    double counted = books.arrived - measure->arrived;
    report("messages_sent", sent, "");
    report("messages_arrived", seen, "");
    report("lost", sent - seen, "");
    report("doubled", books.doubled, "");
    report("reordered", books.reordered, "");
    report("refused", books.refused, "");
    report("strange", books.strange, "");
    report("lost_sessions", books.lost_sessions, "");
    if (measure->begun && counted > 0) {
        report("messages_per_second", counted / ((double)(books.last_ns - measure->from_ns) / 1e9),
               "/s");
        if (options.server_pid)
            report_usage("message", &measure->server_from, &measure->server_to, counted);
        if (options.server_pid)
            report("server_wrote_per_message",
                   (measure->server_later.written - measure->server_from.written) / counted,
                   "bytes");
        report("generator_cpu_per_message",
               (measure->self_to.total_us - measure->self_from.total_us) / counted, "us");
        report_spread("latency", latency_us, samples, "us");
    }
    return sent - seen + books.doubled + books.reordered + books.refused + books.strange +
           books.lost_sessions;
}

static uint64_t chat_started_ns;
static unsigned chat_total;

bool chat_start(uint64_t until_ns)
{
    mode = &chat_mode;
    pairs_setup();
    bool all = sessions_gather(sessions, 2 * options.pairs, options.pairs, until_ns);
    if (all && sessions[0].link.secure)
        printf("tls %s %s\n", link_version(&sessions[0].link), link_suite(&sessions[0].link));
    chat_started_ns = now_ns();
    return all;
}

void chat_step(void)
{
    chat_due(chat_started_ns, &chat_total, pairs[0].quota * options.pairs);
    links_step(1);
}

void chat_forget(void)
{
    samples = 0;
}

void chat_report_spread(const char *name)
{
    for (size_t i = 0; i < samples; i++)
        latency_us[i] /= 1000;
    report_spread(name, latency_us, samples, "ms");
}

bool chat_end(void)
{
    struct measure measure = {0};
    links_settle(0.5);
    unsigned wrong = chat_report(&measure);
    for (unsigned i = 0; i < 2 * options.pairs; i++)
        session_close(&sessions[i]);
    return wrong == 0;
}

int chat_run(void)
{
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct measure measure = {0};
    mode = &chat_mode;
    pairs_setup();
    if (!sessions_gather(sessions, 2 * options.pairs, options.pairs, until))
        fail("not all sessions could log in");
    if (sessions[0].link.secure)
        printf("tls %s %s\n", link_version(&sessions[0].link), link_suite(&sessions[0].link));
    links_settle(0.3);
    chat_drive(&measure, until);
    unsigned wrong = chat_report(&measure);
    for (unsigned i = 0; i < 2 * options.pairs; i++)
        session_close(&sessions[i]);
    return wrong == 0 ? 0 : 1;
}
