/* dump.h: a store as text, the same on every machine: it moves a family from a 32-bit or big-endian
 * router to a 64-bit board. A header, a line for each record, and a last line without which it is
 * cut off:
 *     kith dump 1 schema 2 | accounts TAB anna TAB \01\00... | end 1 0a1b2c3d (records, CRC-32)
 * \xx is a byte in hexadecimal; all other text is UTF-8. It has all secrets of the store. */
#ifndef KITH_DUMP_H
#define KITH_DUMP_H

#include <stdio.h>

#include "store/store.h"

/* No record is this long: it would not fit into one transaction. */
#define DUMP_VALUE_BYTES_MAX (4u << 20)

/* Writes the store as it is at this moment. The note on copy_backup about deadlines is true here.
 * false: *why. */
bool dump_write(struct store *store, FILE *out, uint64_t *records, struct arena *arena,
                const char **why);

/* The same to a new file, mode 0600, whole or not at all. */
bool dump_file(struct store *store, const char *file, uint64_t *records, struct arena *arena,
               const char **why);

/* Makes a store of the directory from a dump; there must be none yet that holds anything. false:
 * *why, with the number of the line that is wrong, and nothing was changed. */
bool dump_load(const char *directory, uint64_t map_bytes, FILE *in, uint64_t *records,
               struct arena *arena, const char **why);

#endif
