/* blocklists.c: see blocklists.h. Key: localpart. A record is its version (1), then for each
 * address its length (2) and its bytes, prepared. */
#include "store/blocklists.h"

#include "base/log.h"
#include "base/must.h"
#include "store/record.h"

enum { VERSION = 1, KEY_BYTES_MAX = 511 };

enum store_outcome blocklist_get(struct store *store, struct span local, struct span *addresses)
{
    struct span record = SPAN(""), rest, address;
    *addresses = SPAN("");
    if (local.len == 0 || local.len > KEY_BYTES_MAX)
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_BLOCKS, local, &record);
    if (outcome != STORE_OK)
        return outcome;
    *addresses = rest = span_cut(record, BLOCKLIST_RECORD_BYTES, record.len);
    while (blocklist_next(&rest, &address))
        continue;
    if (record.len > 0 && record.bytes[0] == VERSION && rest.len == 0)
        return STORE_OK;
    log_line(LOG_ERROR, "store: the list of whom '%.*s' blocks is damaged", (int)local.len,
             local.bytes);
    *addresses = SPAN("");
    return STORE_FAILED;
}

bool blocklist_exists(struct store *store, struct span local)
{
    struct span addresses;
    return blocklist_get(store, local, &addresses) != STORE_NONE;
}

bool blocklist_next(struct span *addresses, struct span *address)
{
    if (addresses->len < BLOCKLIST_ITEM_BYTES)
        return false;
    size_t len = (size_t)record_number(addresses->bytes, BLOCKLIST_ITEM_BYTES);
    if (len > addresses->len - BLOCKLIST_ITEM_BYTES)
        return false;
    *address = span_of(addresses->bytes + BLOCKLIST_ITEM_BYTES, len);
    *addresses = span_cut(*addresses, BLOCKLIST_ITEM_BYTES + len, addresses->len);
    return true;
}

bool blocklist_has(struct span addresses, struct span address)
{
    struct span at;
    while (blocklist_next(&addresses, &at))
        if (span_equal(at, address))
            return true;
    return false;
}

void blocklist_begin(struct build *build)
{
    build_put(build, SPAN("\1"));
}

void blocklist_add(struct build *build, struct span address)
{
    uint8_t len[BLOCKLIST_ITEM_BYTES];
    must(address.len <= JID_BYTES_MAX);
    record_number_put(len, sizeof len, address.len);
    build_put(build, span_of((const char *)len, sizeof len));
    build_put(build, address);
}

enum store_outcome blocklist_delete(struct store *store, struct span local)
{
    if (local.len == 0 || local.len > KEY_BYTES_MAX)
        return STORE_NONE;
    return store_delete(store, TABLE_BLOCKS, local);
}

enum store_outcome blocklist_put(struct store *store, struct span local, const struct build *build)
{
    if (build->full || local.len == 0 || local.len > KEY_BYTES_MAX)
        return STORE_FULL;
    if (build->used > BLOCKLIST_RECORD_BYTES)
        return store_put(store, TABLE_BLOCKS, local, build_span(build), false);
    enum store_outcome outcome = blocklist_delete(store, local);
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

bool blocklist_match(struct store *store, struct span local, const struct jid *jid)
{
    struct span addresses, at;
    if (blocklist_get(store, local, &addresses) != STORE_OK)
        return false;
    while (blocklist_next(&addresses, &at))
        if (span_equal(at, jid_full(jid)) || span_equal(at, jid_bare(jid)) ||
            span_equal(at, jid_domain(jid)))
            return true;
    return false;
}
