/* mix_messages.c: see mix_messages.h. A message is written down once: that is what the archive
 * keeps and what all copies share behind a head of their own, <message/> to its client with the id
 * in its account's archive. The order of the archive is the order of every participant (MX-16). */
#include "features/mix_messages.h"

#include "base/must.h"
#include "core/archive.h"
#include "core/blocked.h"
#include "core/channel_tell.h"
#include "core/client_state.h"
#include "core/limits.h"
#include "core/output.h"
#include "core/stanza_id.h"
#include "features/mix_retract.h"
#include "store/archive_prefs.h"
#include "wire/names.h"

/* Of a start tag: all have one of their own. */
#define TAG_BYTES_MAX 2048
#define MIX_BYTES_MAX                                                                              \
    (128 + BUILD_ESCAPED_MAX(PARTICIPANT_NICK_BYTES_MAX + SESSION_JID_BYTES +                      \
                             CHANNEL_LOCAL_BYTES_MAX + CONFIG_TEXT_MAX))

/* MX-15: what only servers may say. */
static const struct {
    const char *namespace;
    const char *name;
} forbidden[] = {
    {NS_ADDRESSES, "addresses"},
    {NS_CARBONS, NULL},
    {NS_MAM, NULL},
    {NS_PUBSUB_EVENT, "event"},
};

struct saying {
    struct turn *turn;
    struct channel_here channel;
    enum channel_role role;
    struct jid from;   /* the channel with the participant's id as resource */
    struct span owner; /* of the channel's archive */
    char owner_name[CHANNEL_ARCHIVE_NAME_BYTES];
    char id[PARTICIPANT_ID_CHARS];
    struct span nick;
    uint64_t number;
    bool idle;         /* somebody types, no more: who is inactive may miss it (XEP-0352) */
    bool lasting;      /* is worth to be kept: has ids by which it is found again */
    bool kept;         /* in the archive */
    struct span extra; /* elements of the channel's */
    struct span whole; /* without an addressee */
    size_t inside;     /* where its start tag ends */
    struct rope body;  /* what is behind that, if it is long */
    struct build head; /* what all heads begin with, with room for the rest */
};

/* --- who says it --- */

/* Nobody learns of a channel that he may not see (MX-2); who is banned knew it (MX-14). */
static void refuse_stranger(const struct saying *saying, bool banned)
{
    bool known = banned || channel_visible(saying->role, banned);
    reply_error(saying->turn, known ? ERROR_FORBIDDEN : ERROR_ITEM_NOT_FOUND);
}

static bool refuse(struct turn *turn, enum store_outcome outcome)
{
    if (outcome == STORE_OK)
        return false;
    reply_store_error(turn, outcome);
    return true;
}

/* MX-14. false: it was refused. */
static bool participant_find(struct saying *saying)
{
    struct turn *turn = saying->turn;
    struct server *server = turn->server;
    const struct channel *channel = &saying->channel.channel;
    struct span own = jid_bare(&turn->session->jid);
    struct participant participant;
    bool banned = false;
    if (refuse(turn, channel_find(server, jid_local(&turn->to), &saying->channel)) ||
        refuse(turn, channel_role(server, channel, own, &saying->role, &banned)))
        return false;
    enum store_outcome outcome = STORE_NONE;
    if (!banned && channel_id_of(server, channel, own, saying->id))
        outcome = participant_get(server->store, channel->id, saying->id, &participant);
    if (outcome == STORE_NONE)
        refuse_stranger(saying, banned);
    if (outcome == STORE_NONE || refuse(turn, outcome))
        return false;
    saying->nick = arena_copy(&server->arena, participant.nick);
    if (saying->nick.bytes != NULL &&
        jid_of(saying->channel.local, jid_domain(&saying->channel.jid),
               span_of(saying->id, sizeof saying->id), &server->arena, &saying->from))
        return true;
    reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    return false;
}

/* --- what is said --- */

static bool ours(struct turn *turn, struct span text)
{
    struct jid jid;
    return text.bytes != NULL && jid_parse(text, &turn->server->arena, &jid) &&
           (span_is(jid_domain(&jid), config.domain) ||
            span_is(jid_domain(&jid), config.mix_domain));
}

static bool is_forbidden(struct turn *turn, const struct node *node)
{
    static const struct span mix = {"urn:xmpp:mix:", sizeof "urn:xmpp:mix:" - 1};
    if (span_is(node->name, "mix"))
        return span_equal(span_cut(node->namespace, 0, mix.len), mix);
    if (node_is(node, NS_STANZA_ID, "stanza-id"))
        return ours(turn, stanza_attribute(turn->stanza, node, "by"));
    if (node_is(node, NS_DELAY, "delay")) {
        struct span from = stanza_attribute(turn->stanza, node, "from");
        return from.bytes == NULL || ours(turn, from);
    }
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        if (node_is(node, forbidden[i].namespace, forbidden[i].name))
            return true;
    return false;
}

/* false: no memory. */
static bool strip(struct turn *turn, struct edits *edits)
{
    const struct node *root = stanza_root(turn->stanza);
    struct gap *gaps =
        arena_take(&turn->server->arena, (1 + stanza_children(turn->stanza, root)) * sizeof *gaps);
    edits->gaps = gaps;
    if (gaps == NULL)
        return false;
    for (const struct node *at = stanza_child(turn->stanza, root, NULL, NULL); at != NULL;
         at = stanza_next(turn->stanza, at, NULL, NULL))
        if (is_forbidden(turn, at))
            gaps[edits->gap_count++] = (struct gap){at->start, at->end};
    return true;
}

/* All is but what its sender does not want kept, and that somebody types (MX-16). */
static bool lasting(const struct saying *saying)
{
    const struct turn *turn = saying->turn;
    const struct node *root = stanza_root(turn->stanza);
    return !saying->idle && stanza_child(turn->stanza, root, NS_HINTS, "no-store") == NULL &&
           stanza_child(turn->stanza, root, NS_HINTS, "no-permanent-store") == NULL;
}

static void extra_build(const struct saying *saying, const char *id, struct build *build)
{
    build_init(build, &saying->turn->server->arena, MIX_BYTES_MAX);
    build_str(build, "<mix xmlns='" NS_MIX "'>");
    if (saying->nick.len > 0)
        build_element(build, "nick", saying->nick);
    build_element(build, "jid", jid_bare(&saying->turn->session->jid));
    build_str(build, "</mix>");
    if (saying->lasting)
        stanza_id_put(build, jid_bare(&saying->channel.jid), span_of(id, UID_CHARS));
}

static void head_begin(struct saying *saying)
{
    build_init(&saying->head, &saying->turn->server->arena,
               saying->inside + STANZA_ID_ELEMENT_BYTES_MAX(SESSION_JID_BYTES) +
                   BUILD_ESCAPED_MAX(SESSION_JID_BYTES) + 64);
    build_put(&saying->head, span_cut(saying->whole, 0, saying->inside - 1));
}

/* Writes it down, and into the archive. false: it was refused. */
static bool saying_make(struct saying *saying)
{
    struct turn *turn = saying->turn;
    struct server *server = turn->server;
    const struct archive_owner owner = {saying->owner, &saying->from};
    struct edits edits = {.gap_count = 0};
    struct build extra, stanza;
    char id[UID_CHARS];
    saying->number = archive_number(server);
    archive_id(server, saying->owner, saying->number, id);
    extra_build(saying, id, &extra);
    saying->extra = edits.extra = build_span(&extra);
    if (extra.full || !strip(turn, &edits))
        return !refuse(turn, STORE_FULL);
    forward_reflected(turn, &edits, jid_full(&saying->from), span_of(id, sizeof id),
                      ARCHIVE_NOTE_BYTES(saying->owner.len), &stanza, &saying->inside);
    if (stanza.full)
        return !refuse(turn, STORE_FULL);
    if (saying->inside > TAG_BYTES_MAX) {
        reply_error(turn, ERROR_POLICY_VIOLATION);
        return false;
    }
    saying->whole = build_span(&stanza);
    head_begin(saying);
    if (saying->head.full ||
        (stanza.used > OUTPUT_COPY_BYTES_MAX &&
         !output_body(server, &saying->body,
                      span_cut(saying->whole, saying->inside, saying->whole.len))) ||
        (saying->kept && !archive_fits(server, stanza.used)))
        return !refuse(turn, STORE_FULL);
    return !saying->kept || archive_keep(server, saying->number, &owner, 1, &stanza) ||
           !refuse(turn, STORE_FAILED);
}

/* --- who hears it --- */

/* XEP-0191 for a channel's participants, by each address they have (PAM-9). */
static bool blocked(const struct saying *saying, const struct session *at)
{
    struct server *server = saying->turn->server;
    char local[PARTICIPANT_ID_CHARS + 1 + CHANNEL_LOCAL_BYTES_MAX];
    struct span name = saying->channel.local;
    struct jid other;
    if (!at->blocking || name.len > CHANNEL_LOCAL_BYTES_MAX)
        return false;
    memcpy(local, saying->id, PARTICIPANT_ID_CHARS);
    local[PARTICIPANT_ID_CHARS] = '#';
    memcpy(local + PARTICIPANT_ID_CHARS + 1, name.bytes, name.len);
    return blocked_by(server, &at->jid, &saying->from) ||
           (jid_of(span_of(local, PARTICIPANT_ID_CHARS + 1 + name.len),
                   jid_domain(&saying->channel.jid), SPAN(""), &server->arena, &other) &&
            blocked_by(server, &at->jid, &other));
}

static bool hears(const struct saying *saying, const struct session *at)
{
    return at->announced && channel_client(at) && !(saying->idle && at->inactive) &&
           !blocked(saying, at);
}

/* Its sender finds it by the id that he gave it, too. It acknowledges it, so it waits for the
 * commit. */
static void sender_say(const struct saying *saying, struct session *at, struct span head)
{
    struct turn *turn = saying->turn;
    struct server *server = turn->server;
    static const struct span end = {"</mix>", sizeof "</mix>" - 1};
    struct span whole = saying->whole;
    struct build id;
    size_t tag = whole.len;
    while (whole.bytes[--tag] != '<')
        continue; /* in an end tag there is no other */
    size_t mix = tag - saying->extra.len;
    while (!span_equal(span_cut(whole, mix, mix + end.len), end))
        mix++;
    build_init(&id, &server->arena, 64 + BUILD_ESCAPED_MAX(turn->id.len));
    build_element(&id, "submission-id", turn->id);
    const struct span pieces[] = {head, span_cut(whole, saying->inside, mix),
                                  id.full ? SPAN("") : build_span(&id),
                                  span_cut(whole, mix, whole.len)};
    if (saying->kept)
        store_hasten(server->store);
    output_say_pieces(server, at, pieces, sizeof pieces / sizeof pieces[0],
                      store_urgent(server->store));
}

static void session_tell(const struct saying *saying, struct session *at, struct span head)
{
    struct server *server = saying->turn->server;
    const struct span pieces[] = {head, span_cut(saying->whole, saying->inside, saying->whole.len)};
    if (span_equal(jid_bare(&at->jid), jid_bare(&saying->turn->session->jid)))
        sender_say(saying, at, head);
    else if (saying->body.bytes > 0)
        output_share(server, at, head, &saying->body, false);
    else
        output_say_pieces(server, at, pieces, sizeof pieces / sizeof pieces[0], false);
}

/* A copy with a head of its own. */
static void copy_tell(struct saying *saying, struct session *at)
{
    struct server *server = saying->turn->server;
    struct build *head = &saying->head;
    const size_t begun = head->used;
    build_attr(head, "to", jid_full(&at->jid));
    build_str(head, ">");
    if (saying->kept &&
        archive_prefs_wants(server->store, jid_local(&at->jid), &saying->channel.jid))
        stanza_id_build(server, &at->jid, saying->number, head);
    must(!head->full);
    session_tell(saying, at, build_span(head));
    server->turn_copies++;
    if (config.rate_limits) /* ST-20 */
        saying->turn->session->budget -= RATE_COPY_BYTES;
    head->used = begun;
}

/* Each client of the account that knows MIX, whatever its priority, under its own full jid
 * (XEP-0405 2.2). */
static void account_tell(struct saying *saying, struct span bare)
{
    struct server *server = saying->turn->server;
    struct session *next;
    for (struct session *at = session_first(server, bare); at != NULL; at = next) {
        size_t mark = server->arena.used;
        next = session_another(at);
        if (hears(saying, at))
            copy_tell(saying, at);
        arena_reset(&server->arena, mark);
    }
}

static void participants_tell(struct saying *saying)
{
    struct server *server = saying->turn->server;
    const uint64_t channel = saying->channel.channel.id;
    struct participant participant;
    enum store_outcome outcome = participant_next(server->store, channel, NULL, &participant);
    while (outcome == STORE_OK) {
        if (participant.nodes & 1u << CHANNEL_MESSAGES)
            account_tell(saying, participant.jid);
        outcome = participant_next(server->store, channel, participant.id, &participant);
    }
}

/* --- the message --- */

/* MX-14. */
static bool content_fits(const struct turn *turn, const struct mix_retraction *retraction)
{
    return span_is(turn->type, "groupchat") ||
           (turn->type.bytes == NULL && retraction->asked); /* as in XEP-0407's example */
}

static void say(struct saying *saying)
{
    struct turn *turn = saying->turn;
    struct mix_retraction retraction;
    if (!participant_find(saying) ||
        !mix_retraction_read(turn, &saying->channel, saying->role, saying->id, &retraction))
        return;
    if (!content_fits(turn, &retraction)) {
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    saying->owner = channel_archive_name(saying->channel.channel.id, saying->owner_name);
    saying->idle = client_state_urgency(turn) != URGENCY_NOW;
    saying->lasting = lasting(saying);
    saying->kept = config.archive && saying->lasting;
    if (saying_make(saying) && mix_retract(turn, &retraction))
        participants_tell(saying);
}

void mix_message(struct turn *turn)
{
    struct saying saying = {.turn = turn};
    if (span_is(turn->type, "error")) /* MX-17 */
        return;
    if (turn->session->blocking && blocked_by(turn->server, &turn->session->jid, &turn->to)) {
        reply_error(turn, ERROR_BLOCKED); /* XEP-0191 3.4 */
        return;
    }
    say(&saying);
    rope_clear(&turn->server->chunks, &saying.body);
}
