/* disco.c: XEP-0030, DI-1 ... DI-3. What is announced is read off the table, so it cannot lie. */
#include "features/disco.h"

#include "wire/build.h"
#include "wire/names.h"

#define ANSWER_BYTES_MAX 4096

static void feature(struct build *build, const char *namespace)
{
    build_str(build, "<feature");
    build_attr(build, "var", span_string(namespace));
    build_str(build, "/>");
}

/* Each namespace once, though it may have several rows (DI-3). */
static void features(struct build *build, unsigned where)
{
    for (size_t i = 0; i < table_len; i++) {
        size_t before = 0;
        if (!(table[i].announce & where))
            continue;
        while (strcmp(table[before].namespace, table[i].namespace) != 0 ||
               !(table[before].announce & where))
            before++;
        if (before == i)
            feature(build, table[i].namespace);
    }
}

/* Nothing here has nodes. */
static bool node_refused(struct turn *turn)
{
    if (stanza_attribute(turn->stanza, turn->child, "node").bytes == NULL)
        return false;
    reply_error(turn, ERROR_ITEM_NOT_FOUND);
    return true;
}

void disco_info(struct turn *turn)
{
    struct build build;
    bool self = !jid_present(&turn->to) || turn->to.local_len > 0;
    if (node_refused(turn))
        return;
    build_init(&build, &turn->server->arena, ANSWER_BYTES_MAX);
    build_str(&build, "<query xmlns='" NS_DISCO_INFO "'>");
    build_str(&build, self ? "<identity category='account' type='registered'/>"
                           : "<identity category='server' type='im' name='kith'/>");
    features(&build, self ? ANNOUNCE_ACCOUNT : ANNOUNCE_DOMAIN);
    build_str(&build, "</query>");
    if (build.full)
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    else
        reply_result(turn, build_span(&build));
}

void disco_items(struct turn *turn)
{
    if (!node_refused(turn))
        reply_result(turn, SPAN("<query xmlns='" NS_DISCO_ITEMS "'/>"));
}
