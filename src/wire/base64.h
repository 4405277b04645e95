/* base64.h: RFC 4648 section 4, strict: padding required, padding bits zero, no line breaks. */
#ifndef KITH_BASE64_H
#define KITH_BASE64_H

#include "base/span.h"

#define BASE64_BYTES(len) (((len) + 2) / 3 * 4)

/* Writes BASE64_BYTES(bytes.len) characters, no terminating zero; returns that number. */
size_t base64_encode(struct span bytes, char *out);

/* Decodes into out, which holds at least text.len / 4 * 3 bytes. false: not strict base64. */
bool base64_decode(struct span text, void *out, size_t *out_len);

#endif
