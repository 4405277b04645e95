/* notice.c: see notice.h. */
#include "core/notice.h"

#include "core/archive.h"
#include "core/blocked.h"
#include "core/offline.h"
#include "core/output.h"
#include "core/stanza_id.h"
#include "store/accounts.h"

#define MESSAGE_BYTES 256 /* tags, and what is always the same */

/* The same message is kept, said and stored: as it is, with its id, and with the time too. */
struct notice {
    struct jid from;
    struct jid to;
    struct archiving archiving;
    struct build body;   /* what all have */
    struct build inside; /* with <stanza-id/> behind */
};

static bool notice_build(struct server *server, struct span local, struct span body,
                         struct notice *notice)
{
    struct arena *arena = &server->arena;
    struct span domain = span_string(config.domain);
    if (!jid_of(SPAN(""), domain, SPAN(""), arena, &notice->from) ||
        !jid_of(local, domain, SPAN(""), arena, &notice->to))
        return false;
    build_init(&notice->body, arena, MESSAGE_BYTES + BUILD_ESCAPED_MAX(body.len));
    build_str(&notice->body, "<body>");
    build_text(&notice->body, body);
    build_str(&notice->body, "</body>");
    archive_choose_own(server, &notice->from, &notice->to, notice->body.used + MESSAGE_BYTES,
                       &notice->archiving);
    build_init(&notice->inside, arena,
               notice->body.used + STANZA_ID_ELEMENT_BYTES_MAX(jid_bare(&notice->to).len));
    build_put(&notice->inside, build_span(&notice->body));
    stanza_id_build(server, &notice->to, notice->archiving.number, &notice->inside);
    return !notice->inside.full;
}

/* With `spare` bytes of room behind it. */
static void message_build(struct server *server, const struct notice *notice,
                          const struct build *inside, bool delayed, size_t spare,
                          struct build *build)
{
    struct span from = jid_full(&notice->from), to = jid_full(&notice->to);
    build_init(build, &server->arena,
               MESSAGE_BYTES + BUILD_ESCAPED_MAX(from.len + to.len) + inside->used +
                   OFFLINE_DELAY_BYTES_MAX + spare);
    build_str(build, "<message");
    build_attr(build, "from", from);
    build_attr(build, "to", to);
    build_str(build, " type='chat'>");
    build_put(build, build_span(inside));
    if (delayed)
        offline_delay(server->wall_us, build);
    build_str(build, "</message>");
}

static enum store_outcome notice_keep(struct server *server, const struct notice *notice)
{
    struct build message;
    struct span from = jid_full(&notice->from);
    uint64_t archived = notice->archiving.receiver ? notice->archiving.number : 0;
    message_build(server, notice, &notice->inside, true, OFFLINE_NOTE_BYTES(from.len), &message);
    switch (offline_add(server, jid_local(&notice->to), &message, from, archived)) {
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
    message_build(server, notice, &notice->inside, false, 0, &message);
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

/* MAM-1. */
static void notice_archive(struct server *server, const struct notice *notice)
{
    struct build message;
    message_build(server, notice, &notice->body, false,
                  ARCHIVE_NOTE_BYTES(jid_local(&notice->to).len), &message);
    archive_write_own(server, &notice->from, &notice->to, &message, &notice->archiving);
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
    if (outcome == STORE_OK)
        notice_archive(server, &notice);
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
