/* stanza_id.c: see stanza_id.h. */
#include "core/stanza_id.h"

#include "core/archive.h"
#include "wire/names.h"

static bool by_is_ours(struct turn *turn, const struct node *node)
{
    struct span text = stanza_attribute(turn->stanza, node, "by");
    struct jid by;
    return text.bytes != NULL && jid_parse(text, &turn->server->arena, &by) &&
           (span_equal(jid_full(&by), jid_bare(&turn->to)) ||
            span_equal(jid_full(&by), jid_bare(&turn->session->jid)));
}

bool stanza_id_strip(struct turn *turn, struct edits *edits)
{
    const struct node *first =
        stanza_child(turn->stanza, stanza_root(turn->stanza), NS_STANZA_ID, "stanza-id");
    unsigned most = 0;
    for (const struct node *at = first; at != NULL;
         at = stanza_next(turn->stanza, at, NS_STANZA_ID, "stanza-id"))
        most++;
    if (most == 0)
        return true;
    struct gap *gaps = arena_take(&turn->server->arena, most * sizeof *gaps);
    if (gaps == NULL)
        return false;
    edits->gaps = gaps;
    for (const struct node *at = first; at != NULL;
         at = stanza_next(turn->stanza, at, NS_STANZA_ID, "stanza-id"))
        if (by_is_ours(turn, at))
            gaps[edits->gap_count++] = (struct gap){at->start, at->end};
    return true;
}

void stanza_id_put(struct build *build, struct span by, struct span id)
{
    build_str(build, "<stanza-id xmlns='" NS_STANZA_ID "'");
    build_attr(build, "by", by);
    build_attr(build, "id", id);
    build_str(build, "/>");
}

void stanza_id_build(const struct server *server, const struct jid *whose, uint64_t number,
                     struct build *build)
{
    char id[UID_CHARS];
    archive_id(server, jid_local(whose), number, id);
    stanza_id_put(build, jid_bare(whose), span_of(id, sizeof id));
}

bool stanza_id_add(struct turn *turn, struct edits *edits, const struct jid *whose, uint64_t number)
{
    struct build build;
    build_init(&build, &turn->server->arena,
               edits->extra.len + STANZA_ID_ELEMENT_BYTES_MAX(jid_bare(whose).len));
    build_put(&build, edits->extra);
    stanza_id_build(turn->server, whose, number, &build);
    edits->extra = build_span(&build);
    return edits->extra.bytes != NULL;
}
