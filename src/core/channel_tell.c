/* channel_tell.c: see channel_tell.h. */
#include "core/channel_tell.h"

#include "core/blocked.h"
#include "core/caps.h"
#include "core/limits.h"
#include "core/output.h"
#include "wire/names.h"
#include "wire/token.h"

#define TAGS_BYTES 128

_Static_assert(CHANNEL_UID_CHARS <= TOKEN_CHARS, "80 bits of a token");

bool channel_client(const struct session *session)
{
    return session->mix || caps_has(session, SPAN(NS_MIX));
}

void channel_uid(char out[CHANNEL_UID_CHARS])
{
    char token[TOKEN_CHARS];
    token_make(token);
    memcpy(out, token, CHANNEL_UID_CHARS);
}

void channel_participant_item(struct build *build, const struct participant *participant)
{
    build_str(build, "<item");
    build_attr(build, "id", span_of(participant->id, sizeof participant->id));
    build_str(build, "><participant xmlns='" NS_MIX "'>");
    if (participant->nick.len > 0)
        build_element(build, "nick", participant->nick);
    build_element(build, "jid", participant->jid);
    build_str(build, "</participant></item>");
}

/* MX-19. false: no memory. */
static bool event_begin(struct server *server, const struct channel_here *channel,
                        struct span payload, struct forward *event)
{
    char id[CHANNEL_UID_CHARS];
    struct build build;
    *event = (struct forward){.name = "message", .from = jid_bare(&channel->jid)};
    channel_uid(id);
    build_init(&build, &server->arena, TAGS_BYTES + payload.len);
    build_attr(&build, "id", span_of(id, sizeof id));
    build_str(&build, "><event xmlns='" NS_PUBSUB_EVENT "'>");
    build_put(&build, payload);
    build_str(&build, "</event></message>");
    if (build.full)
        return false;
    if (build.used > OUTPUT_COPY_BYTES_MAX)
        return output_body(server, &event->body, build_span(&build));
    event->tail = build_span(&build);
    return true;
}

static void event_end(struct server *server, struct forward *event, size_t mark)
{
    rope_clear(&server->chunks, &event->body);
    arena_reset(&server->arena, mark);
}

/* XEP-0405 2.2: to each with its own full jid. */
static void event_say(struct server *server, const struct channel_here *channel,
                      const struct forward *event, struct span jid)
{
    struct session *next;
    for (struct session *at = session_first(server, jid); at != NULL; at = next) {
        next = session_another(at);
        if (!at->announced || !channel_client(at) || blocked_by(server, &at->jid, &channel->jid))
            continue;
        forward_say(server, event, jid_full(&at->jid), at, store_urgent(server->store));
        server->turn_copies++;
        if (config.rate_limits && server->speaker != NULL) /* ST-20 */
            server->speaker->budget -= RATE_COPY_BYTES;
    }
}

/* Who has followed a node as an administrator may be none any more. */
static bool may_hear(const struct channel *channel, enum channel_node node, struct span jid)
{
    uint8_t right = channel->subscribe[node];
    return right <= ROLE_PARTICIPANT ||
           (right <= ROLE_ADMIN && jid_list_has(channel->admins, jid)) ||
           (right <= ROLE_OWNER && jid_list_has(channel->owners, jid));
}

/* `payload` is what stands inside <event/>. */
static enum store_outcome node_tell(struct server *server, const struct channel_here *channel,
                                    enum channel_node node, struct span payload, struct span also)
{
    struct participant participant;
    struct forward event;
    size_t mark = server->arena.used;
    bool told = also.bytes == NULL;
    enum store_outcome outcome = STORE_FULL;
    if (event_begin(server, channel, payload, &event))
        outcome = participant_next(server->store, channel->channel.id, NULL, &participant);
    while (outcome == STORE_OK) {
        if ((participant.nodes & 1u << node) &&
            may_hear(&channel->channel, node, participant.jid)) {
            told |= span_equal(participant.jid, also);
            event_say(server, channel, &event, participant.jid);
        }
        outcome =
            participant_next(server->store, channel->channel.id, participant.id, &participant);
    }
    if (outcome == STORE_NONE && !told)
        event_say(server, channel, &event, also);
    event_end(server, &event, mark);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome channel_event_item(struct server *server, const struct channel_here *channel,
                                      enum channel_node node, struct span item, struct span also)
{
    struct build build;
    size_t mark = server->arena.used;
    enum store_outcome outcome = STORE_FULL;
    build_init(&build, &server->arena, TAGS_BYTES + item.len);
    build_str(&build, "<items");
    build_attr(&build, "node", channel_node_name(node));
    build_str(&build, ">");
    build_put(&build, item);
    build_str(&build, "</items>");
    if (item.bytes != NULL && !build.full)
        outcome = node_tell(server, channel, node, build_span(&build), also);
    arena_reset(&server->arena, mark);
    return outcome;
}

enum store_outcome channel_event_id(struct server *server, const struct channel_here *channel,
                                    enum channel_node node, const char *element, struct span id,
                                    struct span also)
{
    struct build build;
    size_t mark = server->arena.used;
    build_init(&build, &server->arena, TAGS_BYTES + BUILD_ESCAPED_MAX(id.len));
    build_str(&build, "<");
    build_str(&build, element);
    build_attr(&build, "id", id);
    build_str(&build, "/>");
    enum store_outcome outcome =
        channel_event_item(server, channel, node, build_span(&build), also);
    arena_reset(&server->arena, mark);
    return outcome;
}

enum store_outcome channel_event_delete(struct server *server, const struct channel_here *channel,
                                        enum channel_node node)
{
    char bytes[TAGS_BYTES];
    struct build build = {.bytes = bytes, .size = sizeof bytes};
    build_str(&build, "<delete");
    build_attr(&build, "node", channel_node_name(node));
    build_str(&build, "/>");
    return node_tell(server, channel, node, build_span(&build), SPAN_NONE);
}
