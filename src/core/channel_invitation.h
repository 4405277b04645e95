/* channel_invitation.h: invitations into channels (XEP-0407 6, requirements 6.8): tokens that are
 * bound to inviter and invitee and stand nowhere ("s…", MT-2), and records of store/invites.h,
 * which whoever has the token may use ("d…", MT-3). Owns nothing. */
#ifndef KITH_CORE_CHANNEL_INVITATION_H
#define KITH_CORE_CHANNEL_INVITATION_H

#include "core/channel.h"
#include "core/invitation.h"

#define CHANNEL_BOUND_CHARS 41                 /* s, then 200 bits in base32 */
#define CHANNEL_BEARER_CHARS (1 + TOKEN_CHARS) /* d, then the token */

/* What a join brings with it (MT-5). bytes NULL: that is not said. */
struct channel_presented {
    struct span token;
    struct span inviter;
    struct span invitee;
    struct span channel;
};

/* MT-2. Both bare and prepared. */
void channel_bound_make(const struct channel_here *channel, struct span inviter,
                        struct span invitee, uint64_t expires_us, char out[CHANNEL_BOUND_CHARS]);

/* Whether the bare jid may invite into the channel now: who was put out of office lets nobody in.
 */
bool channel_inviter(struct server *server, const struct channel *channel, struct span jid);

/* MT-6: whether it lets this bare jid into the channel now, whose inviter may still invite. If it
 * is a record, its hash is left in *hash and *is_record is true: it is used up by
 * channel_invitation_use. */
bool channel_invitation_good(struct server *server, const struct channel_here *channel,
                             const struct channel_presented *presented, struct span who,
                             uint8_t hash[INVITE_HASH_BYTES], bool *is_record);

/* One use less of a record. */
enum store_outcome channel_invitation_use(struct server *server,
                                          const uint8_t hash[INVITE_HASH_BYTES], struct span who);

/* MT-6: too many wrong ones of this bare jid lately: nothing more is looked at. */
bool channel_invitation_throttled(struct server *server, struct span who);
void channel_invitation_failed(struct server *server, struct span who);

/* MT-10: the invitation lets nobody into the channel (bare jid) any more; it is deleted if that is
 * all it did.
 */
enum store_outcome channel_invitation_revoke(struct server *server, struct span channel,
                                             struct invite *invite);

/* Those that stand in the store let nobody into that channel (bare jid) any more. */
enum store_outcome channel_invitation_forget(struct server *server, struct span jid);

/* MT-10: all invitations into the channel are void: records are deleted (from those that do more
 * the channel is taken out), bound ones have another key. Not found again: the caller's record of
 * the channel is the old one. */
enum store_outcome channel_invitation_revoke_all(struct server *server,
                                                 const struct channel_here *channel);

#endif
