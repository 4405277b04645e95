/* logins.h: what clients log in with instead of a password (XEP-0484): for each client of an
 * account the token it uses and a newer one that it has not used yet (5.1). Key: local NUL agent.
 * Tokens are not stored: they are made of a key that lies outside of the database, of the account
 * and client, and of a random number, which is. Limit: LOGINS_MAX clients an account, the oldest
 * goes. */
#ifndef KITH_LOGINS_H
#define KITH_LOGINS_H

#include "store/store.h"

#define LOGINS_MAX 10
#define LOGIN_KEY_BYTES 32
#define LOGIN_AGENT_BYTES 16 /* of SHA-256 of the id of a user agent */
#define LOGIN_TOKEN_BYTES 32
#define LOGIN_NONCE_BYTES 16
/* What one change may add to the store. */
#define LOGIN_CHANGE_BYTES 4096

struct login_token {
    uint8_t mechanism;   /* numbers of core/fast.c, from 1 on; 0: there is no such token */
    uint64_t expires_us; /* UTC */
    uint32_t count;      /* largest one that came with it (XEP-0484 3.4) */
    uint8_t nonce[LOGIN_NONCE_BYTES];
};

struct login_tokens {
    struct login_token fresh;
    struct login_token current;
};

/* Whose tokens they are. */
struct login_client {
    struct span local;
    const uint8_t *agent; /* LOGIN_AGENT_BYTES */
};

/* DIRECTORY/token-key, made when there is none. false: *why; then there are no tokens. A database
 * without its key has none either: what would be made of another key fits nobody's. */
bool login_key(const char *directory, uint8_t key[LOGIN_KEY_BYTES], struct arena *arena,
               const char **why);
/* The token itself. */
void login_token_of(const uint8_t key[LOGIN_KEY_BYTES], const struct login_client *client,
                    const uint8_t nonce[LOGIN_NONCE_BYTES], uint8_t out[LOGIN_TOKEN_BYTES]);

enum store_outcome login_get(struct store *store, const struct login_client *client,
                             struct login_tokens *out);
/* STORE_FULL: nothing has changed but that an older client's may be gone. */
enum store_outcome login_put(struct store *store, const struct login_client *client,
                             const struct login_tokens *tokens);
enum store_outcome login_delete(struct store *store, const struct login_client *client);
/* All of an account: its password has changed, or it is gone (S2-7). */
enum store_outcome login_forget(struct store *store, struct span local);
/* At most `max` that have expired are deleted; STORE_NONE: none are left. */
enum store_outcome login_sweep(struct store *store, uint64_t now_us, unsigned max);

#endif
