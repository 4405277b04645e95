/* invites.h: invitations: one record may make an account, befriend its owner, and let into channels
 * (requirements 5.3, MT-8). Key: SHA-256 of the token, so that who reads the file learns none.
 * Limit: INVITES_MAX; they all expire. */
#ifndef KITH_INVITES_H
#define KITH_INVITES_H

#include "store/store.h"

#define INVITES_MAX 256
#define INVITE_HASH_BYTES 32
#define INVITE_START_CHARS 4
#define INVITE_USES_MAX 50
#define INVITE_NOTE_BYTES_MAX 256
#define INVITE_CHANNELS_MAX 4
/* What one change of one may add to the store. */
#define INVITE_CHANGE_BYTES 8192

enum invite_flag {
    INVITE_ACCOUNT = 1, /* makes an account */
    INVITE_CONTACT = 2, /* makes the owner and who redeems it contacts of each other */
    INVITE_ADMIN = 4,   /* the account may administer */
    INVITE_TRUSTED =
        8, /* made by who runs the server: its channels ask for no right of the owner */
};

struct invite {
    uint8_t hash[INVITE_HASH_BYTES];
    char start[INVITE_START_CHARS]; /* of the token, to tell them apart in lists */
    uint8_t flags;
    uint64_t made_us; /* UTC */
    uint64_t expires_us;
    uint16_t uses_left;
    struct span owner;    /* localpart of who made it; empty: the command line */
    struct span username; /* reserved localpart for the account; empty: any */
    struct span bound;    /* bare jid: nobody else may redeem it; empty: anybody */
    struct span note;
    struct span channels; /* up to INVITE_CHANNELS_MAX bare jids, each with a NUL behind it */
    struct span used_by;  /* 8 bytes of SHA-256 of each bare jid that redeemed it */
};

/* Spans are borrowed until the next write. */
enum store_outcome invite_get(struct store *store, const uint8_t hash[INVITE_HASH_BYTES],
                              struct invite *out);
/* Replaces one with the same hash. STORE_FULL also when there are INVITES_MAX. Its spans may be
 * borrowed from the store. */
enum store_outcome invite_put(struct store *store, const struct invite *invite);
enum store_outcome invite_delete(struct store *store, const uint8_t hash[INVITE_HASH_BYTES]);
/* In order of hashes; after.bytes NULL: the first. `after` may be what *out holds. */
enum store_outcome invite_next(struct store *store, struct span after, struct invite *out);

/* One use less, by that bare jid; the last one deletes it. */
enum store_outcome invite_use(struct store *store, const struct invite *invite, struct span who);
bool invite_used_by(const struct invite *invite, struct span who);

/* The one that reserves this localpart and has not expired. */
enum store_outcome invite_reserving(struct store *store, struct span username, uint64_t now_us,
                                    struct invite *out);
/* How many of that owner's have not expired. */
enum store_outcome invite_count_of(struct store *store, struct span owner, uint64_t now_us,
                                   unsigned *count);
/* The owner is gone: at most `max` of its invitations are deleted; STORE_NONE: none are left. */
enum store_outcome invite_forget(struct store *store, struct span owner, unsigned max);
/* At most `max` expired ones are deleted; STORE_NONE: none are left. */
enum store_outcome invite_sweep(struct store *store, uint64_t now_us, unsigned max);

#endif
