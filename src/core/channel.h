/* channel.h: what a channel of the MIX service is to who asks: its address, its rules, the ids of
 * its participants (XEP-0369 4, XEP-0406 2). Shared by the features mix*, by registration and
 * subscription (an invitation may let into channels, MT-8) and by the command line. Owns nothing.
 */
#ifndef KITH_CORE_CHANNEL_H
#define KITH_CORE_CHANNEL_H

#include "core/turn.h"
#include "store/channels.h"
#include "store/participants.h"

/* A channel that is there, copied into the tick's arena: it stays over writes, up to the end of the
 * turn. After a change of its record it is to be found again. */
struct channel_here {
    struct span local;
    struct jid jid; /* bare */
    struct channel channel;
};

/* Of the name of a node ("urn:xmpp:mix:nodes:…"); CHANNEL_NODES: we have no such node. */
enum channel_node channel_node_of(struct span name);
struct span channel_node_name(enum channel_node node);
/* Whether the channel has it now: `allowed` only if it is private. */
bool channel_node_there(const struct channel *channel, enum channel_node node);

/* STORE_NONE: there is none of this name, or it is destroyed. STORE_FULL: no memory. */
enum store_outcome channel_find(struct server *server, struct span local, struct channel_here *out);
/* The same for a bare jid, with what it is to the channel. STORE_NONE also where it may not see
 * that there is one (MX-2). */
enum store_outcome channel_find_for(struct server *server, struct span local, struct span jid,
                                    struct channel_here *out, enum channel_role *role);
/* The jid in the server's arena, of a name that fits. */
bool channel_jid(struct server *server, struct span local, struct jid *out);

/* MX-5: the id that this bare jid of a local account has in the channel, in or out of it. false: no
 * such account. */
bool channel_id_of(struct server *server, const struct channel *channel, struct span jid,
                   char id[PARTICIPANT_ID_CHARS]);

/* What the bare jid is to the channel; *banned: and shall not be there (MX-21: owners and
 * administrators cannot be). STORE_OK or STORE_FAILED. */
enum store_outcome channel_role(struct server *server, const struct channel *channel,
                                struct span jid, enum channel_role *role, bool *banned);
static inline bool channel_may(enum channel_role role, enum channel_role right)
{
    return right != ROLE_NOBODY && role >= right;
}
/* Whether that role may see that there is such a channel (MX-2). */
static inline bool channel_visible(enum channel_role role, bool banned)
{
    return !banned && role >= ROLE_ALLOWED;
}
/* MT-2: the right to invite. */
bool channel_may_invite(const struct channel *channel, enum channel_role role, bool banned);

/* The name under which a channel's messages are in the archive (store/archive.h): no account can be
 * called so. */
#define CHANNEL_ARCHIVE_NAME_BYTES 17
struct span channel_archive_name(uint64_t channel, char out[CHANNEL_ARCHIVE_NAME_BYTES]);

#endif
