/* archive.h: the messages that accounts keep (XEP-0313). A body is stored once; each owner has an
 * entry that refers to it and says whom the talk is with. Entries go from the front only and are
 * counted through, so that a range of them is counted by looking at its ends; those of one talk are
 * found by walking through the owner's. Limits are for the callers to keep. */
#ifndef KITH_STORE_ARCHIVE_H
#define KITH_STORE_ARCHIVE_H

#include "store/store.h"
#include "wire/build.h"
#include "wire/jid.h"

#define ARCHIVE_OWNERS_MAX 2
#define ARCHIVE_NUMBER_MAX (UINT64_MAX - 1)

/* Who keeps a message, and whom it is a talk with. */
struct archive_owner {
    struct span local;
    const struct jid *with;
};

/* What stands in the record of a body beside the stanza. */
#define ARCHIVE_NOTE_BYTES(locals_len) (11 + ARCHIVE_OWNERS_MAX + (locals_len))
/* What the entries of a message take, at most. */
#define ARCHIVE_ENTRIES_BYTES 1024
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

struct archive_body {
    uint64_t stamp_us;
    struct span stanza; /* borrowed until the next write */
    struct span owners; /* length (1) and localpart, of each */
};
enum store_outcome archive_body(struct store *store, uint64_t number, struct archive_body *body);

/* What part of an archive is looked at: all of it, the talk with an account, the talk with one of
 * its resources. */
struct archive_view {
    struct span local;
    bool talk;
    bool with_resource;
    uint8_t with[8];
    uint32_t resource;
};
void archive_view(struct archive_view *view, struct span local, const struct jid *with);

struct archive_entry {
    uint64_t number;
    uint32_t place; /* in the whole archive, counts on by one */
};
/* The first entry whose number is > after; the last one whose number is < before. */
enum store_outcome archive_after(struct store *store, const struct archive_view *view,
                                 uint64_t after, struct archive_entry *entry);
enum store_outcome archive_before(struct store *store, const struct archive_view *view,
                                  uint64_t before, struct archive_entry *entry);
/* Whether there is that very one. */
enum store_outcome archive_has(struct store *store, const struct archive_view *view,
                               uint64_t number);
/* Of a whole archive. */
enum store_outcome archive_count(struct store *store, const struct archive_view *view,
                                 uint32_t *count);

/* Drops an account's oldest message; the body goes when nobody else keeps it. STORE_NONE: there is
 * none. STORE_FULL: not now, in the next transaction. */
enum store_outcome archive_drop_first(struct store *store, struct span local);
/* Drops the oldest message of all from every archive if its number is < before. */
enum store_outcome archive_drop_oldest(struct store *store, uint64_t before);
/* At most `most` of an account that is deleted. STORE_NONE: there are no more. */
enum store_outcome archive_forget(struct store *store, struct span local, unsigned most);

struct archive_use {
    uint64_t messages;
    uint64_t entries;
    uint64_t bytes; /* of pages in the file */
};
enum store_outcome archive_usage(struct store *store, struct archive_use *use);

#endif
