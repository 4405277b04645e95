/* crowd.c: see crowd.h. */
#include "crowd.h"

#include "house.h"
#include "tally.h"
#include "wire/base64.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define HEADER                                                                                     \
    "<?xml version='1.0'?><stream:stream to='" HOUSE_DOMAIN "' version='1.0' "                     \
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

static struct guest guests[CROWD];
static unsigned guest_count;

void crowd_begin(void)
{
    memset(guests, 0, sizeof(guests));
    guest_count = 0;
}

unsigned crowd_count(void)
{
    return guest_count;
}

struct guest *crowd_at(unsigned i)
{
    return &guests[i];
}

void crowd_listen(void)
{
    char bytes[16384];
    size_t len;
    for (unsigned i = 0; i < guest_count; i++) {
        struct guest *guest = &guests[i];
        if (guest->link < 0 || guest->deaf)
            continue;
        while ((len = world_hear(guest->link, bytes, sizeof(bytes))) > 0)
            text_add(&guest->heard, bytes, len);
    }
}

void guest_forget(struct guest *guest)
{
    guest->heard.len = 0;
    if (guest->heard.bytes)
        guest->heard.bytes[0] = '\0';
}

void crowd_forget(void)
{
    for (unsigned i = 0; i < guest_count; i++)
        guest_forget(&guests[i]);
}

unsigned guest_heard(const struct guest *guest, const char *words)
{
    unsigned count = 0;
    const char *at = guest->heard.bytes;
    while (at && (at = strstr(at, words)) != NULL) {
        at += strlen(words);
        count++;
    }
    return count;
}

void guest_say_bytes(struct guest *guest, const char *bytes, size_t len)
{
    if (guest->link >= 0)
        world_say(guest->link, bytes, len);
}

void guest_say(struct guest *guest, const char *words)
{
    guest_say_bytes(guest, words, strlen(words));
}

bool guest_ended(const struct guest *guest)
{
    return guest->link < 0 || world_closed(guest->link) || guest_heard(guest, "</stream:stream>");
}

void guest_leave(struct guest *guest)
{
    if (guest->link >= 0)
        world_reset(guest->link);
    guest->link = -1;
}

bool crowd_house(const struct profile *profile)
{
    char why[PLAN_WHY_BYTES], number[16], key[32], value[32];
    if (!plan_make(profile->name, 0, why))
        return check(false, "%s", why);
    snprintf(number, sizeof(number), "%u", plan.sessions);
    world_begin(1);
    memory_forget();
    crowd_begin();
    house_begin();
    for (const char *line = profile->text; *line; line = strchr(line, '\n') + 1) {
        if (sscanf(line, "%31s = %31s", key, value) != 2 || !house_set(key, value))
            return check(false, "the profile's line %.40s", line);
    }
    return house_set("sessions", number);
}

/* A place that nobody uses any more, or a new one. */
static struct guest *guest_place(void)
{
    for (unsigned i = 0; i < guest_count; i++) {
        if (guests[i].link < 0)
            return &guests[i];
    }
    return guest_count < CROWD ? &guests[guest_count++] : NULL;
}

struct guest *guest_come(void)
{
    struct guest *guest = guest_place();
    if (!guest)
        return NULL;
    guest_forget(guest);
    guest->deaf = false;
    guest->jid[0] = '\0';
    guest->link = world_connect(HOUSE_PORT, NULL);
    if (guest->link < 0)
        return NULL;
    guest_say(guest, HEADER);
    return guest;
}

bool guest_login(struct guest *guest, const char *account)
{
    char message[64], text[128];
    struct text element = {0};
    int len = snprintf(message, sizeof(message), "%c%s%c" CROWD_PASSWORD, 0, account, 0);
    text[base64_encode(span_of(message, (size_t)len), text)] = '\0';
    text_format(&element,
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", text);
    guest_say_bytes(guest, element.bytes, element.len);
    if (house_settle(0, crowd_listen) || !guest_heard(guest, "<success "))
        return false;
    guest_forget(guest);
    guest_say(guest, HEADER);
    return !house_settle(0, crowd_listen) && guest_heard(guest, "<bind ");
}

bool guest_bind(struct guest *guest, const char *account, const char *resource)
{
    struct text element = {0};
    guest_forget(guest);
    text_format(&element,
                "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                "<resource>%s</resource></bind></iq>",
                resource);
    guest_say_bytes(guest, element.bytes, element.len);
    if (house_settle(0, crowd_listen))
        return false;
    snprintf(guest->jid, sizeof(guest->jid), "%s@" HOUSE_DOMAIN "/%s", account, resource);
    return guest_heard(guest, "type='result'") == 1 && guest_heard(guest, guest->jid) == 1;
}

struct guest *guest_enter(const char *account, const char *resource)
{
    struct guest *guest = guest_come();
    bool entered = guest && guest_login(guest, account) && guest_bind(guest, account, resource);
    if (entered)
        guest_forget(guest);
    return entered ? guest : NULL;
}
