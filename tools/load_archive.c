/* load_archive.c: the mode archive. One account sends itself an archive full of messages; then it
 * asks for the last page of it, again and again (XEP-0313, XEP-0059). What tools/floor does for
 * that is the mode roster with the bytes and the records of these answers. */
#include "load.h"

#include <stdio.h>
#include <string.h>

static struct session session;
static unsigned answers, results, wrong, lost;
static unsigned answer_bytes, answer_records; /* of the last one */
static unsigned records_before, bytes_before;
static unsigned come; /* messages of our own */

static void archive_ready(struct session *ready)
{
    (void)ready;
}

static void archive_lost(struct session *gone)
{
    (void)gone;
    lost++;
}

static void archive_stanza(struct session *of, const char *stanza, size_t len)
{
    bytes_before += (unsigned)len;
    if (xml_is(stanza, len, "message")) {
        if (xml_has(stanza, len, "<result "))
            results++;
        else
            come++;
        return;
    }
    if (!xml_is(stanza, len, "iq"))
        return;
    answers++;
    wrong += results != options.items || !xml_has(stanza, len, "<fin ");
    answer_bytes = bytes_before;
    answer_records = of->link.records - records_before;
}

static const struct mode archive_mode = {archive_ready, archive_stanza, archive_lost};

static void fill(uint64_t until_ns)
{
    for (unsigned i = 0; i < 2 * options.items; i++) {
        session_say(&session, "<message to='%s@%s' type='chat' id='%u'><body>%0*u</body></message>",
                    session.user, options.domain, i, (int)options.body_bytes, i);
        while (come <= i && lost == 0 && now_ns() < until_ns)
            links_step(100);
    }
    if (come < 2 * options.items)
        fail("the archive could not be filled");
    links_settle(0.3);
}

/* One on its way at a time. */
static bool pages_get(unsigned count, double *wall_ms, uint64_t until_ns)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t started = now_ns();
        unsigned before = answers;
        results = bytes_before = 0;
        records_before = session.link.records;
        session_say(&session,
                    "<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2' queryid='f27'>"
                    "<set xmlns='http://jabber.org/protocol/rsm'><max>%u</max><before/></set>"
                    "</query></iq>",
                    options.items);
        while (answers == before && lost == 0 && now_ns() < until_ns)
            links_step(100);
        if (answers == before)
            return false;
        wall_ms[i] = (double)(now_ns() - started) / 1e6;
    }
    return true;
}

int archive_run(void)
{
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct usage from = {0}, to = {0};
    double *wall_ms = take(options.messages * sizeof(*wall_ms));
    mode = &archive_mode;
    if (!sessions_gather(&session, 1, 0, until))
        fail("could not log in");
    fill(until);
    bool complete = pages_get(options.messages / 10, wall_ms, until);
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    complete = complete && pages_get(options.messages, wall_ms, until);
    if (options.server_pid)
        usage_read(options.server_pid, &to);
    report("wrong", wrong + !complete, "");
    report("answer_bytes", answer_bytes, "bytes");
    report("answer_records", answer_records, "");
    report_spread("page_wall", wall_ms, options.messages, "ms");
    if (options.server_pid)
        report_usage("page", &from, &to, options.messages);
    session_close(&session);
    return complete && wrong == 0 ? 0 : 1;
}
