/* offline.c: see offline.h. */
#include "core/offline.h"

#include "wire/names.h"
#include "wire/timestamp.h"

/* What a change of the table may take beside the stanza. */
#define RECORD_BYTES 1024

_Static_assert(OFFLINE_DELAY_BYTES_MAX >= 128 + BUILD_ESCAPED_MAX(CONFIG_TEXT_MAX),
               "room for any domain");

uint32_t offline_messages_max(void)
{
    bool fewer = config.offline_messages != 0 && config.offline_messages < plan.offline_messages;
    return fewer ? config.offline_messages : plan.offline_messages;
}

void offline_delay(uint64_t since_us, struct build *build)
{
    char stamp[TIMESTAMP_BYTES];
    timestamp_write(since_us, stamp);
    build_str(build, "<delay xmlns='" NS_DELAY "'");
    build_attr(build, "from", span_string(config.domain));
    build_attr(build, "stamp", span_of(stamp, sizeof stamp));
    build_str(build, "/>");
}

enum offline_outcome offline_add(struct server *server, struct span local, struct build *stanza,
                                 struct span from, uint64_t archived)
{
    struct store *store = server->store;
    struct offline_queue queue;
    if (stanza->full)
        return OFFLINE_NO_ROOM;
    if (offline_look(store, local, &queue) != STORE_OK)
        return OFFLINE_FAILED;
    if (queue.messages >= offline_messages_max() || queue.bytes + stanza->used > plan.offline_bytes)
        return OFFLINE_FULL;
    if (!store_has_room(store, stanza->used + RECORD_BYTES))
        return OFFLINE_NO_ROOM;
    enum store_outcome outcome = offline_put(store, local, stanza, from, archived);
    return outcome == STORE_OK     ? OFFLINE_KEPT
           : outcome == STORE_FULL ? OFFLINE_NO_ROOM
                                   : OFFLINE_FAILED;
}
