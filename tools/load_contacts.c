/* load_contacts.c: the mode login --contacts. One account has contacts that are online, one has
 * none; they log in by turns as clients do (login, roster, presence), are heard of by the contacts,
 * hear of them, and leave again. What the server used is counted for each of the two. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 10 /* logins of one account before the other's turn */

enum visitor { ALONE, WITH_CONTACTS, VISITORS };

struct tally {
    unsigned logins;
    double cpu_us;
    double wall_ms;
};

/* sessions[0] is the visitor, the contacts follow. Account 0 has contacts, the one behind them
 * none. */
static struct session *sessions;
static bool has_roster, has_pong;
static unsigned seen;     /* contacts that the visitor has seen */
static unsigned arrivals; /* contacts that have seen it come */
static unsigned departures;
static unsigned lost_sessions;

static bool star(unsigned a, unsigned b)
{
    return a == 0 || b == 0;
}

static void contacts_stanza(struct session *session, const char *stanza, size_t len)
{
    char id[16], type[16], from[200];
    size_t user_len = strlen(sessions[0].user);
    xml_attribute(stanza, len, "id", id, sizeof(id));
    xml_attribute(stanza, len, "type", type, sizeof(type));
    xml_attribute(stanza, len, "from", from, sizeof(from));
    bool of_visitor = strncmp(from, sessions[0].user, user_len) == 0 && from[user_len] == '@';
    bool presence = xml_is(stanza, len, "presence");
    if (session == &sessions[0]) {
        has_roster |= strcmp(id, "roster") == 0;
        has_pong |= strcmp(id, "pong") == 0;
        seen += presence && !of_visitor && type[0] == '\0';
    } else if (presence && of_visitor) {
        arrivals += type[0] == '\0';
        departures += strcmp(type, "unavailable") == 0;
    }
}

static void contacts_ready(struct session *session)
{
    if (session == &sessions[0] && !session->wants_presence)
        session_say(session,
                    "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>"
                    "<iq type='get' id='pong' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
                    options.domain);
}

static void contacts_lost(struct session *session)
{
    (void)session;
    lost_sessions++;
}

static const struct mode contacts_mode = {contacts_ready, contacts_stanza, contacts_lost};

/* In, heard of, and out again. */
static bool visit(unsigned account, unsigned contacts, uint64_t until_ns)
{
    has_roster = has_pong = false;
    seen = arrivals = departures = 0;
    session_open(&sessions[0], account, UNPAIRED, false);
    while (!(has_roster && has_pong && seen >= contacts && arrivals >= contacts)) {
        if (lost_sessions > 0 || now_ns() > until_ns)
            return false;
        links_step(100);
    }
    session_close(&sessions[0]);
    while (departures < contacts && lost_sessions == 0 && now_ns() < until_ns)
        links_step(100);
    return departures == contacts && arrivals == contacts && seen == contacts;
}

static bool block(struct tally *tally, unsigned account, unsigned contacts, uint64_t until_ns)
{
    struct usage from = {0}, to = {0};
    bool good = true;
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    uint64_t started = now_ns();
    for (unsigned i = 0; i < BLOCK && good; i++)
        good = visit(account, contacts, until_ns);
    tally->wall_ms += (double)(now_ns() - started) / 1e6;
    links_settle(0.05); /* the last closing */
    if (options.server_pid)
        usage_read(options.server_pid, &to);
    tally->cpu_us += to.total_us - from.total_us;
    tally->logins += good ? BLOCK : 0;
    return good;
}

static void contacts_setup(uint64_t until_ns)
{
    options.users = options.contacts + 1;
    sessions = take(options.users * sizeof(*sessions));
    if (!sessions_gather(sessions, options.users, 0, until_ns))
        fail("not all sessions could log in");
    uint64_t started = now_ns();
    if (!friends_make(sessions, options.users, star, until_ns))
        fail("not all became contacts of the first");
    report("subscribe_seconds", (double)(now_ns() - started) / 1e9, "s");
    session_close(&sessions[0]);
    links_settle(0.3);
}

int contacts_run(void)
{
    static const char *const names[] = {[ALONE] = "alone", [WITH_CONTACTS] = "with_contacts"};
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct tally tallies[VISITORS] = {0}, warmup = {0};
    const unsigned accounts[VISITORS] = {options.contacts + 1, 0};
    const unsigned contacts[VISITORS] = {0, options.contacts};
    char name[80];
    bool good = true;
    mode = &contacts_mode;
    contacts_setup(until);
    for (int i = ALONE; i < VISITORS; i++)
        good = good && block(&warmup, accounts[i], contacts[i], until);
    while (good && tallies[ALONE].logins < options.count)
        for (int i = ALONE; i < VISITORS; i++)
            good = good && block(&tallies[i], accounts[i], contacts[i], until);
    report("failed", good ? 0 : 1, "");
    for (int i = ALONE; i < VISITORS && good; i++) {
        snprintf(name, sizeof(name), "wall_per_login_%s", names[i]);
        report(name, tallies[i].wall_ms / tallies[i].logins, "ms");
        snprintf(name, sizeof(name), "server_cpu_per_login_%s", names[i]);
        report(name, tallies[i].cpu_us / tallies[i].logins, "us");
    }
    for (unsigned i = 1; i <= options.contacts; i++)
        session_close(&sessions[i]);
    return good ? 0 : 1;
}
