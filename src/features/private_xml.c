/* private_xml.c: see private_xml.h. */
#include "features/private_xml.h"

#include "core/access.h"
#include "core/output.h"
#include "features/private_bookmarks.h"
#include "store/private.h"
#include "wire/build.h"
#include "wire/extract.h"
#include "wire/names.h"

/* What one element may add to the store beside itself. */
#define RECORD_ROOM 4096

#define SET_ELEMENTS_MAX 8 /* in one request */

#define QUERY_BEGIN "<query xmlns='" NS_PRIVATE "'>"
#define QUERY_END "</query>"

static struct private_name name_of(const struct node *element)
{
    return (struct private_name){element->namespace, element->name};
}

/* PS-1: namespaces of the server's own, and none at all. */
static bool is_reserved(struct span namespace)
{
    return namespace.len == 0 || span_starts(namespace, "jabber:") || span_is(namespace, NS_VCARD);
}

/* What is wrong with a request that `element` is the first child of. false: an answer was given. */
static bool may_ask(struct turn *turn, const struct node *element)
{
    if (!access_own(turn)) {
        reply_error(turn, ERROR_FORBIDDEN);
        return false;
    }
    if (element == NULL) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return false;
    }
    for (; element != NULL; element = stanza_next(turn->stanza, element, NULL, NULL))
        if (is_reserved(element->namespace)) {
            reply_error(turn, ERROR_NOT_ACCEPTABLE);
            return false;
        }
    return true;
}

/* Without copying a long element in the arena. */
static void reply_element(struct turn *turn, struct span xml)
{
    struct server *server = turn->server;
    struct rope payload = {0};
    if (output_body(server, &payload, SPAN(QUERY_BEGIN)) && output_body(server, &payload, xml) &&
        output_body(server, &payload, SPAN(QUERY_END "</iq>")))
        reply_result_rope(turn, &payload);
    else
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    rope_clear(&server->chunks, &payload);
}

/* xml: what is kept beside the bookmarks of rooms; bytes NULL: nothing. */
static void reply_bookmarks(struct turn *turn, struct span xml)
{
    struct server *server = turn->server;
    struct rope payload = {0};
    enum store_outcome outcome = output_body(server, &payload, SPAN(QUERY_BEGIN))
                                     ? private_bookmarks_add(turn, xml, &payload)
                                     : STORE_FULL;
    if (outcome == STORE_OK && !output_body(server, &payload, SPAN(QUERY_END "</iq>")))
        outcome = STORE_FULL;
    if (outcome == STORE_OK)
        reply_result_rope(turn, &payload);
    else
        reply_store_error(turn, outcome);
    rope_clear(&server->chunks, &payload);
}

/* XEP-0049 3.2: nothing is kept under that name, so the element comes back empty. */
static void reply_empty(struct turn *turn, const struct node *element)
{
    struct build build;
    build_init(&build, &turn->server->arena,
               128 + element->name.len + BUILD_ESCAPED_MAX(element->namespace.len));
    build_str(&build, QUERY_BEGIN "<");
    build_put(&build, element->name);
    build_attr(&build, "xmlns", element->namespace);
    build_str(&build, "/>" QUERY_END);
    reply_built(turn, &build);
}

void private_get_request(struct turn *turn)
{
    const struct node *element = stanza_child(turn->stanza, turn->child, NULL, NULL);
    struct span xml;
    if (!may_ask(turn, element))
        return;
    if (stanza_children(turn->stanza, turn->child) != 1) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    const struct private_name name = name_of(element);
    enum store_outcome outcome =
        private_get(turn->server->store, jid_local(&turn->session->jid), &name, &xml);
    if (private_bookmarks_are(element) && (outcome == STORE_OK || outcome == STORE_NONE))
        reply_bookmarks(turn, xml);
    else if (outcome == STORE_OK)
        reply_element(turn, xml);
    else if (outcome == STORE_NONE)
        reply_empty(turn, element);
    else
        reply_store_error(turn, outcome);
}

/* What a set holds. */
struct kept {
    struct private_name names[SET_ELEMENTS_MAX];
    struct span xml[SET_ELEMENTS_MAX];
    unsigned count;
    size_t bytes;
    const struct node *storage; /* of bookmarks; NULL: none */
};

/* false: more than are taken at once, or no memory. */
static bool kept_read(struct turn *turn, const struct node *element, struct kept *kept)
{
    *kept = (struct kept){.count = 0};
    for (; element != NULL; element = stanza_next(turn->stanza, element, NULL, NULL)) {
        if (kept->count == SET_ELEMENTS_MAX)
            return false;
        bool storage = private_bookmarks_are(element);
        struct span xml = storage ? private_bookmarks_rest(turn, element)
                                  : stanza_extract(turn->stanza, element, &turn->server->arena);
        if (xml.bytes == NULL)
            return false;
        kept->names[kept->count] = name_of(element);
        kept->xml[kept->count++] = xml;
        kept->bytes += 1 + xml.len;
        kept->storage = storage ? element : kept->storage;
    }
    return true;
}

/* All or nothing: room is asked for before anything is written. */
static enum store_outcome kept_put(struct turn *turn, const struct kept *kept)
{
    struct store *store = turn->server->store;
    struct span local = jid_local(&turn->session->jid);
    struct private_use use;
    enum store_outcome outcome = private_count(store, local, kept->names, kept->count, &use);
    if (outcome == STORE_OK && (use.elements + kept->count > PRIVATE_ELEMENTS_MAX ||
                                use.bytes + kept->bytes > plan.private_bytes ||
                                !store_has_room(store, kept->bytes + kept->count * RECORD_ROOM)))
        outcome = STORE_FULL;
    for (unsigned i = 0; i < kept->count && outcome == STORE_OK; i++)
        outcome = private_put(store, local, &kept->names[i], kept->xml[i], &turn->server->arena);
    return outcome;
}

/* XEP-0402 5.3.2. */
static void reply_outcome(struct turn *turn, enum pep_outcome outcome)
{
    static const enum stanza_error errors[] = {
        [PEP_TOO_MANY_NODES] = ERROR_RESOURCE_CONSTRAINT,
        [PEP_NODE_FULL] = ERROR_RESOURCE_CONSTRAINT,
        [PEP_TOO_BIG] = ERROR_NOT_ACCEPTABLE,
        [PEP_NO_ROOM] = ERROR_RESOURCE_CONSTRAINT,
        [PEP_FAILED] = ERROR_INTERNAL_SERVER_ERROR,
    };
    if (outcome == PEP_DONE)
        reply_result(turn, SPAN(""));
    else
        reply_error(turn, errors[outcome]);
}

void private_set_request(struct turn *turn)
{
    const struct node *element = stanza_child(turn->stanza, turn->child, NULL, NULL);
    struct kept kept;
    struct bookmarks bookmarks;
    enum pep_outcome done = PEP_DONE;
    if (!may_ask(turn, element))
        return;
    enum store_outcome outcome = kept_read(turn, element, &kept) ? STORE_OK : STORE_FULL;
    if (outcome == STORE_OK && kept.storage != NULL)
        done = private_bookmarks_read(turn, kept.storage, &bookmarks);
    if (outcome == STORE_OK && done == PEP_DONE)
        outcome = kept_put(turn, &kept);
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    if (done == PEP_DONE && kept.storage != NULL)
        done = private_bookmarks_put(turn, &bookmarks);
    reply_outcome(turn, done);
}
