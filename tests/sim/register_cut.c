/* register_cut.c: the power goes while somebody registers with one link: an account, a contact, a
 * private channel; in two stages and in one (REG-10, REG-16, INV-22, MT-8, GR-2). After each cut: a
 * use is spent if and only if the account is there, with both rosters, its number and the channel,
 * by both sides; what was acknowledged is there; no name is pending and an account. Who comes back
 * finishes: by handle, or by name, password and code. Environment: KITH_CUTS. */
#include "core/invitation.h"
#include "cuts.h"
#include "jobs.h"
#include "platform/platform.h"
#include "rooms.h"
#include "store/accounts.h"
#include "store/ids.h"
#include "store/pending.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define PHONE "+12345678901"
#define BOTH (ROSTER_TO | ROSTER_FROM)
#define CUTS 1200

/* Nurse, whom romeo has invited, and what she knows. */
static struct {
    char token[TOKEN_CHARS + 1];
    uint8_t hash[INVITE_HASH_BYTES];
    uint16_t uses;
    char handle[TOKEN_CHARS + 1];
    char code[CODE_CHARS + 1];
    bool finishing; /* has said all there is to say, at least once */
    bool waiting;   /* has been told that a code is on its way */
    bool done;      /* has been told that she has an account, or romeo of her */
    bool by_name;   /* does not come back by the handle */
    bool verified;  /* with a code */
    uint64_t seed;
} nurse;

/* What is in the store. */
struct truth {
    bool account, pending, romeo_has, nurse_has, number, in_room;
    unsigned spent;
};

static struct truth truth_read(void)
{
    struct store *store = house_server()->store;
    struct account account;
    struct pending pending;
    struct invite invite;
    struct roster_item item;
    struct span owner;
    struct truth truth = {
        .account = account_get(store, SPAN("nurse"), &account) == STORE_OK,
        .pending = pending_get(store, SPAN("nurse"), &pending) == STORE_OK,
        .romeo_has = roster_get(store, SPAN("romeo"), SPAN("nurse@example.com"), &item) == STORE_OK,
        .number = id_get(store, ID_PHONE, SPAN(PHONE), &owner) == STORE_OK,
        .in_room = room_has("nurse"),
    };
    cuts_require(!truth.romeo_has || item.state == BOTH, "half a contact in romeo's roster");
    truth.nurse_has =
        roster_get(store, SPAN("nurse"), SPAN("romeo@example.com"), &item) == STORE_OK;
    cuts_require(!truth.nurse_has || item.state == BOTH, "half a contact in nurse's roster");
    bool left = invite_get(store, nurse.hash, &invite) == STORE_OK;
    truth.spent = nurse.uses - (left ? invite.uses_left : 0u);
    return truth;
}

static void judge(void)
{
    struct truth truth = truth_read();
    cuts_require(truth.spent == (truth.account ? 1 : 0), "the invitation and the account differ");
    cuts_require(truth.romeo_has == truth.account, "romeo's roster and the account differ");
    cuts_require(truth.nurse_has == truth.account, "nurse's roster and the account differ");
    cuts_require(truth.in_room == truth.account, "the channel and the account differ");
    cuts_require(truth.number == (truth.account && nurse.verified), "the number is wrong");
    cuts_require(!truth.account || !truth.pending, "both pending and an account");
    cuts_require(!truth.account || nurse.finishing, "an account that nobody has asked for");
    cuts_require(!nurse.done || truth.account, "an acknowledged account is lost");
    cuts_require(!nurse.waiting || truth.pending || truth.account,
                 "an acknowledged first stage is lost");
}

/* --- what nurse does --- */

/* The code that was sent, if there is one. */
static void code_receive(void)
{
    const struct job *job;
    while ((job = job_peek()) != NULL) {
        char code[CODE_CHARS + 1];
        cuts_require(sscanf(job->input, "phone\n" PHONE "\n%6s\n", code) == 1, "no code was sent");
        memcpy(nurse.code, code, sizeof code);
        job_take();
    }
}

static void say(struct guest *guest, const char *words)
{
    guest_forget(guest);
    guest_say(guest, words);
    cuts_settle();
    code_receive();
}

/* What came is the next stage: its handle, if it was told. */
static void stage_hear(const struct guest *guest)
{
    static const char mark[] = "{urn:kith:register:0}reg'><value>";
    const char *handle = guest->heard.bytes == NULL ? NULL : strstr(guest->heard.bytes, mark);
    nurse.waiting = true;
    if (handle != NULL)
        snprintf(nurse.handle, sizeof nurse.handle, "%s", handle + sizeof mark - 1);
}

static void code_say(struct guest *guest)
{
    char words[512];
    nurse.finishing = true;
    if (nurse.handle[0] != '\0' && !nurse.by_name)
        snprintf(
            words, sizeof words,
            "<iq type='set' id='code'><query xmlns='jabber:iq:register'>"
            "<x xmlns='jabber:x:data' type='submit'>"
            "<field var='{urn:kith:register:0}reg'><value>%s</value></field>"
            "<field var='{urn:kith:register:0}code'><value>%s</value></field></x></query></iq>",
            nurse.handle, nurse.code);
    else
        snprintf(words, sizeof words,
                 "<iq type='set' id='code'><query xmlns='jabber:iq:register'>"
                 "<username>nurse</username><password>" CROWD_PASSWORD "</password>"
                 "<text>%s</text></query></iq>",
                 nurse.code);
    say(guest, words);
    if (guest_heard(guest, "<iq type='result' id='code'") == 1)
        nurse.done = true;
    else
        cuts_require(guest_ended(guest), "the code that was sent does not finish it");
}

static void token_say(struct guest *guest)
{
    char words[256];
    snprintf(words, sizeof words,
             "<iq type='set' id='token'><preauth xmlns='urn:xmpp:pars:0' token='%s'/></iq>",
             nurse.token);
    say(guest, words);
    cuts_require(guest_ended(guest) || guest_heard(guest, "type='result' id='token'") == 1,
                 "the token is not good, though there is no account");
}

static void details_say(struct guest *guest)
{
    if (!nurse.verified)
        nurse.finishing = true;
    say(guest, "<iq type='set' id='details'><query xmlns='jabber:iq:register'>"
               "<username>nurse</username><password>" CROWD_PASSWORD "</password>"
               "<phone>" PHONE "</phone></query></iq>");
    if (guest_heard(guest, "<iq type='result' id='details'") == 0)
        cuts_require(guest_ended(guest), "her name and number are refused");
    else if (nurse.verified)
        stage_hear(guest);
    else
        nurse.done = true;
}

static void nurse_registers(void)
{
    struct guest *guest = guest_come();
    if (guest == NULL)
        return;
    cuts_settle();
    if (nurse.waiting) { /* without the token: it stands in what is pending */
        code_say(guest);
        return;
    }
    token_say(guest);
    if (!guest_ended(guest))
        details_say(guest);
    if (nurse.waiting && !guest_ended(guest))
        code_say(guest);
}

static void live(void)
{
    struct truth truth = truth_read();
    struct guest *romeo = guest_enter("romeo", "home");
    if (romeo == NULL)
        return;
    say(romeo, "<presence/><iq type='get' id='roster'><query xmlns='jabber:iq:roster'>"
               "<annotate xmlns='urn:xmpp:mix:roster:0'/></query></iq>");
    cuts_require((guest_heard(romeo, "subscription='both'") == 1) == truth.account,
                 "romeo's roster is told wrongly");
    guest_forget(romeo);
    if (!truth.account)
        nurse_registers();
    if (guest_heard(romeo, "jid='nurse@example.com'") > 0 ||
        guest_heard(romeo, "<jid>nurse@example.com</jid>") > 0) /* by the channel */
        nurse.done = true;
}

static void end(void)
{
    cuts_require(truth_read().account, "the registration does not come to its end");
    struct guest *guest = guest_enter("nurse", "home");
    cuts_require(guest != NULL, "nurse cannot log in");
    if (guest == NULL)
        return;
    say(guest, "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
    cuts_require(guest_heard(guest, "jid='romeo@example.com'") == 1 &&
                     guest_heard(guest, "subscription='both'") == 1 &&
                     guest_heard(guest, "jid='" ROOM "'") == 1,
                 "nurse's roster is told wrongly");
}

/* --- the stories --- */

static bool begin(uint64_t seed, bool verified)
{
    struct store *store = house_server()->store;
    struct invite invite;
    memset(&nurse, 0, sizeof nurse);
    nurse.seed = seed;
    nurse.verified = verified;
    nurse.by_name = seed % 4 < 2;
    nurse.uses = (uint16_t)(1 + seed % 3 / 2);
    struct invitation_wish wish = {.flags = INVITE_ACCOUNT | INVITE_CONTACT,
                                   .owner = SPAN("romeo"),
                                   .channels = SPAN(ROOM "\0"),
                                   .uses = nurse.uses,
                                   .unlimited = true};
    bool made =
        invitation_make(store, &wish, plat_wall_us(), nurse.token, &invite) == INVITATION_MADE;
    memcpy(nurse.hash, invite.hash, sizeof nurse.hash);
    return store_commit(store) == STORE_OK && made && cuts_account("romeo", CROWD_PASSWORD) &&
           room_make("romeo", true) && room_enter("romeo", 1 << CHANNEL_PARTICIPANTS);
}

static bool begin_two(uint64_t seed)
{
    return begin(seed, true);
}

static bool begin_one(uint64_t seed)
{
    return begin(seed, false);
}

static void set_one(void)
{
    (void)house_set("registration", "invite");
    (void)house_set("next_stage", "result");
}

static void set_two(void)
{
    set_one();
    (void)house_set("verify", "phone");
    (void)house_set("verify_invited", "yes");
    (void)house_set("verify_command", "send-code");
}

int main(void)
{
    static const struct story stories[] = {
        {"two stages", set_two, begin_two, live, judge, end},
        {"one stage", set_one, begin_one, live, judge, end},
    };
    return cuts_main(stories, sizeof stories / sizeof stories[0], CUTS);
}
