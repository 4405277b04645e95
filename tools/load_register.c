/* load_register.c: the mode register. Pairs chat at a modest rate, first alone, then while a child
 * of this process has -n people register all at once (connection, TLS, get, set by a form); each
 * message's delay is measured. --logins: meanwhile the child logs in one after the other as well,
 * under the account behind the pairs'. The server must be open, without limits of rates. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RETRY_NS 50000000ull /* who is told to wait asks again */
#define SETTLE_SECONDS 1.0   /* between the logins and the first measurement */
#define LOGINS_ALONE 10
#define LOGINS_MAX 10000

struct applicant {
    unsigned number;
    uint64_t retry_ns; /* 0: has been answered, or waits for an answer */
};

/* What the child has to tell. */
struct outcome {
    unsigned registered;
    unsigned failed;
    unsigned told_to_wait;
    unsigned logins; /* while they registered */
    double seconds;
    double logins_ms[LOGINS_MAX];
};

static struct session *sessions; /* the last one logs in */
static struct applicant *applicants;
static struct outcome outcome;

/* --- the child --- */

static void set_say(struct session *session)
{
    const struct applicant *applicant = session->owner;
    session_say(session,
                "<iq type='set' id='set' to='%s'><query xmlns='jabber:iq:register'>"
                "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
                "<value>jabber:iq:register</value></field>"
                "<field var='username'><value>r%dx%u</value></field>"
                "<field var='password'><value>pw of r%u</value></field></x></query></iq>",
                options.domain, (int)getpid(), applicant->number, applicant->number);
}

static void register_ready(struct session *session)
{
    if (session->registers) {
        session_say(session,
                    "<iq type='get' id='get' to='%s'><query xmlns='jabber:iq:register'/></iq>",
                    options.domain);
        return;
    }
    outcome.logins_ms[outcome.logins++] = (double)(now_ns() - session->started_ns) / 1e6;
    session_close(session);
}

static void register_failed(struct session *session, const char *stanza, size_t len)
{
    if (outcome.failed++ < 5)
        fprintf(stderr, "load: %.*s\n", (int)len, stanza);
    session_close(session);
}

static void register_stanza(struct session *session, const char *stanza, size_t len)
{
    char id[32], type[16];
    struct applicant *applicant = session->owner;
    if (!session->registers || !xml_is(stanza, len, "iq"))
        return;
    xml_attribute(stanza, len, "id", id, sizeof(id));
    xml_attribute(stanza, len, "type", type, sizeof(type));
    bool result = strcmp(type, "result") == 0;
    if (result && strcmp(id, "get") == 0) {
        set_say(session);
    } else if (result && strcmp(id, "set") == 0) {
        outcome.registered++;
        session_close(session);
    } else if (xml_has(stanza, len, "type='wait'")) {
        outcome.told_to_wait++;
        applicant->retry_ns = now_ns() + RETRY_NS;
    } else {
        register_failed(session, stanza, len);
    }
}

static void register_lost(struct session *session)
{
    outcome.failed += session->registers;
}

static const struct mode register_mode = {register_ready, register_stanza, register_lost};

static void login_again(void)
{
    struct session *session = &sessions[options.count];
    if (session->state == SESSION_CLOSED && outcome.logins < LOGINS_MAX)
        session_open(session, 2 * options.pairs, UNPAIRED, false);
}

static void retries(void)
{
    for (unsigned i = 0; i < options.count; i++)
        if (applicants[i].retry_ns != 0 && now_ns() >= applicants[i].retry_ns) {
            applicants[i].retry_ns = 0;
            set_say(&sessions[i]);
        }
}

/* As many logins one after the other, with nobody else; also salts the password once. */
static void logins_alone(uint64_t until_ns)
{
    while (outcome.logins <= LOGINS_ALONE && now_ns() < until_ns) {
        login_again();
        links_step(10);
    }
    if (outcome.logins <= LOGINS_ALONE)
        fail("the logins before the registrations failed");
    report_spread("login_alone", outcome.logins_ms + 1, LOGINS_ALONE, "ms");
    outcome.logins = 0;
}

static void all_register(uint64_t until_ns)
{
    uint64_t started = now_ns();
    for (unsigned i = 0; i < options.count; i++) {
        applicants[i].number = i;
        sessions[i].registers = true;
        sessions[i].owner = &applicants[i];
        session_open(&sessions[i], i, UNPAIRED, false);
    }
    while (outcome.registered + outcome.failed < options.count && now_ns() < until_ns) {
        if (options.logins)
            login_again();
        retries();
        links_step(10);
    }
    outcome.seconds = (double)(now_ns() - started) / 1e9;
}

/* go: read when the others are to begin. */
static _Noreturn void child_run(int go, int tell, uint64_t until_ns)
{
    char byte;
    mode = &register_mode;
    sessions = take((options.count + 1) * sizeof(*sessions));
    applicants = take(options.count * sizeof(*applicants));
    link_setup(); /* a poller of its own */
    if (options.logins)
        logins_alone(until_ns);
    if (write(tell, "", 1) != 1 || read(go, &byte, 1) != 1)
        fail("the child is alone");
    all_register(until_ns);
    if (write(tell, "", 1) != 1)
        fail("the child is alone");
    report("registrations", outcome.registered, "");
    report("registrations_failed", options.count - outcome.registered, "");
    report("registrations_told_to_wait", outcome.told_to_wait, "");
    report("registrations_seconds", outcome.seconds, "s");
    report_spread("login_registering", outcome.logins_ms, outcome.logins, "ms");
    exit(outcome.registered == options.count ? 0 : 1);
}

/* --- those who chat --- */

/* Until the child says something, or so many seconds; the longest time that this process itself did
 * not look is said too, since it is part of each delay. */
static void chat_watch(const char *name, int told, double seconds)
{
    uint64_t from = now_ns(), last = from, stall = 0;
    char byte, line[80];
    chat_forget();
    while (now_ns() - from < (uint64_t)(seconds * 1e9)) {
        chat_step();
        uint64_t now = now_ns();
        stall = now - last > stall ? now - last : stall;
        last = now;
        ssize_t got = told < 0 ? -1 : read(told, &byte, 1);
        if (got >= 0)
            break;
    }
    chat_report_spread(name);
    snprintf(line, sizeof(line), "%s_generator_stall", name);
    report(line, (double)stall / 1e6, "ms");
}

int register_run(void)
{
    int go[2], told[2], status = 0;
    char byte;
    struct usage from = {0}, to = {0};
    uint64_t until = now_ns() + (uint64_t)options.timeout_seconds * 1000000000;
    if (options.rate <= 0)
        options.rate = 200;
    options.messages = (unsigned)(options.rate * options.timeout_seconds);
    if (pipe(go) != 0 || pipe(told) != 0)
        fail("pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0)
        fail("fork: %s", strerror(errno));
    if (child == 0)
        child_run(go[0], told[1], until);
    close(told[1]); /* so that the end of the child is seen */
    if (read(told[0], &byte, 1) != 1 || !chat_start(until))
        fail("not all sessions could log in");
    if (fcntl(told[0], F_SETFL, O_NONBLOCK) != 0)
        fail("fcntl: %s", strerror(errno));
    chat_watch("warmup", -1, SETTLE_SECONDS);
    chat_watch("delay_alone", -1, options.seconds);
    if (options.server_pid)
        usage_read(options.server_pid, &from);
    if (write(go[1], "", 1) != 1)
        fail("the child is gone");
    chat_watch("delay_registering", told[0], options.timeout_seconds);
    if (options.server_pid) {
        usage_read(options.server_pid, &to);
        report_usage("registration", &from, &to, options.count);
        report("server_ran", (to.total_us - from.total_us) / 1000, "ms");
        report("server_waited_for_a_processor", (to.waited_us - from.waited_us) / 1000, "ms");
    }
    bool right = waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
    return chat_end() && right ? 0 : 1;
}
