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

/* Takes the wished resource if it is free, else one like it (RB-2, policy 1). */
static void resource_choose(struct turn *turn, struct span wish)
{
    struct session *session = turn->session;
    char text[SESSION_PART_BYTES + 1];
    char tail[BASE64_BYTES(RANDOM_BYTES)];
    size_t tail_len = resource_random(tail);
    if (wish.len == 0 || wish.len > SESSION_PART_BYTES) {
        resource_set(session, span_of(tail, tail_len));
        return;
    }
    resource_set(session, wish);
    if (session_find(turn->server, &session->jid) == NULL)
        return;
    tail_len = 8;
    size_t keep = wish.len;
    if (keep > SESSION_PART_BYTES - tail_len - 1) {
        keep = SESSION_PART_BYTES - tail_len - 1;
        while (keep > 0 && ((unsigned char)wish.bytes[keep] & 0xc0) == 0x80)
            keep--; /* not in the middle of a character */
    }
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
static bool account_full(const struct turn *turn)
{
    struct span bare = jid_bare(&turn->session->jid);
    return session_count(turn->server, bare) >= plan.resources &&
           !session_end_asleep(turn->server, bare);
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
    if (account_full(turn)) {
        bind_fail(turn, ERROR_RESOURCE_CONSTRAINT); /* ST-19 */
        return;
    }
    resource_choose(turn, resource);
    build_init(&build, arena, 128 + BUILD_ESCAPED_MAX(SESSION_JID_BYTES));
    build_str(&build, "<bind xmlns='" NS_BIND "'><jid>");
    build_text(&build, jid_full(&session->jid));
    build_str(&build, "</jid></bind>");
    if (build.full) {
        bind_fail(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    reply_result(turn, build_span(&build));
    session->blocking = blocklist_exists(turn->server->store, jid_local(&session->jid));
    if (session->phase != PHASE_OPEN) /* the answer found no room */
        return;
    session_bind(turn->server, session);
    session_due(turn->server, session->active_ms + IDLE_MS_MAX);
}

void session_request(struct turn *turn)
{
    reply_result(turn, SPAN(""));
}
