/* inline.h: what a client may ask for together with its login (XEP-0388 2.3, XEP-0386 3.2), a row
 * each in table.c, handled in that order. What streams are offered is derived from the rows. */
#ifndef KITH_INLINE_H
#define KITH_INLINE_H

#include "core/session.h"
#include "wire/build.h"
#include "wire/stanza.h"

/* A client that is who it says, while what it asked for is done. */
struct login {
    struct server *server;
    struct session *session;     /* has its bare jid; INLINE_BOUND: its full one, and is found; who
                                    resumes another one may put that here */
    const struct stanza *stanza; /* <authenticate/> without its initial response */
    const struct node *node;     /* the element that asks for it; NULL: a row that needs none */
    struct build *answer;        /* inside of <success/>, or of <bound/> with INLINE_BOUND */
    bool resumed;                /* INLINE_INSTEAD sets it: nothing else is done, no features */
    struct session *former;      /* and whom the session goes on as, once success is said */
};

#define INLINE_ANSWER_BYTES 2048 /* of all answers together */

enum inline_place {
    INLINE_INSTEAD, /* in <authenticate/>: before binding, and perhaps instead of it (resumption) */
    INLINE_BOUND,   /* in <bind/>: after binding */
};

struct inline_feature {
    enum inline_place place;
    const char *namespace; /* NULL: behind the last row */
    const char *element;   /* that asks for it; NULL: done whenever a client binds */
    /* INLINE_INSTEAD: the element that offers it. INLINE_BOUND: the var of <feature/>; NULL: it is
     * not offered by this row. */
    const char *offer;
    void (*handler)(struct login *login);
};

extern const struct inline_feature inline_features[];

#endif
