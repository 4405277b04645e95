/* rsm.c: see rsm.h. */
#include "wire/rsm.h"

#include "wire/names.h"

static struct span child_text(const struct stanza *stanza, const struct node *set, const char *name,
                              struct arena *arena, bool *good)
{
    const struct node *node = stanza_child(stanza, set, NS_RSM, name);
    if (node == NULL)
        return SPAN_NONE;
    struct span text = stanza_text(stanza, node, arena);
    *good &= text.bytes != NULL;
    return text;
}

bool rsm_read(const struct stanza *stanza, const struct node *parent, struct arena *arena,
              struct rsm_request *out)
{
    const struct node *set = stanza_child(stanza, parent, NS_RSM, "set");
    bool good = true;
    uint64_t number;
    *out = (struct rsm_request){.max = UINT32_MAX};
    if (set == NULL)
        return true;
    out->given = true;
    out->indexed = stanza_child(stanza, set, NS_RSM, "index") != NULL;
    out->after = child_text(stanza, set, "after", arena, &good);
    out->before = child_text(stanza, set, "before", arena, &good);
    out->backwards = out->before.bytes != NULL;
    struct span max = child_text(stanza, set, "max", arena, &good);
    if (max.bytes == NULL)
        return good;
    if (!span_number(max, UINT32_MAX - 1, &number))
        return false;
    out->max = (uint32_t)number;
    return good;
}

void rsm_write(struct build *build, const struct rsm_answer *answer)
{
    build_str(build, "<set xmlns='" NS_RSM "'>");
    if (answer->first.bytes != NULL) {
        build_str(build, "<first");
        if (answer->placed) {
            build_str(build, " index='");
            build_number(build, answer->index);
            build_str(build, "'");
        }
        build_str(build, ">");
        build_text(build, answer->first);
        build_str(build, "</first><last>");
        build_text(build, answer->last);
        build_str(build, "</last>");
    }
    if (answer->counted) {
        build_str(build, "<count>");
        build_number(build, answer->count);
        build_str(build, "</count>");
    }
    build_str(build, "</set>");
}
