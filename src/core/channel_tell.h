/* channel_tell.h: what a channel tells: events of its nodes, messages; to the clients of an account
 * that know MIX and to no others (XEP-0405 2.2, PAM-5, PAM-6). */
#ifndef KITH_CORE_CHANNEL_TELL_H
#define KITH_CORE_CHANNEL_TELL_H

#include "core/channel.h"
#include "store/rosters.h"

/* PAM-5: by its capabilities, or by what it has asked in this session (session->mix). */
bool channel_client(const struct session *session);

/* MX-19: an event of one item of the node, an <item/> or <retract/> (bytes NULL: no memory),
 * without a type. To every participant who is subscribed to the node (or is `also`, bytes NULL:
 * nobody): to the clients that know MIX, whatever their priority; kept nowhere. */
enum store_outcome channel_event_item(struct server *server, const struct channel_here *channel,
                                      enum channel_node node, struct span item, struct span also);
/* The same where nothing is in it: `element` with that id. */
enum store_outcome channel_event_id(struct server *server, const struct channel_here *channel,
                                    enum channel_node node, const char *element, struct span id,
                                    struct span also);
/* The node is no more. */
enum store_outcome channel_event_delete(struct server *server, const struct channel_here *channel,
                                        enum channel_node node);

/* <item/> of the node `participants` (MX-13), of at most CHANNEL_ITEM_BYTES. */
#define CHANNEL_ITEM_BYTES                                                                         \
    (256 + BUILD_ESCAPED_MAX(ROSTER_CONTACT_BYTES_MAX + PARTICIPANT_NICK_BYTES_MAX))
void channel_participant_item(struct build *build, const struct participant *participant);

/* The id of an event or of a random name: opaque, new each time. */
#define CHANNEL_UID_CHARS 16
void channel_uid(char out[CHANNEL_UID_CHARS]);

#endif
