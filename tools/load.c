/* load.c: the load generator with which users size their board: options and start.
 *   load login -n 200 -c 8 …            connection, full TLS handshake, SASL, bind, again and again
 *   load resume -n 200 …               logins that resume both TLS and stream, against full ones
 *   load chat --pairs 50 --window 4 …   messages; lost, doubled ones are counted; so in presence
 * Always bounded: by a count and by --timeout. `load --help` lists the options. */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct options options = {
    .host = "127.0.0.1",
    .domain = "localhost",
    .user = "u%u",
    .password = "pw-%u",
    .concurrency = 8,
    .seconds = 10,
    .pairs = 50,
    .window = 1,
    .messages = 10000,
    .warmup = UINT32_MAX,
    .body_bytes = 200,
    .people = 100,
    .items = 500,
    .timeout_seconds = 120,
};

static const char help[] =
    "load login|idle|chat|roster|archive|presence|channel|register|resume|asleep [options]\n"
    "  --host ADDRESS --port PORT    the server (127.0.0.1, 5222; 5223 with --direct-tls)\n"
    "  --direct-tls | --plaintext    instead of STARTTLS; without TLS only on this machine\n"
    "  --domain NAME                 (localhost)\n"
    "  --user P --password P         patterns, %u is the number of the account (u%u, pw-%u)\n"
    "  --users N                     accounts there are; by default as many as sessions\n"
    "  --first N                     number of the first one (0)\n"
    "  --mechanism NAME              SCRAM-SHA-256, SCRAM-SHA-1 or PLAIN (the first offered)\n"
    "  --tls 1.2|1.3 --suite NAME    instead of what both sides like best\n"
    "  --server-pid PID              print what this process uses meanwhile\n"
    "  --timeout SECONDS             give up after (120)\n"
    "  --floor                       the other side is tools/floor\n"
    "  -n N -c N                     login, idle: how many, how many at once (100, 8)\n"
    "  --seconds N                   idle: how long (10)\n"
    "  --roster                      idle: every session asks for its roster\n"
    "  --contacts N                  login: as many are online and hear of it, against none;\n"
    "                                presence: of each person (20)\n"
    "  --people N                    presence: each changes its own in turn (100);\n"
    "                                channel: participants of whom one speaks (100)\n"
    "  --items N -n N --messages N   roster: items (500) in the rosters of n accounts (1), then\n"
    "                                how often one is asked for\n"
    "  --answer BYTES --records N    roster --floor: what each answer was; channel: a delivery\n"
    "  --pairs N --window N          chat: pairs (50), messages on their way per pair (1);\n"
    "                                presence, channel: what is on its way (1)\n"
    "  --rate N                      chat: messages per second over all pairs, no window\n"
    "  --messages N --warmup N       chat: how many in all (10000), the first uncounted (a "
    "tenth);\n"
    "                                presence: changes in all\n"
    "  --body BYTES                  chat, presence, channel: text of a message, a status (200)\n"
    "  --linger SECONDS              chat: what the server writes so long after is counted too\n"
    "  -n N --seconds N --logins      register: so many at once (100) while pairs chat at --rate\n"
    "                                (200), which chat alone before (10); with logins meanwhile\n"
    "Every line printed is a name, a value and a unit. Exit 1: something failed or got lost.\n";

enum { OPTION_NUMBER, OPTION_TEXT, OPTION_FLAG, OPTION_RATE };

struct option_row {
    const char *name;
    int kind;
    void *value;
};

static const struct option_row rows[] = {
    {"host", OPTION_TEXT, &options.host},
    {"port", OPTION_TEXT, &options.port},
    {"domain", OPTION_TEXT, &options.domain},
    {"user", OPTION_TEXT, &options.user},
    {"password", OPTION_TEXT, &options.password},
    {"mechanism", OPTION_TEXT, &options.mechanism},
    {"tls", OPTION_TEXT, &options.tls},
    {"suite", OPTION_TEXT, &options.suite},
    {"direct-tls", OPTION_FLAG, &options.direct_tls},
    {"plaintext", OPTION_FLAG, &options.plaintext},
    {"floor", OPTION_FLAG, &options.floor},
    {"count", OPTION_NUMBER, &options.count},
    {"concurrency", OPTION_NUMBER, &options.concurrency},
    {"users", OPTION_NUMBER, &options.users},
    {"first", OPTION_NUMBER, &options.first},
    {"seconds", OPTION_NUMBER, &options.seconds},
    {"pairs", OPTION_NUMBER, &options.pairs},
    {"window", OPTION_NUMBER, &options.window},
    {"rate", OPTION_RATE, &options.rate},
    {"messages", OPTION_NUMBER, &options.messages},
    {"warmup", OPTION_NUMBER, &options.warmup},
    {"body", OPTION_NUMBER, &options.body_bytes},
    {"linger", OPTION_NUMBER, &options.linger},
    {"people", OPTION_NUMBER, &options.people},
    {"contacts", OPTION_NUMBER, &options.contacts},
    {"items", OPTION_NUMBER, &options.items},
    {"answer", OPTION_NUMBER, &options.answer_bytes},
    {"records", OPTION_NUMBER, &options.answer_records},
    {"roster", OPTION_FLAG, &options.roster},
    {"logins", OPTION_FLAG, &options.logins},
    {"timeout", OPTION_NUMBER, &options.timeout_seconds},
    {"server-pid", OPTION_NUMBER, &options.server_pid},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

void *take(size_t size)
{
    void *bytes = calloc(1, size ? size : 1);
    if (!bytes)
        fail("out of memory");
    return bytes;
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void option_number(const struct option_row *row, const char *text)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value > 100000000)
        fail("--%s %s: not a number", row->name, text);
    *(unsigned *)row->value = (unsigned)value;
}

static void option_take(const struct option_row *row, const char *text)
{
    char *end;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->value = true;
        break;
    case OPTION_TEXT:
        *(const char **)row->value = text;
        break;
    case OPTION_NUMBER:
        option_number(row, text);
        break;
    default:
        *(double *)row->value = strtod(text, &end);
        if (*end != '\0' || *(double *)row->value < 0)
            fail("--%s %s: not a rate", row->name, text);
    }
}

static void options_read(int argc, char **argv)
{
    struct option long_options[ROWS + 2] = {0};
    for (size_t i = 0; i < ROWS; i++)
        long_options[i] =
            (struct option){rows[i].name, rows[i].kind != OPTION_FLAG, NULL, (int)(1000 + i)};
    long_options[ROWS] = (struct option){"help", 0, NULL, 'h'};
    for (int code; (code = getopt_long(argc, argv, "n:c:h", long_options, NULL)) != -1;) {
        if (code == 'h') {
            fputs(help, stdout);
            exit(0);
        }
        if (code == '?')
            exit(2);
        for (size_t i = 0; i < ROWS; i++)
            if (code == (int)(1000 + i) || (code == 'n' && rows[i].value == &options.count) ||
                (code == 'c' && rows[i].value == &options.concurrency))
                option_take(&rows[i], optarg);
    }
    if (optind + 1 != argc)
        fail("say what to do, once (load --help)");
    options.mode = argv[optind];
}

static void options_check(void)
{
    bool registers = strcmp(options.mode, "register") == 0;
    bool chat = registers || strcmp(options.mode, "chat") == 0;
    bool roster = strcmp(options.mode, "roster") == 0;
    if (!options.port)
        options.port = options.direct_tls ? "5223" : "5222";
    if (options.count == 0)
        options.count = roster ? 1 : 100;
    if (options.concurrency == 0 || options.pairs == 0)
        fail("there must be something to do");
    if (options.window == 0 || (chat && options.messages < options.pairs))
        fail("at least one message a pair, and a window for it");
    if (options.warmup == UINT32_MAX)
        options.warmup = options.messages / 10;
    if (options.users == 0)
        options.users = chat ? 2 * options.pairs : options.count;
    if (chat && options.users < 2 * options.pairs)
        fail("every end of a pair needs an account of its own");
    if (options.floor && options.concurrency < 2)
        options.concurrency = 2; /* both ends are waited for */
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } modes[] = {{"login", login_run},    {"idle", idle_run},         {"chat", chat_run},
                 {"roster", roster_run},  {"presence", presence_run}, {"register", register_run},
                 {"resume", resume_run},  {"asleep", asleep_run},     {"archive", archive_run},
                 {"channel", channel_run}};
    options_read(argc, argv);
    options_check();
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    link_setup();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(options.mode, modes[i].name) == 0)
            return modes[i].run();
    fail("%s: not a mode (load --help)", options.mode);
}
