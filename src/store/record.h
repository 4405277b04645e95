/* record.h: numbers in records are fixed little-endian bytes, so that a file can be dumped and
 * loaded between machines. */
#ifndef KITH_RECORD_H
#define KITH_RECORD_H

#include <stddef.h>
#include <stdint.h>

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

#endif
