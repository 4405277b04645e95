/* archive.h: which messages go into whose archive, under which id, and when they leave it again
 * (XEP-0313 6.1; requirements MAM-1, MAM-2). Asking for them is features/archive.h.
 * Limits: plan.archive_messages an account, and a quarter; plan.archive_percent of the map;
 * config.archive_days.
 */
#ifndef KITH_CORE_ARCHIVE_H
#define KITH_CORE_ARCHIVE_H

#include "core/turn.h"
#include "store/archive.h"
#include "wire/uid.h"

/* What becomes of the turn's message, which is for a local account. */
struct archiving {
    uint64_t number; /* what its ids are made of, whether it is kept or not */
    bool sender;     /* its sender keeps it, */
    bool receiver;   /* its receiver; what one sends to oneself one receives */
};
void archive_choose(struct turn *turn, struct archiving *archiving);

/* Writes it as it came but for what the edits take out. When there is no room it is in no archive,
 * and the log says so. */
void archive_write(struct turn *turn, const struct edits *edits, const struct archiving *archiving);

/* The same for a message of the server's own, of so many bytes; it is worth keeping. */
void archive_choose_own(struct server *server, const struct jid *from, const struct jid *to,
                        size_t bytes, struct archiving *archiving);
/* `stanza` has ARCHIVE_NOTE_BYTES of room left, which are used up. */
void archive_write_own(struct server *server, const struct jid *from, const struct jid *to,
                       struct build *stanza, const struct archiving *archiving);

/* For others than accounts (channels): a number for what comes now, greater than all before; */
uint64_t archive_number(struct server *server);
/* whether a message of so many bytes may be kept, else the log says so; */
bool archive_fits(struct server *server, size_t bytes);
/* writes one, with room left as above. false: it is in no archive, and the log says so. */
bool archive_keep(struct server *server, uint64_t number, const struct archive_owner *owners,
                  unsigned count, struct build *stanza);

/* The id of a message in an account's archive. */
void archive_id(const struct server *server, struct span local, uint64_t number,
                char id[UID_CHARS]);
/* The other way; false: there never was such an id in this archive. */
bool archive_id_read(const struct server *server, struct span local, struct span id,
                     uint64_t *number);

/* At the begin of a tick: the index, when many messages wait for it, and after it a little of what
 * accounts have too much. */
void archive_tend(struct server *server);
/* Once a tick: a little of what is too old, or too much for the store. */
void archive_reap(struct server *server);

#endif
