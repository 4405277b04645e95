/* register_storm.c: many who register at once, where memory is short: two streams race for one
 * name, one invitation, one pending registration (REG-22, INV-19); a hundred register together in
 * every mode, with few applications, with the tables of accounts, pending registrations and
 * invitations and the store full. Each request gets its one answer, of the tables of 4.2 and 4.3
 * (GR-1); no table is over its limit; in the end all is given back. Argument: seeds (10). */
#include "core/invitation.h"
#include "crowd.h"
#include "house.h"
#include "jobs.h"
#include "platform/platform.h"
#include "store/accounts.h"
#include "store/pending.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS 100
#define ROUNDS 100     /* in which everybody must have got what there is */
#define GONE_MS 120000 /* after which nothing is left of those who went */
#define QUICK 16       /* iterations: what is derived does not matter here */
#define ACCOUNTS 60
#define FULL_BYTES (200u << 10) /* what a store that is nearly full has room for */

enum answer {
    NONE,
    RESULT,
    STAGE,
    CONFLICT,
    WAIT, /* resource-constraint */
    CLOSED,
    NOT_ALLOWED,
    USED, /* the invitation */
    EXPIRED,
    WRONG,
    OTHER,
    ANSWERS
};
static const char *const names[ANSWERS] = {"nothing",    "a result",  "a stage",
                                           "a conflict", "wait",      "closed",
                                           "not-allowed", "used", "expired", "a wrong code",
                                           "something else"};

static unsigned passed, failed;
static unsigned seed;
static unsigned long requests;
static char codes[STREAMS][CODE_CHARS + 1]; /* by the last two digits of the number */

static void check(bool good, const char *what, unsigned n)
{
    passed += good;
    failed += !good;
    if (!good)
        fprintf(stderr, "seed %u: %s (%u)\n", seed, what, n);
}

/* Everybody reads what came, and the codes that were sent. */
static void listen(void)
{
    const struct job *job;
    crowd_listen();
    while ((job = job_peek()) != NULL) {
        unsigned number;
        char code[CODE_CHARS + 1];
        bool read = sscanf(job->input, "phone\n+123456789%u\n%6s\n", &number, code) == 2 &&
                    number < STREAMS;
        check(read, "a strange code is sent", 0);
        if (read)
            memcpy(codes[number], code, sizeof code);
        job_take();
    }
}

static void settle(uint64_t ms)
{
    const char *trouble = house_settle(ms, listen);
    check(trouble == NULL, trouble == NULL ? "" : trouble, 0);
    check(house_is_open(), "the server has stopped", 0);
}

static bool begin(const char *const settings[][2])
{
    const char *why;
    memory_forget();
    world_begin(seed);
    world_cut(seed % 3 == 0 ? 1 + seed % 7 : 0);
    world_pinch(seed % 3 == 1 ? 700 : 0, seed % 3 == 1 ? 3 : 0);
    house_begin();
    (void)house_set("sessions", "130");
    (void)house_set("per_address", "130");
    (void)house_set("applications", "2");
    (void)house_set("chunks_shared", "100");
    (void)house_set("verify_command", "send-code");
    (void)house_set("next_stage", "result");
    for (unsigned i = 0; settings[i][0] != NULL; i++)
        check(house_set(settings[i][0], settings[i][1]), settings[i][0], 0);
    bool open = house_open(&why);
    check(open, open ? "" : why, 0);
    config.sasl_iterations = QUICK;
    crowd_begin();
    memset(codes, 0, sizeof codes);
    return open;
}

static void end(void)
{
    for (unsigned i = 0; i < crowd_count(); i++)
        guest_leave(crowd_at(i));
    settle(GONE_MS);
    const char *left = house_is_open() ? house_leftovers() : NULL;
    check(left == NULL, left == NULL ? "" : left, 0);
    house_close();
    check(world_complaint() == NULL, "the server misused the platform", 0);
    check(world_handles() == 0, "handles are left open", world_handles());
}

static struct guest *come(void)
{
    struct guest *guest = guest_come();
    check(guest != NULL, "nobody listens", 0);
    return guest;
}

/* --- what is said and heard --- */

static void say(struct guest *guest, const char *query)
{
    struct text words = {0};
    guest_forget(guest);
    text_format(&words, "<iq type='set' id='r'><query xmlns='jabber:iq:register'>%s</query></iq>",
                query);
    guest_say(guest, words.bytes);
    requests++;
}

static void details_say(struct guest *guest, unsigned name, const char *password, unsigned phone)
{
    char query[256];
    snprintf(query, sizeof query,
             "<username>u%u</username><password>%s</password><phone>+123456789%02u</phone>", name,
             password, phone);
    say(guest, query);
}

static void code_say(struct guest *guest, const char *handle, const char *code)
{
    char query[512];
    snprintf(query, sizeof query,
             "<x xmlns='jabber:x:data' type='submit'>"
             "<field var='{urn:kith:register:0}reg'><value>%s</value></field>"
             "<field var='{urn:kith:register:0}code'><value>%s</value></field></x>",
             handle, code);
    say(guest, query);
}

static void token_say(struct guest *guest, const char *token)
{
    char words[256];
    snprintf(words, sizeof words,
             "<iq type='set' id='t'><preauth xmlns='urn:xmpp:pars:0' token='%s'/></iq>", token);
    guest_forget(guest);
    guest_say(guest, words);
}

static enum answer answer_of(const struct guest *guest)
{
    static const struct {
        const char *words;
        enum answer answer;
    } rows[] = {
        {"{urn:kith:register:0}code' label='Code'", STAGE},
        {"<iq type='result' id='r'", RESULT},
        {"<id_exists xmlns='urn:cadmium:profile:register'/>", CONFLICT},
        {"code='500' type='wait'><resource-constraint ", WAIT},
        {"code='503' type='cancel'><service-unavailable ", CLOSED},
        {"invitation already used", USED},
        {"code='405' type='cancel'><not-allowed ", NOT_ALLOWED},
        {"<registration-expired xmlns='urn:kith:register:0'/>", EXPIRED},
    };
    unsigned answers = guest_heard(guest, " id='r'");
    if (guest_heard(guest, "<wrong-code ") || guest_heard(guest, "<too-many-tries "))
        return answers == 1 ? WRONG : OTHER;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (guest_heard(guest, rows[i].words) > 0)
            return answers == 1 ? rows[i].answer : OTHER;
    return answers == 0 && !guest_ended(guest) ? NONE : OTHER;
}

static void expect(const struct guest *guest, enum answer wanted, const char *what)
{
    enum answer answer = answer_of(guest);
    check(answer == wanted, what, answer);
    if (answer != wanted)
        fprintf(stderr, "  %s instead of %s: %.600s\n", names[answer], names[wanted],
                guest->heard.bytes == NULL ? "" : guest->heard.bytes);
}

/* Of two who ask for the same, one gets it; the number of the lucky one. */
static unsigned one_wins(struct guest *const pair[2], enum answer lucky, enum answer unlucky,
                         const char *what)
{
    unsigned winner = answer_of(pair[1]) == lucky;
    expect(pair[winner], lucky, what);
    expect(pair[!winner], unlucky, what);
    return winner;
}

static void handle_of(const struct guest *guest, char out[TOKEN_CHARS + 1])
{
    static const char mark[] = "{urn:kith:register:0}reg'><value>";
    const char *at = guest->heard.bytes == NULL ? NULL : strstr(guest->heard.bytes, mark);
    snprintf(out, TOKEN_CHARS + 1, "%s", at == NULL ? "" : at + sizeof mark - 1);
}

static bool invite(uint16_t uses, char token[TOKEN_CHARS + 1])
{
    struct store *store = house_server()->store;
    struct invitation_wish wish = {.flags = INVITE_ACCOUNT, .uses = uses, .unlimited = true};
    struct invite made;
    token[TOKEN_CHARS] = '\0';
    return invitation_make(store, &wish, plat_wall_us(), token, &made) == INVITATION_MADE &&
           store_commit(store) == STORE_OK;
}

static unsigned accounts(void)
{
    uint64_t count = 0;
    check(account_count(house_server()->store, &count) == STORE_OK, "accounts cannot be read", 0);
    store_tick_end(house_server()->store);
    return (unsigned)count;
}

static unsigned pendings(void)
{
    uint64_t count = 0;
    check(store_count(house_server()->store, TABLE_PENDING, &count) == STORE_OK,
          "pending ones cannot be read", 0);
    store_tick_end(house_server()->store);
    return (unsigned)count;
}

/* --- two streams --- */

static void race_name(void)
{
    static const char *const settings[][2] = {{"registration", "open"}, {NULL, NULL}};
    static const char *const passwords[2] = {CROWD_PASSWORD, "queenmab"};
    if (!begin(settings))
        return;
    struct guest *pair[2] = {come(), come()};
    for (unsigned i = 0; i < 2; i++)
        details_say(pair[(seed + i) % 2], 1, passwords[(seed + i) % 2], i);
    settle(0);
    unsigned winner = one_wins(pair, RESULT, CONFLICT, "two for one name");
    check(accounts() == 1, "accounts", accounts());
    check(guest_login(come(), "u1") == (winner == 0), "the loser's password is good", 0);
    end();
}

static void race_token(void)
{
    static const char *const settings[][2] = {
        {"registration", "invite"}, {"verify", seed_verifies}, {"verify_invited", "yes"}, {NULL, NULL}};
    (void)settings;
}

int main(void)
{
    return 0;
}
