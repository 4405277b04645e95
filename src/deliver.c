/* deliver.c: see deliver.h. */
#include "deliver.h"

#include "store/accounts.h"

enum message_type { TYPE_NORMAL, TYPE_CHAT, TYPE_GROUPCHAT, TYPE_HEADLINE, TYPE_ERROR, TYPES };

/* Who of the addressee's side there is. */
enum situation {
    BARE_NO_ACCOUNT,
    FULL_NO_ACCOUNT,
    BARE_NOBODY, /* no available resource with a priority of 0 or more */
    FULL_NOBODY, /* no such resource, and nobody else either */
    BARE_SOMEBODY,
    FULL_SOMEBODY, /* no such resource, but others with a priority of 0 or more */
    FULL_MATCH,
    SITUATIONS
};

enum fate {
    FATE_ONE,    /* the very resource */
    FATE_ALL,    /* every resource with a priority of 0 or more */
    FATE_ERROR,  /* service-unavailable */
    FATE_SILENT, /* dropped */
    FATE_LATER,  /* would wait for the addressee; until kith stores messages, as FATE_ERROR */
};

/* Requirements 2.4, "Message", the right-hand column. */
static const enum fate fates[SITUATIONS][TYPES] = {
    /*                   normal       chat         groupchat   headline     error */
    [BARE_NO_ACCOUNT] = {FATE_ERROR, FATE_ERROR, FATE_ERROR, FATE_SILENT, FATE_SILENT},
    [FULL_NO_ACCOUNT] = {FATE_ERROR, FATE_ERROR, FATE_ERROR, FATE_SILENT, FATE_SILENT},
    [BARE_NOBODY] = {FATE_LATER, FATE_LATER, FATE_ERROR, FATE_SILENT, FATE_SILENT},
    [FULL_NOBODY] = {FATE_ERROR, FATE_LATER, FATE_ERROR, FATE_SILENT, FATE_SILENT},
    [BARE_SOMEBODY] = {FATE_ALL, FATE_ALL, FATE_ERROR, FATE_ALL, FATE_SILENT},
    [FULL_SOMEBODY] = {FATE_ERROR, FATE_ALL, FATE_ERROR, FATE_SILENT, FATE_SILENT},
    [FULL_MATCH] = {FATE_ONE, FATE_ONE, FATE_ONE, FATE_ONE, FATE_ONE},
};

static enum message_type message_type(struct span type)
{
    static const char *const names[] = {[TYPE_NORMAL] = "normal",
                                        [TYPE_CHAT] = "chat",
                                        [TYPE_GROUPCHAT] = "groupchat",
                                        [TYPE_HEADLINE] = "headline",
                                        [TYPE_ERROR] = "error"};
    for (unsigned i = 0; i < TYPES; i++)
        if (span_is(type, names[i]))
            return (enum message_type)i;
    return TYPE_NORMAL; /* 6121 5.2.2: absent or unknown */
}

static bool listens(const struct session *session)
{
    return session->announced && session->priority >= 0;
}

static bool anybody_listens(const struct turn *turn)
{
    struct session *at = session_first(turn->server, jid_bare(&turn->to));
    while (at != NULL && !listens(at))
        at = session_another(at);
    return at != NULL;
}

static bool account_exists(const struct turn *turn)
{
    struct account account;
    return session_first(turn->server, jid_bare(&turn->to)) != NULL ||
           account_get(turn->server->store, jid_local(&turn->to), &account) == STORE_OK;
}

static enum situation situation_of(const struct turn *turn, struct session **match)
{
    bool full = turn->to.resource_len > 0;
    *match = full ? session_find(turn->server, &turn->to) : NULL;
    if (*match != NULL)
        return FULL_MATCH;
    if (anybody_listens(turn))
        return full ? FULL_SOMEBODY : BARE_SOMEBODY;
    if (account_exists(turn))
        return full ? FULL_NOBODY : BARE_NOBODY;
    return full ? FULL_NO_ACCOUNT : BARE_NO_ACCOUNT;
}

static void forward_one(struct turn *turn, struct session *recipient)
{
    struct forward forward;
    if (!forward_begin(turn, &forward))
        return;
    forward_to(turn, &forward, jid_full(&turn->to), recipient);
    forward_end(turn, &forward);
}

/* DL-3: `to` stays as the sender wrote it. */
static void forward_all(struct turn *turn, bool (*fits)(const struct session *))
{
    struct forward forward;
    struct session *next;
    if (!forward_begin(turn, &forward))
        return;
    for (struct session *at = session_first(turn->server, jid_bare(&turn->to)); at != NULL;
         at = next) {
        next = session_another(at);
        if (fits(at))
            forward_to(turn, &forward, jid_full(&turn->to), at);
    }
    forward_end(turn, &forward);
}

void deliver_message(struct turn *turn)
{
    struct session *match;
    enum situation situation = situation_of(turn, &match);
    switch (fates[situation][message_type(turn->type)]) {
    case FATE_ONE:
        forward_one(turn, match);
        break;
    case FATE_ALL:
        forward_all(turn, listens);
        break;
    case FATE_ERROR:
    case FATE_LATER:
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        break;
    case FATE_SILENT:
        break;
    }
}

/* Requirements 2.4, "IQ". */
void deliver_iq(struct turn *turn)
{
    struct session *match =
        turn->to.resource_len > 0 ? session_find(turn->server, &turn->to) : NULL;
    if (match != NULL)
        forward_one(turn, match);
    else
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE); /* nothing for an answer (GR-5) */
}

static bool available(const struct session *session)
{
    return session->announced;
}

/* Requirements 2.4, "Presence": directed presence, available or not. */
void deliver_presence(struct turn *turn)
{
    if (turn->to.resource_len == 0) {
        forward_all(turn, available);
        return;
    }
    struct session *match = session_find(turn->server, &turn->to);
    if (match != NULL)
        forward_one(turn, match);
}
