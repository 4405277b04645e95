/* load_roster.c: the mode roster. The rosters of some accounts are filled by roster sets, as a
 * client would do it; then one after the other is asked for. With tools/floor both ends are here,
 * and the answers have the bytes and the records that the server's had. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS_MAX 32 /* unanswered ones of an account */
#define RECORD_BYTES_MAX 16384

struct owner {
    unsigned items; /* in the roster, as far as we know */
    unsigned set;   /* asked for */
    bool known;
};

static struct session *sessions;
static struct owner *owners;
static unsigned session_count;
static unsigned answers, wrong, lost_sessions;
static unsigned answer_bytes, answer_records; /* of the last one */
static unsigned records_before;
static char *padding;

static void item_set(struct session *session, unsigned number)
{
    session_say(session,
                "<iq type='set' id='set'><query xmlns='jabber:iq:roster'>"
                "<item jid='contact-%04u@%s' name='Contact Number %u'><group>Friends</group></item>"
                "</query></iq>",
                number, options.domain, number);
}

static void roster_ask(struct session *session, const char *id)
{
    records_before = session->link.records;
    if (options.floor)
        session_say(session, "<message id='%s'><query xmlns='jabber:iq:roster'/></message>", id);
    else
        session_say(session, "<iq type='get' id='%s'><query xmlns='jabber:iq:roster'/></iq>", id);
}

/* The other end of a relay: one stanza in so many records. */
static void floor_give(struct session *session)
{
    static const char open[] = "<message>", close[] = "</message>";
    unsigned records = options.answer_records, left = options.answer_bytes;
    char *text = padding;
    memset(text, 'x', left);
    memcpy(text, open, sizeof(open) - 1);
    memcpy(text + left - (sizeof(close) - 1), close, sizeof(close) - 1);
    for (; records > 0; records--) {
        unsigned len = left / records;
        link_send(&session->link, text, len);
        text += len;
        left -= len;
    }
}

static void roster_come(struct session *session, const char *stanza, size_t len)
{
    answers++;
    answer_bytes = (unsigned)len;
    answer_records = session->link.records - records_before;
    if (!options.floor && xml_count(stanza, len, "<item ") != options.items)
        wrong++;
}

static void owner_told(struct session *session, const char *id, const char *stanza, size_t len)
{
    struct owner *owner = &owners[session - sessions];
    if (strcmp(id, "fill") == 0) {
        owner->known = true;
        owner->items = owner->set = xml_count(stanza, len, "<item ");
        for (; owner->set < options.items && owner->set < owner->items + SETS_MAX; owner->set++)
            item_set(session, owner->set);
    } else if (strcmp(id, "set") == 0) {
        owner->items++;
        if (owner->set < options.items)
            item_set(session, owner->set++);
    } else if (strcmp(id, "get") == 0) {
        roster_come(session, stanza, len);
    }
}

static void roster_stanza(struct session *session, const char *stanza, size_t len)
{
    char id[16], type[16];
    if (options.floor && session == &sessions[1]) {
        floor_give(session);
        return;
    }
    if (options.floor) {
        roster_come(session, stanza, len);
        return;
    }
    xml_attribute(stanza, len, "id", id, sizeof(id));
    xml_attribute(stanza, len, "type", type, sizeof(type));
    if (strcmp(type, "error") == 0)
        fail("%s: %.*s", session->user, (int)(len < 300 ? len : 300), stanza);
    if (xml_is(stanza, len, "iq"))
        owner_told(session, id, stanza, len);
}

static void roster_ready(struct session *session)
{
    (void)session;
}

static void roster_lost(struct session *session)
{
    (void)session;
    lost_sessions++;
}

static const struct mode roster_mode = {roster_ready, roster_stanza, roster_lost};

static void rosters_fill(uint64_t until_ns)
{
    unsigned full = 0;
    for (unsigned i = 0; i < session_count; i++)
        roster_ask(&sessions[i], "fill");
    while (full < session_count) {
        if (lost_sessions > 0 || now_ns() > until_ns)
            fail("the rosters could not be filled (%u of %u are)", full, session_count);
        links_step(100);
        full = 0;
        for (unsigned i = 0; i < session_count; i++)
            full += owners[i].known && owners[i].items >= options.items;
    }
}

/* One on its way at a time; false: one does not come. */
static bool rosters_get(unsigned count, double *wall_ms, uint64_t until_ns)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t started = now_ns();
        unsigned before = answers;
        roster_ask(&sessions[options.floor ? 0 : i % session_count], "get");
        while (answers == before && lost_sessions == 0 && now_ns() < until_ns)
            links_step(100);
        if (answers == before)
            return false;
        wall_ms[i] = (double)(now_ns() - started) / 1e6;
    }
    return true;
}

static bool gets_measure(uint64_t until_ns)
{
    struct usage from = {0}, to = {0};
    double *wall_ms = take(options.messages * sizeof(*wall_ms));
    bool complete = rosters_get(options.messages / 10, wall_ms, until_ns);
    answers = 0;
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    complete = complete && rosters_get(options.messages, wall_ms, until_ns);
    if (options.server_pid)
        usage_read(options.server_pid, &to);
    report("rosters", answers, "");
    report("wrong", wrong + !complete, "");
    report("answer_bytes", answer_bytes, "bytes");
    report("answer_records", answer_records, "");
    report_spread("roster_wall", wall_ms, answers, "ms");
    if (options.server_pid && answers > 0)
        report_usage("roster", &from, &to, answers);
    return complete && wrong == 0;
}

int roster_run(void)
{
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    session_count = options.floor ? 2 : options.count;
    sessions = take(session_count * sizeof(*sessions));
    owners = take(session_count * sizeof(*owners));
    padding = take(options.answer_bytes + 1);
    mode = &roster_mode;
    if (options.floor && (options.answer_records == 0 || options.answer_bytes < 100 ||
                          options.answer_bytes / options.answer_records >= RECORD_BYTES_MAX))
        fail("--answer and --records say what the floor's answers are like");
    if (!sessions_gather(sessions, session_count, options.floor ? 1 : 0, until))
        fail("not all sessions could log in");
    uint64_t started = now_ns();
    if (!options.floor)
        rosters_fill(until);
    report("fill_seconds", (double)(now_ns() - started) / 1e9, "s");
    links_settle(0.3);
    bool good = options.messages == 0 || gets_measure(until);
    for (unsigned i = 0; i < session_count; i++)
        session_close(&sessions[i]);
    return good && lost_sessions == 0 ? 0 : 1;
}
