/* carbons.h: copies of messages for those resources of their sender and receiver that would not see
 * them otherwise (XEP-0280). Never stored. Requirements CC-1 ... CC-3. */
#ifndef KITH_CARBONS_H
#define KITH_CARBONS_H

#include "core/inline.h"
#include "core/turn.h"

void carbons_enable_request(struct turn *turn);
void carbons_disable_request(struct turn *turn);
/* <enable/> in <bind/> (core/inline.h). */
void carbons_bound(struct login *login);

/* The copies of the turn's message. */
struct carbons {
    const struct session *match; /* the one resource that gets the message itself, or NULL */
    bool all;                    /* every one that listens gets it itself */
    struct forward received;     /* made here; name NULL: nobody wants it */
    struct forward sent;
};

/* Makes them before anything is done, so that the message and its copies go out or none of them:
 * false: no memory, and the sender has been told. The edits are those of the message as it is for
 * its receiver's account and for its sender's; they are the same where these are. carbons_end
 * afterwards, in any case. */
bool carbons_make(struct turn *turn, struct carbons *carbons, const struct edits *received,
                  const struct edits *sent);
void carbons_say(struct turn *turn, const struct carbons *carbons);
void carbons_end(struct turn *turn, struct carbons *carbons);

#endif
