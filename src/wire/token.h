/* token.h: what invitations, registrations and codes are known by: unpredictable, easy to type, and
 * kept as hashes only (INV-2, REG-15, REG-17). */
#ifndef KITH_TOKEN_H
#define KITH_TOKEN_H

#include "base/span.h"

#define TOKEN_CHARS 26 /* base32 in lower case (RFC 4648 6): 130 bits */
#define TOKEN_HASH_BYTES 32
#define CODE_CHARS 6

/* No terminating zero. */
void token_make(char out[TOKEN_CHARS]);
/* What a person typed or pasted: spaces and dashes taken out, lower case; of a whole link what
 * stands behind "preauth=". false: it cannot be one. */
bool token_read(struct span typed, char out[TOKEN_CHARS]);
/* Bytes as characters of a token: len is a multiple of 5, of which each 5 make 8. */
void token_encode(const uint8_t *bytes, size_t len, char *out);
/* false: not that many bytes in just these characters. */
bool token_decode(struct span text, uint8_t *bytes, size_t len);
void token_hash(struct span token, uint8_t out[TOKEN_HASH_BYTES]);

/* Decimal digits, each as likely. */
void code_make(char out[CODE_CHARS]);
/* Spaces and dashes taken out, full-width digits mapped. false: not CODE_CHARS digits. */
bool code_read(struct span typed, char out[CODE_CHARS]);
/* Bound to one registration: the code alone has few bits. */
void code_hash(struct span code, struct span local, const uint8_t handle_hash[TOKEN_HASH_BYTES],
               uint8_t out[TOKEN_HASH_BYTES]);

#endif
