/* vcards.c: see vcards.h. */
#include "store/vcards.h"

#include "base/log.h"

enum { RECORD_VERSION = 1, PHOTO_AT = 1, HASH_AT = 2, HEAD_BYTES = HASH_AT + VCARD_HASH_BYTES };

#define LOCAL_BYTES_MAX 511

static bool local_fits(struct span local)
{
    return local.len > 0 && local.len <= LOCAL_BYTES_MAX;
}

enum store_outcome vcard_get(struct store *store, struct span local, struct vcard *out)
{
    struct span record;
    *out = (struct vcard){0};
    if (!local_fits(local))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_VCARDS, local, &record);
    if (outcome != STORE_OK)
        return outcome;
    if (record.len < HEAD_BYTES || record.bytes[0] != RECORD_VERSION) {
        log_line(LOG_ERROR, "store: the vCard of '%.*s' is damaged (%u bytes)", (int)local.len,
                 local.bytes, (unsigned)record.len);
        return STORE_FAILED;
    }
    out->has_photo = record.bytes[PHOTO_AT] != 0;
    memcpy(out->photo, record.bytes + HASH_AT, VCARD_HASH_BYTES);
    out->xml = span_cut(record, HEAD_BYTES, record.len);
    return STORE_OK;
}

enum store_outcome vcard_put(struct store *store, struct span local, const struct vcard *vcard,
                             struct arena *arena)
{
    size_t mark = arena->used;
    char *record = local_fits(local) ? arena_take(arena, HEAD_BYTES + vcard->xml.len) : NULL;
    if (record == NULL)
        return STORE_FULL;
    record[0] = RECORD_VERSION;
    record[PHOTO_AT] = vcard->has_photo;
    memcpy(record + HASH_AT, vcard->photo, VCARD_HASH_BYTES);
    memcpy(record + HEAD_BYTES, vcard->xml.bytes, vcard->xml.len);
    enum store_outcome outcome =
        store_put(store, TABLE_VCARDS, local, span_of(record, HEAD_BYTES + vcard->xml.len), false);
    arena_reset(arena, mark);
    return outcome;
}

enum store_outcome vcard_delete(struct store *store, struct span local)
{
    return local_fits(local) ? store_delete(store, TABLE_VCARDS, local) : STORE_NONE;
}
