/* jid_list.c: see jid_list.h. */
#include "wire/jid_list.h"

bool jid_list_next(struct span *list, struct span *jid)
{
    size_t end = span_find(*list, '\0');
    if (end == list->len)
        return false;
    *jid = span_cut(*list, 0, end);
    *list = span_cut(*list, end + 1, list->len);
    return true;
}

bool jid_list_has(struct span list, struct span jid)
{
    struct span at;
    while (jid_list_next(&list, &at))
        if (span_equal(at, jid))
            return true;
    return false;
}

void jid_list_put(struct build *build, struct span jid)
{
    build_put(build, jid);
    build_put(build, span_of("", 1));
}

void jid_list_put_parts(struct build *build, struct span local, struct span domain)
{
    build_put(build, local);
    build_put(build, SPAN("@"));
    jid_list_put(build, domain);
}

struct span jid_list_without(struct span list, struct span jid, struct arena *arena)
{
    struct build build;
    struct span at;
    build_init(&build, arena, list.len + 1); /* also of an empty one there is one */
    while (jid_list_next(&list, &at))
        if (!span_equal(at, jid))
            jid_list_put(&build, at);
    return build_span(&build);
}
