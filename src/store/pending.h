/* pending.h: registrations that are not complete: a reserved name, its keys, what is verified and
 * what is waited for (REG-16). Nothing of the account exists before. Key: localpart.
 * Limits: PENDING_MAX, PENDING_PER_ADDRESS_MAX; a record is at most PENDING_BYTES_MAX. */
#ifndef KITH_PENDING_H
#define KITH_PENDING_H

#include "store/accounts.h"

#define PENDING_MAX 64
#define PENDING_PER_ADDRESS_MAX 3
#define PENDING_BYTES_MAX 1024 /* with its key */
#define PENDING_LOCAL_BYTES_MAX 127
#define PENDING_ID_BYTES_MAX 254 /* an e-mail address or a phone number */
#define PENDING_PHONE_BYTES_MAX 16
#define PENDING_REASON_BYTES_MAX 200
#define PENDING_HASH_BYTES 32
#define PENDING_ADDRESS_BYTES 16

enum pending_channel { PENDING_ADMIN, PENDING_EMAIL, PENDING_PHONE };

enum pending_flag {
    PENDING_OF_ACCOUNT = 1, /* an account that exists verifies an address: no keys here (REG-21) */
    PENDING_NAME_GIVEN = 2, /* the name was not made of an address (REG-25) */
    PENDING_NAME_CHANGED = 4, /* it is stored in another form than was typed */
    PENDING_EMAIL_VERIFIED = 8,
    PENDING_PHONE_VERIFIED = 16,
    PENDING_INVITED = 32, /* invite_hash holds */
};

struct pending {
    struct span local; /* the key */
    uint8_t flags;
    uint8_t stage;   /* of the engine: features/registration.h */
    uint8_t channel; /* enum pending_channel: where the code went */
    uint8_t tries_left;
    uint8_t sends_left;
    uint64_t made_us; /* UTC, as all of these */
    uint64_t expires_us;
    uint64_t code_sent_us; /* 0: none yet */
    uint64_t code_expires_us;
    uint32_t iterations;
    uint8_t salt[SCRAM_SALT_BYTES];
    struct scram_keys sha1;
    struct scram_keys sha256;
    uint8_t handle_hash[PENDING_HASH_BYTES]; /* of {urn:kith:register:0}reg */
    uint8_t code_hash[PENDING_HASH_BYTES];
    uint8_t invite_hash[PENDING_HASH_BYTES];
    uint8_t address[PENDING_ADDRESS_BYTES]; /* network address of who asked */
    struct span email;
    struct span phone;
    struct span reason; /* why the person asks, for the admins */
};

/* Spans are borrowed until the next write. Expired records are found too: the callers ask. */
enum store_outcome pending_get(struct store *store, struct span local, struct pending *out);
enum store_outcome pending_by_handle(struct store *store,
                                     const uint8_t handle_hash[PENDING_HASH_BYTES],
                                     struct pending *out);
/* Replaces one with the same name. STORE_FULL also when there are PENDING_MAX. Its spans may be
 * borrowed from the store. */
enum store_outcome pending_put(struct store *store, const struct pending *pending);
enum store_outcome pending_delete(struct store *store, struct span local);
/* In order of names; after.bytes NULL: the first. */
enum store_outcome pending_next(struct store *store, struct span after, struct pending *out);
/* How many of that network address have not expired: IPv4 whole, IPv6 by /64 (RL-1). */
enum store_outcome pending_count_of(struct store *store,
                                    const uint8_t address[PENDING_ADDRESS_BYTES], uint64_t now_us,
                                    unsigned *count);
/* At most `max` expired ones are deleted; STORE_NONE: none are left. */
enum store_outcome pending_sweep(struct store *store, uint64_t now_us, unsigned max);

#endif
