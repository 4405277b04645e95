/* client_state.c: see client_state.h. Each presence in held_back is a stanza of a rope that keeps,
 * so that it can be taken out again. */
#include "core/client_state.h"

#include "core/output.h"
#include "wire/names.h"

#define HELD_BACK_BYTES_MAX 8192
#define FROM_BYTES_MAX (16 + 6 * SESSION_JID_BYTES)

/* The start tag up to behind the first attribute, which is `from`. */
static struct span sender_of(struct span presence)
{
    size_t first = span_find(presence, '\'');
    struct span rest = span_cut(presence, first + 1, presence.len);
    return span_cut(presence, 0, first + 2 + span_find(rest, '\''));
}

/* Takes out what was held back of this resource. */
static void forget(struct server *server, struct session *session, struct span sender)
{
    struct rope all = session->held_back, presence;
    char start[FROM_BYTES_MAX];
    session->held_back = (struct rope){.keeps = true};
    while (rope_split(&all, &presence)) {
        size_t len = rope_peek(&presence, start, sizeof start);
        if (sender.len <= len && span_equal(span_of(start, sender.len), sender))
            rope_clear(&server->chunks, &presence);
        else
            rope_join(&session->held_back, &presence);
    }
}

/* Whether the turn's message says no more than that somebody types (XEP-0085). */
static bool idle(const struct turn *turn)
{
    bool state = false;
    for (const struct node *at = stanza_child(turn->stanza, stanza_root(turn->stanza), NULL, NULL);
         at != NULL; at = stanza_next(turn->stanza, at, NULL, NULL)) {
        state |= node_is(at, NS_CHAT_STATES, NULL);
        if (!node_is(at, NS_CHAT_STATES, NULL) && !node_is(at, NS_HINTS, NULL) &&
            !node_is(at, NS_CLIENT, "thread"))
            return false;
    }
    return state;
}

bool client_state_holds(struct server *server, struct session *session, struct span head,
                        const struct rope *body)
{
    uint32_t before;
    if (session->phase >= PHASE_CLOSING)
        return false;
    forget(server, session, sender_of(head));
    before = session->held_back.bytes;
    if (before + head.len + body->bytes > HELD_BACK_BYTES_MAX)
        return false;
    if (!rope_add(&server->chunks, &session->held_back, head) ||
        !rope_share(&server->chunks, &session->held_back, body)) {
        rope_cut(&server->chunks, &session->held_back, before);
        return false;
    }
    rope_end(&session->held_back, 0, 0);
    return true;
}

enum urgency client_state_urgency(const struct turn *turn)
{
    return turn->kind == KIND_MESSAGE && idle(turn) ? URGENCY_NONE : URGENCY_NOW;
}

void client_state_flush(struct server *server, struct session *session)
{
    struct rope all = session->held_back, presence;
    session->held_back = (struct rope){0};
    while (rope_split(&all, &presence)) {
        output_share(server, session, SPAN(""), &presence, false);
        rope_clear(&server->chunks, &presence);
    }
}

void client_state_bound(struct login *login)
{
    login->session->inactive = true;
    login->session->held_back.keeps = true;
}

bool client_state_element(struct server *server, struct session *session,
                          const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    bool active = node_is(root, NS_CLIENT_STATE, "active");
    if (!active && !node_is(root, NS_CLIENT_STATE, "inactive"))
        return false;
    session->inactive = !active && session->peer == PEER_BOUND;
    session->held_back.keeps = true;
    if (active)
        client_state_flush(server, session);
    return true;
}
