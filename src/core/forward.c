/* forward.c: a stanza on its way to others: a fresh start tag with the true sender, then the
 * sender's own bytes as they came (design, idea 4). Requirements ST-4 ... ST-7, RB-4. */
#include "base/must.h"
#include "core/output.h"
#include "core/turn.h"
#include "wire/build.h"
#include "wire/names.h"

/* Up to here a stanza is copied to each recipient; above, its bytes are shared. */
#define COPY_BYTES_MAX 1024

/* Everything of the start tag that is not from, to or the namespace both streams agree on. */
static void tail_attributes(const struct turn *turn, struct build *build)
{
    const struct stanza *stanza = turn->stanza;
    const struct node *root = stanza_root(stanza);
    for (unsigned i = 0; i < root->attribute_count; i++) {
        const struct attribute *at = &stanza->attributes[root->first_attribute + i];
        if (at->namespace.len == 0 && (span_is(at->name, "from") || span_is(at->name, "to")))
            continue;
        build_str(build, " ");
        if (at->prefix.len > 0) {
            build_put(build, at->prefix);
            build_str(build, ":");
        }
        build_put(build, at->name);
        build_value(build, at->value);
    }
    for (unsigned i = 0; i < root->declaration_count; i++) {
        const struct declaration *at = &stanza->declarations[root->first_declaration + i];
        if (at->prefix.len == 0) /* of a stanza this can only be jabber:client */
            continue;
        build_str(build, " xmlns:");
        build_put(build, at->prefix);
        build_value(build, at->uri);
    }
    if (turn->session->lang[0] != 0 && stanza_lang(stanza, root).bytes == NULL) /* ST-7 */
        build_attr(build, "xml:lang", span_string(turn->session->lang));
}

static size_t tail_bytes_max(const struct turn *turn)
{
    const struct stanza *stanza = turn->stanza;
    const struct node *root = stanza_root(stanza);
    size_t len = 64 + BUILD_ESCAPED_MAX(SESSION_LANG_BYTES);
    for (unsigned i = 0; i < root->attribute_count; i++) {
        const struct attribute *at = &stanza->attributes[root->first_attribute + i];
        len += 8 + at->prefix.len + at->name.len + BUILD_ESCAPED_MAX(at->value.len);
    }
    for (unsigned i = 0; i < root->declaration_count; i++) {
        const struct declaration *at = &stanza->declarations[root->first_declaration + i];
        len += 16 + at->prefix.len + BUILD_ESCAPED_MAX(at->uri.len);
    }
    return len;
}

bool forward_begin(struct turn *turn, struct forward *forward)
{
    const struct node *root = stanza_root(turn->stanza);
    struct span inside =
        span_of(turn->stanza->source.bytes + root->inside, root->end - root->inside);
    bool copied = inside.len <= COPY_BYTES_MAX;
    struct build build;

    *forward = (struct forward){.name = turn->kind == KIND_MESSAGE    ? "message"
                                        : turn->kind == KIND_PRESENCE ? "presence"
                                                                      : "iq",
                                .from = jid_full(&turn->session->jid)};
    build_init(&build, &turn->server->arena, tail_bytes_max(turn) + (copied ? inside.len : 0));
    tail_attributes(turn, &build);
    build_str(&build, inside.len > 0 ? ">" : "/>");
    if (copied)
        build_put(&build, inside);
    struct span tail = build_span(&build);
    if (tail.bytes != NULL && copied) {
        forward->tail = tail;
        return true;
    }
    if (tail.bytes != NULL && output_body(turn->server, &forward->body, tail) &&
        output_body(turn->server, &forward->body, inside))
        return true;
    forward_end(turn, forward);
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
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
    if (forward->tail.bytes != NULL)
        output_say(server, recipient, build_span(&build), depends);
    else
        output_share(server, recipient, build_span(&build), &forward->body, depends);
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
