/* deliver.c: see deliver.h. */
#include "deliver.h"

#include "core/archive.h"
#include "core/blocked.h"
#include "core/limits.h"
#include "core/stanza_id.h"
#include "features/carbons.h"
#include "features/offline.h"
#include "features/presence.h"
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
    FATE_LATER,  /* waits for the addressee (OFF-1) */
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

static bool anybody_listens(const struct turn *turn)
{
    struct session *at = session_first(turn->server, jid_bare(&turn->to));
    while (at != NULL && !session_listens(at))
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

static bool available(const struct session *session)
{
    return session->announced;
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
static void forward_all(struct turn *turn, const struct forward *forward,
                        bool (*fits)(const struct session *))
{
    struct session *next;
    for (struct session *at = session_first(turn->server, jid_bare(&turn->to)); at != NULL;
         at = next) {
        next = session_another(at);
        if (fits(at))
            forward_to(turn, forward, jid_full(&turn->to), at);
    }
}

/* --- messages --- */

/* It waits, or its sender hears that it does not: false. */
static bool keep(struct turn *turn, const struct edits *edits, uint64_t archived)
{
    switch (offline_keep(turn, edits, archived)) {
    case OFFLINE_KEPT:
    case OFFLINE_EMPTY:
        return true;
    case OFFLINE_UNWANTED:
    case OFFLINE_FULL: /* OFF-3 */
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        return false;
    case OFFLINE_NO_ROOM:
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return false;
    case OFFLINE_FAILED:
        break;
    }
    reply_error(turn, ERROR_INTERNAL_SERVER_ERROR);
    return false;
}

/* Those who have been told everything that was stored before. */
static bool listens_now(const struct session *session)
{
    return session_listens(session) && !session->behind;
}

/* Of what waits for a client that is away. */
static bool too_much(const struct rope *rope)
{
    return rope_total(rope) > plan.output_bytes / 4 || rope_total(rope) > ASLEEP_BYTES_MAX;
}

/* Whether one of those it is for has not been told yet all that was stored before. */
static bool anybody_behind(const struct turn *turn, struct session *match)
{
    struct session *at = match != NULL ? match : session_first(turn->server, jid_bare(&turn->to));
    bool behind = false;
    for (; at != NULL; at = match != NULL ? NULL : session_another(at)) {
        at->behind |= at->phase == PHASE_ASLEEP && too_much(&at->out);
        behind |= at->behind;
    }
    return behind;
}

/* Whether one of those it is for acknowledges stanzas. */
static bool anybody_keeps(const struct turn *turn, const struct session *match)
{
    if (match != NULL)
        return match->out.keeps;
    const struct session *at = session_first(turn->server, jid_bare(&turn->to));
    while (at != NULL && !(at->out.keeps && session_listens(at)))
        at = session_another(at);
    return at != NULL;
}

/* A message that somebody gets, now or later. */
struct delivery {
    struct turn *turn;
    enum message_type type;
    enum fate fate;
    struct session *match; /* FATE_ONE */
    struct archiving archiving;
    bool worth;            /* to be stored if one that acknowledges stanzas does not get it */
    bool behind;           /* to be stored behind what somebody has not been told yet */
    struct edits plain;    /* as it came, without the ids that only we may set */
    struct edits sent;     /* as its sender's account knows it */
    struct edits received; /* as its receiver's does */
    struct carbons carbons;
};

static void look(struct delivery *delivery)
{
    const struct turn *turn = delivery->turn;
    bool live = (delivery->type == TYPE_NORMAL || delivery->type == TYPE_CHAT) &&
                delivery->fate != FATE_LATER;
    delivery->worth = live && anybody_keeps(turn, delivery->match) && offline_worth(turn);
    delivery->behind = live && anybody_behind(turn, delivery->match);
}

/* After it was told to those it is for: whether these have ended by that. */
static bool nobody_left(const struct delivery *delivery)
{
    return delivery->fate == FATE_ONE ? delivery->match->peer != PEER_BOUND
                                      : !anybody_listens(delivery->turn);
}

/* false: nothing was done, and its sender has been told. */
static bool forward(struct delivery *delivery)
{
    struct turn *turn = delivery->turn;
    struct forward forward;
    uint64_t archived = delivery->archiving.receiver ? delivery->archiving.number : 0;
    if (delivery->fate == FATE_LATER)
        return keep(turn, &delivery->received, archived);
    if (!forward_edited(turn, &delivery->received, &forward))
        return false;
    forward.worth = delivery->worth;
    /* GR-4: it comes behind what was stored; the others get it at once, with the same id. */
    bool waits =
        delivery->behind && offline_keep(turn, &delivery->received, archived) == OFFLINE_KEPT;
    if (delivery->fate == FATE_ALL)
        forward_all(turn, &forward, waits ? listens_now : session_listens);
    else if (!waits)
        forward_to(turn, &forward, jid_full(&turn->to), delivery->match);
    forward_end(turn, &forward);
    return !delivery->worth || waits || !nobody_left(delivery) ||
           keep(turn, &delivery->received, archived);
}

/* What is known of it in the accounts of the two (MAM-2): nobody is told an id of the other's
 * account. false: no memory. */
static bool edits_make(struct delivery *delivery)
{
    struct turn *turn = delivery->turn;
    const struct jid *own = &turn->session->jid;
    const struct archiving *archiving = &delivery->archiving;
    if (!stanza_id_strip(turn, &delivery->plain))
        return false;
    delivery->sent = delivery->received = delivery->plain;
    if ((archiving->receiver || delivery->fate == FATE_LATER || delivery->worth ||
         delivery->behind) &&
        !stanza_id_add(turn, &delivery->received, &turn->to, archiving->number))
        return false;
    if (span_equal(jid_bare(&turn->to), jid_bare(own)))
        delivery->sent = delivery->received;
    return !archiving->sender || stanza_id_add(turn, &delivery->sent, own, archiving->number);
}

static void deliver(struct delivery *delivery)
{
    struct turn *turn = delivery->turn;
    look(delivery);
    delivery->carbons.match = delivery->match;
    delivery->carbons.all = delivery->fate == FATE_ALL;
    archive_choose(turn, &delivery->archiving);
    if (!edits_make(delivery))
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    else if (carbons_make(turn, &delivery->carbons, &delivery->received, &delivery->sent) &&
             forward(delivery)) {
        carbons_say(turn, &delivery->carbons);
        archive_write(turn, &delivery->plain, &delivery->archiving);
    }
    carbons_end(turn, &delivery->carbons);
}

void deliver_message(struct turn *turn)
{
    struct delivery delivery = {.turn = turn, .type = message_type(turn->type)};
    delivery.fate = fates[situation_of(turn, &delivery.match)][delivery.type];
    switch (delivery.fate) {
    case FATE_ONE:
    case FATE_ALL:
    case FATE_LATER:
        deliver(&delivery);
        break;
    case FATE_ERROR:
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        break;
    case FATE_SILENT:
        break;
    }
}

/* --- the rest --- */

/* Requirements 2.4, "IQ". */
void deliver_iq(struct turn *turn)
{
    struct session *match =
        turn->to.resource_len > 0 ? session_find(turn->server, &turn->to) : NULL;
    if (match != NULL && (turn->kind == KIND_IQ_ANSWER ||
                          presence_shared(turn->server, match, turn->session))) /* 8.5.3.1 */
        forward_one(turn, match);
    else
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE); /* nothing for an answer (GR-5) */
}

/* Requirements 2.4, "Presence": directed presence, available or not. */
void deliver_presence(struct turn *turn)
{
    struct forward forward;
    if (turn->to.resource_len > 0) {
        struct session *match = session_find(turn->server, &turn->to);
        if (match != NULL)
            forward_one(turn, match);
    } else if (forward_begin(turn, &forward)) {
        forward_all(turn, &forward, available);
        forward_end(turn, &forward);
    }
}

/* --- blocking (BL-2) --- */

bool deliver_blocked(struct turn *turn)
{
    const struct jid *own = &turn->session->jid;
    if (turn->session->blocking && blocked_by(turn->server, own, &turn->to)) {
        reply_error(turn, ERROR_BLOCKED);
        return true;
    }
    if (!blocked_by(turn->server, &turn->to, own))
        return false;
    if (turn->kind == KIND_PRESENCE)
        return true;
    enum message_type type = message_type(turn->type);
    if (turn->kind != KIND_MESSAGE || type == TYPE_NORMAL || type == TYPE_CHAT)
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
    return true;
}
