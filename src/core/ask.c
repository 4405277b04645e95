/* ask.c: see ask.h. */
#include "core/ask.h"

#include "core/limits.h"
#include "core/output.h"
#include "wire/build.h"

#define ID_PREFIX "kith-"

/* Takes it off the list that it stands in; it is the caller's until the pool has it back. */
static struct ask *ask_unlink(struct ask **at)
{
    struct ask *taken = *at;
    *at = taken->next;
    return taken;
}

static void ask_end(struct server *server, struct ask **at, struct turn *turn)
{
    struct ask *ended = ask_unlink(at);
    const struct ask kept = *ended;
    pool_return(&server->asks, ended); /* first: who hears may ask again */
    kept.heard(server, &kept, turn);
}

/* bytes NULL: no memory. */
static struct span iq_build(struct server *server, const struct ask *ask, struct span payload)
{
    struct build build;
    build_init(&build, &server->arena, 256 + payload.len + BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
    build_str(&build, "<iq type='get' id='" ID_PREFIX);
    build_number(&build, ask->number);
    build_str(&build, "'");
    build_attr(&build, "from", span_string(config.domain));
    build_attr(&build, "to", jid_full(&ask->session->jid));
    build_str(&build, ">");
    build_put(&build, payload);
    build_str(&build, "</iq>");
    return build_span(&build);
}

bool ask_send(struct server *server, const struct ask *wanted, struct span payload)
{
    size_t mark = server->arena.used;
    /* A session that is gone has left: nobody would take the question back (ask_leave). */
    struct ask *ask = wanted->session->phase == PHASE_GONE ? NULL : pool_take(&server->asks);
    if (ask == NULL)
        return false;
    *ask = *wanted;
    ask->number = ++server->asked;
    ask->until_ms = server->now_ms + ASK_MS_MAX;
    struct span iq = iq_build(server, ask, payload);
    if (iq.bytes == NULL) {
        pool_return(&server->asks, ask);
    } else {
        ask->next = server->asking;
        server->asking = ask; /* before it is said: that may end the stream */
        session_due(server, ask->until_ms);
        output_say(server, wanted->session, iq, false);
    }
    arena_reset(&server->arena, mark);
    return iq.bytes != NULL;
}

void ask_answered(struct turn *turn)
{
    struct server *server = turn->server;
    uint64_t number;
    if (!span_starts(turn->id, ID_PREFIX) ||
        !span_number(span_cut(turn->id, sizeof ID_PREFIX - 1, turn->id.len), UINT64_MAX, &number))
        return;
    for (struct ask **at = &server->asking; *at != NULL; at = &(*at)->next)
        if ((*at)->number == number && (*at)->session == turn->session) {
            ask_end(server, at, turn);
            return;
        }
}

void ask_leave(struct server *server, const struct session *session)
{
    for (struct ask *at = server->asking; at != NULL; at = at->next)
        if (at->session == session) {
            at->session = NULL;
            at->until_ms = 0;
            session_due(server, server->now_ms);
        }
}

void ask_sweep(struct server *server)
{
    struct ask **at = &server->asking;
    while (*at != NULL) {
        if ((*at)->until_ms <= server->now_ms) {
            ask_end(server, at, NULL);
            at = &server->asking; /* who heard it may have asked again */
        } else {
            session_due(server, (*at)->until_ms);
            at = &(*at)->next;
        }
    }
}
