/* caps.c: see caps.h. Lies about a string are found out by its hash (5.4); who told them is not
 * asked again, and another one who names the same string is. */
#include "core/caps.h"

#include "core/ask.h"
#include "core/pep.h"
#include "wire/base64.h"
#include "wire/build.h"
#include "wire/digest.h"
#include "wire/names.h"

#define VER_CHARACTERS BASE64_BYTES(CAPS_HASH_BYTES)

uint64_t caps_mark(struct span feature)
{
    uint8_t hash[CAPS_HASH_BYTES];
    uint64_t mark = 0;
    digest_hash(DIGEST_SHA1, feature, hash);
    memcpy(&mark, hash, sizeof mark);
    return mark;
}

static bool is_kept(struct span feature)
{
    static const char notify[] = "+notify";
    size_t len = sizeof notify - 1;
    return (feature.len > len &&
            span_is(span_cut(feature, feature.len - len, feature.len), notify)) ||
           span_starts(feature, "urn:xmpp:mix:");
}

static struct caps *caps_find(const struct server *server, const uint8_t *hash)
{
    for (uint32_t i = 0; i < plan.caps; i++) {
        struct caps *at = &server->caps[i];
        if (at->state != CAPS_FREE && memcmp(at->hash, hash, CAPS_HASH_BYTES) == 0)
            return at;
    }
    return NULL;
}

/* A session whose client names this string. */
static struct session *bearer(const struct server *server, const struct caps *caps)
{
    struct session *at = server->streams;
    while (at != NULL && at->caps != caps)
        at = at->next;
    return at;
}

/* A free place, or that of the string which nobody here has used for the longest time. */
static struct caps *caps_place(const struct server *server)
{
    struct caps *oldest = NULL;
    for (uint32_t i = 0; i < plan.caps; i++) {
        struct caps *at = &server->caps[i];
        if (at->state == CAPS_FREE)
            return at;
        if (at->state == CAPS_KNOWN && (oldest == NULL || at->used_ms < oldest->used_ms) &&
            bearer(server, at) == NULL)
            oldest = at;
    }
    return oldest;
}

/* false: it keeps more features of ours than there is room for. */
static bool features_keep(const struct turn *turn, const struct node *query, struct caps *caps)
{
    caps->kept = 0;
    for (const struct node *at = stanza_child(turn->stanza, query, NS_DISCO_INFO, "feature");
         at != NULL; at = stanza_next(turn->stanza, at, NS_DISCO_INFO, "feature")) {
        struct span feature = stanza_attribute(turn->stanza, at, "var");
        if (!is_kept(feature))
            continue;
        if (caps->kept == CAPS_KEPT_MAX)
            return false;
        caps->features[caps->kept++] = caps_mark(feature);
    }
    return true;
}

/* 5.4 rule 3. */
static bool answer_fits(struct turn *turn, struct caps *caps)
{
    uint8_t hash[CAPS_HASH_BYTES];
    const struct node *query =
        stanza_child(turn->stanza, stanza_root(turn->stanza), NS_DISCO_INFO, "query");
    return span_is(turn->type, "result") && query != NULL &&
           caps_hash(turn->stanza, query, &turn->server->arena, hash) &&
           memcmp(hash, caps->hash, CAPS_HASH_BYTES) == 0 && features_keep(turn, query, caps);
}

static bool caps_ask(struct server *server, struct session *session, struct caps *caps,
                     void (*heard)(struct server *, const struct ask *, struct turn *))
{
    struct build build;
    build_init(&build, &server->arena, 128 + BUILD_ESCAPED_MAX(CAPS_NODE_BYTES_MAX));
    build_str(&build, "<query xmlns='" NS_DISCO_INFO "'");
    build_attr(&build, "node", span_of(caps->node, caps->node_len));
    build_str(&build, "/>");
    return !build.full &&
           ask_send(server, &(struct ask){.session = session, .heard = heard, .about = caps},
                    build_span(&build));
}

static void caps_heard(struct server *server, const struct ask *ask, struct turn *turn)
{
    struct caps *caps = ask->about;
    struct session *next;
    size_t mark = server->arena.used;
    if (turn != NULL && answer_fits(turn, caps)) {
        caps->state = CAPS_KNOWN;
        for (struct session *at = server->streams; at != NULL; at = at->next)
            if (at->caps == caps)
                pep_arrive(server, at);
    } else {
        if (ask->session != NULL && ask->session->caps == caps) {
            ask->session->caps = NULL;
            ask->session->caps_refused = true;
        }
        while ((next = bearer(server, caps)) != NULL && !caps_ask(server, next, caps, caps_heard))
            next->caps = NULL;
        if (next == NULL)
            caps->state = CAPS_FREE;
    }
    arena_reset(&server->arena, mark);
}

/* The string of a presence. false: it has none, or none of a kind that can be verified. */
static bool ver_read(const struct turn *turn, uint8_t *hash, struct span *node, struct span *ver)
{
    uint8_t bytes[VER_CHARACTERS];
    size_t len;
    const struct node *c = stanza_child(turn->stanza, stanza_root(turn->stanza), NS_CAPS, "c");
    if (c == NULL || !span_is(stanza_attribute(turn->stanza, c, "hash"), "sha-1"))
        return false;
    *node = stanza_attribute(turn->stanza, c, "node");
    *ver = stanza_attribute(turn->stanza, c, "ver");
    if (ver->len != VER_CHARACTERS || !base64_decode(*ver, bytes, &len) || len != CAPS_HASH_BYTES ||
        node->len + 1 + ver->len > CAPS_NODE_BYTES_MAX)
        return false;
    memcpy(hash, bytes, len);
    return true;
}

static struct caps *caps_make(struct server *server, const uint8_t *hash, struct span node,
                              struct span ver)
{
    struct caps *caps = caps_place(server);
    struct build build;
    if (caps == NULL)
        return NULL;
    *caps = (struct caps){.state = CAPS_ASKED};
    memcpy(caps->hash, hash, CAPS_HASH_BYTES);
    build = (struct build){.bytes = caps->node, .size = sizeof caps->node};
    build_put(&build, node);
    build_str(&build, "#");
    build_put(&build, ver);
    caps->node_len = (uint8_t)build.used;
    return caps;
}

void caps_learn(struct turn *turn)
{
    struct server *server = turn->server;
    struct session *session = turn->session;
    uint8_t hash[CAPS_HASH_BYTES];
    struct span node, ver;
    session->caps = NULL;
    if (!ver_read(turn, hash, &node, &ver))
        return;
    struct caps *caps = caps_find(server, hash);
    if (caps == NULL && !session->caps_refused) {
        caps = caps_make(server, hash, node, ver);
        if (caps != NULL && !caps_ask(server, session, caps, caps_heard)) {
            caps->state = CAPS_FREE;
            caps = NULL;
        }
    }
    session->caps = caps;
    if (caps == NULL)
        return;
    caps->used_ms = server->now_ms;
    if (caps->state == CAPS_KNOWN)
        pep_arrive(server, session);
}

bool caps_has_mark(const struct session *session, uint64_t mark)
{
    const struct caps *caps = session->caps;
    if (caps == NULL || caps->state != CAPS_KNOWN)
        return false;
    for (unsigned i = 0; i < caps->kept; i++)
        if (caps->features[i] == mark)
            return true;
    return false;
}

bool caps_has(const struct session *session, struct span feature)
{
    return caps_has_mark(session, caps_mark(feature));
}
