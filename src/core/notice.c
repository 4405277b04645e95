/* notice.c: see notice.h. */
#include "core/notice.h"

#include "core/blocked.h"
#include "core/offline.h"
#include "core/output.h"
#include "core/stanza_id.h"
#include "store/accounts.h"

#define MESSAGE_BYTES 256 /* tags, and what is always the same */

/* The same message is said and stored: as it is, then with the time. */
struct notice {
    struct jid from;
    struct jid to;
    struct build inside; /* what both have: children without <delay/> */
};

static bool notice_build(struct server *server, struct span local, struct span body,
                         struct notice *notice)
{
    struct arena *arena = &server->arena;
    struct span domain = span_string(config.domain);
    if (!jid_of(SPAN(""), domain, SPAN(""), arena, &notice->from) ||
        !jid_of(local, domain, SPAN(""), arena, &notice->to))
        return false;
    struct span to = jid_bare(&notice->to);
    build_init(&notice->inside, arena,
               MESSAGE_BYTES + BUILD_ESCAPED_MAX(body.len) + STANZA_ID_ELEMENT_BYTES_MAX(to.len));
    build_str(&notice->inside, "<body>");
    build_text(&notice->inside, body);
    build_str(&notice->inside, "</body>");
    stanza_id_build(&notice->inside, to);
    return !notice->inside.full;
}

static void message_build(struct server *server, const struct notice *notice, bool delayed,
                          struct build *build)
{
    struct span from = jid_full(&notice->from), to = jid_full(&notice->to);
    build_init(build, &server->arena,
               MESSAGE_BYTES + BUILD_ESCAPED_MAX(from.len + to.len) + notice->inside.used +
                   OFFLINE_DELAY_BYTES_MAX + OFFLINE_NOTE_BYTES(from.len));
    build_str(build, "<message");
    build_attr(build, "from", from);
    build_attr(build, "to", to);
    build_str(build, " type='chat'>");
    build_put(build, build_span(&notice->inside));
    if (delayed)
        offline_delay(server->wall_us, build);
    build_str(build, "</message>");
}

static enum store_outcome notice_keep(struct server *server, const struct notice *notice)
{
    struct build message;
    message_build(server, notice, true, &message);
    switch (offline_add(server, jid_local(&notice->to), &message, jid_full(&notice->from), 0)) {
    case OFFLINE_KEPT:
        return STORE_OK;
    case OFFLINE_FAILED:
        return STORE_FAILED;
    default:
        return STORE_FULL;
    }
}

/* GR-4: those who have not been told yet all that was stored get it behind that. */
static enum store_outcome notice_deliver(struct server *server, const struct notice *notice)
{
    struct span to = jid_bare(&notice->to);
    struct session *next, *first = session_first(server, to);
    struct build message;
    bool listening = false, behind = false;
    for (const struct session *at = first; at != NULL; at = session_another(at)) {
        listening |= session_listens(at);
        behind |= at->behind;
    }
    if (!listening)
        return notice_keep(server, notice);
    bool kept = behind && notice_keep(server, notice) == STORE_OK;
    message_build(server, notice, false, &message);
    if (message.full)
        return kept ? STORE_OK : STORE_FULL;
    for (struct session *at = first; at != NULL; at = next) {
        next = session_another(at);
        if (!session_listens(at) || (kept && at->behind))
            continue;
        output_say(server, at, build_span(&message), store_urgent(server->store));
        output_worth(at);
    }
    return STORE_OK;
}

enum store_outcome notice_send(struct server *server, struct span local, struct span body)
{
    struct notice notice;
    struct account account;
    size_t mark = server->arena.used;
    enum store_outcome outcome = account_get(server->store, local, &account);
    if (outcome == STORE_OK && !notice_build(server, local, body, &notice))
        outcome = STORE_FULL;
    else if (outcome == STORE_OK && blocked_by(server, &notice.to, &notice.from))
        outcome = STORE_NONE;
    else if (outcome == STORE_OK)
        outcome = notice_deliver(server, &notice);
    arena_reset(&server->arena, mark);
    return outcome;
}

unsigned notice_admins(struct server *server, struct span body)
{
    char bytes[ACCOUNT_LOCAL_BYTES_MAX];
    struct span local = SPAN_NONE;
    struct account account;
    unsigned told = 0;
    /* As many steps as there are accounts, which the plan limits. */
    while (told < NOTICE_ADMINS_MAX &&
           account_next(server->store, local, &local, &account) == STORE_OK) {
        if ((account.flags & (ACCOUNT_ADMIN | ACCOUNT_DISABLED)) != ACCOUNT_ADMIN)
            continue;
        /* A write ends what is borrowed of the store. */
        local = span_of(memcpy(bytes, local.bytes, local.len), local.len);
        told += notice_send(server, local, body) == STORE_OK;
    }
    return told;
}
