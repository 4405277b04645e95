/* load_login.c: the modes login (connection, full TLS handshake, SASL, bind, over and over) and
 * idle (many sessions that then say nothing, while the server's memory is looked at). */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

static struct session *sessions;
static unsigned logins_started;
static unsigned logins_done;
static unsigned logins_lost;
static unsigned logins_wanted;
static unsigned roster_items;
static bool measuring;
static double *login_ms;

static void login_ready(struct session *session)
{
    login_ms[logins_done++] = (double)(now_ns() - session->started_ns) / 1e6;
    if (logins_done == 1 && measuring && session->link.secure)
        printf("tls %s %s\n", link_version(&session->link), link_suite(&session->link));
    session_close(session);
}

static void login_stanza(struct session *session, const char *stanza, size_t len)
{
    (void)session;
    (void)stanza;
    (void)len;
}

static void login_lost(struct session *session)
{
    (void)session;
    logins_lost++;
}

static void idle_ready(struct session *session)
{
    if (options.roster)
        session_say(session, "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
}

static void idle_stanza(struct session *session, const char *stanza, size_t len)
{
    (void)session;
    roster_items += xml_count(stanza, len, "<item ");
}

static const struct mode login_mode = {login_ready, login_stanza, login_lost};
static const struct mode idle_mode = {idle_ready, idle_stanza, login_lost};

static bool logins_make(unsigned count, uint64_t until_ns)
{
    logins_started = logins_done = logins_lost = 0;
    logins_wanted = count;
    while (logins_done + logins_lost < count && now_ns() < until_ns) {
        for (unsigned i = 0; i < options.concurrency && logins_started < count; i++)
            if (sessions[i].state == SESSION_CLOSED || sessions[i].state == SESSION_FAILED)
                session_open(&sessions[i], logins_started++ % options.users, UNPAIRED, false);
        links_step(100);
    }
    return logins_done == count;
}

int login_run(void)
{
    if (options.contacts > 0)
        return contacts_run();
    sessions = take(options.concurrency * sizeof(*sessions));
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct usage from = {0}, to = {0};
    unsigned room = options.count > options.users ? options.count : options.users;
    login_ms = take(room * sizeof(*login_ms));
    mode = &login_mode;
    /* Once each, so that PBKDF2 on this side is not measured. */
    if (!logins_make(options.users < options.count ? options.users : options.count, until))
        fail("the logins before the measurement failed (%u of %u)", logins_done, logins_wanted);
    links_settle(0.3);
    measuring = true;
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    uint64_t started = now_ns();
    bool complete = logins_make(options.count, until);
    double seconds = (double)(now_ns() - started) / 1e9;
    links_settle(0.3); /* the closings of the last ones are the server's work as well */
    if (options.server_pid)
        usage_read(options.server_pid, &to);
    report("logins", logins_done, "");
    report("failed", logins_wanted - logins_done, "");
    report("logins_per_second", logins_done / seconds, "/s");
    report_spread("login_wall", login_ms, logins_done, "ms");
    if (options.server_pid && logins_done > 0)
        report_usage("login", &from, &to, logins_done);
    return complete ? 0 : 1;
}

static void memory_report(const char *when, double *rss_kb, double *anonymous_kb)
{
    char name[80];
    if (!memory_read(options.server_pid, rss_kb, anonymous_kb))
        fail("no smaps_rollup of process %d", options.server_pid);
    snprintf(name, sizeof(name), "%s_rss", when);
    report(name, *rss_kb, "KB");
    snprintf(name, sizeof(name), "%s_anonymous", when);
    report(name, *anonymous_kb, "KB");
}

int idle_run(void)
{
    sessions = take(options.count * sizeof(*sessions));
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    struct usage from = {0}, to = {0};
    double rss[2], anonymous[2];
    mode = &idle_mode;
    if (options.server_pid)
        memory_report("before", &rss[0], &anonymous[0]);
    if (!sessions_gather(sessions, options.count, 0, until))
        fail("not all sessions could log in");
    if (sessions[0].link.secure)
        printf("tls %s %s\n", link_version(&sessions[0].link), link_suite(&sessions[0].link));
    links_settle(options.seconds / 2.0);
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    links_settle(options.seconds / 2.0);
    report("sessions", options.count - logins_lost, "");
    report("lost_sessions", logins_lost, "");
    if (options.roster)
        report("roster_items", roster_items, "");
    if (options.server_pid) {
        usage_read(options.server_pid, &to);
        memory_report("after", &rss[1], &anonymous[1]);
        report("rss_per_session", (rss[1] - rss[0]) / options.count, "KB");
        report("anonymous_per_session", (anonymous[1] - anonymous[0]) / options.count, "KB");
        report_usage("idle_second", &from, &to, options.seconds / 2.0);
    }
    for (unsigned i = 0; i < options.count; i++)
        session_close(&sessions[i]);
    return logins_lost == 0 ? 0 : 1;
}
