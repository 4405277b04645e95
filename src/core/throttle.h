/* throttle.h: who fails to log in too often, or connects too often, waits (ST-19, SA-4).
 * Owns a small table in which the entry with the smallest count makes room, so that made-up names
 * wash out each other only. Limit: THROTTLE_ENTRIES. */
#ifndef KITH_THROTTLE_H
#define KITH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define THROTTLE_ENTRIES 256

struct throttle_entry {
    uint64_t key; /* hash of what is counted; 0: free */
    uint64_t last_ms;
    uint32_t count; /* decays by one each `every_ms` */
};

struct throttle {
    struct throttle_entry entries[THROTTLE_ENTRIES];
    uint64_t seed;
    uint32_t count_max;
    uint32_t every_ms;
};

void throttle_init(struct throttle *throttle, uint32_t count_max, uint32_t every_ms, uint64_t seed);
/* Counts one event. */
void throttle_note(struct throttle *throttle, struct span what, struct span who, uint64_t now_ms);
/* Whether too many have been counted lately. */
bool throttle_full(struct throttle *throttle, struct span what, struct span who, uint64_t now_ms);
/* In how many seconds one more will do, at least 1; 0: now. */
uint32_t throttle_seconds(struct throttle *throttle, struct span what, struct span who,
                          uint64_t now_ms);
/* Who one network address is: IPv4 whole, IPv6 by its /64 (RL-1). Borrows from `address`. */
struct span throttle_network(const uint8_t address[16]);

#endif
