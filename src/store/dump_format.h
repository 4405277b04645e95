/* dump_format.h: what writing (dump.c) and reading (load.c) a dump must agree on. */
#ifndef KITH_DUMP_FORMAT_H
#define KITH_DUMP_FORMAT_H

#include <inttypes.h>
#include <stdio.h>

/* The first and the last line; the longest of them, and names of tables, fit. */
#define DUMP_LINE_BYTES 64
#define DUMP_HEADER "kith dump 1 schema "

static inline void dump_header(char line[DUMP_LINE_BYTES], uint64_t schema)
{
    snprintf(line, DUMP_LINE_BYTES, DUMP_HEADER "%" PRIu64 "\n", schema);
}

static inline void dump_end(char line[DUMP_LINE_BYTES], uint64_t records, uint32_t sum)
{
    snprintf(line, DUMP_LINE_BYTES, "end %" PRIu64 " %08" PRIx32 "\n", records, sum);
}

/* CRC-32 (ISO-HDLC, as of zip and gzip) of one byte more. Begins with 0. */
static inline uint32_t dump_sum(uint32_t sum, char byte)
{
    sum = ~sum ^ (unsigned char)byte;
    for (int i = 0; i < 8; i++)
        sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    return ~sum;
}

#endif
