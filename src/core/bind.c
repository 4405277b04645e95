/* bind.c: see bind.h. */
#include "core/bind.h"

#include "core/limits.h"
#include "core/stream.h"
#include "store/blocklists.h"
#include "wire/base64.h"
#include "wire/build.h"
#include "wire/names.h"

#define RANDOM_BYTES 12

/* Characters that need no escaping and no second thought. */
static size_t resource_random(char *out)
{
    unsigned char random[RANDOM_BYTES];
    plat_random(random, sizeof random);
    size_t len = base64_encode(span_of((char *)random, sizeof random), out);
    for (size_t i = 0; i < len; i++)
        if (out[i] == '+' || out[i] == '/')
            out[i] = '_';
    return len;
}

/* Appends "/resource" to the session's bare jid. */
static void resource_set(struct session *session, struct span resource)
{
    size_t at = jid_bare_len(&session->jid);
    session->jid_text[at] = '/';
    memcpy(session->jid_text + at + 1, resource.bytes, resource.len);
    session->jid.resource_len = (uint16_t)resource.len;
}

/* Whether both streams are of one installation of a client, by what it said of itself. */
static bool same_client(const struct session *a, const struct session *b)
{
    return a->has_agent && b->has_agent && memcmp(a->agent, b->agent, sizeof a->agent) == 0;
}

/* XEP-0386 3.2: what the same client has left behind ends. */
static void end_earlier(struct server *server, const struct session *session)
{
    struct session *next;
    for (struct session *at = session_first(server, jid_bare(&session->jid)); at != NULL;
         at = next) {
        next = session_another(at);
        if (same_client(at, session))
            stream_fail(server, at, STREAM_CONFLICT, "The same client has logged in again.");
    }
}

/* Takes the wished resource if it is free, else one like it (RB-2, policy 1). */
static void resource_choose(struct server *server, struct session *session, struct span wish)
{
    char text[SESSION_PART_BYTES + 1];
    char tail[BASE64_BYTES(RANDOM_BYTES)];
    size_t tail_len = resource_random(tail);
    if (wish.len == 0 || wish.len > SESSION_PART_BYTES) {
        resource_set(session, span_of(tail, tail_len));
        return;
    }
    resource_set(session, wish);
    struct session *other = session_find(server, &session->jid);
    if (other != NULL && other->phase == PHASE_OPEN && same_client(other, session)) {
        stream_fail(server, other, STREAM_CONFLICT, "The same client has logged in again.");
        return;
    }
    /* Its client has started anew. What waits for it goes to the store; while that takes nothing,
     * it stays where it is. */
    if (other != NULL && other->phase == PHASE_ASLEEP && !server->read_only) {
        session_leave(server, other);
        return;
    }
    if (other == NULL)
        return;
    tail_len = 8;
    size_t keep = span_fit(wish, SESSION_PART_BYTES - tail_len - 1);
    memcpy(text, wish.bytes, keep);
    text[keep] = '-';
    memcpy(text + keep + 1, tail, tail_len);
    resource_set(session, span_of(text, keep + 1 + tail_len));
}

static void bind_fail(struct turn *turn, enum stanza_error error)
{
    reply_error(turn, error);
    if (++turn->session->bind_failures >= BIND_FAILURES_MAX) /* 7.7.3 */
        stream_fail(turn->server, turn->session, STREAM_POLICY_VIOLATION,
                    "Too many attempts to bind.");
}

/* A session whose client does not answer any more is no reason to turn a new one away. */
static bool account_full(struct server *server, const struct session *session)
{
    struct span bare = jid_bare(&session->jid);
    return session_count(server, bare) >= plan.resources && !session_end_asleep(server, bare);
}

static void session_enter(struct server *server, struct session *session)
{
    session->blocking = blocklist_exists(server->store, jid_local(&session->jid));
    session_bind(server, session);
    session_due(server, session->active_ms + IDLE_MS_MAX);
}

void bind_request(struct turn *turn)
{
    struct session *session = turn->session;
    struct arena *arena = &turn->server->arena;
    const struct node *wish = stanza_child(turn->stanza, turn->child, NS_BIND, "resource");
    struct span resource = SPAN("");
    struct build build;

    if (session->peer == PEER_BOUND) {
        reply_error(turn, ERROR_NOT_ALLOWED); /* RB-3 */
        return;
    }
    if (wish != NULL) {
        resource = stanza_text(turn->stanza, wish, arena);
        if (resource.len > 0 && !jid_prepare_resource(resource, arena, &resource)) {
            bind_fail(turn, ERROR_BAD_REQUEST);
            return;
        }
    }
    if (account_full(turn->server, session)) {
        bind_fail(turn, ERROR_RESOURCE_CONSTRAINT); /* ST-19 */
        return;
    }
    resource_choose(turn->server, session, resource);
    build_init(&build, arena, 128 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
    build_str(&build, "<bind xmlns='" NS_BIND "'><jid>");
    build_text(&build, jid_full(&session->jid));
    build_str(&build, "</jid></bind>");
    if (build.full) {
        bind_fail(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    reply_result(turn, build_span(&build));
    if (session->phase == PHASE_OPEN) /* else the answer found no room */
        session_enter(turn->server, session);
}

/* `tag/random` (XEP-0386 3.2.1); a tag that cannot be in a resource is left out. */
static void resource_tag(struct server *server, struct session *session, struct span tag)
{
    char text[SESSION_PART_BYTES], random[BASE64_BYTES(RANDOM_BYTES)];
    size_t random_len = resource_random(random), len = 0;
    if (tag.len > 0 && jid_prepare_resource(tag, &server->arena, &tag)) {
        len = span_fit(tag, sizeof text - sizeof random - 1);
        memcpy(text, tag.bytes, len);
        text[len++] = '/';
    }
    memcpy(text + len, random, random_len);
    resource_set(session, span_of(text, len + random_len));
}

bool bind_tagged(struct server *server, struct session *session, struct span tag)
{
    end_earlier(server, session);
    if (account_full(server, session))
        return false; /* ST-19 */
    resource_tag(server, session, tag);
    session_enter(server, session);
    return true;
}

void session_request(struct turn *turn)
{
    reply_result(turn, SPAN(""));
}
