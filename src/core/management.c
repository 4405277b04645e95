/* management.c: see management.h. */
#include "core/management.h"

#include "base/must.h"
#include "core/application.h"
#include "core/ask.h"
#include "core/client_state.h"
#include "core/ended.h"
#include "core/limits.h"
#include "core/output.h"
#include "core/stream.h"
#include "wire/build.h"
#include "wire/names.h"

#define WORD_BYTES 384

/* XEP-0198 6: recoverable. */
static void failed(struct build *build, const char *condition)
{
    build_str(build, "<failed xmlns='" NS_MANAGEMENT "'><");
    build_str(build, condition);
    build_str(build, " xmlns='" NS_STANZA_ERRORS "'/></failed>");
}

static void fail(struct server *server, struct session *session, const char *condition)
{
    char room[WORD_BYTES];
    struct build build = {.bytes = room, .size = sizeof room};
    failed(&build, condition);
    output_word(server, session, build_span(&build), false);
}

/* false: absent or no unsignedInt. */
static bool read_h(const struct stanza *stanza, const struct node *node, uint32_t *h)
{
    uint64_t number;
    if (!span_number(stanza_attribute(stanza, node, "h"), UINT32_MAX, &number))
        return false;
    *h = (uint32_t)number;
    return true;
}

/* What `node` asks for; the answer is written. */
static void enable(struct session *session, const struct stanza *stanza, const struct node *node,
                   struct build *build)
{
    struct management *management = &session->management;
    struct span resume = stanza_attribute(stanza, node, "resume");
    uint64_t seconds = config.resume_seconds, wish;
    if (session->peer != PEER_BOUND || management->enabled) { /* SM-1 */
        failed(build, "unexpected-request");
        return;
    }
    if (span_number(stanza_attribute(stanza, node, "max"), seconds, &wish) && wish > 0)
        seconds = wish;
    management->enabled = true;
    management->resumable = seconds > 0 && (span_is(resume, "true") || span_is(resume, "1"));
    management->resume_seconds = (uint32_t)seconds;
    rope_keep(&session->out);
    build_str(build, "<enabled xmlns='" NS_MANAGEMENT "'");
    if (management->resumable) {
        token_make(management->id);
        build_attr(build, "id", span_of(management->id, sizeof management->id));
        build_str(build, " resume='true' max='");
        build_number(build, seconds);
        build_str(build, "'");
    }
    build_str(build, "/>");
}

static void enable_request(struct server *server, struct session *session,
                           const struct stanza *stanza)
{
    char room[WORD_BYTES];
    struct build build = {.bytes = room, .size = sizeof room};
    enable(session, stanza, stanza_root(stanza), &build);
    output_word(server, session, build_span(&build), store_urgent(server->store));
}

void management_bound(struct login *login)
{
    enable(login->session, login->stanza, login->node, login->answer);
}

static void answer_build(struct build *build, uint32_t h)
{
    build_str(build, "<a xmlns='" NS_MANAGEMENT "' h='");
    build_number(build, h);
    build_str(build, "'/>");
}

/* SM-2, GR-2: at once, with what is safe by now or when this tick is; the rest is owed. */
static void answer(struct server *server, struct session *session)
{
    struct management *management = &session->management;
    bool urgent = store_urgent(server->store);
    char room[WORD_BYTES];
    struct build build = {.bytes = room, .size = sizeof room};
    answer_build(&build, urgent ? management->received : management->handled);
    management->owing = !urgent && management->handled != management->received;
    output_word(server, session, build_span(&build),
                urgent && management->handled != management->received);
}

/* SM-4. What the client counts, of what this session was sent; the error goes to `speaker`.
 * false: more than that. */
static bool acknowledge(struct server *server, struct session *session, uint32_t h,
                        struct session *speaker)
{
    struct management *management = &session->management;
    uint32_t more = h - management->acknowledged;
    char room[WORD_BYTES];
    struct build build = {.bytes = room, .size = sizeof room};
    if (more <= session->out.kept) {
        rope_acknowledge(&server->chunks, &session->out, more);
        management->acknowledged = h;
        if ((int32_t)(management->stored - h) < 0)
            management->stored = h;
        return true;
    }
    if (more > INT32_MAX) /* less than before */
        return true;
    build_str(&build, "<handled-count-too-high xmlns='" NS_MANAGEMENT "' h='");
    build_number(&build, h);
    build_str(&build, "' send-count='");
    build_number(&build, (uint32_t)(management->acknowledged + session->out.kept));
    build_str(&build, "'/>");
    stream_fail_with(server, speaker, STREAM_UNDEFINED_CONDITION,
                     "You acknowledged more stanzas than you were sent.", build_span(&build));
    return false;
}

static void acknowledged(struct server *server, struct session *session,
                         const struct stanza *stanza)
{
    uint32_t h;
    if (!read_h(stanza, stanza_root(stanza), &h)) {
        fail(server, session, "bad-request");
        return;
    }
    session->management.asked = false;
    if (acknowledge(server, session, h, session))
        session_write_later(server, session); /* there may be more to be asked for */
}

/* --- resumption --- */

static struct session *former(const struct server *server, const struct session *session,
                              struct span id)
{
    struct session *at = session_first(server, jid_bare(&session->jid));
    while (at != NULL &&
           (!at->management.resumable || at->management.stored != at->management.acknowledged ||
            !span_equal(span_of(at->management.id, sizeof at->management.id), id)))
        at = session_another(at);
    return at;
}

/* XEP-0198 5: one that has ended for good is told how far it came. */
static void unknown(const struct server *server, const struct session *session, struct span id,
                    struct build *build)
{
    uint32_t h;
    build_str(build, "<failed xmlns='" NS_MANAGEMENT "'");
    if (ended_find(server, jid_bare(&session->jid), id, &h)) {
        build_str(build, " h='");
        build_number(build, h);
        build_str(build, "'");
    }
    build_str(build, "><item-not-found xmlns='" NS_STANZA_ERRORS "'/></failed>");
}

/* Who points to the one points to the other. */
static void point_to(struct server *server, struct session *from, struct session *to)
{
    for (struct ask *at = server->asking; at != NULL; at = at->next)
        if (at->session == from)
            at->session = to;
    for (struct session **at = &server->flushing; *at != NULL; at = &(*at)->next_flushing)
        if (*at == from) {
            to->next_flushing = from->next_flushing;
            *at = to;
            break;
        }
    to->flushing = from->flushing;
    from->flushing = false;
    to->arrival = from->arrival;
    if (to->arrival.waiting) { /* the other stays in that list for this tick */
        to->arrival.next = server->arriving;
        server->arriving = to;
    }
    to->application = from->application;
    from->application = NULL;
    if (to->application != NULL) {
        to->application->derivation.session = to;
        to->pauses |= from->pauses & PAUSE_DERIVING;
    }
    session_replace(server, from, to);
}

/* SM-3: what the one was, the other is; nobody else learns of it. A stream that is still there is
 * told why it ends, unless it is in the middle of a stanza. */
static void take_over(struct server *server, struct session *from, struct session *to,
                      enum stream_error error)
{
    bool silent = from->phase == PHASE_ASLEEP || rope_halfway(&from->out);
    to->jid = from->jid;
    memcpy(to->jid_text, from->jid_text, sizeof to->jid_text);
    to->jid.text = to->jid_text;
    to->management = from->management;
    to->management.asked = to->management.owing = false;
    to->announced = from->announced;
    to->priority = from->priority;
    to->presence = from->presence;
    to->directed = from->directed;
    to->interested = from->interested;
    to->annotated = from->annotated;
    to->mix = from->mix;
    to->caps = from->caps;
    to->caps_refused = from->caps_refused;
    to->flushed = from->flushed;
    to->flushed_safe = from->flushed_safe;
    to->drained = false;
    to->archive_asked = from->archive_asked;
    to->carbons = from->carbons;
    to->place = from->place;
    to->listens_from = from->listens_from;
    to->blocking = from->blocking;
    to->blocks_followed = from->blocks_followed;
    from->management = (struct management){0};
    to->held_back = from->held_back;
    from->presence = from->directed = from->held_back = (struct rope){0};
    from->caps = NULL;
    from->announced = false;
    point_to(server, from, to);
    rope_keep(&to->out); /* it is all words so far */
    rope_rewind(&server->chunks, &from->out);
    rope_join(&to->out, &from->out);
    client_state_flush(server, to); /* XEP-0352 5.2: it is active */
    if (silent)
        session_leave(server, from);
    else
        stream_fail(server, from, error, NULL);
    to->behind = to->flushing;
    if (session_listens(to))
        session_flush_later(server, to); /* it may have been too much for the queue */
    session_write_later(server, to);
    session_due(server, to->active_ms + IDLE_MS_MAX);
}

/* The session that `node` asks for, acknowledged; the answer is written. NULL: there is none, or
 * the stream has failed. */
static struct session *resume(struct server *server, struct session *session,
                              const struct stanza *stanza, const struct node *node,
                              struct build *build)
{
    struct span id = stanza_attribute(stanza, node, "previd");
    uint32_t h;
    if (session->peer != PEER_USER) {
        failed(build, "unexpected-request");
        return NULL;
    }
    if (!read_h(stanza, node, &h)) {
        failed(build, "bad-request");
        return NULL;
    }
    struct session *old = former(server, session, id);
    if (old == NULL) {
        unknown(server, session, id, build);
        return NULL;
    }
    if (!acknowledge(server, old, h, session))
        return NULL;
    build_str(build, "<resumed xmlns='" NS_MANAGEMENT "'");
    build_attr(build, "previd", id);
    build_str(build, " h='");
    build_number(build, old->management.received);
    build_str(build, "'/>");
    return old;
}

static void resume_request(struct server *server, struct session *session,
                           const struct stanza *stanza)
{
    char room[WORD_BYTES];
    struct build build = {.bytes = room, .size = sizeof room};
    struct session *old = resume(server, session, stanza, stanza_root(stanza), &build);
    if (session->phase != PHASE_OPEN)
        return;
    if (old == NULL)
        output_word(server, session, build_span(&build), false);
    else if (!management_resume(server, old, session, build_span(&build)))
        fail(server, session, "resource-constraint");
}

bool management_resume(struct server *server, struct session *former, struct session *session,
                       struct span words)
{
    /* Straight to the rope: to make room might end the one it is about. */
    if (!rope_add_word(&server->chunks, &session->out, words))
        return false;
    /* GR-2: its h; what was kept for the client is safe. */
    if (former->management.handled != former->management.received)
        store_hasten(server->store);
    if (store_urgent(server->store))
        rope_wait(&session->out);
    take_over(server, former, session, STREAM_CONFLICT);
    return true;
}

void management_instead(struct login *login)
{
    login->former =
        resume(login->server, login->session, login->stanza, login->node, login->answer);
    login->resumed = login->former != NULL || login->session->phase != PHASE_OPEN;
}

bool management_element(struct server *server, struct session *session, const struct stanza *stanza)
{
    const struct node *root = stanza_root(stanza);
    if (node_is(root, NS_MANAGEMENT, "enable"))
        enable_request(server, session, stanza);
    else if (node_is(root, NS_MANAGEMENT, "resume"))
        resume_request(server, session, stanza);
    else if (!node_is(root, NS_MANAGEMENT, "r") && !node_is(root, NS_MANAGEMENT, "a"))
        return false;
    else if (!session->management.enabled)
        fail(server, session, "unexpected-request");
    else if (span_is(root->name, "r"))
        answer(server, session);
    else
        acknowledged(server, session, stanza);
    return true;
}

void management_safe(struct server *server, struct session *session)
{
    struct management *management = &session->management;
    char room[WORD_BYTES];
    struct build build = {.bytes = room, .size = sizeof room};
    management->handled = management->received;
    if (!management->owing || session->phase != PHASE_OPEN)
        return;
    answer_build(&build, management->handled);
    /* Straight to the rope: nobody's stream ends for it. The next one says it too. */
    if (rope_total(&session->out) + build.used > plan.output_bytes ||
        !rope_add_word(&server->chunks, &session->out, build_span(&build)))
        return;
    management->owing = false;
    session_write_later(server, session);
}

void management_end(struct server *server, struct session *session)
{
    if (session->phase != PHASE_OPEN || session->management.handled == session->management.received)
        return;
    store_hasten(server->store);
    answer(server, session);
}

void management_part(struct server *server, struct session *session)
{
    struct session *asleep = session_open(server, -1, &session->address, false);
    if (asleep == NULL) { /* no room for its last words */
        session_sleep(server, session);
        return;
    }
    asleep->phase = PHASE_OPEN;
    take_over(server, session, asleep, STREAM_CONNECTION_TIMEOUT);
    session_sleep(server, asleep);
}

void management_lose(struct server *server, struct session *session)
{
    rope_cut(&server->chunks, &session->out, rope_safe(&session->out));
    rope_release(&session->out);
    session->management.received = session->management.handled;
    session->management.owing = false;
    session->management.stored = session->management.acknowledged;
    if ((int32_t)(session->management.told - session_said(session)) > 0)
        session->management.told = session_said(session);
    session->flushed = session->flushed_safe;
    session->behind |= session->flushing; /* some may be told again */
    session_lose(server, session);
}
