/* archive_prefs.c: see archive_prefs.h. Key: localpart. A record is its version (1), the default
 * (1), the bytes of the first list (4), and both lists. */
#include "store/archive_prefs.h"

#include "base/log.h"
#include "store/record.h"
#include "store/rosters.h"

enum { VERSION = 1, HEAD_BYTES = 6, ALWAYS_LEN_AT = 2, KEY_BYTES_MAX = 511 };

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= KEY_BYTES_MAX;
}

enum store_outcome archive_prefs_get(struct store *store, struct span local,
                                     struct archive_prefs *prefs)
{
    struct span record;
    *prefs = (struct archive_prefs){ARCHIVE_ALWAYS, SPAN(""), SPAN("")};
    enum store_outcome outcome =
        local_fits(local) ? store_get(store, TABLE_ARCHIVE_PREFS, local, &record) : STORE_NONE;
    if (outcome != STORE_OK)
        return outcome == STORE_NONE ? STORE_OK : outcome;
    if (record.len >= HEAD_BYTES && record.bytes[0] == VERSION &&
        (uint8_t)record.bytes[1] < ARCHIVE_DEFAULTS) {
        size_t always = (size_t)record_number(record.bytes + ALWAYS_LEN_AT, 4);
        if (always <= record.len - HEAD_BYTES) {
            prefs->otherwise = (enum archive_default)record.bytes[1];
            prefs->always = span_cut(record, HEAD_BYTES, HEAD_BYTES + always);
            prefs->never = span_cut(record, HEAD_BYTES + always, record.len);
            return STORE_OK;
        }
    }
    log_line(LOG_ERROR, "store: what '%.*s' wants in the archive is damaged", (int)local.len,
             local.bytes);
    return STORE_FAILED;
}

enum store_outcome archive_prefs_put(struct store *store, struct span local,
                                     const struct archive_prefs *prefs, struct arena *arena)
{
    uint8_t head[HEAD_BYTES] = {VERSION, (uint8_t)prefs->otherwise};
    struct build record;
    if (!local_fits(local))
        return STORE_FULL;
    record_number_put(head + ALWAYS_LEN_AT, 4, prefs->always.len);
    build_init(&record, arena, HEAD_BYTES + prefs->always.len + prefs->never.len);
    build_put(&record, span_of((const char *)head, sizeof head));
    build_put(&record, prefs->always);
    build_put(&record, prefs->never);
    return record.full ? STORE_FULL
                       : store_put(store, TABLE_ARCHIVE_PREFS, local, build_span(&record), false);
}

enum store_outcome archive_prefs_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_ARCHIVE_PREFS, local) : STORE_NONE;
}

bool archive_prefs_wants(struct store *store, struct span local, const struct jid *with)
{
    struct archive_prefs prefs;
    struct roster_item item;
    if (archive_prefs_get(store, local, &prefs) != STORE_OK)
        return true;
    if (blocklist_has(prefs.never, jid_full(with)) || blocklist_has(prefs.never, jid_bare(with)))
        return false;
    if (prefs.otherwise == ARCHIVE_ALWAYS || blocklist_has(prefs.always, jid_full(with)) ||
        blocklist_has(prefs.always, jid_bare(with)))
        return true;
    return prefs.otherwise == ARCHIVE_ROSTER &&
           roster_get(store, local, jid_bare(with), &item) == STORE_OK;
}
