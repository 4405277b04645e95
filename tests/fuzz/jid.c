/* Addresses from arbitrary bytes: what is accepted is within its limits and stays as it is when it
 * is prepared again. */
#include "wire/jid.h"
#include "base/must.h"

static char memory[32768];

typedef bool prepare(struct span text, struct arena *arena, struct span *out);

static void stays(prepare *function, struct span text)
{
    struct arena arena;
    struct span once, twice;
    arena_init(&arena, memory, sizeof(memory));
    if (!function(text, &arena, &once))
        return;
    must(once.len > 0 && once.len <= JID_PART_BYTES_MAX);
    must(memchr(once.bytes, '\0', once.len) == NULL);
    must(function(once, &arena, &twice) && span_equal(once, twice));
}

static void whole(struct span text)
{
    struct arena arena;
    struct jid once, twice;
    arena_init(&arena, memory, sizeof(memory));
    if (!jid_parse(text, &arena, &once))
        return;
    must(jid_present(&once) && jid_full(&once).len <= JID_BYTES_MAX);
    must(jid_parse(jid_full(&once), &arena, &twice));
    must(span_equal(jid_full(&once), jid_full(&twice)));
    must(once.local_len == twice.local_len && once.domain_len == twice.domain_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static prepare *const functions[] = {jid_prepare_local, jid_prepare_domain,
                                         jid_prepare_resource, jid_prepare_new_local,
                                         jid_prepare_password};
    struct span text = span_of((const char *)data, size);
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
        stays(functions[i], text);
    whole(text);
    return 0;
}
