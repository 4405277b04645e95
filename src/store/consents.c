/* consents.c: see consents.h. */
#include "store/consents.h"

#include "store/ending.h"
#include "store/record.h"

static const struct ending consents = {TABLE_CONSENTS, "consent to be asked back", CONSENTS_MAX};

enum store_outcome consent_put(struct store *store, struct span local, struct span contact,
                               uint64_t until_us)
{
    struct record_key key;
    if (contact.len == 0 || !record_key_of(&key, local, contact))
        return STORE_FULL;
    return ending_put(store, &consents, record_key_span(&key), local.len + 1, until_us);
}

enum store_outcome consent_get(struct store *store, struct span local, struct span contact,
                               uint64_t now_us)
{
    struct record_key key;
    if (contact.len == 0 || !record_key_of(&key, local, contact))
        return STORE_NONE;
    return ending_get(store, &consents, record_key_span(&key), now_us);
}

enum store_outcome consent_delete(struct store *store, struct span local, struct span contact)
{
    struct record_key key;
    if (contact.len == 0 || !record_key_of(&key, local, contact))
        return STORE_NONE;
    return store_delete(store, TABLE_CONSENTS, record_key_span(&key));
}

enum store_outcome consent_forget(struct store *store, struct span local)
{
    struct record_key account, key;
    struct span found, record;
    if (!record_key_of(&account, local, SPAN("")))
        return STORE_OK;
    for (;;) {
        enum store_outcome outcome =
            store_next(store, TABLE_CONSENTS, record_key_span(&account), &found, &record);
        if (outcome == STORE_OK &&
            !span_equal(span_cut(found, 0, account.len), record_key_span(&account)))
            outcome = STORE_NONE;
        if (outcome == STORE_OK) {
            key.len = found.len;
            memcpy(key.bytes, found.bytes, found.len);
            outcome = store_delete(store, TABLE_CONSENTS, record_key_span(&key));
        }
        if (outcome != STORE_OK)
            return outcome == STORE_NONE ? STORE_OK : outcome;
    }
}

enum store_outcome consent_sweep(struct store *store, uint64_t now_us, unsigned max)
{
    return ending_sweep(store, &consents, now_us, max);
}
