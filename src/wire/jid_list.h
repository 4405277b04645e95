/* jid_list.h: prepared jids in one run of bytes, each with a NUL behind it, as records and queues
 * hold them. Owns nothing. */
#ifndef KITH_JID_LIST_H
#define KITH_JID_LIST_H

#include "wire/build.h"

/* Takes the first one off; false: there is none. */
bool jid_list_next(struct span *list, struct span *jid);
bool jid_list_has(struct span list, struct span jid);
/* Behind the others: jid.len + 1 bytes. */
void jid_list_put(struct build *build, struct span jid);
void jid_list_put_parts(struct build *build, struct span local, struct span domain);
/* The others, in the arena. bytes NULL: no memory. */
struct span jid_list_without(struct span list, struct span jid, struct arena *arena);

#endif
