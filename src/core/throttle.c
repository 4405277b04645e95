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
            /* What is counted next begins its own time. */
            entry->last_ms =
                entry->count == 0 ? now_ms : entry->last_ms + steps * throttle->every_ms;
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

uint32_t throttle_seconds(struct throttle *throttle, struct span what, struct span who,
                          uint64_t now_ms)
{
    const struct throttle_entry *entry = entry_of(throttle, what, who, now_ms, false);
    if (entry == NULL || entry->count < throttle->count_max)
        return 0;
    uint64_t left_ms = (uint64_t)(entry->count - throttle->count_max + 1) * throttle->every_ms -
                       (now_ms - entry->last_ms);
    return (uint32_t)((left_ms + 999) / 1000);
}

struct span throttle_network(const uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t len = memcmp(address, mapped, sizeof mapped) == 0 ? 16 : 8;
    return span_of((const char *)address, len);
}
