/* channel_member.h: an account's side of the channels that it is in (XEP-0405): what its roster
 * says of them, and leaving, whatever became of the channel. Owns nothing. */
#ifndef KITH_CORE_CHANNEL_MEMBER_H
#define KITH_CORE_CHANNEL_MEMBER_H

#include "core/channel_join.h"

/* Whether a channel could have this address: bare, of the service, not of one participant (PAM-9).
 */
bool channel_address(const struct jid *jid);

/* PAM-4: who the account is in the channel of this address, in `id`; bytes NULL: it is in none of
 * that name. Looks into the store for addresses of the service only. */
struct span channel_member_id(struct store *store, struct span local, struct span contact,
                              char id[PARTICIPANT_ID_CHARS]);

/* PAM-3: leaves the channel; where there is no such channel the roster's item goes all the same.
 * `who`: bare. */
enum channel_outcome channel_member_leave(struct server *server, const struct jid *who,
                                          const struct jid *channel);

/* PAM-8: an account that is deleted leaves one of its channels, or is no owner or administrator of
 * one any more and not let into it: who has its name later is somebody else. Where it was the only
 * owner the first administrator becomes one, or else the domain: nobody but who runs the server.
 * STORE_NONE: it is nothing to any channel. */
enum store_outcome channel_member_leave_next(struct server *server, const struct jid *who);

#endif
