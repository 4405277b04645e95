/* register_race.c: two streams race for one name, for one invitation, for one pending registration
 * (INV-19, REG-22): one gets it, the other its exact answer; the five tries of a code are those of
 * both together. Argument: seeds (60). */
#include "applicants.h"
#include "house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 60

static unsigned seed;

/* Of two who ask for the same one gets it; the number of the lucky one. */
static unsigned one_wins(struct guest *const pair[2], enum answer unlucky, const char *what)
{
    unsigned winner = answer_of(pair[1]) == ANSWER_RESULT;
    expect(pair[winner], ANSWER_RESULT, what);
    expect(pair[!winner], unlucky, what);
    return winner;
}

static void race_name(void)
{
    static const char *const settings[][2] = {{"registration", "open"}, {NULL, NULL}};
    static const char *const passwords[2] = {CROWD_PASSWORD, "queenmab"};
    if (!applicants_begin("a name", seed, settings))
        return;
    struct guest *pair[2] = {applicant_come(), applicant_come()};
    for (unsigned i = 0; i < 2; i++) {
        unsigned who = (seed + i) % 2;
        details_say(pair[who], 1, passwords[who], who);
    }
    applicants_settle(0);
    unsigned winner = one_wins(pair, ANSWER_CONFLICT, "two for one name");
    check(accounts() == 1, "accounts (%u)", accounts());
    check(guest_login(applicant_come(), "u1") == (winner == 0), "whose password is good (%u)",
          winner);
    applicants_end();
}

/* Both have shown the token, and then ask for different names. */
static void race_token(const char *verify)
{
    const char *const settings[][2] = {
        {"registration", "invite"}, {"verify", verify}, {"verify_invited", "yes"}, {NULL, NULL}};
    bool stages = strcmp(verify, "none") != 0;
    char token[TOKEN_CHARS + 1], handle[TOKEN_CHARS + 1];
    if (!applicants_begin("an invitation", seed, settings))
        return;
    check(invite(1, token), "no invitation");
    struct guest *pair[2] = {applicant_come(), applicant_come()};
    for (unsigned i = 0; i < 2; i++)
        token_say(pair[i], token);
    applicants_settle(0);
    for (unsigned i = 0; i < 2; i++) {
        check(guest_heard(pair[i], "type='result' id='t'") == 1, "the token is refused (%u)", i);
        details_say(pair[i], i, CROWD_PASSWORD, i);
    }
    applicants_settle(0);
    for (unsigned i = 0; i < 2 && stages; i++) {
        expect(pair[i], ANSWER_STAGE, "both for one invitation, first stage");
        handle_of(pair[i], handle);
        code_say(pair[i], handle, code_of(i));
    }
    applicants_settle(0);
    (void)one_wins(pair, ANSWER_USED, "two for one invitation");
    check(accounts() == 1, "accounts (%u)", accounts());
    check(invites() == 0, "invitations (%u)", invites());
    applicants_end();
}

static const char *const open_phone[][2] = {
    {"registration", "open"}, {"verify", "phone"}, {NULL, NULL}};

/* Two streams, the first of which has begun to register; its handle. */
static bool pending_begin(struct guest *pair[2], char handle[TOKEN_CHARS + 1])
{
    if (!applicants_begin("one pending", seed, open_phone))
        return false;
    pair[0] = applicant_come();
    pair[1] = applicant_come();
    details_say(pair[0], 0, CROWD_PASSWORD, 0);
    applicants_settle(0);
    expect(pair[0], ANSWER_STAGE, "first stage");
    handle_of(pair[0], handle);
    return true;
}

/* by_name: with name and password instead of the handle; the second one then asks for a name that
 * is taken. */
static void race_pending(bool by_name)
{
    struct guest *pair[2];
    char handle[TOKEN_CHARS + 1], query[256];
    if (!pending_begin(pair, handle))
        return;
    snprintf(query, sizeof query,
             "<username>u0</username><password>" CROWD_PASSWORD "</password><text>%s</text>",
             code_of(0));
    for (unsigned i = 0; i < 2; i++)
        if (by_name)
            applicant_say(pair[(seed + i) % 2], query);
        else
            code_say(pair[(seed + i) % 2], handle, code_of(0));
    applicants_settle(0);
    (void)one_wins(pair, by_name ? ANSWER_CONFLICT : ANSWER_EXPIRED, "two for one registration");
    check(accounts() == 1 && pendings() == 0, "accounts (%u)", accounts());
    applicants_end();
}

static void race_tries(void)
{
    struct guest *pair[2];
    char handle[TOKEN_CHARS + 1], words[32];
    unsigned told[6] = {0};
    if (!pending_begin(pair, handle))
        return;
    const char *wrong = strcmp(code_of(0), "000000") == 0 ? "000001" : "000000";
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 2; i++)
            code_say(pair[(seed + i) % 2], handle, wrong);
        applicants_settle(0);
        for (unsigned i = 0; i < 2; i++) {
            expect(pair[i], ANSWER_WRONG, "a wrong code");
            told[0] += guest_heard(pair[i], "<too-many-tries ");
            for (unsigned left = 1; left < 6; left++) {
                snprintf(words, sizeof words, " tries='%u'", left);
                told[left] += guest_heard(pair[i], words);
            }
        }
    }
    for (unsigned left = 1; left < 5; left++)
        check(told[left] == 1, "tries left are not told once (%u)", left);
    check(told[0] == 4 && told[5] == 0, "too many tries (%u)", told[0]);
    code_say(pair[0], handle, code_of(0));
    applicants_settle(0);
    expect(pair[0], ANSWER_WRONG, "a right code after too many tries");
    check(accounts() == 0, "accounts (%u)", accounts());
    applicants_end();
}

int main(int count, char **arguments)
{
    unsigned seeds = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : SEEDS;
    house_boot();
    for (seed = 1; seed <= seeds; seed++) {
        race_name();
        race_token("none");
        race_token("phone");
        race_pending(false);
        race_pending(true);
        race_tries();
    }
    house_leave();
    return applicants_report();
}
