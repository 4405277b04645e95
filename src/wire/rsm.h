/* rsm.h: result set management (XEP-0059): what part of a result is asked for, and what part was
 * given. */
#ifndef KITH_RSM_H
#define KITH_RSM_H

#include "wire/build.h"
#include "wire/stanza.h"

struct rsm_request {
    bool given;        /* there is a <set/> */
    bool indexed;      /* <index/>: a page by its place (2.6) */
    bool backwards;    /* <before/>: the page that ends there; before.len 0: at the end of all */
    uint32_t max;      /* UINT32_MAX: none was given */
    struct span after; /* bytes NULL: none was given */
    struct span before;
};

/* The <set/> inside `parent`; the spans are the stanza's or the arena's. false: a bad number, or no
 * memory. */
bool rsm_read(const struct stanza *stanza, const struct node *parent, struct arena *arena,
              struct rsm_request *out);

struct rsm_answer {
    struct span first; /* bytes NULL: the page is empty */
    struct span last;
    bool counted;
    bool placed; /* index is known */
    uint32_t index;
    uint32_t count;
};
#define RSM_ANSWER_BYTES_MAX(id_len) (192 + 2 * BUILD_ESCAPED_MAX(id_len))
void rsm_write(struct build *build, const struct rsm_answer *answer);

#endif
