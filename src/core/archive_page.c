/* archive_page.c: see archive_page.h. */
#include "core/archive_page.h"

#include "core/output.h"
#include "wire/names.h"
#include "wire/timestamp.h"

#define PAGE_OUTPUT_SHARE 2 /* of plan.output_bytes */
#define CHUNKS_KEPT_SHARE 4 /* of plan.chunks, for what is not in the archive */
#define RESULT_BYTES 384    /* of a result, beside its head and the stanza */
#define ANSWER_BYTES 512    /* tags of an answer */

/* A result. The body is borrowed until the next write. */
struct result {
    uint64_t number;
    struct archive_body body;
};

struct page {
    struct result results[ARCHIVE_PAGE_MAX]; /* in order of time */
    unsigned count;
    bool more; /* in the direction of paging */
    bool cut;  /* not even the first one fits now */
};

static bool refuse(struct turn *turn, enum store_outcome outcome)
{
    if (outcome == STORE_OK || outcome == STORE_NONE)
        return false;
    reply_error(turn, ERROR_INTERNAL_SERVER_ERROR);
    return true;
}

/* What is the same at the head of all results. bytes NULL: no memory. */
static struct span results_head(const struct turn *turn, struct span from, struct span queryid)
{
    struct span own = jid_full(&turn->session->jid);
    struct build build;
    build_init(&build, &turn->server->arena,
               ANSWER_BYTES + BUILD_ESCAPED_MAX(from.len + own.len) +
                   BUILD_ESCAPED_MAX(queryid.len));
    build_str(&build, "<message");
    build_attr(&build, "from", from);
    build_attr(&build, "to", own);
    build_str(&build, "><result xmlns='" NS_MAM "'");
    build_attr(&build, "queryid", queryid);
    return build_span(&build);
}

/* --- a page --- */

/* What may still be said to this reader. */
static size_t budget(const struct turn *turn)
{
    const struct server *server = turn->server;
    uint32_t used = rope_total(&turn->session->out);
    uint32_t left = pool_left(&server->chunks.chunks), kept = plan.chunks / CHUNKS_KEPT_SHARE;
    size_t bytes = used < plan.output_bytes ? plan.output_bytes - used : 0;
    size_t chunks = left > kept ? (size_t)(left - kept) * CHUNK_ROOM : 0;
    if (bytes > plan.output_bytes / PAGE_OUTPUT_SHARE)
        bytes = plan.output_bytes / PAGE_OUTPUT_SHARE;
    return bytes < chunks ? bytes : chunks;
}

/* Takes entries from one end of the range until the page is full. */
static enum store_outcome page_fill(struct turn *turn, struct archive_query *query, size_t head_len,
                                    struct page *page)
{
    bool forwards = !query->backwards;
    uint64_t at = forwards ? query->page.low - 1 : query->page.high + 1;
    size_t left = budget(turn);
    enum store_outcome outcome;
    struct result result;
    while ((outcome = archive_query_next(turn, query, forwards, at, &result.number)) == STORE_OK) {
        at = result.number;
        if (at < query->page.low || at > query->page.high)
            return STORE_OK;
        page->more = true;
        if (page->count == query->max)
            return STORE_OK;
        if (archive_body(turn->server->store, at, &result.body) != STORE_OK)
            continue; /* damaged; the log has it */
        size_t bytes = head_len + RESULT_BYTES + result.body.stanza.len;
        page->cut = page->count == 0 && bytes > left;
        if (bytes > left)
            return STORE_OK;
        left -= bytes;
        page->results[page->count++] = result;
        page->more = false;
    }
    page->more &= page->count == query->max; /* else only damaged ones followed */
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

static void page_turn(struct page *page)
{
    for (unsigned i = 0; i < page->count / 2; i++) {
        struct result kept = page->results[i];
        page->results[i] = page->results[page->count - 1 - i];
        page->results[page->count - 1 - i] = kept;
    }
}

/* --- saying it --- */

/* The stanza stands in the store as "<message from=…". */
static void result_say(struct turn *turn, struct span owner, const struct result *result,
                       struct span head)
{
    static const struct span start = {"<message", sizeof "<message" - 1};
    struct server *server = turn->server;
    bool depends = store_urgent(server->store);
    char id[UID_CHARS], stamp[TIMESTAMP_BYTES];
    struct build build;
    size_t mark = server->arena.used;
    archive_id(server, owner, result->number, id);
    timestamp_write(result->body.stamp_us, stamp);
    build_init(&build, &server->arena, head.len + RESULT_BYTES);
    build_put(&build, head);
    build_attr(&build, "id", span_of(id, sizeof id));
    build_str(&build, "><forwarded xmlns='" NS_FORWARD "'><delay xmlns='" NS_DELAY "'");
    build_attr(&build, "stamp", span_of(stamp, sizeof stamp));
    build_str(&build, "/>");
    build_put(&build, start);
    build_str(&build, " xmlns='" NS_CLIENT "'");
    const struct span pieces[] = {build_span(&build),
                                  span_cut(result->body.stanza, start.len, result->body.stanza.len),
                                  SPAN("</forwarded></result></message>")};
    output_say_pieces(server, turn->session, pieces, sizeof pieces / sizeof pieces[0], depends);
    arena_reset(&server->arena, mark);
}

static void fin_reply(struct turn *turn, struct span owner, const struct page *page,
                      struct rsm_answer *answer)
{
    char first[UID_CHARS], last[UID_CHARS];
    struct build build;
    if (page->count > 0) {
        archive_id(turn->server, owner, page->results[0].number, first);
        archive_id(turn->server, owner, page->results[page->count - 1].number, last);
        answer->first = span_of(first, sizeof first);
        answer->last = span_of(last, sizeof last);
    }
    build_init(&build, &turn->server->arena, ANSWER_BYTES + RSM_ANSWER_BYTES_MAX(UID_CHARS));
    build_str(&build, "<fin xmlns='" NS_MAM "'");
    build_str(&build, page->more ? ">" : " complete='true'>");
    rsm_write(&build, answer);
    build_str(&build, "</fin>");
    reply_built(turn, &build);
}

/* false: an error was answered. */
static bool page_make(struct turn *turn, struct archive_query *query, struct span head,
                      struct page *page, struct rsm_answer *answer)
{
    page->count = 0;
    page->more = page->cut = false;
    if (refuse(turn, page_fill(turn, query, head.len, page)))
        return false;
    if (query->backwards)
        page_turn(page);
    if (refuse(turn, archive_query_count(turn, query, page->count > 0 ? page->results[0].number : 0,
                                         answer)))
        return false;
    if (!page->cut)
        return true;
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
}

bool archive_page_answer(struct turn *turn, struct span from, struct archive_query *query)
{
    struct page page;
    struct rsm_answer answer;
    store_hasten(turn->server->store);
    struct span head = results_head(turn, from, query->queryid);
    if (head.bytes == NULL) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return false;
    }
    if (!page_make(turn, query, head, &page, &answer))
        return false;
    for (unsigned i = 0; i < page.count; i++)
        result_say(turn, query->view.own.owner,
                   &page.results[query->flipped ? page.count - 1 - i : i], head);
    fin_reply(turn, query->view.own.owner, &page, &answer);
    return true;
}

/* --- the rest --- */

void archive_form_answer(struct turn *turn)
{
    struct build build;
    build_init(&build, &turn->server->arena, 2048);
    build_str(&build, "<query xmlns='" NS_MAM "'>");
    archive_form_build(&build);
    build_str(&build, "</query>");
    reply_built(turn, &build);
}

static enum store_outcome end_build(struct server *server, struct span owner, struct build *build,
                                    const char *name, uint64_t number)
{
    char id[UID_CHARS], stamp[TIMESTAMP_BYTES];
    struct archive_body body;
    enum store_outcome outcome = archive_body(server->store, number, &body);
    if (outcome != STORE_OK)
        return outcome;
    archive_id(server, owner, number, id);
    timestamp_write(body.stamp_us, stamp);
    build_str(build, name);
    build_attr(build, "id", span_of(id, sizeof id));
    build_attr(build, "timestamp", span_of(stamp, sizeof stamp));
    build_str(build, "/>");
    return STORE_OK;
}

enum store_outcome archive_metadata_build(struct server *server, struct archive_view *view,
                                          struct build *build)
{
    struct span owner = view->own.owner;
    uint64_t first, last;
    store_hasten(server->store);
    build_str(build, "<metadata xmlns='" NS_MAM "'>");
    enum store_outcome outcome = archive_after(server->store, view, 0, &first);
    if (outcome == STORE_OK)
        outcome = archive_before(server->store, view, UINT64_MAX, &last);
    if (outcome == STORE_OK)
        outcome = end_build(server, owner, build, "<start", first);
    if (outcome == STORE_OK)
        outcome = end_build(server, owner, build, "<end", last);
    build_str(build, "</metadata>");
    return outcome;
}

void archive_metadata_answer(struct turn *turn, struct archive_view *view)
{
    struct build build;
    build_init(&build, &turn->server->arena, ANSWER_BYTES);
    if (refuse(turn, archive_metadata_build(turn->server, view, &build)))
        return;
    reply_built(turn, &build);
}
