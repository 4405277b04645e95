/* config_keys.h: the table of keys of kith.conf, for config.c. */
#ifndef KITH_CONFIG_KEYS_H
#define KITH_CONFIG_KEYS_H

#include "config.h"

#define CONFIG_KEYS_MAX 64

struct key {
    struct config_key key;
    bool (*set)(void *field, struct span value);
    size_t field; /* its place in struct config */
    bool several; /* may stand on several lines */
};

extern const struct key config_keys[];
extern const size_t config_key_count; /* at most CONFIG_KEYS_MAX */

#endif
