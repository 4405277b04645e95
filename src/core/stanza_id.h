/* stanza_id.h: the id by which an account's server knows a message (XEP-0359). Requirement MAM-2.
 */
#ifndef KITH_STANZA_ID_H
#define KITH_STANZA_ID_H

#include "core/turn.h"

#define STANZA_ID_ELEMENT_BYTES_MAX(by_len) (128 + BUILD_ESCAPED_MAX(by_len))

void stanza_id_put(struct build *build, struct span by, struct span id);
/* <stanza-id/> with the id of the message in that account's archive. */
void stanza_id_build(const struct server *server, const struct jid *whose, uint64_t number,
                     struct build *build);

/* Takes those out that only the receiver's or the sender's account may have set (rule 2).
 * false: no memory. */
bool stanza_id_strip(struct turn *turn, struct edits *edits);

/* Adds the same to the extras. false: no memory. */
bool stanza_id_add(struct turn *turn, struct edits *edits, const struct jid *whose,
                   uint64_t number);

#endif
