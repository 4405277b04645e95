/* contacts.h: what an account's sessions and its contacts are told when a roster changes: pushes,
 * and who has become visible or invisible (RFC 6121 2.1.6, 3.1.5, 3.2.2). For the features that
 * change rosters: roster, subscription; and for presence. */
#ifndef KITH_CONTACTS_H
#define KITH_CONTACTS_H

#include "core/turn.h"
#include "store/rosters.h"
#include "wire/build.h"

/* What telling takes of the arena at most: an item with every character escaped, and small things.
 * To be asked for before anything is written. */
#define CONTACT_ARENA_BYTES 28672
bool contact_has_arena(const struct server *server);

/* <item/> (2.1.2). participant: who the user is in the channel that the item stands for, told to
 * those who asked for it (XEP-0405 2.10); bytes NULL: nothing is said of that. A removed one says
 * so and nothing else. */
void contact_item(struct build *build, struct span contact, const struct roster_item *item,
                  struct span participant);

/* The push of one item to one session. false: no memory. */
bool contact_push_to(struct server *server, struct session *session, struct span contact,
                     const struct roster_item *item);

/* The push of an item, as it stands in the store now or is removed from it, to every session of
 * `user` that has asked for the roster. STORE_FULL: no memory for the output. */
enum store_outcome contact_push(struct server *server, const struct jid *user, struct span contact);

/* Whether a roster may have one item more, or one that weighs so much more: its result must go out
 * in one piece. */
bool contact_fits(const struct roster_head *head, bool is_new, uint32_t gain);

/* The stored presence of a session, told to another one. */
void contact_tell(struct server *server, const struct session *about, struct span to,
                  struct session *recipient);

/* The contact's available resources hear of each available resource of the user: its presence, or
 * that it is unavailable. */
void contact_greet(struct server *server, const struct jid *user, const struct jid *contact);
void contact_farewell(struct server *server, const struct jid *user, const struct jid *contact);

#endif
