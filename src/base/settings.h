/* settings.h: files of lines `key = value`: kith.conf and the profiles of boards/.
 * A comment begins with # at the start of a line or after white space; empty lines are skipped.
 * Limit: SETTINGS_BYTES_MAX a file. */
#ifndef KITH_SETTINGS_H
#define KITH_SETTINGS_H

#include "base/span.h"

#define SETTINGS_BYTES_MAX 16384

enum settings_outcome { SETTINGS_PAIR, SETTINGS_END, SETTINGS_BAD };

struct settings {
    struct span left; /* what is still to be read */
    unsigned line;    /* of the pair that was read last, from 1 */
    struct span key;
    struct span value;
};

/* The whole of a file as text that stays until the next call; bytes NULL: errno says why (EFBIG:
 * longer than the limit). */
struct span settings_file(const char *path);

/* The next pair. SETTINGS_BAD: that line is no `key = value`. */
enum settings_outcome settings_next(struct settings *settings);

/* "8M", "512K", "1G" or plain bytes. */
bool settings_bytes(struct span value, uint64_t *out);

/* A number from `least` to `most`. */
bool settings_number(struct span text, uint32_t *number, uint32_t least, uint32_t most);

#endif
