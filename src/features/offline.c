/* offline.c: see offline.h. Owns the sessions' behind, flushing and flushed. One session of an
 * account at a time is told; a piece is dropped from the store when the socket has taken it all,
 * then comes the next piece. */
#include "features/offline.h"

#include "core/blocked.h"
#include "core/output.h"
#include "store/archive.h"
#include "wire/names.h"

#define PIECE_MESSAGES 32
#define PIECE_OUTPUT_SHARE 4 /* of plan.output_bytes */
#define CHUNKS_KEPT_SHARE 4  /* of plan.chunks, for what is not stored */
#define RETRY_MS 1000

/* --- storing --- */

enum worth { WORTH_NOTHING, WORTH_KEEPING, WORTH_ALWAYS, WORTH_NEVER };

/* OFF-1: what a child says about its message; the highest worth counts. name NULL: any. */
static const struct {
    const char *namespace;
    const char *name;
    enum worth worth;
} worths[] = {
    {NS_HINTS, "no-store", WORTH_NEVER},   {NS_HINTS, "no-permanent-store", WORTH_NEVER},
    {NS_HINTS, "store", WORTH_ALWAYS},     {NS_HINTS, NULL, WORTH_NOTHING},
    {NS_CHAT_STATES, NULL, WORTH_NOTHING}, {NS_STANZA_ID, NULL, WORTH_NOTHING},
    {NS_CLIENT, "thread", WORTH_NOTHING},  {NULL, NULL, WORTH_KEEPING},
};

static enum worth worth_of(const struct stanza *stanza)
{
    enum worth worth = WORTH_NOTHING;
    for (const struct node *at = stanza_child(stanza, stanza_root(stanza), NULL, NULL); at != NULL;
         at = stanza_next(stanza, at, NULL, NULL)) {
        size_t i = 0;
        while (!node_is(at, worths[i].namespace, worths[i].name))
            i++;
        if (worths[i].worth > worth)
            worth = worths[i].worth;
    }
    return worth;
}

static enum offline_outcome keep(struct turn *turn, const struct edits *edits, uint64_t archived)
{
    struct span from = jid_full(&turn->session->jid);
    struct edits delayed = *edits;
    struct build extra, stanza;
    build_init(&extra, &turn->server->arena, OFFLINE_DELAY_BYTES_MAX + edits->extra.len);
    offline_delay(turn->server->wall_us, &extra); /* XEP-0203 */
    build_put(&extra, edits->extra);
    delayed.extra = build_span(&extra);
    forward_whole(turn, &delayed, OFFLINE_NOTE_BYTES(from.len), &stanza);
    return extra.full ? OFFLINE_NO_ROOM
                      : offline_add(turn->server, jid_local(&turn->to), &stanza, from, archived);
}

bool offline_worth(const struct turn *turn)
{
    enum worth worth = worth_of(turn->stanza);
    return worth == WORTH_KEEPING || worth == WORTH_ALWAYS;
}

enum offline_outcome offline_keep(struct turn *turn, const struct edits *edits, uint64_t archived)
{
    size_t mark = turn->server->arena.used;
    enum worth worth = worth_of(turn->stanza);
    if (worth == WORTH_NOTHING)
        return OFFLINE_EMPTY;
    if (worth == WORTH_NEVER)
        return OFFLINE_UNWANTED;
    enum offline_outcome outcome = keep(turn, edits, archived);
    arena_reset(&turn->server->arena, mark);
    return outcome;
}

/* --- telling --- */

/* Whether the stanza may take its chunks from what everybody shares. */
static bool chunks_spare(const struct server *server, size_t len)
{
    return pool_left(&server->chunks.chunks) > plan.chunks / CHUNKS_KEPT_SHARE + len / CHUNK_ROOM &&
           pool_left(&server->chunks.segments) > 1 + len / CHUNK_ROOM;
}

/* The first one of a piece only has to fit; a piece ends where it would be a burst. */
static bool output_spare(const struct session *session, size_t len, bool first)
{
    return rope_total(&session->out) + len <= plan.output_bytes / (first ? 1 : PIECE_OUTPUT_SHARE);
}

static void retry_later(struct server *server)
{
    server->flush_ms = server->now_ms + RETRY_MS;
}

/* XEP-0191 3.3: also what was stored before it was blocked. */
static bool sender_blocked(struct server *server, const struct session *session, struct span from)
{
    struct jid sender;
    size_t mark = server->arena.used;
    bool blocked = session->blocking && jid_parse(from, &server->arena, &sender) &&
                   blocked_by(server, &session->jid, &sender);
    arena_reset(&server->arena, mark);
    return blocked;
}

/* OFF-2: who has asked the archive before it listened gets from there what is there. */
static bool told_by_archive(struct server *server, const struct session *session,
                            const struct offline_message *message)
{
    struct archive_view view;
    archive_view(&view, jid_local(&session->jid), NULL);
    return session->archive_asked && message->archived != 0 &&
           archive_has(server->store, &view, message->archived) == STORE_OK;
}

/* From a copy: where memory is short another stream ends, and what is left of that goes into the
 * table that the message is borrowed from. false: no room for it. */
static bool message_say(struct server *server, struct session *session, struct span stanza,
                        bool depends)
{
    size_t mark = server->arena.used;
    char *copy = arena_take(&server->arena, stanza.len);
    if (copy == NULL)
        return false;
    memcpy(copy, stanza.bytes, stanza.len);
    output_say(server, session, span_of(copy, stanza.len), depends);
    arena_reset(&server->arena, mark);
    return true;
}

/* Says the next ones. false: nothing is left to be said or dropped. */
static bool piece_say(struct server *server, struct session *session)
{
    struct span local = jid_local(&session->jid);
    struct offline_message message;
    bool depends = store_urgent(server->store);
    for (unsigned said = 0; said < PIECE_MESSAGES && session_listens(session); said++) {
        enum store_outcome outcome = offline_next(server->store, local, session->flushed, &message);
        if (outcome == STORE_NONE || message.number == 0) {
            session->behind = false;
            break;
        }
        if (!output_spare(session, message.stanza.len, said == 0))
            break;
        /* Otherwise it is damaged or unwanted, and dropped with its piece. */
        bool wanted = outcome == STORE_OK && !sender_blocked(server, session, message.from) &&
                      !told_by_archive(server, session, &message);
        if (!chunks_spare(server, message.stanza.len) ||
            (wanted && !message_say(server, session, message.stanza, depends))) {
            retry_later(server);
            break;
        }
        session->flushed = message.number;
    }
    if (!depends)
        session->flushed_safe = session->flushed;
    session->management.told = session_said(session);
    session->drained = session_drained(session);
    return session->behind || session->flushed != 0;
}

/* What one session can do in this tick. false: it leaves the list. */
static bool session_flush(struct server *server, struct session *session)
{
    bool gone = session->phase == PHASE_GONE;
    if (!session->drained || (server->now_ms < server->flush_ms && !gone))
        return !gone;
    if (session->flushed != 0) {
        enum store_outcome outcome =
            offline_drop(server->store, jid_local(&session->jid), session->flushed, PIECE_MESSAGES);
        if (outcome != STORE_OK && outcome != STORE_NONE) {
            retry_later(server);
            return !gone;
        }
        session->flushed = 0;
    }
    return session_listens(session) && piece_say(server, session);
}

/* Another one of the account goes on. */
static void session_relieve(struct server *server, struct session *session)
{
    session->flushing = session->behind = false;
    session->flushed = session->flushed_safe = 0;
    for (struct session *at = session_first(server, jid_bare(&session->jid)); at != NULL;
         at = session_another(at))
        if (at != session && session_listens(at))
            session_flush_later(server, at);
}

void offline_flush(struct server *server)
{
    struct session *list = server->flushing;
    server->flushing = NULL;
    while (list != NULL) {
        struct session *session = list;
        list = session->next_flushing;
        if (session_flush(server, session)) {
            session->next_flushing = server->flushing;
            server->flushing = session;
        } else {
            session_relieve(server, session);
        }
    }
    if (server->flushing != NULL && server->now_ms < server->flush_ms)
        session_due(server, server->flush_ms);
}

bool offline_due(const struct server *server)
{
    const struct session *at = server->flushing;
    while (at != NULL && !at->drained && at->phase != PHASE_GONE)
        at = at->next_flushing;
    return at != NULL && server->now_ms >= server->flush_ms;
}
