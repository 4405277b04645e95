/* load_friends.c: mutual subscriptions, asked for and granted as clients do it (RFC 6121 3), so
 * that it works with every server. Who has them already, as its roster says, asks for nothing; who
 * was told to wait asks again. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#define LOOK_SECONDS 0.2 /* from one look at the rosters to the next */

static struct session *people;
static unsigned people_count;
static bool (*are_joined)(unsigned a, unsigned b);
static unsigned rosters_awaited;
static unsigned missing; /* of subscriptions in both directions, in the rosters seen */

static bool roster_has_both(const char *stanza, size_t len, const char *jid)
{
    const char *end = stanza + len;
    for (const char *at = stanza; (at = memmem(at, (size_t)(end - at), jid, strlen(jid))); at++) {
        char found[128], subscription[16];
        const char *item = memrchr(stanza, '<', (size_t)(at - stanza));
        xml_attribute(item, (size_t)(end - item), "jid", found, sizeof(found));
        xml_attribute(item, (size_t)(end - item), "subscription", subscription,
                      sizeof(subscription));
        if (strcmp(found, jid) == 0)
            return strcmp(subscription, "both") == 0;
    }
    return false;
}

static void friends_roster(struct session *session, const char *stanza, size_t len)
{
    unsigned self = (unsigned)(session - people);
    char jid[128];
    rosters_awaited--;
    for (unsigned other = 0; other < people_count; other++) {
        if (other == self || !are_joined(self, other))
            continue;
        snprintf(jid, sizeof(jid), "%s@%s", people[other].user, options.domain);
        if (roster_has_both(stanza, len, jid))
            continue;
        missing++;
        session_say(session, "<presence to='%s' type='subscribe'/>", jid);
    }
}

static void friends_stanza(struct session *session, const char *stanza, size_t len)
{
    char type[16], id[16], from[128];
    xml_attribute(stanza, len, "type", type, sizeof(type));
    if (xml_is(stanza, len, "presence") && strcmp(type, "subscribe") == 0) {
        xml_attribute(stanza, len, "from", from, sizeof(from));
        session_say(session, "<presence to='%s' type='subscribed'/>", from);
        return;
    }
    xml_attribute(stanza, len, "id", id, sizeof(id));
    if (xml_is(stanza, len, "iq") && strcmp(id, "friends") == 0)
        friends_roster(session, stanza, len);
}

static void friends_ready(struct session *session)
{
    (void)session;
}

static void friends_lost(struct session *session)
{
    fail("%s: the session ended before it had its friends", session->user);
}

static const struct mode friends_mode = {friends_ready, friends_stanza, friends_lost};

/* Asks everybody for the roster; how many subscriptions are missing and were asked for. */
static unsigned friends_look(uint64_t until_ns)
{
    missing = 0;
    rosters_awaited = people_count;
    for (unsigned i = 0; i < people_count; i++)
        session_say(&people[i],
                    "<iq type='get' id='friends'><query xmlns='jabber:iq:roster'/></iq>");
    while (rosters_awaited > 0 && now_ns() < until_ns)
        links_step(100);
    return missing + rosters_awaited;
}

bool friends_make(struct session *sessions, unsigned count, bool (*joined)(unsigned a, unsigned b),
                  uint64_t until_ns)
{
    const struct mode *before = mode;
    mode = &friends_mode;
    people = sessions;
    people_count = count;
    are_joined = joined;
    unsigned left = friends_look(until_ns);
    while (left > 0 && now_ns() < until_ns) {
        links_settle(LOOK_SECONDS);
        left = friends_look(until_ns);
    }
    mode = before;
    return left == 0;
}
