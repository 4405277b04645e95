/* config.h: reading kith.conf into the one struct config. */
#ifndef KITH_CONFIG_FILE_H
#define KITH_CONFIG_FILE_H

#include "base/config.h"
#include "base/span.h"

#define CONFIG_WHY_BYTES 512

/* Fills the global config: the defaults, then the file (path NULL: defaults only).
 * false: why says file, line, what is wrong and what was expected. */
bool config_read(const char *path, char why[CONFIG_WHY_BYTES]);

/* The same for text that is in memory already; name is what messages call it. */
bool config_parse(const char *name, struct span text, char why[CONFIG_WHY_BYTES]);

/* The n-th key for help texts, from 0; false: there are no more. Texts are static. */
struct config_key {
    const char *name;
    const char *fallback; /* "": none */
    const char *expected;
    const char *meaning;
};
bool config_key(unsigned n, struct config_key *out);

#endif
