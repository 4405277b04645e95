/* remains.c: see remains.h. */
#include "core/remains.h"

#include "base/log.h"
#include "core/archive.h"
#include "core/offline.h"
#include "store/accounts.h"
#include "wire/build.h"
#include "wire/names.h"

/* What stands in such a message beside the sender's bytes, twice; what is added; the view of its
 * start tag. */
#define ADDRESSES_BYTES (64 + BUILD_ESCAPED_MAX(2 * SESSION_JID_BYTES))
#define BESIDE_BYTES (2 * ADDRESSES_BYTES + OFFLINE_DELAY_BYTES_MAX + 8192)
#define RECORD_BYTES 1024 /* what a change of the table may take beside the stanza */

size_t remains_bytes(void)
{
    return plan.stanza_bytes + BESIDE_BYTES;
}

/* <message from='' to='', as core/forward.c and core/notice.c begin it. false: it is none. */
static bool addresses(struct server *server, struct span message, struct span *from, struct jid *to)
{
    struct stanza view;
    struct build tag;
    size_t end = 0;
    for (unsigned quotes = 0; quotes < 4 && end < message.len; end++)
        quotes += message.bytes[end] == '\'';
    build_init(&tag, &server->remains, end + 2);
    build_put(&tag, span_cut(message, 0, end));
    build_str(&tag, "/>");
    if (tag.full || xml_read(server->xml, XML_CONTENT_DEFAULT, build_span(&tag), &server->remains,
                             &view) != XML_OK)
        return false;
    *from = stanza_attribute(&view, stanza_root(&view), "from");
    return from->bytes != NULL &&
           jid_parse(stanza_attribute(&view, stanza_root(&view), "to"), &server->remains, to);
}

/* 6121 8.5.2.1.1: to the bare jid it went to everybody who listened. */
static bool others_have(const struct server *server, const struct session *session, uint16_t place)
{
    struct session *at = session_first(server, jid_bare(&session->jid));
    while (at != NULL &&
           (at == session || !session_listens(at) || (int16_t)(place - at->listens_from) < 0))
        at = session_another(at);
    return at != NULL;
}

/* When it was said. */
static uint64_t said_us(const struct server *server, uint16_t second)
{
    uint16_t ago = (uint16_t)(server->now_ms / 1000 - second);
    return server->wall_us - ago * UINT64_C(1000000);
}

/* Its number in the account's archive, from the <stanza-id/> at the end of what is inside of it
 * (core/stanza_id.c). 0: it has none. */
static uint64_t number_of(const struct server *server, const struct session *session,
                          struct span inside)
{
    uint64_t number;
    size_t end = inside.len - (sizeof "'/>" - 1);
    return inside.len > UID_CHARS + sizeof "'/>" &&
                   archive_id_read(server, jid_local(&session->jid),
                                   span_cut(inside, end - UID_CHARS, end), &number)
               ? number
               : 0;
}

/* true: it is stored, or need not be. */
static bool message_keep(struct server *server, const struct session *session,
                         const struct rope *message)
{
    const struct segment *last = message->last;
    uint32_t len = rope_total(message);
    struct build whole;
    struct span from;
    struct jid to;
    arena_reset(&server->remains, 0);
    build_init(&whole, &server->remains,
               len + OFFLINE_DELAY_BYTES_MAX + OFFLINE_NOTE_BYTES(SESSION_JID_BYTES));
    if (whole.full)
        return false;
    rope_copy(message, whole.bytes);
    if (!addresses(server, span_of(whole.bytes, len), &from, &to))
        return false;
    if (to.resource_len == 0 && others_have(server, session, last->place))
        return true;
    while (whole.bytes[--len] != '<')
        continue;
    uint64_t archived = number_of(server, session, span_of(whole.bytes, len));
    whole.used = len;
    offline_delay(said_us(server, last->second), &whole);
    build_str(&whole, "</message>");
    /* It was accepted long ago: OFF-3 is for new ones. */
    return store_has_room(server->store, whole.used + RECORD_BYTES) &&
           offline_put(server->store, jid_local(&session->jid), &whole, from, archived) == STORE_OK;
}

static bool account_exists(struct server *server, const struct session *session)
{
    struct account account;
    return account_get(server->store, jid_local(&session->jid), &account) != STORE_NONE;
}

/* Stores what is not stored yet. */
static void store_all(struct server *server, struct session *session, bool ends)
{
    struct management *management = &session->management;
    struct rope all = session->out, message;
    bool exists = account_exists(server, session);
    uint32_t number = management->acknowledged;
    unsigned lost = 0;
    bool full = false;
    session->out = (struct rope){.keeps = !ends};
    while (rope_split(&all, &message)) {
        number += message.stanzas;
        bool worth = exists && message.last->kind == SEGMENT_WORTH;
        if (!full && (int32_t)(number - management->stored) > 0) {
            full = worth && !message_keep(server, session, &message);
            management->stored = full ? management->stored : number;
        }
        lost += worth && full;
        if (ends && (message.bytes == 0 || (worth && message.kept_bytes == 0)))
            rope_clear(&server->chunks, &message);
        else
            rope_join(&session->out, &message);
    }
    if (lost > 0 && ends)
        log_line(LOG_ERROR, "%u messages to %.*s could not be stored and are lost", lost,
                 (int)jid_bare_len(&session->jid), session->jid.text);
}

bool remains_any(const struct session *session)
{
    const struct segment *at = session->out.keeps ? session->out.first : NULL;
    while (at != NULL && at->kind != SEGMENT_WORTH)
        at = at->next;
    return at != NULL;
}

void remains_store(struct server *server, struct session *session)
{
    store_all(server, session, false);
}

void remains_keep(struct server *server, struct session *session)
{
    store_all(server, session, true);
    for (struct session *at = session_first(server, jid_bare(&session->jid)); at != NULL;
         at = session_another(at))
        if (session_listens(at))
            session_flush_later(server, at);
}
