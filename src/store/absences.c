/* absences.c: see absences.h. */
#include "store/absences.h"

#include "base/log.h"
#include "store/record.h"

enum { RECORD_VERSION = 1, SINCE_AT = 1, HEAD_BYTES = 9, LOCAL_BYTES_MAX = 511 };

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= LOCAL_BYTES_MAX;
}

enum store_outcome absence_get(struct store *store, struct span local, struct absence *out)
{
    struct span record;
    *out = (struct absence){0};
    if (!local_fits(local))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_ABSENCES, local, &record);
    if (outcome != STORE_OK)
        return outcome;
    if (record.len < HEAD_BYTES || record.bytes[0] != RECORD_VERSION) {
        log_line(LOG_ERROR, "store: the last absence of '%.*s' is damaged (%u bytes)",
                 (int)local.len, local.bytes, (unsigned)record.len);
        return STORE_FAILED;
    }
    out->since_us = record_number(record.bytes + SINCE_AT, 8);
    out->status = span_cut(record, HEAD_BYTES, record.len);
    return STORE_OK;
}

enum store_outcome absence_put(struct store *store, struct span local,
                               const struct absence *absence)
{
    uint8_t record[HEAD_BYTES + ABSENCE_STATUS_BYTES_MAX] = {RECORD_VERSION};
    size_t len = absence->status.len <= ABSENCE_STATUS_BYTES_MAX ? absence->status.len : 0;
    if (!local_fits(local))
        return STORE_FULL;
    record_number_put(record + SINCE_AT, 8, absence->since_us);
    if (len > 0)
        memcpy(record + HEAD_BYTES, absence->status.bytes, len);
    return store_put(store, TABLE_ABSENCES, local, span_of((const char *)record, HEAD_BYTES + len),
                     false);
}

enum store_outcome absence_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_ABSENCES, local) : STORE_NONE;
}
