/* schema.c: what the file says about itself: the schema of its records, and its secret.
 * An older file is brought up to date in one transaction: a power cut leaves the old or the new. */
#include <string.h>

#include "base/must.h"
#include "platform/platform.h"
#include "store/accounts.h"
#include "store/archive_parts.h"
#include "store/environment.h"

/* What leads from one schema to the next. Schema 0 was never released: its account records had no
 * flags. It is here so that the way up is walked by the tests before somebody needs it. */
static const struct schema_step {
    uint64_t from;
    enum store_outcome (*take)(struct store *store);
} schema_steps[] = {
    {0, account_add_flags},
    {1, index_begin}, /* the archive's entries were written with their bodies */
};

static enum store_outcome schema_write(struct store *store, uint64_t schema)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(schema >> 8 * i);
    return store_put(store, TABLE_META, SPAN("schema"), span_of((const char *)bytes, 8), false);
}

bool schema_make(struct store *store)
{
    uint8_t secret[STORE_SECRET_BYTES];
    plat_random(secret, sizeof secret);
    store->unlimited = true;
    bool made = schema_write(store, SCHEMA_NOW) == STORE_OK &&
                store_put(store, TABLE_META, SPAN("secret"),
                          span_of((const char *)secret, sizeof secret), false) == STORE_OK &&
                store_commit(store) == STORE_OK;
    store->unlimited = false;
    return made;
}

static enum store_outcome schema_raise(struct store *store)
{
    uint64_t schema = store->schema;
    while (schema < SCHEMA_NOW) {
        const struct schema_step *step = NULL;
        for (size_t i = 0; i < sizeof schema_steps / sizeof schema_steps[0]; i++) {
            if (schema_steps[i].from == schema)
                step = &schema_steps[i];
        }
        must(step != NULL);
        enum store_outcome outcome = step->take(store);
        if (outcome != STORE_OK)
            return outcome;
        schema++;
    }
    enum store_outcome outcome = schema_write(store, schema);
    if (outcome == STORE_OK)
        outcome = store_commit(store);
    if (outcome == STORE_OK)
        store->schema = schema;
    return outcome;
}

static bool schema_upgrade(struct store *store, struct arena *arena, const char **why)
{
    if (store->read_only) {
        *why = environment_sentence(arena,
                                    "%s was written by an older kith; start the server once, it "
                                    "brings the file up to date",
                                    store->file);
        return false;
    }
    store->unlimited = true;
    enum store_outcome outcome = schema_raise(store);
    store->unlimited = false;
    if (outcome == STORE_OK)
        return true;
    store_abort(store);
    *why = environment_sentence(
        arena, "%s was written by an older kith and %s; it is unchanged", store->file,
        outcome == STORE_FULL ? "there is no room to bring it up to date: free some of the disk, "
                                "or give the store a larger map"
                              : "could not be brought up to date (the line before says why)");
    return false;
}

bool schema_read(struct store *store, struct arena *arena, const char **why)
{
    struct span schema, secret;
    if (store_get(store, TABLE_META, SPAN("schema"), &schema) != STORE_OK || schema.len != 8 ||
        store_get(store, TABLE_META, SPAN("secret"), &secret) != STORE_OK ||
        secret.len != STORE_SECRET_BYTES) {
        *why = environment_sentence(arena, "%s is an LMDB file, but not one of kith", store->file);
        return false;
    }
    memcpy(store->secret, secret.bytes, STORE_SECRET_BYTES);
    store->schema = 0;
    for (int i = 0; i < 8; i++)
        store->schema |= (uint64_t)(uint8_t)schema.bytes[i] << 8 * i;
    if (store->schema > SCHEMA_NOW) {
        *why = environment_sentence(arena,
                                    "%s was written by a newer kith (schema %llu, this one knows "
                                    "%d); install that version again",
                                    store->file, (unsigned long long)store->schema, SCHEMA_NOW);
        return false;
    }
    return true;
}

bool schema_check(struct store *store, struct arena *arena, const char **why)
{
    return schema_read(store, arena, why) &&
           (store->schema == SCHEMA_NOW || store->copying || schema_upgrade(store, arena, why));
}
