/* extensions.h: which specifications kith follows, and how far; for people (`kith extensions`, the
 * README). What clients are told is derived from table.c. */
#ifndef KITH_EXTENSIONS_H
#define KITH_EXTENSIONS_H

#include <stddef.h>

struct extension {
    const char *number; /* "XEP-0030", "RFC 6121" */
    const char *version;
    const char *name;
    const char *missing; /* NULL: all of the server's part is there */
};

extern const struct extension extensions[];
extern const size_t extensions_len;

#endif
