/* record.h: numbers in records are fixed little-endian bytes, so that a file can be dumped and
 * loaded between machines; keys of an account's records are its localpart, a zero, and what tells
 * them apart. */
#ifndef KITH_RECORD_H
#define KITH_RECORD_H

#include "base/span.h"

static inline void record_number_put(uint8_t *bytes, size_t len, uint64_t number)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
}

static inline uint64_t record_number(const void *record, size_t len)
{
    const uint8_t *bytes = record;
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

#define RECORD_KEY_BYTES_MAX 511 /* LMDB's */

struct record_key {
    char bytes[RECORD_KEY_BYTES_MAX];
    size_t len;
};

/* A rest of no bytes: what all keys of the account begin with. false: too long, or no localpart. */
static inline bool record_key_of(struct record_key *key, struct span local, struct span rest)
{
    if (local.len == 0 || local.len + 1 + rest.len > sizeof key->bytes)
        return false;
    memcpy(key->bytes, local.bytes, local.len);
    key->bytes[local.len] = 0;
    if (rest.len > 0)
        memcpy(key->bytes + local.len + 1, rest.bytes, rest.len);
    key->len = local.len + 1 + rest.len;
    return true;
}

/* Big-endian, so that keys are in the order of the numbers. */
static inline void record_key_of_number(struct record_key *key, uint64_t number)
{
    key->len = 8;
    for (size_t i = 0; i < key->len; i++)
        key->bytes[i] = (char)(number >> 8 * (key->len - 1 - i));
}

/* false: too long. */
static inline bool record_key_add(struct record_key *key, struct span part)
{
    if (part.len > sizeof key->bytes - key->len)
        return false;
    if (part.len > 0)
        memcpy(key->bytes + key->len, part.bytes, part.len);
    key->len += part.len;
    return true;
}

static inline struct span record_key_span(const struct record_key *key)
{
    return span_of(key->bytes, key->len);
}

#endif
