/* archive.h: the messages that accounts and channels keep (XEP-0313). A body is stored once, with
 * its owners; the index, an entry of each owner for each body, is made of them later, many at a
 * time, so that a message costs one record. What is read is the same with and without it. Entries
 * go from the front only, so that a range is counted by its ends. Limits are for the callers. */
#ifndef KITH_STORE_ARCHIVE_H
#define KITH_STORE_ARCHIVE_H

#include "store/store.h"
#include "wire/build.h"
#include "wire/jid.h"

#define ARCHIVE_OWNERS_MAX 2
#define ARCHIVE_NUMBER_MAX (UINT64_MAX - 1)
#define ARCHIVE_SOURCES_MAX 64
/* Of an owner's name: an account's localpart, or \x01 and a channel's name, which no account has.
 */
#define ARCHIVE_LOCAL_BYTES_MAX 255

/* Who keeps a message, and whom it is a talk with. For a channel: the channel, with the id of the
 * participant as resource. */
struct archive_owner {
    struct span local;
    const struct jid *with;
};

/* What an entry says of the other side: hashes. */
struct archive_with {
    uint8_t bare[8];
    uint32_t resource; /* 0: none */
};

/* More are not put when the index cannot be made: the store is full. */
#define ARCHIVE_UNINDEXED_MAX 4096

/* What stands in the record of a body beside the stanza. */
#define ARCHIVE_NOTE_BYTES(locals_len)                                                             \
    (11 + ARCHIVE_OWNERS_MAX * (1 + sizeof(struct archive_with)) + (locals_len))
/* Whether a message of so many bytes may be put. Less is left over than store_has_room leaves:
 * nothing else follows. */
bool archive_has_room(struct store *store, size_t bytes);

/* Messages are numbered by the time in microseconds, each at least by one more than the one before.
 * The last number of those that are kept; 0: none is. */
enum store_outcome archive_last(struct store *store, uint64_t *number);

/* `stanza` is whole and has ARCHIVE_NOTE_BYTES of room left, which are used up. */
enum store_outcome archive_put(struct store *store, uint64_t number, uint64_t stamp_us,
                               const struct archive_owner *owners, unsigned count,
                               struct build *stanza);
/* Another stanza in the place of that one, with the same owners; room as above. STORE_NONE: nobody
 * keeps it any more. */
enum store_outcome archive_replace(struct store *store, uint64_t number, struct build *stanza);

struct archive_body {
    uint64_t stamp_us;
    struct span stanza; /* borrowed until the next write */
    struct span owners; /* for archive*.c of this folder */
    uint8_t version;
};
enum store_outcome archive_body(struct store *store, uint64_t number, struct archive_body *body);

enum archive_found { FOUND_NOTHING, FOUND_FORWARDS, FOUND_BACKWARDS };

/* What one owner keeps with numbers from low to high, as a part of a view. What was found in it
 * last is remembered, so that a walk looks at each source once: it serves one view at a time, and
 * only until the next write. */
struct archive_source {
    struct span owner;
    uint64_t low;
    uint64_t high;
    struct {
        enum archive_found way;
        uint64_t from;
        uint64_t number; /* in the index, the next one; UINT64_MAX and 0: there is none */
    } found;
};

/* What part of the archive is looked at: what an account keeps, and what it could read in channels
 * meanwhile, in the order of the numbers; all of it, the talk with an account, the talk with one of
 * its resources. */
struct archive_view {
    struct archive_source own;
    struct archive_source *sources; /* borrowed; no message is in two of them */
    unsigned count;                 /* at most ARCHIVE_SOURCES_MAX */
    bool talk;
    bool with_resource;
    struct archive_with with;
};
/* Without further sources. */
void archive_view(struct archive_view *view, struct span local, const struct jid *with);
/* Sources of which no entry can be of the talk are better left out: they are walked through. */
void archive_source(struct archive_source *source, struct span owner, uint64_t low, uint64_t high);

/* The first one whose number is > after; the last one whose number is < before. */
enum store_outcome archive_after(struct store *store, struct archive_view *view, uint64_t after,
                                 uint64_t *number);
enum store_outcome archive_before(struct store *store, struct archive_view *view, uint64_t before,
                                  uint64_t *number);
/* Whether there is that very one. */
enum store_outcome archive_has(struct store *store, const struct archive_view *view,
                               uint64_t number);
/* How many there are from low to high. Those of a talk are walked through, others are not. */
enum store_outcome archive_count(struct store *store, struct archive_view *view, uint64_t low,
                                 uint64_t high, uint32_t *count);

/* Drops an owner's oldest message; the body goes when nobody else keeps it. STORE_NONE: there is
 * none. STORE_FULL: not now, in the next transaction. */
enum store_outcome archive_drop_first(struct store *store, struct span local);
/* Drops the oldest message of all from every archive if its number is < before. */
enum store_outcome archive_drop_oldest(struct store *store, uint64_t before);
/* At most `most` of an account or a channel that is deleted. STORE_NONE: there are no more. */
enum store_outcome archive_forget(struct store *store, struct span local, unsigned most);

/* How many were put since the index was made last. */
enum store_outcome archive_unindexed(struct store *store, uint32_t *count);
/* Makes the index, as far as it fits into this transaction. STORE_FULL: not all of it. */
enum store_outcome archive_index(struct store *store);

/* A walk through the owners in the index, in no particular state of it. */
struct archive_trim {
    char owner[ARCHIVE_LOCAL_BYTES_MAX];
    uint8_t len; /* 0: from the first one */
};
/* Looks at the next owner, and drops some of its oldest if it has more than `most`: the same one
 * again if it still has. STORE_NONE: that was the last one. */
enum store_outcome archive_trim(struct store *store, struct archive_trim *trim, uint32_t most);

struct archive_use {
    uint64_t messages;
    uint64_t entries;
    uint64_t bytes; /* of pages in the file */
};
enum store_outcome archive_usage(struct store *store, struct archive_use *use);
/* The bytes alone; 0 if that cannot be told. */
uint64_t archive_bytes(struct store *store);

#endif
