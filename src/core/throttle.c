/* throttle.c: see throttle.h. */
#include "core/throttle.h"

void throttle_init(struct throttle *throttle, uint32_t count_max, uint32_t every_ms, uint64_t seed)
{
    memset(throttle, 0, sizeof *throttle);
    throttle->seed = seed;
    throttle->count_max = count_max;
    throttle->every_ms = every_ms;
}

static uint64_t mix(uint64_t hash, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.bytes[i]) * 1099511628211u; /* FNV-1a */
    return (hash ^ bytes.len) * 1099511628211u;
}

static struct throttle_entry *entry_of(struct throttle *throttle, struct span what, struct span who,
                                       uint64_t now_ms, bool make)
{
    uint64_t key = mix(mix(14695981039346656037u ^ throttle->seed, what), who) | 1;
    struct throttle_entry *least = &throttle->entries[0];
    for (unsigned i = 0; i < THROTTLE_ENTRIES; i++) {
        struct throttle_entry *entry = &throttle->entries[i];
        if (entry->key == key) {
            uint64_t steps = (now_ms - entry->last_ms) / throttle->every_ms;
            entry->count = steps >= entry->count ? 0 : entry->count - (uint32_t)steps;
            entry->last_ms += steps * throttle->every_ms;
            return entry;
        }
        if (entry->count < least->count ||
            (entry->count == least->count && entry->last_ms < least->last_ms))
            least = entry;
    }
    if (!make)
        return NULL;
    *least = (struct throttle_entry){.key = key, .last_ms = now_ms};
    return least;
}

void throttle_note(struct throttle *throttle, struct span what, struct span who, uint64_t now_ms)
{
    struct throttle_entry *entry = entry_of(throttle, what, who, now_ms, true);
    if (entry->count <= throttle->count_max)
        entry->count++;
}

bool throttle_full(struct throttle *throttle, struct span what, struct span who, uint64_t now_ms)
{
    const struct throttle_entry *entry = entry_of(throttle, what, who, now_ms, false);
    return entry != NULL && entry->count >= throttle->count_max;
}
