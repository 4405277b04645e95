/* account_cut.c: the power goes while a contact is made by invitation, with a channel (5.5, INV-15,
 * MT-8), an account removes itself (REG-30, PAM-8), its password changes (REG-28). After each cut:
 * both rosters, the channel by both sides and a use of the invitation, or nothing; the account and
 * all it had, or a name that is kept free; one of the two passwords. What was acknowledged is
 * there. Environment: KITH_CUTS. */
#include "core/channel_make.h"
#include "core/invitation.h"
#include "cuts.h"
#include "platform/platform.h"
#include "rooms.h"
#include "store/accounts.h"
#include "store/ids.h"
#include "store/memberships.h"
#include "store/offline.h"
#include "store/pending.h"
#include "store/released.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define PHONE "+12345678901"
#define BOTH (ROSTER_TO | ROSTER_FROM)
#define CUTS 1000
#define REAPING_MS 300000 /* what a removed account leaves is gone by then */
#define INVITES 3
#define MESSAGES 5
#define CONTACTS 60 /* of romeo beside juliet, who are no accounts */
#define CHANNELS 3  /* of romeo; juliet is in them too */

static bool done; /* has been acknowledged */

static struct store *store(void)
{
    return house_server()->store;
}

static bool invite(uint16_t uses, struct span channels, char token[TOKEN_CHARS + 1],
                   uint8_t hash[INVITE_HASH_BYTES])
{
    struct invitation_wish wish = {.flags = INVITE_CONTACT,
                                   .owner = SPAN("romeo"),
                                   .channels = channels,
                                   .uses = uses,
                                   .unlimited = true};
    struct invite made;
    token[TOKEN_CHARS] = '\0';
    if (invitation_make(store(), &wish, plat_wall_us(), token, &made) != INVITATION_MADE)
        return false;
    memcpy(hash, made.hash, INVITE_HASH_BYTES);
    return true;
}

/* Logs in, and wants to hear of contacts. */
static struct guest *come(const char *name)
{
    struct guest *guest = guest_enter(name, "home");
    if (guest == NULL)
        return NULL;
    guest_say(guest, "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'>"
                     "<annotate xmlns='urn:xmpp:mix:roster:0'/></query></iq><presence/>");
    cuts_settle();
    guest_forget(guest);
    return guest;
}

/* 0: there is no such item. */
static unsigned relation(const char *local, const char *contact)
{
    struct roster_item item;
    if (roster_get(store(), span_string(local), span_string(contact), &item) != STORE_OK)
        return 0;
    return item.state | (item.state == 0 ? ROSTER_IN : 0);
}

static void nothing_set(void)
{
}

/* --- a contact by invitation --- */

static struct {
    char token[TOKEN_CHARS + 1];
    uint8_t hash[INVITE_HASH_BYTES];
    uint16_t uses;
} pars;

static bool pars_begin(uint64_t seed)
{
    done = false;
    pars.uses = (uint16_t)(1 + seed % 2);
    return cuts_account("romeo", CROWD_PASSWORD) && cuts_account("juliet", CROWD_PASSWORD) &&
           room_make("romeo", true) && room_enter("romeo", 1 << CHANNEL_PARTICIPANTS) &&
           invite(pars.uses, SPAN(ROOM "\0"), pars.token, pars.hash) &&
           store_commit(store()) == STORE_OK;
}

static void pars_live(void)
{
    char words[256];
    bool were = relation("juliet", "romeo@example.com") == BOTH;
    struct guest *romeo = come("romeo"), *juliet = come("juliet");
    if (romeo == NULL || juliet == NULL || were)
        return;
    snprintf(words, sizeof words,
             "<presence type='subscribe' to='romeo@example.com'>"
             "<preauth xmlns='urn:xmpp:pars:0' token='%s'/></presence>",
             pars.token);
    guest_say(juliet, words);
    cuts_settle();
    done = done || guest_heard(juliet, "subscription='both'") > 0 ||
           guest_heard(juliet, "type='subscribed'") > 0 ||
           guest_heard(romeo, "subscription='both'") > 0 ||
           guest_heard(romeo, "type='subscribed'") > 0 ||
           guest_heard(juliet, "jid='" ROOM "'") > 0 ||
           guest_heard(romeo, "<jid>juliet@example.com</jid>") > 0;
    cuts_require(done || guest_ended(juliet), "the invitation is not taken");
}

static void pars_judge(void)
{
    struct invite left;
    struct span stanza;
    unsigned juliet = relation("juliet", "romeo@example.com");
    unsigned romeo = relation("romeo", "juliet@example.com");
    bool some = invite_get(store(), pars.hash, &left) == STORE_OK;
    unsigned spent = pars.uses - (some ? left.uses_left : 0u);
    cuts_require(juliet == romeo && (juliet == 0 || juliet == BOTH), "half a contact");
    cuts_require(room_has("juliet") == (juliet == BOTH), "the channel and the rosters differ");
    cuts_require(spent == (juliet == BOTH ? 1 : 0), "the invitation and the rosters differ");
    cuts_require(request_get(store(), SPAN("romeo"), SPAN("juliet@example.com"), &stanza) ==
                     STORE_NONE,
                 "a request waits");
    cuts_require(!done || juliet == BOTH, "an acknowledged contact is lost");
}

static void pars_end(void)
{
    cuts_require(relation("juliet", "romeo@example.com") == BOTH, "they are no contacts");
}

/* --- an account removes itself --- */

static bool befriend(const char *local, const char *contact)
{
    struct roster_item item = {.state = BOTH, .name = SPAN(""), .groups = SPAN("")};
    return roster_put(store(), span_string(local), span_string(contact), &item) == STORE_OK;
}

static bool channel_enter(const struct channel_here *here, const struct jid *who)
{
    struct channel_joining joining = {.who = *who, .nick_any = true};
    return channel_join(house_server(), here, &joining) == CHANNEL_DONE;
}

static bool channels_make(void)
{
    struct server *server = house_server();
    size_t mark = server->arena.used;
    struct jid romeo, juliet;
    struct channel_here here;
    char name[16];
    bool made = jid_parse(SPAN("romeo@example.com"), &server->arena, &romeo) &&
                jid_parse(SPAN("juliet@example.com"), &server->arena, &juliet);
    for (unsigned i = 0; made && i < CHANNELS; i++) {
        snprintf(name, sizeof name, "c%u", i);
        made = channel_create(server, span_string(name), &romeo, &here) == CHANNEL_DONE &&
               channel_enter(&here, &romeo) && channel_enter(&here, &juliet);
    }
    arena_reset(&server->arena, mark);
    return made;
}

/* In how many of them romeo takes part, both by what they say and by what he has, and in how many
 * he has a say. */
static void channels_count(unsigned *by_them, unsigned *by_him, unsigned *says)
{
    struct membership membership;
    struct channel channel;
    unsigned count;
    char name[16];
    *by_them = *by_him = *says = 0;
    for (unsigned i = 0; i < CHANNELS; i++) {
        snprintf(name, sizeof name, "c%u", i);
        *by_him +=
            membership_get(store(), SPAN("romeo"), span_string(name), &membership) == STORE_OK &&
            membership_stay(&membership) != NULL;
        bool is = channel_get(store(), span_string(name), &channel) == STORE_OK &&
                  participant_count(store(), channel.id, &count) == STORE_OK;
        cuts_require(is && (count == 1 || count == 2), "a channel has lost its participants");
        if (!is)
            return;
        *by_them += count - 1;
        *says += jid_list_has(channel.owners, SPAN("romeo@example.com"));
    }
}

static bool remove_begin(uint64_t seed)
{
    char contact[64], token[TOKEN_CHARS + 1];
    uint8_t hash[INVITE_HASH_BYTES];
    bool made = cuts_account("romeo", CROWD_PASSWORD) && cuts_account("juliet", CROWD_PASSWORD) &&
                befriend("romeo", "juliet@example.com") &&
                befriend("juliet", "romeo@example.com") &&
                id_put(store(), ID_PHONE, SPAN(PHONE), SPAN("romeo")) == STORE_OK;
    (void)seed;
    done = false;
    for (unsigned i = 0; i < CONTACTS; i++) {
        snprintf(contact, sizeof contact, "%u@example.org", i);
        made = made && befriend("romeo", contact);
    }
    for (unsigned i = 0; i < INVITES; i++)
        made = made && invite(1, SPAN(""), token, hash);
    made = made && channels_make();
    if (store_commit(store()) != STORE_OK || !made)
        return false;
    struct guest *juliet = come("juliet");
    for (unsigned i = 0; i < MESSAGES && juliet != NULL; i++)
        guest_say(juliet,
                  "<message to='romeo@example.com' type='chat'><body>stay</body></message>");
    cuts_settle();
    if (juliet != NULL)
        guest_leave(juliet);
    cuts_settle();
    return juliet != NULL;
}

/* Without presence: what was stored for him stays. */
static void remove_live(void)
{
    struct account account;
    if (account_get(store(), SPAN("romeo"), &account) != STORE_OK)
        return;
    struct guest *juliet = come("juliet"), *romeo = guest_enter("romeo", "home");
    if (juliet == NULL || romeo == NULL)
        return;
    guest_say(romeo, "<iq type='set' id='remove'><query xmlns='jabber:iq:register'><remove/>"
                     "</query></iq>");
    cuts_settle();
    done = done || guest_heard(romeo, "<iq type='result' id='remove'") > 0 ||
           guest_heard(romeo, "not-authorized") > 0 || guest_heard(juliet, "unsubscribe") > 0;
    cuts_require(done || guest_ended(romeo), "the removal is not answered");
}

static void remove_judge(void)
{
    struct account account;
    struct roster_head head;
    struct offline_queue queue;
    struct span owner;
    unsigned invites, by_them, by_him, says;
    uint64_t now_us = plat_wall_us();
    bool is = account_get(store(), SPAN("romeo"), &account) == STORE_OK;
    bool released = released_get(store(), SPAN("romeo"), now_us) == STORE_OK;
    cuts_require(is != released, "both an account and a released name, or neither");
    cuts_require(!done || !is, "an acknowledged removal is lost");
    bool read = roster_head(store(), SPAN("romeo"), &head) == STORE_OK &&
                offline_look(store(), SPAN("romeo"), &queue) == STORE_OK &&
                invite_count_of(store(), SPAN("romeo"), now_us, &invites) == STORE_OK;
    cuts_require(read, "the store cannot be read");
    if (!read)
        return;
    bool number = id_get(store(), ID_PHONE, SPAN(PHONE), &owner) == STORE_OK;
    cuts_require(number == is, "the number and the account differ");
    cuts_require(invites == (is ? INVITES : 0), "the invitations and the account differ");
    channels_count(&by_them, &by_him, &says);
    cuts_require(by_them == by_him, "the channels and the account differ");
    if (is)
        cuts_require(head.items == CONTACTS + 1 + CHANNELS && by_him == CHANNELS &&
                         says == CHANNELS && queue.messages == MESSAGES &&
                         relation("juliet", "romeo@example.com") == BOTH,
                     "an account that is there has lost something");
    else /* what is left goes in steps, and these go on after a cut */
        cuts_require((head.items == 0 && queue.messages == 0 && by_him + says == 0) ||
                         leaving_get(store(), SPAN("romeo")) == STORE_OK,
                     "what the account left stays for ever");
}

static void remove_end(void)
{
    struct roster_head head;
    struct offline_queue queue;
    struct account account;
    unsigned by_them, by_him, says;
    const char *trouble = house_settle(REAPING_MS, crowd_listen);
    cuts_require(trouble == NULL, trouble);
    cuts_require(account_get(store(), SPAN("romeo"), &account) == STORE_NONE, "not removed");
    cuts_require(leaving_get(store(), SPAN("romeo")) == STORE_NONE, "its contacts are not told");
    cuts_require(roster_head(store(), SPAN("romeo"), &head) == STORE_OK && head.items == 0,
                 "its contacts stay");
    cuts_require(offline_look(store(), SPAN("romeo"), &queue) == STORE_OK && queue.messages == 0,
                 "its messages stay");
    cuts_require(!(relation("juliet", "romeo@example.com") & BOTH), "juliet still hears of it");
    channels_count(&by_them, &by_him, &says);
    cuts_require(by_them + by_him + says == 0, "it is still in a channel");
    struct guest *guest = guest_come();
    cuts_require(guest != NULL && !guest_login(guest, "romeo"), "one can still log in");
    guest = guest_come();
    guest_say(guest, "<iq type='set' id='again'><query xmlns='jabber:iq:register'>"
                     "<username>romeo</username><password>wherefore</password></query></iq>");
    cuts_settle();
    cuts_require(guest_heard(guest, "<conflict ") == 1, "its name is not kept free");
}

static void remove_set(void)
{
    (void)house_set("registration", "open");
}

/* --- another password --- */

/* Whether both hashes are those of this password. */
static bool password_is(const struct account *account, const char *password)
{
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA256; digest++) {
        const struct scram_keys *kept = digest == DIGEST_SHA1 ? &account->sha1 : &account->sha256;
        struct scram_keys keys = {{0}, {0}};
        struct derive derive;
        derive_begin(&derive, digest, span_string(password),
                     span_of((const char *)account->salt, sizeof account->salt),
                     account->iterations);
        while (!derive_slice(&derive, account->iterations))
            ;
        scram_keys_of(digest, derive.out, &keys);
        size_t len = digest == DIGEST_SHA1 ? 20 : 32;
        if (memcmp(keys.stored_key, kept->stored_key, len) != 0 ||
            memcmp(keys.server_key, kept->server_key, len) != 0)
            return false;
    }
    return true;
}

static bool password_begin(uint64_t seed)
{
    (void)seed;
    done = false;
    return cuts_account("romeo", CROWD_PASSWORD);
}

static bool password_new(void)
{
    struct account account;
    return account_get(store(), SPAN("romeo"), &account) == STORE_OK &&
           password_is(&account, "wherefore");
}

static void password_live(void)
{
    struct guest *romeo = password_new() ? NULL : guest_enter("romeo", "home");
    if (romeo == NULL)
        return;
    guest_say(romeo, "<iq type='set' id='password'><query xmlns='jabber:iq:register'>"
                     "<username>romeo</username><password>wherefore</password></query></iq>");
    cuts_settle();
    done = done || guest_heard(romeo, "<iq type='result' id='password'") > 0;
    cuts_require(done || guest_ended(romeo), "the new password is not taken");
}

static void password_judge(void)
{
    struct account account;
    bool is = account_get(store(), SPAN("romeo"), &account) == STORE_OK;
    cuts_require(is, "the account is gone");
    if (!is)
        return;
    cuts_require(password_is(&account, done ? "wherefore" : CROWD_PASSWORD) ||
                     (!done && password_is(&account, "wherefore")),
                 "no password fits, or an acknowledged one is lost");
}

static void password_end(void)
{
    struct guest *guest = guest_come();
    cuts_require(password_new(), "the password is the old one");
    cuts_require(guest != NULL && !guest_login(guest, "romeo"), "the old password is still good");
}

int main(void)
{
    static const struct story stories[] = {
        {"a contact by invitation", nothing_set, pars_begin, pars_live, pars_judge, pars_end},
        {"removal", remove_set, remove_begin, remove_live, remove_judge, remove_end},
        {"another password", nothing_set, password_begin, password_live, password_judge,
         password_end},
    };
    return cuts_main(stories, sizeof stories / sizeof stories[0], CUTS);
}
