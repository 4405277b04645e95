/* caps.h: what clients can (XEP-0115, CAP-1): learnt once for each verification string, kept when
 * it fits its hash. Owns server->caps. Limits: plan.caps strings; CAPS_KEPT_MAX features of each
 * are kept, those that somebody here asks for. */
#ifndef KITH_CAPS_H
#define KITH_CAPS_H

#include "core/turn.h"
#include "wire/caps.h"

#define CAPS_KEPT_MAX 64
#define CAPS_NODE_BYTES_MAX 255 /* with its verification string */

enum caps_state { CAPS_FREE, CAPS_ASKED, CAPS_KNOWN };

struct caps {
    enum caps_state state;
    uint8_t hash[CAPS_HASH_BYTES];
    uint8_t node_len;
    uint8_t kept;
    char node[CAPS_NODE_BYTES_MAX];
    uint64_t used_ms;                 /* last time a presence named it */
    uint64_t features[CAPS_KEPT_MAX]; /* the first 8 bytes of the SHA-1 of each */
};

/* The session has become available, or said so again: its presence is the turn's stanza. */
void caps_learn(struct turn *turn);

/* Whether the session's client is known to have a feature of the kinds that are kept: NODE+notify
 * (XEP-0163) and those of MIX (XEP-0369). */
bool caps_has(const struct session *session, struct span feature);
/* The same for one that is asked of many. */
uint64_t caps_mark(struct span feature);
bool caps_has_mark(const struct session *session, uint64_t mark);

#endif
