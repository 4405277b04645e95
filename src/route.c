/* route.c: see route.h. Requirements 1.2 "Bad input at stanza level", RB-4, 2.4. */
#include "route.h"

#include "core/ask.h"
#include "core/caps.h"
#include "core/limits.h"
#include "core/stream.h"
#include "deliver.h"
#include "features/last.h"
#include "features/mix_messages.h"
#include "features/pep.h"
#include "features/presence.h"
#include "features/subscription.h"
#include "wire/names.h"

enum target {
    TARGET_SELF,
    TARGET_DOMAIN,
    TARGET_LOCAL,
    TARGET_SERVICE,     /* the domain of channels, with any resource */
    TARGET_CHANNEL,     /* a bare jid there, */
    TARGET_PARTICIPANT, /* a full one, or ID#CHANNEL: nobody is behind it (XEP-0404 is not here) */
    TARGET_ELSEWHERE
};

/* false: an unknown or missing type (8.2.3 rule 2). */
static bool kind_of(struct turn *turn)
{
    const struct node *root = stanza_root(turn->stanza);
    if (span_is(root->name, "message"))
        turn->kind = KIND_MESSAGE;
    else if (span_is(root->name, "presence"))
        turn->kind = KIND_PRESENCE;
    else if (span_is(turn->type, "set"))
        turn->kind = KIND_IQ_SET;
    else if (span_is(turn->type, "result") || span_is(turn->type, "error"))
        turn->kind = KIND_IQ_ANSWER;
    else
        turn->kind = KIND_IQ_GET;
    return turn->kind != KIND_IQ_GET || span_is(turn->type, "get");
}

/* 8.1.2.1 [K]: the own address may stand there, anything else ends the stream. */
static bool from_fits(struct turn *turn)
{
    const struct jid *own = &turn->session->jid;
    struct span text = stanza_attribute(turn->stanza, stanza_root(turn->stanza), "from");
    struct jid from;
    if (text.bytes == NULL)
        return true;
    return jid_parse(text, &turn->server->arena, &from) &&
           span_equal(jid_bare(&from), jid_bare(own)) &&
           (from.resource_len == 0 || span_equal(jid_resource(&from), jid_resource(own)));
}

static enum target mix_target_of(const struct turn *turn)
{
    struct span local = jid_local(&turn->to);
    if (local.len == 0)
        return TARGET_SERVICE;
    return turn->to.resource_len > 0 || span_find(local, '#') < local.len ? TARGET_PARTICIPANT
                                                                          : TARGET_CHANNEL;
}

static enum target target_of(const struct turn *turn)
{
    if (!jid_present(&turn->to))
        return TARGET_SELF;
    if (span_is(jid_domain(&turn->to), config.mix_domain))
        return mix_target_of(turn);
    if (!span_is(jid_domain(&turn->to), config.domain))
        return TARGET_ELSEWHERE;
    if (turn->to.local_len == 0)
        return TARGET_DOMAIN;
    if (turn->to.resource_len == 0 &&
        span_equal(jid_bare(&turn->to), jid_bare(&turn->session->jid)))
        return TARGET_SELF;
    return TARGET_LOCAL;
}

static uint8_t addressee_of(const struct turn *turn, enum target target)
{
    if (target == TARGET_SELF)
        return TO_SELF;
    if (target == TARGET_SERVICE)
        return TO_SERVICE;
    if (target == TARGET_CHANNEL)
        return TO_CHANNEL;
    if (target == TARGET_LOCAL)
        return TO_ACCOUNT;
    return turn->to.resource_len > 0 ? TO_DOMAIN_RESOURCE : TO_DOMAIN;
}

/* Has the row of the table for it do it. false: there is none; *other_kind: but there is one for
 * another kind. */
static bool row_handle(struct turn *turn, uint8_t to, bool *other_kind)
{
    *other_kind = false;
    for (size_t i = 0; i < table_len; i++) {
        const struct row *row = &table[i];
        if (!(row->from & 1u << turn->session->peer) || !(row->to & to) ||
            !node_is(turn->child, row->namespace, row->child))
            continue;
        if (row->kind == turn->kind) {
            if (config.rate_limits)
                turn->session->budget -= row->price * RATE_PRICE_BYTES;
            row->handler(turn);
            return true;
        }
        *other_kind = true;
    }
    return false;
}

/* An IQ that the server itself is asked, by the table. */
static void ask_table(struct turn *turn, enum target target)
{
    bool other_kind;
    if (turn->kind == KIND_IQ_ANSWER) /* DL-7 */
        ask_answered(turn);
    else if (!row_handle(turn, addressee_of(turn, target), &other_kind)) /* DI-3 */
        reply_error(turn, other_kind ? ERROR_NOT_ALLOWED : ERROR_SERVICE_UNAVAILABLE);
}

static void route_iq(struct turn *turn, enum target target)
{
    if (target == TARGET_SELF || target == TARGET_DOMAIN || target == TARGET_SERVICE ||
        target == TARGET_CHANNEL)
        ask_table(turn, target);
    else if (turn->kind != KIND_IQ_ANSWER && node_is(turn->child, NS_ROSTER, NULL))
        reply_error(turn, ERROR_FORBIDDEN); /* RO-6: never delivered */
    else if (target == TARGET_LOCAL && turn->to.resource_len == 0)
        ask_table(turn, target); /* 6121 8.5.2.1.3: the server answers for the account */
    else
        deliver_iq(turn);
}

static void route_message(struct turn *turn, enum target target)
{
    if (target == TARGET_CHANNEL) {
        mix_message(turn);
        return;
    }
    if (target == TARGET_DOMAIN || target == TARGET_SERVICE ||
        target == TARGET_PARTICIPANT) { /* DL-4, MX-4 */
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        return;
    }
    if (!jid_present(&turn->to)) /* DL-3 */
        turn->to = jid_to_bare(&turn->session->jid);
    if (target == TARGET_SELF && pep_authorization(turn))
        return;
    deliver_message(turn);
}

/* What others than presence.c learn from it. */
static void route_presence(struct turn *turn, enum target target)
{
    bool before = turn->session->announced;
    if (target == TARGET_SERVICE || target == TARGET_CHANNEL || target == TARGET_PARTICIPANT)
        return; /* MX-4, PAM-4: presence is no business of channels here */
    if (!before)
        turn->session->arrival.known = NULL;
    presence_stanza(turn, target == TARGET_DOMAIN, deliver_presence, subscription_stanza);
    if (before && !turn->session->announced)
        last_unavailable(turn);
    else if (turn->session->announced && !jid_present(&turn->to) && turn->type.bytes == NULL)
        caps_learn(turn);
}

static void route_bound(struct turn *turn)
{
    enum target target = target_of(turn);
    if (target == TARGET_ELSEWHERE)
        reply_error(turn, ERROR_REMOTE_SERVER_NOT_FOUND);
    else if (target != TARGET_SELF && target != TARGET_DOMAIN && deliver_blocked(turn))
        return;
    else if (turn->kind == KIND_MESSAGE)
        route_message(turn, target);
    else if (turn->kind == KIND_PRESENCE)
        route_presence(turn, target);
    else
        route_iq(turn, target);
}

/* ST-8 [K]: before binding only IQs to the server or the own account. */
static void route_unbound(struct turn *turn)
{
    enum target target = target_of(turn);
    if (turn->kind == KIND_MESSAGE || turn->kind == KIND_PRESENCE ||
        (target != TARGET_SELF && target != TARGET_DOMAIN))
        stream_fail(turn->server, turn->session, STREAM_NOT_AUTHORIZED, "Bind a resource first.");
    else
        ask_table(turn, target);
}

/* REG-5: `to` may be absent or the domain. Answers come from there. */
static bool stranger_to(struct turn *turn)
{
    struct span to = stanza_attribute(turn->stanza, stanza_root(turn->stanza), "to");
    struct jid jid = {.text = config.domain, .domain_len = (uint16_t)strlen(config.domain)};
    if (to.bytes != NULL &&
        (!jid_parse(to, &turn->server->arena, &jid) || !span_is(jid_full(&jid), config.domain)))
        return false;
    turn->to = jid;
    return true;
}

/* ST-8: before login only what has to do with getting an account. What a stranger's `from` says is
 * no more than a hint (REG-5). */
static void route_stranger(struct turn *turn)
{
    const struct node *root = stanza_root(turn->stanza);
    bool iq = node_is(root, NS_CLIENT, "iq"), other_kind = false;
    turn->id = stanza_attribute(turn->stanza, root, "id");
    turn->type = iq ? stanza_attribute(turn->stanza, root, "type") : SPAN_NONE;
    turn->child = iq ? stanza_child(turn->stanza, root, NULL, NULL) : root;
    bool good = !iq || (kind_of(turn) && turn->kind != KIND_IQ_ANSWER && turn->id.bytes != NULL &&
                        turn->id.len <= ID_BYTES_MAX && stanza_children(turn->stanza, root) == 1);
    if (!iq)
        turn->kind = KIND_ELEMENT;
    if (!good || !stream_may_login(turn->session) || !stranger_to(turn) ||
        !row_handle(turn, TO_DOMAIN, &other_kind))
        stream_fail(turn->server, turn->session, STREAM_NOT_AUTHORIZED, "Log in first.");
}

/* Fills the turn and refuses what is no proper stanza. true: go on. */
static bool turn_check(struct turn *turn)
{
    const struct node *root = stanza_root(turn->stanza);
    struct span to = stanza_attribute(turn->stanza, root, "to");
    bool iq = span_is(root->name, "iq");
    turn->type = stanza_attribute(turn->stanza, root, "type");
    turn->id = stanza_attribute(turn->stanza, root, "id");
    bool typed = kind_of(turn);
    if (!from_fits(turn)) {
        stream_fail(turn->server, turn->session, STREAM_INVALID_FROM, NULL);
        return false;
    }
    if (turn->id.len > ID_BYTES_MAX) {
        turn->id = SPAN_NONE;
        reply_error(turn, ERROR_POLICY_VIOLATION);
        return false;
    }
    if (to.bytes != NULL && !jid_parse(to, &turn->server->arena, &turn->to)) {
        turn->to = (struct jid){0}; /* 8.3.1 rule 2: the answer must not carry it */
        reply_error(turn, ERROR_JID_MALFORMED);
        return false;
    }
    if (iq && turn->kind != KIND_IQ_ANSWER) {
        turn->child = stanza_child(turn->stanza, root, NULL, NULL);
        if (!typed || turn->id.bytes == NULL || stanza_children(turn->stanza, root) != 1) {
            reply_error(turn, ERROR_BAD_REQUEST); /* 8.2.3 rules 1, 2, 5 */
            return false;
        }
    }
    /* A response with more than one child is dropped: it must not be answered. */
    return !iq || turn->kind != KIND_IQ_ANSWER ||
           (turn->id.bytes != NULL &&
            (!span_is(turn->type, "result") || stanza_children(turn->stanza, root) <= 1));
}

void route_stanza(struct server *server, struct session *session, const struct stanza *stanza)
{
    struct turn turn = {.server = server, .session = session, .stanza = stanza};
    server->stanzas++;
    if (session->peer == PEER_STRANGER) {
        route_stranger(&turn);
        return;
    }
    if (!turn_check(&turn))
        return;
    if (session->peer == PEER_BOUND)
        route_bound(&turn);
    else
        route_unbound(&turn);
}
