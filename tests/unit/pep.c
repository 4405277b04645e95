/* Tests of store/pep.c and pep_items.c: nodes and items, and what is left of those that are gone.
 */
#include "store/pep.h"

#include "store_test.h"

#define MANY 40

static char longest[20000];
static struct span romeo, other;

static void put(enum store_outcome outcome)
{
    CHECK(outcome == STORE_OK);
}

static void item_put(struct store *store, struct span local, const char *name, const char *id,
                     struct span payload)
{
    struct pep_node node;
    struct pep_item item = {.time_us = 77, .id = span_string(id), .payload = payload};
    size_t mark = arena.used;
    enum store_outcome outcome = pep_node_get(store, local, span_string(name), &arena, &node);
    CHECK(outcome == STORE_OK || outcome == STORE_NONE);
    if (outcome == STORE_NONE)
        node = (struct pep_node){.config = {.flags = PEP_PERSIST, .items_max = 9}};
    put(pep_item_put(store, local, span_string(name), &node, &item, &arena));
    arena_reset(&arena, mark);
}

/* The items of a node, as their ids one behind the other. */
static bool holds(struct store *store, struct span local, const char *name, const char *ids)
{
    struct pep_node node;
    struct pep_item item = {.sequence = 0};
    uint32_t items = 0, bytes = 0;
    if (pep_node_get(store, local, span_string(name), NULL, &node) != STORE_OK)
        return ids == NULL;
    while (pep_item_next(store, local, &node, item.sequence, &item) == STORE_OK) {
        if (ids == NULL || item.time_us != 77 || strncmp(ids, item.id.bytes, item.id.len) != 0)
            return false;
        ids += item.id.len;
        items++;
        bytes += pep_item_bytes(&item);
    }
    return ids != NULL && *ids == '\0' && node.items == items && node.bytes == bytes;
}

static void test_items(struct store *store)
{
    struct pep_node node;
    struct pep_item item;
    struct span text = span_of(longest, sizeof longest);
    item_put(store, romeo, "a", "1", SPAN("<one/>"));
    item_put(store, romeo, "a", "2", text);
    item_put(store, romeo, "ab", "x", SPAN("<x/>"));
    item_put(store, other, "a", "y", SPAN("<y/>"));
    CHECK(holds(store, romeo, "a", "12") && holds(store, romeo, "ab", "x"));
    CHECK(holds(store, other, "a", "y") && holds(store, romeo, "b", NULL));
    item_put(store, romeo, "a", "1", SPAN("<once more/>"));
    CHECK(holds(store, romeo, "a", "21"));
    put(pep_node_get(store, romeo, SPAN("a"), &arena, &node));
    put(pep_item_last(store, romeo, &node, &item));
    CHECK(span_is(item.id, "1") && span_is(item.payload, "<once more/>"));
    put(pep_item_find(store, romeo, &node, SPAN("2"), &item));
    CHECK(span_equal(item.payload, text));
    CHECK(pep_item_find(store, romeo, &node, SPAN("3"), &item) == STORE_NONE);
    put(pep_item_find(store, romeo, &node, SPAN("2"), &item));
    put(pep_item_delete(store, romeo, SPAN("a"), &node, &item, &arena));
    CHECK(holds(store, romeo, "a", "1"));
}

static void test_node(struct store *store)
{
    char people[64];
    struct pep_person person = {PEP_MEMBER, PEP_PENDING, SPAN("nurse@example.com")};
    struct pep_node node, got;
    struct span left;
    put(pep_node_get(store, romeo, SPAN("a"), &arena, &node));
    size_t len = pep_person_add(people, &person);
    person = (struct pep_person){PEP_OUTCAST, PEP_NOT_SUBSCRIBED, SPAN("j@example.com")};
    len += pep_person_add(people + len, &person);
    node.config = (struct pep_config){PEP_ROSTER, PEP_LAST_NEVER, PEP_PAYLOADS, PEP_ITEMS_UNLIMITED,
                                      SPAN("\x01\0G")};
    node.people = span_of(people, len);
    put(pep_node_put(store, romeo, SPAN("a"), &node, &arena));
    put(pep_node_get(store, romeo, SPAN("a"), NULL, &got));
    CHECK(got.config.model == PEP_ROSTER && got.config.send_last == PEP_LAST_NEVER &&
          got.config.flags == PEP_PAYLOADS && got.config.items_max == PEP_ITEMS_UNLIMITED &&
          span_equal(got.config.groups, node.config.groups) && got.number == node.number);
    left = got.people;
    CHECK(pep_person_next(&left, &person) && span_is(person.jid, "nurse@example.com") &&
          person.affiliation == PEP_MEMBER && person.subscription == PEP_PENDING);
    CHECK(pep_person_next(&left, &person) && person.affiliation == PEP_OUTCAST);
    CHECK(!pep_person_next(&left, &person));
    CHECK(pep_person_find(got.people, SPAN("j@example.com")).affiliation == PEP_OUTCAST);
    CHECK(pep_person_find(got.people, SPAN("@example.com")).affiliation == PEP_NOBODY);
    CHECK(holds(store, romeo, "a", "1"));
    CHECK(pep_node_get(store, romeo, span_of(longest, PEP_NAME_BYTES_MAX + 1), NULL, &got) ==
          STORE_NONE);
    CHECK(pep_node_get(store, span_of(longest, 500), SPAN("a"), NULL, &got) == STORE_NONE);
}

static unsigned reap(struct store *store)
{
    unsigned steps = 0;
    while (pep_reap(store, 16) == STORE_OK)
        steps++;
    return steps;
}

static uint64_t items_left(struct store *store)
{
    uint64_t count;
    put(store_count(store, TABLE_PEP_ITEMS, &count));
    return count;
}

/* What is gone is not seen, also by a node of the same name, and goes in steps. */
static void test_gone(struct store *store)
{
    struct pep_node node;
    struct pep_use use;
    char id[8];
    CHECK(reap(store) == 0);
    uint64_t before = items_left(store);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "%u", i);
        item_put(store, romeo, "many", id, SPAN("<m/>"));
    }
    put(pep_node_get(store, romeo, SPAN("many"), &arena, &node));
    CHECK(node.items == MANY);
    put(pep_node_purge(store, romeo, SPAN("many"), &node, &arena));
    CHECK(holds(store, romeo, "many", ""));
    item_put(store, romeo, "many", "new", SPAN("<n/>"));
    put(pep_node_get(store, romeo, SPAN("many"), &arena, &node));
    put(pep_node_delete(store, romeo, SPAN("many"), &node));
    CHECK(holds(store, romeo, "many", NULL));
    item_put(store, romeo, "many", "newer", SPAN("<o/>"));
    CHECK(holds(store, romeo, "many", "newer") && items_left(store) == before + MANY + 2);
    CHECK(reap(store) >= MANY / 16);
    CHECK(holds(store, romeo, "many", "newer") && items_left(store) == before + 1);
    put(pep_count(store, romeo, &use));
    CHECK(use.nodes == 3);
    item_put(store, romeo, "more", "p", SPAN("<p/>"));
    CHECK(holds(store, romeo, "more", "p") && holds(store, romeo, "ab", "x"));
}

static void test_forget(struct store *store)
{
    struct pep_use use;
    CHECK(pep_forget(store, romeo, 2) == STORE_OK);
    CHECK(pep_forget(store, romeo, 99) == STORE_NONE);
    put(pep_count(store, romeo, &use));
    CHECK(use.nodes == 0 && holds(store, other, "a", "y") && items_left(store) == 1);
    CHECK(pep_forget(store, SPAN("rome"), 99) == STORE_NONE && items_left(store) == 1);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    memset(longest, 'x', sizeof longest);
    romeo = SPAN("romeo");
    other = SPAN("romeo2");
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_items(store);
        test_node(store);
        test_gone(store);
        test_forget(store);
        put(store_commit(store));
        store_close(store);
    }
    directory_remove();
    return test_end();
}
