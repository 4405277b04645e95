/* announce.c: see announce.h. */
#include "core/announce.h"

void announce_feature(struct build *build, const char *namespace)
{
    build_str(build, "<feature");
    build_attr(build, "var", span_string(namespace));
    build_str(build, "/>");
}

void announce_features(struct build *build, unsigned where)
{
    for (size_t i = 0; i < table_len; i++) {
        size_t before = 0;
        if (!(table[i].announce & where))
            continue;
        while (strcmp(table[before].namespace, table[i].namespace) != 0 ||
               !(table[before].announce & where))
            before++;
        if (before == i)
            announce_feature(build, table[i].namespace);
    }
}
