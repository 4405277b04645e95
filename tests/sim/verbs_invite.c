/* verbs_invite.c: what a dialog says to have an invitation, whose token it then knows. */
#include "core/invitation.h"
#include "house.h"
#include "platform/platform.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct terms {
    struct invitation_wish wish;
    const char *bound;
    char channels[256]; /* MT-8: bare jids, each with a NUL behind it */
    size_t channels_len;
};

static void channel_add(struct terms *terms, const char *value)
{
    size_t room = sizeof terms->channels - terms->channels_len;
    int len = snprintf(terms->channels + terms->channels_len, room, "%s@mix.example.com", value);
    if (len < 0 || (size_t)len >= room)
        abort();
    terms->channels_len += (size_t)len + 1;
}

/* "account", "contact=romeo" and so on; false: none of these. */
static bool term_read(struct terms *terms, const char *word)
{
    struct invitation_wish *wish = &terms->wish;
    size_t len = strcspn(word, "=");
    struct span key = span_of(word, len);
    const char *value = word[len] ? word + len + 1 : "";
    if (span_is(key, "account"))
        wish->flags |= INVITE_ACCOUNT;
    else if (span_is(key, "admin"))
        wish->flags |= INVITE_ACCOUNT | INVITE_ADMIN;
    else if (span_is(key, "owner"))
        wish->owner = span_string(value);
    else if (span_is(key, "name"))
        wish->username = span_string(value);
    else if (span_is(key, "uses"))
        wish->uses = (uint16_t)strtoul(value, NULL, 10);
    else if (span_is(key, "seconds"))
        wish->seconds = strtoull(value, NULL, 10);
    else if (span_is(key, "bound"))
        terms->bound = value;
    else if (span_is(key, "channel"))
        channel_add(terms, value);
    else if (span_is(key, "trusted"))
        wish->flags |= INVITE_TRUSTED;
    else if (span_is(key, "contact"))
        wish->flags |= INVITE_CONTACT, wish->owner = span_string(value);
    else
        return false;
    return true;
}

bool play_invite(struct play *play, const char *rest)
{
    struct store *store = house_server()->store;
    struct terms terms = {.wish = {.unlimited = true}};
    const char *name = script_word(&rest), *word;
    char token[TOKEN_CHARS + 1] = "";
    struct invite invite;
    if (!name)
        return play_fail(play, "invite VARIABLE …");
    while ((word = script_word(&rest)) != NULL)
        if (!term_read(&terms, word))
            return play_fail(play, "no invitation has that: %s", word);
    terms.wish.channels = span_of(terms.channels, terms.channels_len);
    bool made =
        invitation_make(store, &terms.wish, plat_wall_us(), token, &invite) == INVITATION_MADE;
    if (made && terms.bound) {
        invite.bound = span_string(terms.bound);
        made = invite_put(store, &invite) == STORE_OK;
    }
    if (store_commit(store) != STORE_OK || !made)
        return play_fail(play, "no invitation can be made");
    variable_set(play->variables, name, strlen(name), token);
    return true;
}
