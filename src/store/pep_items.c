/* pep_items.c: the items of nodes, see pep.h. Key: localpart, NUL, the node's number (4 bytes),
 * sequence (8 bytes), both big-endian, so that they sort. A record: version (1), time (8), length
 * of the id (2), id, payload. Nodes that are gone stand in a table of their own (key as far as the
 * number, record: version) until their items are. */
#include "base/log.h"
#include "store/pep_parts.h"
#include "store/record.h"

enum { VERSION = 1, TIME_AT = 1, ID_LEN_AT = 9, NOTE_BYTES = PEP_ITEM_NOTE_BYTES };

#define SEQUENCE_BYTES 8

static bool key_of(struct pep_key *key, struct span local, uint32_t number, uint64_t sequence)
{
    if (!pep_key_number(key, local, number))
        return false;
    pep_key_add(key, sequence, SEQUENCE_BYTES);
    return true;
}

/* STORE_NONE: an item of another node. */
static enum store_outcome item_read(const struct pep_key *node, struct span key, struct span record,
                                    struct pep_item *item)
{
    *item = (struct pep_item){0};
    if (key.len != node->len + SEQUENCE_BYTES || memcmp(key.bytes, node->bytes, node->len) != 0)
        return STORE_NONE;
    for (size_t i = node->len; i < key.len; i++)
        item->sequence = item->sequence << 8 | (uint8_t)key.bytes[i];
    if (record.len >= NOTE_BYTES && record.bytes[0] == VERSION) {
        size_t id_len = (size_t)record_number(record.bytes + ID_LEN_AT, 2);
        item->time_us = record_number(record.bytes + TIME_AT, 8);
        item->id = span_cut(record, NOTE_BYTES, NOTE_BYTES + id_len);
        item->payload = span_cut(record, NOTE_BYTES + id_len, record.len);
        if (item->id.len == id_len)
            return STORE_OK;
    }
    log_line(LOG_ERROR, "store: an item of '%.*s' is damaged (%u bytes)", (int)node->local_len,
             node->bytes, (unsigned)record.len);
    return STORE_FAILED;
}

enum store_outcome pep_item_next(struct store *store, struct span local,
                                 const struct pep_node *node, uint64_t after, struct pep_item *item)
{
    struct pep_key prefix, key;
    struct span found, record;
    if (!pep_key_number(&prefix, local, node->number) || !key_of(&key, local, node->number, after))
        return STORE_NONE;
    enum store_outcome outcome =
        store_next(store, TABLE_PEP_ITEMS, pep_key_span(&key), &found, &record);
    return outcome == STORE_OK ? item_read(&prefix, found, record, item) : outcome;
}

enum store_outcome pep_item_last(struct store *store, struct span local,
                                 const struct pep_node *node, struct pep_item *item)
{
    struct pep_key prefix, key;
    struct span found, record;
    if (!pep_key_number(&prefix, local, node->number) ||
        !key_of(&key, local, node->number, UINT64_MAX))
        return STORE_NONE;
    enum store_outcome outcome =
        store_previous(store, TABLE_PEP_ITEMS, pep_key_span(&key), &found, &record);
    return outcome == STORE_OK ? item_read(&prefix, found, record, item) : outcome;
}

enum store_outcome pep_item_find(struct store *store, struct span local,
                                 const struct pep_node *node, struct span id, struct pep_item *item)
{
    enum store_outcome outcome;
    item->sequence = 0;
    do
        outcome = pep_item_next(store, local, node, item->sequence, item);
    while (outcome == STORE_OK && !span_equal(item->id, id));
    return outcome;
}

/* Without the node's record. */
static enum store_outcome item_drop(struct store *store, struct span local, struct pep_node *node,
                                    const struct pep_item *item)
{
    struct pep_key key;
    uint32_t bytes = pep_item_bytes(item);
    if (!key_of(&key, local, node->number, item->sequence))
        return STORE_NONE;
    enum store_outcome outcome = store_delete(store, TABLE_PEP_ITEMS, pep_key_span(&key));
    if (outcome != STORE_OK)
        return outcome;
    node->items -= node->items > 0;
    node->bytes = node->bytes > bytes ? node->bytes - bytes : 0;
    return STORE_OK;
}

enum store_outcome pep_item_delete(struct store *store, struct span local, struct span name,
                                   struct pep_node *node, const struct pep_item *item,
                                   struct arena *arena)
{
    enum store_outcome outcome = item_drop(store, local, node, item);
    return outcome == STORE_OK ? pep_node_put(store, local, name, node, arena) : outcome;
}

static enum store_outcome item_write(struct store *store, struct span local,
                                     const struct pep_node *node, const struct pep_item *item,
                                     struct arena *arena)
{
    struct pep_key key;
    size_t mark = arena->used, len = pep_item_bytes(item);
    char *record =
        key_of(&key, local, node->number, item->sequence) ? arena_take(arena, len) : NULL;
    if (record == NULL)
        return STORE_FULL;
    record[0] = VERSION;
    record_number_put((uint8_t *)record + TIME_AT, 8, item->time_us);
    record_number_put((uint8_t *)record + ID_LEN_AT, 2, item->id.len);
    memcpy(record + NOTE_BYTES, item->id.bytes, item->id.len);
    memcpy(record + NOTE_BYTES + item->id.len, item->payload.bytes, item->payload.len);
    enum store_outcome outcome =
        store_put(store, TABLE_PEP_ITEMS, pep_key_span(&key), span_of(record, len), true);
    arena_reset(arena, mark);
    return outcome;
}

enum store_outcome pep_item_put(struct store *store, struct span local, struct span name,
                                struct pep_node *node, struct pep_item *item, struct arena *arena)
{
    struct pep_item old, last = {0};
    enum store_outcome outcome = STORE_OK;
    if (node->number == 0)
        outcome = pep_node_put(store, local, name, node, arena);
    if (outcome == STORE_OK)
        outcome = pep_item_last(store, local, node, &last);
    item->sequence = last.sequence + 1;
    if (outcome == STORE_OK)
        outcome = pep_item_find(store, local, node, item->id, &old);
    if (outcome == STORE_OK)
        outcome = item_drop(store, local, node, &old);
    if (outcome == STORE_OK || outcome == STORE_NONE)
        outcome = item_write(store, local, node, item, arena);
    if (outcome != STORE_OK)
        return outcome;
    node->items++;
    node->bytes += pep_item_bytes(item);
    return pep_node_put(store, local, name, node, arena);
}

/* --- what is gone --- */

/* Deletes the first record of a table whose key begins with the prefix; STORE_NONE: there is none.
 */
static enum store_outcome first_delete(struct store *store, enum store_table table,
                                       const struct pep_key *prefix)
{
    struct span found, record;
    struct pep_key key;
    enum store_outcome outcome = store_next(store, table, pep_key_span(prefix), &found, &record);
    if (outcome != STORE_OK)
        return outcome;
    if (found.len <= prefix->len || memcmp(found.bytes, prefix->bytes, prefix->len) != 0)
        return STORE_NONE;
    memcpy(key.bytes, found.bytes, found.len);
    key.len = found.len;
    return store_delete(store, table, pep_key_span(&key));
}

enum store_outcome pep_forget(struct store *store, struct span local, unsigned max)
{
    static const enum store_table tables[] = {TABLE_PEP_NODES, TABLE_PEP_ITEMS, TABLE_PEP_GONE};
    struct pep_key prefix;
    enum store_outcome outcome = STORE_NONE;
    if (!pep_key_begin(&prefix, local))
        return STORE_NONE;
    for (unsigned i = 0; i < max; i++) {
        outcome = STORE_NONE;
        for (unsigned n = 0; n < sizeof tables / sizeof tables[0] && outcome == STORE_NONE; n++)
            outcome = first_delete(store, tables[n], &prefix);
        if (outcome != STORE_OK)
            return outcome;
    }
    return outcome;
}

enum store_outcome pep_reap(struct store *store, unsigned max)
{
    struct span found, record;
    struct pep_key prefix;
    enum store_outcome outcome = store_next(store, TABLE_PEP_GONE, SPAN_NONE, &found, &record);
    if (outcome != STORE_OK)
        return outcome;
    memcpy(prefix.bytes, found.bytes, found.len);
    prefix.len = found.len;
    for (unsigned i = 0; i < max && outcome == STORE_OK; i++)
        outcome = first_delete(store, TABLE_PEP_ITEMS, &prefix);
    if (outcome == STORE_NONE)
        outcome = store_delete(store, TABLE_PEP_GONE, pep_key_span(&prefix));
    return outcome;
}
