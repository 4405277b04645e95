/* mix_join.h: <join/> (XEP-0369 7.1.2): read, done and answered in one place, for the channel that
 * is asked to let somebody in and for his own server that is asked to bring him there (XEP-0405
 * 2.7). */
#ifndef KITH_MIX_JOIN_H
#define KITH_MIX_JOIN_H

#include "core/turn.h"

/* Room of an answer: each node once, and the longest nick, address. */
#define MIX_JOIN_ANSWER_BYTES 4096

/* The <join/> inside `of`; also as the examples of XEP-0404 and XEP-0407 write it (MX-6). NULL:
 * none. */
const struct node *mix_join_child(const struct stanza *stanza, const struct node *of);

/* The account whose turn it is joins the channel (a bare jid of config.mix_domain), as `join` says.
 * true: the <join/> of the result is put behind what `answer` holds; false: nothing is changed, and
 * *refusal says why. */
bool mix_join(struct turn *turn, const struct jid *channel, const struct node *join,
              struct build *answer, struct refusal *refusal);

#endif
