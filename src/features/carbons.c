/* carbons.c: see carbons.h. Owns session->carbons. urn:xmpp:carbons:rules:0 is not announced: of an
 * error (6.1, fourth rule) we know only what it echoes. */
#include "features/carbons.h"

#include "wire/names.h"

/* 6.1: payloads of instant messaging. */
static const struct {
    const char *namespace;
    const char *name;
} payloads[] = {
    {NS_RECEIPTS, NULL},
    {NS_CHAT_STATES, NULL},
    {NS_MARKERS, NULL},
    {NS_CONFERENCE, "x"},
};

static const struct node *child(const struct turn *turn, const char *namespace, const char *name)
{
    return stanza_child(turn->stanza, stanza_root(turn->stanza), namespace, name);
}

static bool has_payload(const struct turn *turn)
{
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        if (child(turn, payloads[i].namespace, payloads[i].name) != NULL)
            return true;
    return false;
}

/* CC-2; 6.1, 9. */
static bool eligible(const struct turn *turn)
{
    const struct node *room = child(turn, NS_MUC_USER, "x");
    if (span_is(turn->type, "groupchat") || span_is(turn->type, "headline") ||
        child(turn, NS_CARBONS, "private") != NULL || child(turn, NS_HINTS, "no-copy") != NULL)
        return false;
    return span_is(turn->type, "chat") || child(turn, NS_CLIENT, "body") != NULL ||
           has_payload(turn) ||
           (room != NULL && stanza_child(turn->stanza, room, NS_MUC_USER, "invite") != NULL);
}

/* 6.1: what comes from a participant of a room comes to every resource that is in there. */
static bool from_room(const struct turn *turn)
{
    const struct node *room = child(turn, NS_MUC_USER, "x");
    return room != NULL && stanza_child(turn->stanza, room, NS_MUC_USER, "invite") == NULL;
}

static bool to_own_account(const struct turn *turn)
{
    return span_equal(jid_bare(&turn->to), jid_bare(&turn->session->jid));
}

/* CC-3: any that is bound, but neither who sent it nor who gets it itself. */
static bool wants(const struct turn *turn, const struct carbons *carbons, const struct session *at,
                  bool of_receiver)
{
    bool itself = of_receiver && (at == carbons->match || (carbons->all && session_listens(at)));
    return at->carbons && at != turn->session && !itself;
}

static bool wanted(const struct turn *turn, const struct carbons *carbons, const struct jid *whose,
                   bool of_receiver)
{
    const struct session *at = session_first(turn->server, jid_bare(whose));
    while (at != NULL && !wants(turn, carbons, at, of_receiver))
        at = session_another(at);
    return at != NULL;
}

static bool copy_make(struct turn *turn, const struct edits *edits, const struct jid *whose,
                      const char *direction, struct forward *copy)
{
    struct build before;
    build_init(&before, &turn->server->arena, 256 + BUILD_ESCAPED_MAX(turn->type.len));
    build_attr(&before, "type", turn->type);
    build_str(&before, "><");
    build_str(&before, direction);
    build_str(&before, " xmlns='" NS_CARBONS "'><forwarded xmlns='" NS_FORWARD "'>");
    const bool sent = span_is(SPAN("sent"), direction);
    const struct wrapping around = {.from = jid_bare(whose),
                                    .before = build_span(&before),
                                    .after = sent ? SPAN("</forwarded></sent></message>")
                                                  : SPAN("</forwarded></received></message>")};
    if (!before.full)
        return forward_wrapped(turn, edits, &around, copy);
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
}

static void copy_say(struct turn *turn, const struct carbons *carbons, const struct forward *copy,
                     const struct jid *whose, bool of_receiver)
{
    struct session *next;
    for (struct session *at = session_first(turn->server, jid_bare(whose)); at != NULL; at = next) {
        next = session_another(at);
        if (wants(turn, carbons, at, of_receiver))
            forward_to(turn, copy, jid_full(&at->jid), at);
    }
}

bool carbons_make(struct turn *turn, struct carbons *carbons, const struct edits *received,
                  const struct edits *sent)
{
    const struct jid *own = &turn->session->jid;
    bool self = to_own_account(turn);
    if (!eligible(turn))
        return true;
    /* Within one account a message is one that was sent. */
    if (!self && !from_room(turn) && wanted(turn, carbons, &turn->to, true) &&
        !copy_make(turn, received, &turn->to, "received", &carbons->received))
        return false;
    return !wanted(turn, carbons, own, self) || copy_make(turn, sent, own, "sent", &carbons->sent);
}

void carbons_say(struct turn *turn, const struct carbons *carbons)
{
    if (carbons->received.name != NULL)
        copy_say(turn, carbons, &carbons->received, &turn->to, true);
    if (carbons->sent.name != NULL)
        copy_say(turn, carbons, &carbons->sent, &turn->session->jid, to_own_account(turn));
}

void carbons_end(struct turn *turn, struct carbons *carbons)
{
    forward_end(turn, &carbons->received);
    forward_end(turn, &carbons->sent);
}

void carbons_enable_request(struct turn *turn)
{
    turn->session->carbons = true;
    reply_result(turn, SPAN(""));
}

void carbons_bound(struct login *login)
{
    login->session->carbons = true;
}

void carbons_disable_request(struct turn *turn)
{
    turn->session->carbons = false;
    reply_result(turn, SPAN(""));
}
