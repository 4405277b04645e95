/* registration.c: a stranger who registers, in the test world. The first byte chooses the config,
 * the pieces that are read, and whether the stream is bound; bytes from 128 on stand for words of
 * the protocol, some below 32 for what a person does between them. Whatever it is, what the server
 * says is XML, nobody gets an account who may not, and in the end everything is given back. */
#include "core/invitation.h"
#include "core/session.h"
#include "store/accounts.h"
#include "tests/fuzz/served.h"
#include "tests/sim/jobs.h"
#include "tests/sim/verbs.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX 8
#define ACCOUNTS 2
#define HEADER                                                                                     \
    "<stream:stream to='example.com' from='nurse@example.com' version='1.0' "                      \
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
#define FIELD(var) "<field var='" var "'><value>"

/* Bits of the first byte; those below choose the config. */
enum { MODE = 7, CUT_SHIFT = 3, BOUND = 32 };
/* What stands for a pause, another stream, a minute, half an hour, a login. */
enum { PAUSE = 1, ANOTHER = 2, MINUTE = 3, HALF_HOUR = 4, LOGIN = 5 };
#define AUTH                                                                                       \
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AG51cnNlAHF1ZWVubWFi</auth>"

static const size_t cuts[] = {0, 1, 7, 64};

static const struct mode {
    const char *registration, *verify, *strict, *next_stage;
} modes[MODE + 1] = {
    {"open", "none", "no", "auto"},     {"open", "phone", "no", "auto"},
    {"open", "either", "no", "result"}, {"open", "email", "yes", "error"},
    {"open", "admin", "no", "auto"},    {"invite", "none", "no", "auto"},
    {"closed", "none", "no", "auto"},   {"redirect", "none", "no", "auto"},
};

/* What the person has read: of the last form, the last message, the link. */
static char handle[64], code[8], token[TOKEN_CHARS + 1];

/* What byte 128 and the following stand for; the others are themselves. */
static const char *const words[] = {
    "<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>",
    "<iq type='set' id='s'><query xmlns='jabber:iq:register'>",
    "</query></iq>",
    "<username>",
    "</username>",
    "<password>",
    "</password>",
    "<email>",
    "</email>",
    "<phone>",
    "</phone>",
    "<text>",
    "</text>",
    "<remove/>",
    "<stages xmlns='urn:kith:register:0'/>",
    "<x xmlns='jabber:x:data' type='submit'>",
    "<x xmlns='jabber:x:data' type='cancel'>",
    "</x>",
    FIELD("FORM_TYPE") "jabber:iq:register",
    FIELD("username"),
    FIELD("password"),
    FIELD("email"),
    FIELD("phone"),
    FIELD("{urn:kith:register:0}reg"),
    FIELD("{urn:kith:register:0}code"),
    FIELD("{urn:kith:register:0}resend") "1",
    FIELD("{urn:kith:register:0}reason"),
    FIELD("{urn:kith:register:0}token"),
    "</value></field>",
    "</value><value>",
    handle,
    code,
    token,
    "nurse",
    "juliet",
    "Nurse@example.com",
    "queenmab",
    "nurse@capulett.com",
    "+12345678901",
    "+12345678902",
    "<iq type='set' id='p'><preauth xmlns='urn:xmpp:pars:0' token='",
    "'/></iq>",
    "<register xmlns='urn:xmpp:register:0'><flow id='0'/></register>",
    "<response xmlns='urn:xmpp:register:0'>",
    "</response>",
    "<cancel xmlns='urn:xmpp:register:0'/>",
    HEADER,
    "</stream:stream>",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static struct play play;
static struct client *stranger;
static unsigned seed, streams, codes;
static bool logged_in;

static void broken(const char *what)
{
    fprintf(stderr, "%s\n%s\n", what, play.report.bytes ? play.report.bytes : "");
    abort();
}

static void token_hand_out(void)
{
    const struct invitation_wish wish = {
        .flags = INVITE_ACCOUNT | INVITE_CONTACT, .owner = SPAN("juliet"), .unlimited = true};
    struct server *server = house_server();
    struct invite made;
    if (invitation_make(server->store, &wish, server->wall_us, token, &made) != INVITATION_MADE ||
        store_commit(server->store) != STORE_OK)
        broken("no invitation");
}

static void begin(const struct mode *mode)
{
    const char *why;
    house_close();
    memory_forget();
    clients_forget();
    world_begin(++seed);
    memset(&play, 0, sizeof(play));
    play.path = "fuzz";
    play.variables = variables_new();
    text_string(&play.report, "");
    house_begin();
    (void)house_set("registration", mode->registration);
    (void)house_set("registration_url", "https://example.com/join");
    (void)house_set("verify", mode->verify);
    (void)house_set("verify_command", "send-code");
    (void)house_set("verify_strict", mode->strict);
    (void)house_set("next_stage", mode->next_stage);
    (void)house_set("sessions", "4");
    (void)house_set("chunks_shared", "300");
    (void)house_set("map_bytes", "4M");
    if (!house_open(&why) || !house_account("juliet", "pencil", ACCOUNT_ADMIN) ||
        !house_account("romeo", "pencil", 0))
        broken(why);
    token_hand_out();
    stranger = client_named("juliet.fuzz", strlen("juliet.fuzz"));
    handle[0] = code[0] = '\0';
    streams = codes = 0;
}

/* --- what the stranger does --- */

/* The value of a hidden field, wherever it stands. */
static void handle_look(const struct tree *tree)
{
    const char *var = tree_attribute(tree, "var");
    const struct tree *value = tree_child(tree, "value");
    if (var && value && strcmp(var, "{urn:kith:register:0}reg") == 0)
        snprintf(handle, sizeof(handle), "%s", tree_text(value));
    for (const struct tree *at = tree->child; at; at = at->next)
        if (at->name)
            handle_look(at);
}

/* Three lines: the way, the address, the code. */
static void codes_look(void)
{
    for (const struct job *job = job_peek(); job; job = job_peek()) {
        const char *last = strchr(job->input, '\n');
        last = last ? strchr(last + 1, '\n') : NULL;
        if (!last || strlen(last + 1) != CODE_CHARS + 1)
            broken("this is no code");
        memcpy(code, last + 1, CODE_CHARS);
        codes++;
        job_take();
    }
}

static void settle(uint64_t ms)
{
    const char *complaint = house_settle(ms, clients_listen);
    const struct tree *came;
    if (complaint || world_complaint())
        broken(complaint ? complaint : world_complaint());
    if (!house_is_open())
        broken("the server has stopped");
    const char *fault = client_fault(stranger);
    if (fault)
        broken(fault);
    while ((came = client_take(stranger)) != NULL) {
        logged_in |= strcmp(came->name, "success") == 0 &&
                     strcmp(came->namespace, "urn:ietf:params:xml:ns:xmpp-sasl") == 0;
        handle_look(came);
    }
    codes_look();
}

static void connect(bool bound)
{
    if (bound ? !verb_comes_online(&play, stranger, "", NULL) : !client_connect(stranger, NULL))
        broken("the stranger is not let in");
    stranger->spoke = true;
    streams++;
    if (bound)
        return;
    stranger->from = "nurse@example.com";
    client_say_string(stranger, HEADER);
}

/* As nurse, with the password queenmab. */
static void login(void)
{
    settle(0);
    logged_in = false;
    client_say_string(stranger, AUTH);
    settle(0);
    if (!logged_in)
        return;
    client_expect_header(stranger);
    client_say_string(stranger, HEADER);
}

static void do_one(uint8_t byte)
{
    if (byte >= 128) {
        if (byte - 128u < WORDS)
            client_say_string(stranger, words[byte - 128u]);
    } else if (byte == ANOTHER && streams < STREAMS_MAX) {
        settle(0);
        world_reset(stranger->link);
        settle(0);
        connect(false);
    } else if (byte == LOGIN) {
        login();
    } else if (byte >= PAUSE && byte <= HALF_HOUR) {
        settle(byte == MINUTE ? 61000 : byte == HALF_HOUR ? 1800000 : 0);
    } else {
        client_say(stranger, (const char *)&byte, 1);
    }
}

/* --- what must hold --- */

static unsigned accounts_made(void)
{
    uint64_t count = 0;
    if (account_count(house_server()->store, &count) != STORE_OK || count < ACCOUNTS - 1)
        broken("the accounts cannot be counted");
    store_tick_end(house_server()->store);
    return count > ACCOUNTS ? (unsigned)(count - ACCOUNTS) : 0;
}

static void accounts_check(const struct mode *mode)
{
    unsigned most = strcmp(mode->registration, "closed") == 0 ? 0
                    : strcmp(mode->registration, "open") != 0 ? 1 /* the token's one use */
                    : strcmp(mode->verify, "none") == 0       ? UINT32_MAX
                    : strcmp(mode->verify, "admin") == 0      ? 1
                                                              : codes + 1; /* and the token */
    if (accounts_made() > most)
        broken("somebody has got an account who may not");
}

static void given_back(void)
{
    const struct server *server = house_server();
    if (server->sessions.used || server->inputs.used || server->leases.used ||
        server->exchanges.used || server->applications.used || server->streams || server->leaving ||
        server->readers || server->writers || server->deriving)
        broken("something of the streams is left");
    if (server->chunks.chunks.used)
        broken("chunks are left");
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    served_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct mode *mode = &modes[data[0] & MODE];
    seed = 0; /* the same input, the same world */
    begin(mode);
    connect(data[0] & BOUND);
    world_cut(cuts[data[0] >> CUT_SHIFT & 3]);
    for (size_t i = 1; i < size; i++)
        do_one(data[i]);
    settle(0);
    world_cut(0);
    world_reset(stranger->link);
    settle(0);
    accounts_check(mode);
    given_back();
    return 0;
}
