/* applicants.c: see applicants.h. */
#include "applicants.h"

#include "core/invitation.h"
#include "house.h"
#include "jobs.h"
#include "platform/platform.h"
#include "store/accounts.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GONE_MS 120000 /* after which nothing is left of those who went */
#define SHOWN 400      /* of what was heard instead */
#define QUICK 16       /* iterations: what is derived does not matter here */

static const char *const names[] = {
    [ANSWER_NONE] = "nothing",
    [ANSWER_RESULT] = "a result",
    [ANSWER_STAGE] = "a stage",
    [ANSWER_CONFLICT] = "a conflict",
    [ANSWER_WAIT] = "wait",
    [ANSWER_CLOSED] = "closed",
    [ANSWER_NOT_ALLOWED] = "no",
    [ANSWER_USED] = "a used invitation",
    [ANSWER_EXPIRED] = "expired",
    [ANSWER_WRONG] = "a wrong code",
    [ANSWER_OTHER] = "something else",
};

static char part[64];
static unsigned long requests;
static char codes[APPLICANTS][CODE_CHARS + 1]; /* by the last two digits of the telephone */

int applicants_report(void)
{
    printf("%lu registrations asked for\n", requests);
    return tally_end();
}

/* Everybody reads what came, and the codes that were sent. */
static void listen(void)
{
    const struct job *job;
    crowd_listen();
    while ((job = job_peek()) != NULL) {
        unsigned phone;
        char code[CODE_CHARS + 1];
        bool read = sscanf(job->input, "phone\n+123456789%2u\n%6s\n", &phone, code) == 2;
        check(read, "a strange code is sent");
        if (read)
            memcpy(codes[phone], code, sizeof code);
        job_take();
    }
}

void applicants_settle(uint64_t ms)
{
    const char *trouble = house_settle(ms, listen);
    check(trouble == NULL, "%s", trouble == NULL ? "" : trouble);
    check(house_is_open(), "the server has stopped");
}

bool applicants_begin(const char *name, unsigned seed, const char *const settings[][2])
{
    const char *why;
    memory_forget();
    snprintf(part, sizeof part, "%s, seed %u", name, seed);
    tally_part = part;
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
        check(house_set(settings[i][0], settings[i][1]), "%s", settings[i][0]);
    bool open = house_open(&why);
    check(open, "%s", open ? "" : why);
    config.sasl_iterations = QUICK;
    crowd_begin();
    memset(codes, 0, sizeof codes);
    return open;
}

void applicants_end(void)
{
    for (unsigned i = 0; i < crowd_count(); i++)
        guest_leave(crowd_at(i));
    applicants_settle(GONE_MS);
    const char *left = house_is_open() ? house_leftovers() : NULL;
    check(left == NULL, "%s", left == NULL ? "" : left);
    house_close();
    check(world_complaint() == NULL, "the server misused the platform");
    check(world_handles() == 0, "handles are left open (%u)", world_handles());
}

/* --- what is said --- */

struct guest *applicant_come(void)
{
    struct guest *guest = guest_come();
    if (guest == NULL) {
        fprintf(stderr, "nobody listens\n");
        exit(1);
    }
    return guest;
}

void applicant_say(struct guest *guest, const char *query)
{
    struct text words = {0};
    guest_forget(guest);
    text_format(&words, "<iq type='set' id='r'><query xmlns='jabber:iq:register'>%s</query></iq>",
                query);
    guest_say(guest, words.bytes);
    requests++;
}

void details_say(struct guest *guest, unsigned name, const char *password, unsigned phone)
{
    char query[256];
    snprintf(query, sizeof query,
             "<username>u%u</username><password>%s</password><phone>+123456789%02u</phone>", name,
             password, phone);
    applicant_say(guest, query);
}

void response_say(struct guest *guest, unsigned name, const char *password)
{
    struct text words = {0};
    guest_forget(guest);
    text_format(&words,
                "<response xmlns='urn:xmpp:register:0'><x xmlns='jabber:x:data' type='submit'>"
                "<field var='username'><value>u%u</value></field>"
                "<field var='password'><value>%s</value></field></x></response>",
                name, password);
    guest_say(guest, words.bytes);
    requests++;
}

void code_say(struct guest *guest, const char *handle, const char *code)
{
    char query[512];
    snprintf(query, sizeof query,
             "<x xmlns='jabber:x:data' type='submit'>"
             "<field var='{urn:kith:register:0}reg'><value>%s</value></field>"
             "<field var='{urn:kith:register:0}code'><value>%s</value></field></x>",
             handle, code);
    applicant_say(guest, query);
}

void token_say(struct guest *guest, const char *token)
{
    char words[256];
    snprintf(words, sizeof words,
             "<iq type='set' id='t'><preauth xmlns='urn:xmpp:pars:0' token='%s'/></iq>", token);
    guest_forget(guest);
    guest_say(guest, words);
}

const char *code_of(unsigned phone)
{
    return codes[phone];
}

/* --- what is heard --- */

void handle_of(const struct guest *guest, char out[TOKEN_CHARS + 1])
{
    static const char mark[] = "{urn:kith:register:0}reg'><value>";
    const char *at = guest->heard.bytes == NULL ? NULL : strstr(guest->heard.bytes, mark);
    snprintf(out, TOKEN_CHARS + 1, "%s", at == NULL ? "" : at + sizeof mark - 1);
}

enum answer answer_of(const struct guest *guest)
{
    static const struct {
        const char *words;
        enum answer answer;
    } rows[] = {
        {"<wrong-code ", ANSWER_WRONG},
        {"<too-many-tries ", ANSWER_WRONG},
        {"{urn:kith:register:0}code' label='Code'", ANSWER_STAGE},
        {"<iq type='result' id='r'", ANSWER_RESULT},
        {"<success xmlns='urn:xmpp:register:0'", ANSWER_RESULT},
        {"<id_exists xmlns='urn:cadmium:profile:register'/>", ANSWER_CONFLICT},
        {"code='500' type='wait'><resource-constraint ", ANSWER_WAIT},
        {"<value>resource-constraint</value>", ANSWER_WAIT},
        {"code='503' type='cancel'><service-unavailable ", ANSWER_CLOSED},
        {"invitation already used", ANSWER_USED},
        {"code='405' type='cancel'><not-allowed ", ANSWER_NOT_ALLOWED},
        {"<registration-expired xmlns='urn:kith:register:0'/>", ANSWER_EXPIRED},
    };
    unsigned answers = guest_heard(guest, " id='r'") + guest_heard(guest, "<challenge xmlns=") +
                       guest_heard(guest, "<success ");
    if (answers == 0 && !guest_ended(guest))
        return ANSWER_NONE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (answers == 1 && guest_heard(guest, rows[i].words) > 0)
            return rows[i].answer;
    return ANSWER_OTHER;
}

void expect(const struct guest *guest, enum answer wanted, const char *what)
{
    enum answer answer = answer_of(guest);
    size_t len = guest->heard.len;
    check(answer == wanted, "%s: %s instead of %s: %s", what, names[answer], names[wanted],
          len == 0 ? "" : guest->heard.bytes + (len > SHOWN ? len - SHOWN : 0));
}

/* --- what is in the store --- */

bool invite(uint16_t uses, char token[TOKEN_CHARS + 1])
{
    struct store *store = house_server()->store;
    struct invitation_wish wish = {.flags = INVITE_ACCOUNT, .uses = uses, .unlimited = true};
    struct invite made;
    token[TOKEN_CHARS] = '\0';
    bool is_made = invitation_make(store, &wish, plat_wall_us(), token, &made) == INVITATION_MADE;
    return store_commit(store) == STORE_OK && is_made;
}

static unsigned count_of(enum store_table table)
{
    uint64_t count = 0;
    check(store_count(house_server()->store, table, &count) == STORE_OK, "no count (%u)", table);
    store_tick_end(house_server()->store);
    return (unsigned)count;
}

unsigned accounts(void)
{
    return count_of(TABLE_ACCOUNTS);
}

unsigned pendings(void)
{
    return count_of(TABLE_PENDING);
}

unsigned invites(void)
{
    return count_of(TABLE_INVITES);
}
