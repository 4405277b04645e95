/* pep.c: the nodes, see pep.h. Key: localpart, NUL, name. A record: version (1), number (4), items
 * (4), bytes (4), most items (4), access model (1), when the last item is sent (1), flags (1),
 * length of the groups (2), groups, people. */
#include "store/pep.h"

#include "base/log.h"
#include "store/pep_parts.h"
#include "store/record.h"

enum {
    VERSION = 1,
    NUMBER_AT = 1,
    ITEMS_AT = 5,
    BYTES_AT = 9,
    MOST_AT = 13,
    MODEL_AT = 17,
    LAST_AT = 18,
    FLAGS_AT = 19,
    GROUPS_LEN_AT = 20,
    HEAD_BYTES = 22
};

/* --- keys --- */

bool pep_key_begin(struct pep_key *key, struct span local)
{
    if (local.len == 0 || local.len + 1 + PEP_NAME_BYTES_MAX > sizeof key->bytes)
        return false;
    memcpy(key->bytes, local.bytes, local.len);
    key->bytes[local.len] = 0;
    key->local_len = local.len;
    key->len = local.len + 1;
    return true;
}

void pep_key_add(struct pep_key *key, uint64_t number, unsigned len)
{
    while (len-- > 0)
        key->bytes[key->len++] = (char)(number >> 8 * len);
}

bool pep_key_number(struct pep_key *key, struct span local, uint32_t number)
{
    if (!pep_key_begin(key, local))
        return false;
    pep_key_add(key, number, PEP_NUMBER_BYTES);
    return true;
}

static bool key_of(struct pep_key *key, struct span local, struct span name)
{
    if (name.len == 0 || name.len > PEP_NAME_BYTES_MAX || !pep_key_begin(key, local))
        return false;
    memcpy(key->bytes + key->len, name.bytes, name.len);
    key->len += name.len;
    return true;
}

/* --- people --- */

size_t pep_person_add(char *end, const struct pep_person *person)
{
    end[0] = (char)person->affiliation;
    end[1] = (char)person->subscription;
    record_number_put((uint8_t *)end + 2, 2, person->jid.len);
    memcpy(end + 4, person->jid.bytes, person->jid.len);
    return PEP_PERSON_BYTES(person->jid.len);
}

bool pep_person_next(struct span *people, struct pep_person *person)
{
    if (people->len < PEP_PERSON_BYTES(0))
        return false;
    size_t len = (size_t)record_number(people->bytes + 2, 2);
    *person = (struct pep_person){.affiliation = (uint8_t)people->bytes[0],
                                  .subscription = (uint8_t)people->bytes[1],
                                  .jid = span_cut(*people, 4, 4 + len)};
    *people = span_cut(*people, PEP_PERSON_BYTES(len), people->len);
    return person->affiliation < PEP_AFFILIATIONS && person->subscription < PEP_SUBSCRIPTIONS;
}

struct pep_person pep_person_find(struct span people, struct span jid)
{
    struct pep_person person;
    while (pep_person_next(&people, &person))
        if (span_equal(person.jid, jid))
            return person;
    return (struct pep_person){.jid = jid};
}

/* --- nodes --- */

static enum store_outcome node_read(struct span local, struct span record, struct pep_node *node)
{
    *node = (struct pep_node){0};
    if (record.len >= HEAD_BYTES && record.bytes[0] == VERSION) {
        size_t groups_len = (size_t)record_number(record.bytes + GROUPS_LEN_AT, 2);
        node->number = (uint32_t)record_number(record.bytes + NUMBER_AT, 4);
        node->items = (uint32_t)record_number(record.bytes + ITEMS_AT, 4);
        node->bytes = (uint32_t)record_number(record.bytes + BYTES_AT, 4);
        node->config.items_max = (uint32_t)record_number(record.bytes + MOST_AT, 4);
        node->config.model = (uint8_t)record.bytes[MODEL_AT];
        node->config.send_last = (uint8_t)record.bytes[LAST_AT];
        node->config.flags = (uint8_t)record.bytes[FLAGS_AT];
        node->config.groups = span_cut(record, HEAD_BYTES, HEAD_BYTES + groups_len);
        node->people = span_cut(record, HEAD_BYTES + groups_len, record.len);
        if (node->config.groups.len == groups_len && node->config.model < PEP_MODELS &&
            node->config.send_last < PEP_LASTS && node->number != 0)
            return STORE_OK;
    }
    log_line(LOG_ERROR, "store: a node of '%.*s' is damaged (%u bytes)", (int)local.len,
             local.bytes, (unsigned)record.len);
    return STORE_FAILED;
}

enum store_outcome pep_node_get(struct store *store, struct span local, struct span name,
                                struct arena *arena, struct pep_node *node)
{
    struct pep_key key;
    struct span record;
    *node = (struct pep_node){0};
    if (!key_of(&key, local, name))
        return STORE_NONE;
    enum store_outcome outcome = store_get(store, TABLE_PEP_NODES, pep_key_span(&key), &record);
    if (outcome == STORE_OK)
        outcome = node_read(local, record, node);
    if (outcome != STORE_OK || arena == NULL)
        return outcome;
    node->config.groups = arena_copy(arena, node->config.groups);
    node->people = arena_copy(arena, node->people);
    return node->config.groups.bytes != NULL && node->people.bytes != NULL ? STORE_OK : STORE_FULL;
}

/* The number of the last key of an account in a table whose keys have one; 0: none. */
static uint32_t number_last(struct store *store, enum store_table table, struct span local)
{
    struct pep_key key;
    struct span found, record;
    uint32_t number = 0;
    if (!pep_key_number(&key, local, UINT32_MAX) ||
        store_previous(store, table, pep_key_span(&key), &found, &record) != STORE_OK ||
        found.len < key.len || memcmp(found.bytes, key.bytes, local.len + 1) != 0)
        return 0;
    for (size_t i = local.len + 1; i < key.len; i++)
        number = number << 8 | (uint8_t)found.bytes[i];
    return number;
}

/* One that no node has, and no items that are still to be reaped. */
static enum store_outcome number_new(struct store *store, struct span local, uint32_t *number)
{
    struct pep_walk walk;
    struct pep_node node;
    struct span name;
    enum store_outcome outcome;
    uint32_t gone = number_last(store, TABLE_PEP_GONE, local);
    *number = number_last(store, TABLE_PEP_ITEMS, local);
    if (gone > *number)
        *number = gone;
    pep_walk_begin(&walk, local);
    while ((outcome = pep_node_next(store, &walk, &name, &node)) == STORE_OK)
        if (node.number > *number)
            *number = node.number;
    ++*number;
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

enum store_outcome pep_node_put(struct store *store, struct span local, struct span name,
                                struct pep_node *node, struct arena *arena)
{
    struct pep_key key;
    const struct pep_config *config = &node->config;
    size_t mark = arena->used, len = HEAD_BYTES + config->groups.len + node->people.len;
    enum store_outcome outcome = key_of(&key, local, name) ? STORE_OK : STORE_FULL;
    if (outcome == STORE_OK && node->number == 0)
        outcome = number_new(store, local, &node->number);
    if (outcome != STORE_OK)
        return outcome;
    uint8_t *record = arena_take(arena, len);
    if (record == NULL)
        return STORE_FULL;
    record[0] = VERSION;
    record_number_put(record + NUMBER_AT, 4, node->number);
    record_number_put(record + ITEMS_AT, 4, node->items);
    record_number_put(record + BYTES_AT, 4, node->bytes);
    record_number_put(record + MOST_AT, 4, config->items_max);
    record[MODEL_AT] = config->model;
    record[LAST_AT] = config->send_last;
    record[FLAGS_AT] = config->flags;
    record_number_put(record + GROUPS_LEN_AT, 2, config->groups.len);
    if (config->groups.len > 0)
        memcpy(record + HEAD_BYTES, config->groups.bytes, config->groups.len);
    if (node->people.len > 0)
        memcpy(record + HEAD_BYTES + config->groups.len, node->people.bytes, node->people.len);
    outcome = store_put(store, TABLE_PEP_NODES, pep_key_span(&key),
                        span_of((const char *)record, len), false);
    arena_reset(arena, mark);
    return outcome;
}

/* Its items are to be reaped. */
static enum store_outcome gone_put(struct store *store, struct span local,
                                   const struct pep_node *node)
{
    static const char version[] = {VERSION};
    struct pep_key key;
    if (node->items == 0 || !pep_key_number(&key, local, node->number))
        return STORE_OK;
    return store_put(store, TABLE_PEP_GONE, pep_key_span(&key), span_of(version, sizeof version),
                     false);
}

enum store_outcome pep_node_delete(struct store *store, struct span local, struct span name,
                                   const struct pep_node *node)
{
    struct pep_key key;
    enum store_outcome outcome = gone_put(store, local, node);
    if (outcome == STORE_OK)
        outcome = key_of(&key, local, name)
                      ? store_delete(store, TABLE_PEP_NODES, pep_key_span(&key))
                      : STORE_NONE;
    return outcome;
}

enum store_outcome pep_node_purge(struct store *store, struct span local, struct span name,
                                  struct pep_node *node, struct arena *arena)
{
    enum store_outcome outcome = gone_put(store, local, node);
    if (outcome != STORE_OK || node->items == 0)
        return outcome;
    node->number = node->items = node->bytes = 0;
    return pep_node_put(store, local, name, node, arena);
}

/* --- walks --- */

void pep_walk_begin(struct pep_walk *walk, struct span local)
{
    struct pep_key key;
    *walk = (struct pep_walk){0};
    if (!pep_key_begin(&key, local))
        return;
    memcpy(walk->key, key.bytes, key.len);
    walk->len = (uint16_t)key.len;
    walk->local_len = (uint16_t)local.len;
}

enum store_outcome pep_node_next(struct store *store, struct pep_walk *walk, struct span *name,
                                 struct pep_node *node)
{
    struct span key, record, local = span_of(walk->key, walk->local_len);
    if (walk->len == 0)
        return STORE_NONE;
    enum store_outcome outcome =
        store_next(store, TABLE_PEP_NODES, span_of(walk->key, walk->len), &key, &record);
    if (outcome != STORE_OK)
        return outcome;
    if (key.len <= local.len + 1 || memcmp(key.bytes, walk->key, local.len + 1) != 0)
        return STORE_NONE;
    memcpy(walk->key, key.bytes, key.len);
    walk->len = (uint16_t)key.len;
    *name = span_of(walk->key + local.len + 1, key.len - local.len - 1);
    return node_read(local, record, node);
}

enum store_outcome pep_count(struct store *store, struct span local, struct pep_use *use)
{
    struct pep_walk walk;
    struct pep_node node;
    struct span name;
    enum store_outcome outcome;
    *use = (struct pep_use){0};
    pep_walk_begin(&walk, local);
    while ((outcome = pep_node_next(store, &walk, &name, &node)) == STORE_OK) {
        use->nodes++;
        use->bytes += node.bytes;
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}
