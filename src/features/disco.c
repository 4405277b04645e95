/* disco.c: XEP-0030, XEP-0115 5.1, XEP-0157; DI-1 ... DI-3, CAP-1. What is announced is read off
 * the table, so it cannot lie; our verification string is made from the very answer. */
#include "features/disco.h"

#include "core/access.h"
#include "core/adhoc.h"
#include "core/announce.h"
#include "features/disco_pep.h"
#include "wire/base64.h"
#include "wire/build.h"
#include "wire/caps.h"
#include "wire/form.h"
#include "wire/names.h"

#define ANSWER_BYTES_MAX 8192

_Static_assert(sizeof((struct server *)0)->caps_ver == BASE64_BYTES(CAPS_HASH_BYTES) + 1,
               "the string fits");

static void contact_field(struct build *build, const char *name)
{
    form_open(build, "list-multi", name, NULL, false);
    for (unsigned i = 0; i < config.contact_count; i++)
        form_add(build, span_string(config.contact[i]));
    form_shut(build);
}

/* XEP-0157. */
static void contacts(struct build *build)
{
    if (config.contact_count == 0)
        return;
    form_begin(build, "result", NULL, NULL, NS_CONTACTS);
    contact_field(build, "abuse-addresses");
    contact_field(build, "admin-addresses");
    form_end(build);
}

/* REG-4. */
static unsigned registering(void)
{
    bool useful = config.registration != REGISTRATION_CLOSED || config.password_change ||
                  config.account_removal;
    return useful ? ANNOUNCE_REGISTER : ANNOUNCE_NOWHERE;
}

static unsigned announced(bool account)
{
    if (account)
        return ANNOUNCE_ACCOUNT | (config.archive ? ANNOUNCE_ARCHIVE : 0);
    return ANNOUNCE_DOMAIN | registering() | (config.archive ? ANNOUNCE_ARCHIVE_DOMAIN : 0);
}

static void info_build(struct build *build, bool account, struct span node)
{
    build_str(build, "<query xmlns='" NS_DISCO_INFO "'");
    build_attr(build, "node", node);
    build_str(build, account ? "><identity category='account' type='registered'/>"
                               "<identity category='pubsub' type='pep'/>"
                             : "><identity category='server' type='im' name='kith'/>");
    announce_features(build, announced(account));
    if (!account)
        contacts(build);
    build_str(build, "</query>");
}

/* Nothing else here has nodes but our capabilities. */
static bool node_exists(const struct turn *turn, bool account, bool info, struct span node)
{
    size_t prefix = sizeof NS_CAPS_NODE "#" - 1;
    return node.bytes == NULL ||
           (info && !account && span_starts(node, NS_CAPS_NODE "#") &&
            span_is(span_cut(node, prefix, node.len), turn->server->caps_ver));
}

/* DI-2: an account tells its owner and those who hear of its presence; to all others it is as if it
 * were not there (DL-2). false: an answer was given. */
static bool may_ask(struct turn *turn, bool account, bool info, struct span node)
{
    if (account && !access_granted(turn)) {
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE);
        return false;
    }
    if (account && node.bytes != NULL) {
        disco_pep_node(turn, info, node);
        return false;
    }
    if (!node_exists(turn, account, info, node)) {
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
        return false;
    }
    return true;
}

/* The items of the domain: where its channels are (MX-1). */
static void services_reply(struct turn *turn)
{
    struct build build;
    build_init(&build, &turn->server->arena, ANSWER_BYTES_MAX);
    build_str(&build, "<query xmlns='" NS_DISCO_ITEMS "'><item");
    build_attr(&build, "jid", span_string(config.mix_domain));
    build_str(&build, " name='Channels'/></query>");
    reply_built(turn, &build);
}

void disco_info(struct turn *turn)
{
    struct build build;
    bool account = !jid_present(&turn->to) || turn->to.local_len > 0;
    struct span node = stanza_attribute(turn->stanza, turn->child, "node");
    if (!account && adhoc_disco(turn, true, node))
        return;
    if (!may_ask(turn, account, true, node))
        return;
    build_init(&build, &turn->server->arena, ANSWER_BYTES_MAX);
    info_build(&build, account, node);
    reply_built(turn, &build);
}

void disco_items(struct turn *turn)
{
    bool account = !jid_present(&turn->to) || turn->to.local_len > 0;
    struct span node = stanza_attribute(turn->stanza, turn->child, "node");
    if (!account && adhoc_disco(turn, false, node))
        return;
    if (!may_ask(turn, account, false, node))
        return;
    if (account)
        disco_pep_nodes(turn);
    else
        services_reply(turn);
}

bool disco_start(struct server *server)
{
    struct build build;
    struct stanza stanza;
    uint8_t hash[CAPS_HASH_BYTES];
    size_t mark = server->arena.used;
    build_init(&build, &server->arena, ANSWER_BYTES_MAX);
    info_build(&build, false, SPAN_NONE);
    bool good = !build.full &&
                xml_read(server->xml, XML_CONTENT_DEFAULT, build_span(&build), &server->arena,
                         &stanza) == XML_OK &&
                caps_hash(&stanza, stanza_root(&stanza), &server->arena, hash);
    if (good) {
        size_t len = base64_encode(span_of((const char *)hash, sizeof hash), server->caps_ver);
        server->caps_ver[len] = '\0';
    }
    arena_reset(&server->arena, mark);
    return good;
}
