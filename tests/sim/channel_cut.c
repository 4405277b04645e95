/* channel_cut.c: the power goes while people join a channel, take another nick and leave it (6.4),
 * and while one of many is destroyed (6.3). After each cut: whoever is in it has it in the roster
 * and in the list of channels, and the other way round; a destroyed one is found by nobody, its
 * name is kept free, and those who were in it are let go of. What was acknowledged is there.
 * Environment: KITH_CUTS. */
#include "cuts.h"
#include "platform/platform.h"
#include "rooms.h"
#include "store/released.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define CUTS 600
#define REAPING_MS 60000
#define MANY 36 /* more than are let go of in two ticks */

static struct store *store(void)
{
    return house_server()->store;
}

static void nothing_set(void)
{
}

/* --- joining, another nick, leaving --- */

/* What has been acknowledged. */
static struct {
    bool joined;
    bool named;
    bool left; /* nurse, who was in it */
} people;

static bool people_begin(uint64_t seed)
{
    (void)seed;
    memset(&people, 0, sizeof people);
    return cuts_account("romeo", CROWD_PASSWORD) && cuts_account("juliet", CROWD_PASSWORD) &&
           cuts_account("nurse", CROWD_PASSWORD) && room_make("romeo", false) &&
           room_enter("nurse", 0);
}

static void ask(struct guest *guest, const char *id, const char *payload, bool *done)
{
    char words[512];
    if (*done || guest == NULL || guest_ended(guest))
        return;
    snprintf(words, sizeof words, "<iq type='set' id='%s' to='" ROOM "'>%s</iq>", id, payload);
    guest_say(guest, words);
    cuts_settle();
    snprintf(words, sizeof words, "<iq type='result' id='%s'", id);
    *done = guest_heard(guest, words) > 0;
    cuts_require(*done || guest_ended(guest), "a request to the channel is not answered");
}

static void people_live(void)
{
    struct guest *juliet = guest_enter("juliet", "home"), *nurse = guest_enter("nurse", "home");
    ask(juliet, "join",
        "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:participants'/>"
        "<nick>Juliet</nick></join>",
        &people.joined);
    if (people.joined)
        ask(juliet, "nick", "<setnick xmlns='urn:xmpp:mix:core:1'><nick>Capulet</nick></setnick>",
            &people.named);
    ask(nurse, "leave", "<leave xmlns='urn:xmpp:mix:core:1'/>", &people.left);
}

static void people_judge(void)
{
    struct participant juliet;
    bool in = room_has("juliet") && room_takes_part("juliet", &juliet);
    cuts_require(!people.joined || in, "an acknowledged join is lost");
    cuts_require(!people.named || (in && span_is(juliet.nick, "Capulet")),
                 "an acknowledged nick is lost");
    cuts_require(!room_has("nurse") || !people.left, "who has left is in it again");
}

static void people_end(void)
{
    cuts_require(people.joined && people.named && people.left, "not all is done");
    people_judge();
}

/* --- a channel is destroyed --- */

static bool destroyed; /* has been acknowledged */

static void many_name(unsigned i, char name[16])
{
    snprintf(name, 16, "many%02u", i);
}

static bool destroy_begin(uint64_t seed)
{
    char name[16];
    bool good = cuts_account("romeo", CROWD_PASSWORD) && room_make("romeo", false);
    (void)seed;
    destroyed = false;
    for (unsigned i = 0; i < MANY && good; i++) {
        many_name(i, name);
        good = cuts_account(name, CROWD_PASSWORD) && room_enter(name, 0);
    }
    return good;
}

static void destroy_live(void)
{
    struct channel channel;
    if (!room_there(&channel) || (channel.flags & CHANNEL_ENDING))
        return;
    struct guest *romeo = guest_enter("romeo", "home");
    if (romeo == NULL)
        return;
    guest_say(romeo, "<iq type='set' id='destroy' to='mix.example.com'>"
                     "<destroy xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>");
    cuts_settle();
    destroyed = destroyed || guest_heard(romeo, "<iq type='result' id='destroy'") > 0;
    cuts_require(destroyed || guest_ended(romeo), "the end of the channel is not answered");
}

static void destroy_judge(void)
{
    char name[16];
    unsigned in = 0;
    struct channel channel = {.flags = 0};
    bool there = room_there(&channel), ending = there && (channel.flags & CHANNEL_ENDING);
    bool released = released_get(store(), SPAN("/coven"), plat_wall_us()) == STORE_OK;
    for (unsigned i = 0; i < MANY; i++) {
        many_name(i, name);
        cuts_require(room_member(name) == room_listed(name),
                     "the membership and the roster differ");
        in += room_member(name);
    }
    cuts_require(!destroyed || !there || ending, "an acknowledged end is lost");
    cuts_require(released == (!there || ending), "the name is free, or is not");
    cuts_require(ending || in == (there ? MANY : 0), "who is in it and who is not differ");
}

static void destroy_end(void)
{
    struct channel channel;
    const char *trouble = house_settle(REAPING_MS, crowd_listen);
    cuts_require(trouble == NULL, trouble);
    cuts_require(!room_there(&channel), "it is still there");
    cuts_require(channel_forget(store(), 1) == STORE_NONE, "its people stay for ever");
    destroy_judge();
}

int main(void)
{
    static const struct story stories[] = {
        {"people of a channel", nothing_set, people_begin, people_live, people_judge, people_end},
        {"a channel's end", nothing_set, destroy_begin, destroy_live, destroy_judge, destroy_end},
    };
    return cuts_main(stories, sizeof stories / sizeof stories[0], CUTS);
}
