/* offline.h: how a message comes into the store for those who are not there, whoever sent it
 * (XEP-0160, XEP-0203). Telling what is stored is features/offline.h.
 * Limits: config.offline_messages, plan.offline_messages, plan.offline_bytes (OFF-3). */
#ifndef KITH_CORE_OFFLINE_H
#define KITH_CORE_OFFLINE_H

#include "core/server.h"
#include "store/offline.h"

enum offline_outcome {
    OFFLINE_KEPT,
    OFFLINE_EMPTY,    /* nothing in it that anybody would miss */
    OFFLINE_UNWANTED, /* its sender does not want it stored */
    OFFLINE_FULL,     /* OFF-3 */
    OFFLINE_NO_ROOM,  /* of the store or the arena, for now */
    OFFLINE_FAILED,
};

/* How many may wait for one account (OFF-3). */
uint32_t offline_messages_max(void);

#define OFFLINE_DELAY_BYTES_MAX 2048
/* <delay/>: since when the served domain has had it. At most that long. */
void offline_delay(uint64_t since_us, struct build *build);

/* Adds a complete stanza for an account. It has OFFLINE_NOTE_BYTES of room left, which are used up;
 * a full one is OFFLINE_NO_ROOM. from: the sender's full jid; archived: its number if the account's
 * archive keeps it too, or 0. */
enum offline_outcome offline_add(struct server *server, struct span local, struct build *stanza,
                                 struct span from, uint64_t archived);

#endif
