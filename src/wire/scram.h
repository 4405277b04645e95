/* scram.h: the server's side of SCRAM as bytes in, bytes out: RFC 5802, 7677, XEP-0474.
 * Owns nothing; knows no store and no stream (core/sasl.c does). Requirements SA-8 ... SA-13. */
#ifndef KITH_SCRAM_H
#define KITH_SCRAM_H

#include "base/arena.h"
#include "wire/digest.h"

#define SCRAM_SALT_BYTES 16
#define SCRAM_NONCE_BYTES 24 /* printable characters of the server's part, from 18 random bytes */

/* What is stored of a password for one hash. */
struct scram_keys {
    uint8_t stored_key[DIGEST_BYTES_MAX];
    uint8_t server_key[DIGEST_BYTES_MAX];
};

/* StoredKey and ServerKey from SaltedPassword (RFC 5802 3). */
void scram_keys_of(enum digest digest, const uint8_t *salted_password, struct scram_keys *out);

enum scram_flag { SCRAM_FLAG_NONE /* n */, SCRAM_FLAG_UNSEEN /* y */, SCRAM_FLAG_BOUND /* p= */ };

/* client-first-message, taken apart; spans point into the message but username, which is
 * unescaped (=2C, =3D) into the arena. */
struct scram_first {
    enum scram_flag flag;
    struct span binding_name; /* with SCRAM_FLAG_BOUND */
    struct span authzid;      /* unescaped; absent: NULL */
    struct span gs2_header;   /* "p=tls-exporter,," as received */
    struct span bare;         /* client-first-message-bare as received */
    struct span username;
    struct span nonce;
};

/* false: malformed (also m=, a bare '=' in the name, a nonce that is empty or not printable), or
 * the arena is full. */
bool scram_first_read(struct span message, struct arena *arena, struct scram_first *out);

/* server-first-message: r=,s=,i= and, if downgrade_hash has bytes, h=. NULL bytes: arena full. */
struct span scram_challenge(const struct scram_first *first, const char *server_nonce,
                            struct span salt, uint32_t iterations, struct span downgrade_hash,
                            struct arena *arena);

/* client-final-message, taken apart. */
struct scram_final {
    struct span binding; /* c=, still base64 */
    struct span nonce;
    struct span without_proof; /* for the AuthMessage */
    uint8_t proof[DIGEST_BYTES_MAX];
    size_t proof_len;
};

bool scram_final_read(struct span message, struct scram_final *out);

/* Whether c= is exactly base64(gs2_header + binding_data). */
bool scram_binding_matches(const struct scram_final *final, struct span gs2_header,
                           struct span binding_data);

/* Checks the proof in constant time; on success writes "v=..." (base64 signature) to the arena.
 * auth_message is client-first-bare "," server-first "," client-final-without-proof. */
bool scram_verify(enum digest digest, const struct scram_keys *keys, struct span auth_message,
                  const struct scram_final *final, struct arena *arena, struct span *out);

/* XEP-0474 0.5.0: base64 hash of the sorted mechanism names and, if bindings has any, the sorted
 * channel binding names. Names are sorted here; at most 16 each. */
struct span scram_downgrade_hash(enum digest digest, const char *const *mechanisms,
                                 size_t mechanism_count, const char *const *bindings,
                                 size_t binding_count, struct arena *arena);

#endif
