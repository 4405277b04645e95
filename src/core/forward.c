/* forward.c: a stanza on its way to others: a fresh start tag with the true sender, then the
 * sender's own bytes as they came (design, idea 4). Requirements ST-4 ... ST-7, RB-4. */
#include "base/must.h"
#include "core/avatar.h"
#include "core/client_state.h"
#include "core/output.h"
#include "core/turn.h"
#include "wire/build.h"
#include "wire/names.h"

static bool space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The next attribute of a start tag, as the sender wrote it: name='value'. expat has accepted the
 * tag, so there is a quote to each. false: there are no more. */
static bool attribute_next(struct span tag, size_t *at, struct span *name, struct span *whole)
{
    size_t from = *at;
    while (from < tag.len && space(tag.bytes[from]))
        from++;
    if (from >= tag.len || tag.bytes[from] == '/' || tag.bytes[from] == '>')
        return false;
    size_t end = from;
    while (tag.bytes[end] != '=' && !space(tag.bytes[end]))
        end++;
    size_t quote = end;
    while (tag.bytes[quote] != '\'' && tag.bytes[quote] != '"')
        quote++;
    struct span value = span_cut(tag, quote + 1, tag.len);
    *at = quote + 1 + span_find(value, tag.bytes[quote]) + 1;
    *name = span_cut(tag, from, end);
    *whole = span_cut(tag, from, *at);
    return true;
}

static struct span start_tag(const struct turn *turn)
{
    const struct node *root = stanza_root(turn->stanza);
    return span_cut(turn->stanza->source, root->start, root->inside);
}

/* Everything of the start tag that is not from, to or the namespace both streams agree on, in the
 * sender's own bytes, so that nothing grows on its way. Of what is reflected id and type are not
 * the sender's either. */
static void tail_attributes(const struct turn *turn, bool reflected, struct build *build)
{
    struct span tag = start_tag(turn), name, whole;
    size_t at = 1 + stanza_root(turn->stanza)->name.len;
    while (attribute_next(tag, &at, &name, &whole)) {
        if (span_is(name, "from") || span_is(name, "to") || span_is(name, "xmlns") ||
            (reflected && (span_is(name, "id") || span_is(name, "type"))))
            continue;
        build_str(build, " ");
        build_put(build, whole);
    }
    if (turn->session->lang[0] != 0 &&
        stanza_lang(turn->stanza, stanza_root(turn->stanza)).bytes == NULL) /* ST-7 */
        build_attr(build, "xml:lang", span_string(turn->session->lang));
}

/* A space stands before each attribute in the source too. */
static size_t tail_bytes_max(const struct turn *turn)
{
    return 64 + start_tag(turn).len + BUILD_ESCAPED_MAX(SESSION_LANG_BYTES);
}

/* What stands behind the start tag: ranges of the sender's bytes, our own elements, the end tag. */
struct inside {
    const struct turn *turn;
    const struct edits *edits;
    size_t end_tag; /* where the sender's begins; <presence/> has none: where the source ends */
    unsigned piece;
};

static const char *end_tag(const struct turn *turn)
{
    return turn->kind == KIND_MESSAGE    ? "</message>"
           : turn->kind == KIND_PRESENCE ? "</presence>"
                                         : "</iq>";
}

/* The n-th piece; pieces may be empty. false: there are no more. */
static bool inside_next(struct inside *inside, struct span *piece)
{
    const struct stanza *stanza = inside->turn->stanza;
    const struct node *root = stanza_root(stanza);
    const struct edits *edits = inside->edits;
    struct span source = span_cut(stanza->source, 0, root->end);
    size_t tag = inside->end_tag;
    unsigned n = inside->piece++;
    size_t from = n == 0 ? root->inside : n <= edits->gap_count ? edits->gaps[n - 1].end : tag;
    if (n < edits->gap_count)
        *piece = span_cut(source, from, edits->gaps[n].start);
    else if (n == edits->gap_count)
        *piece = span_cut(source, from, tag);
    else if (n == edits->gap_count + 1)
        *piece = edits->extra;
    else if (tag < source.len)
        *piece = span_cut(source, tag, source.len);
    else
        *piece = edits->extra.len > 0 ? span_string(end_tag(inside->turn)) : SPAN("");
    return n <= edits->gap_count + 2;
}

static size_t inside_bytes(struct inside inside)
{
    struct span piece;
    size_t len = 0;
    while (inside_next(&inside, &piece))
        len += piece.len;
    return len;
}

static void inside_put(struct inside inside, struct build *build)
{
    struct span piece;
    while (inside_next(&inside, &piece))
        build_put(build, piece);
}

static bool inside_share(struct inside inside, struct rope *body)
{
    struct span piece;
    while (inside_next(&inside, &piece))
        if (!output_body(inside.turn->server, body, piece))
            return false;
    return true;
}

static struct inside inside_of(const struct turn *turn, const struct edits *edits)
{
    static const struct edits none;
    const struct node *root = stanza_root(turn->stanza);
    size_t tag = root->end;
    while (root->inside < root->end && turn->stanza->source.bytes[--tag] != '<')
        continue; /* in an end tag there is no other */
    return (struct inside){turn, edits == NULL ? &none : edits, tag, 0};
}

/* Everything behind from and to up to the end of the start tag. */
static void tail_put(const struct inside *inside, struct build *build)
{
    tail_attributes(inside->turn, false, build);
    build_str(build, inside_bytes(*inside) > 0 ? ">" : "/>");
}

/* The start tag of a stanza inside another one. */
static void inner_tag(const struct turn *turn, struct build *build)
{
    build_str(build, "<");
    build_str(build, kind_name(turn->kind));
    build_str(build, " xmlns='" NS_CLIENT "'");
    build_attr(build, "from", jid_full(&turn->session->jid));
    build_attr(build, "to", jid_full(&turn->to));
}

/* around NULL: the stanza itself. */
static bool forward_fill(struct turn *turn, struct inside inside, const struct wrapping *around,
                         struct forward *forward)
{
    static const struct wrapping nothing;
    const struct wrapping *outer = around != NULL ? around : &nothing;
    size_t len = inside_bytes(inside) + outer->after.len;
    bool copied = len + start_tag(turn).len <= OUTPUT_COPY_BYTES_MAX;
    size_t mark = turn->server->arena.used;
    struct build build;

    build_init(&build, &turn->server->arena,
               outer->before.len + BUILD_ESCAPED_MAX(SESSION_JID_BYTES + jid_full(&turn->to).len) +
                   tail_bytes_max(turn) + (copied ? len : 0));
    build_put(&build, outer->before);
    if (around != NULL)
        inner_tag(turn, &build);
    tail_put(&inside, &build);
    if (copied) {
        inside_put(inside, &build);
        build_put(&build, outer->after);
    }
    struct span tail = build_span(&build);
    if (tail.bytes != NULL && copied) {
        forward->tail = tail;
        return true;
    }
    bool shared = tail.bytes != NULL && output_body(turn->server, &forward->body, tail) &&
                  inside_share(inside, &forward->body) &&
                  output_body(turn->server, &forward->body, outer->after);
    arena_reset(&turn->server->arena, mark);
    if (shared)
        return true;
    forward_end(turn, forward);
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
}

bool forward_edited(struct turn *turn, const struct edits *edits, struct forward *forward)
{
    struct avatar avatar;
    *forward = (struct forward){.name = kind_name(turn->kind),
                                .from = jid_full(&turn->session->jid),
                                .urgency = client_state_urgency(turn)};
    return forward_fill(turn, inside_of(turn, edits != NULL ? edits : avatar_edits(turn, &avatar)),
                        NULL, forward);
}

bool forward_wrapped(struct turn *turn, const struct edits *edits, const struct wrapping *around,
                     struct forward *forward)
{
    *forward = (struct forward){
        .name = kind_name(turn->kind), .from = around->from, .urgency = client_state_urgency(turn)};
    return forward_fill(turn, inside_of(turn, edits), around, forward);
}

void forward_whole(struct turn *turn, const struct edits *edits, size_t spare, struct build *build)
{
    const struct inside inside = inside_of(turn, edits);
    struct span from = jid_full(&turn->session->jid), to = jid_full(&turn->to);
    build_init(build, &turn->server->arena,
               64 + BUILD_ESCAPED_MAX(from.len + to.len) + tail_bytes_max(turn) +
                   inside_bytes(inside) + spare);
    build_str(build, "<");
    build_str(build, kind_name(turn->kind));
    build_attr(build, "from", from);
    build_attr(build, "to", to);
    tail_put(&inside, build);
    inside_put(inside, build);
}

void forward_reflected(struct turn *turn, const struct edits *edits, struct span from,
                       struct span id, size_t spare, struct build *build, size_t *inside)
{
    const struct inside behind = inside_of(turn, edits);
    build_init(build, &turn->server->arena,
               64 + BUILD_ESCAPED_MAX(from.len + id.len) + tail_bytes_max(turn) +
                   inside_bytes(behind) + spare);
    build_str(build, "<message");
    build_attr(build, "from", from);
    build_attr(build, "id", id);
    build_str(build, " type='groupchat'");
    tail_attributes(turn, true, build);
    build_str(build, ">");
    *inside = build->used;
    inside_put(behind, build);
}

void forward_say(struct server *server, const struct forward *forward, struct span to,
                 struct session *recipient, bool depends)
{
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena,
               64 + BUILD_ESCAPED_MAX(forward->from.len + to.len) + forward->tail.len);
    build_str(&build, "<");
    build_str(&build, forward->name);
    build_attr(&build, "from", forward->from);
    build_attr(&build, "to", to);
    build_put(&build, forward->tail);
    must(!build.full); /* ARENA_RESERVE */
    if (forward->urgency != URGENCY_NOW && recipient->inactive &&
        !span_equal(forward->from, jid_full(&recipient->jid)) &&
        (forward->urgency == URGENCY_NONE ||
         client_state_holds(server, recipient, build_span(&build), &forward->body))) {
        arena_reset(&server->arena, mark);
        return;
    }
    if (forward->tail.bytes != NULL)
        output_say(server, recipient, build_span(&build), depends);
    else
        output_share(server, recipient, build_span(&build), &forward->body, depends);
    if (forward->worth)
        output_worth(recipient);
    arena_reset(&server->arena, mark);
}

void forward_to(struct turn *turn, const struct forward *forward, struct span to,
                struct session *recipient)
{
    forward_say(turn->server, forward, to, recipient, false);
}

void forward_end(struct turn *turn, struct forward *forward)
{
    rope_clear(&turn->server->chunks, &forward->body);
}
