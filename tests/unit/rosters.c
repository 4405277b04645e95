/* rosters.c: items, versions, tombstones, requests: there and back, counted, damaged. */
#include "store/rosters.h"

#include "store_test.h"

static struct span text(const char *string)
{
    return span_string(string);
}

static bool put(struct store *store, const char *local, const char *contact,
                struct roster_item *item)
{
    return roster_put(store, text(local), text(contact), item) == STORE_OK;
}

static struct roster_head head_of(struct store *store, const char *local)
{
    struct roster_head head;
    CHECK(roster_head(store, text(local), &head) == STORE_OK);
    return head;
}

/* The contacts of an account in order, removed ones in parentheses. */
static const char *listed(struct store *store, const char *local)
{
    static char line[4096];
    struct roster_walk walk;
    struct roster_item item;
    struct span contact;
    size_t used = 0;
    line[0] = 0;
    roster_walk_begin(&walk, text(local));
    while (roster_next(store, &walk, &contact, &item) == STORE_OK)
        used +=
            (size_t)snprintf(line + used, sizeof line - used, item.removed ? "(%.*s) " : "%.*s ",
                             (int)contact.len, contact.bytes);
    return line;
}

static void test_items(struct store *store)
{
    char groups[64];
    struct roster_item item = {.state = ROSTER_TO, .approved = true, .name = text("A & B")};
    struct roster_item got;
    struct span group;
    size_t len = roster_group_add(groups, text("one"));
    len += roster_group_add(groups + len, text("\xc3\xa9"));
    item.groups = span_of(groups, len);

    CHECK(head_of(store, "ann").version == 0);
    CHECK(roster_get(store, text("ann"), text("ben@b"), &got) == STORE_NONE);
    CHECK(put(store, "ann", "ben@b", &item));
    CHECK(item.version == head_of(store, "ann").version);
    CHECK(roster_get(store, text("ann"), text("ben@b"), &got) == STORE_OK);
    CHECK(got.state == ROSTER_TO && got.approved && !got.removed && got.version == item.version);
    CHECK(span_is(got.name, "A & B"));
    CHECK(roster_group_next(&got.groups, &group) && span_is(group, "one"));
    CHECK(roster_group_next(&got.groups, &group) && span_is(group, "\xc3\xa9"));
    CHECK(!roster_group_next(&got.groups, &group));

    /* Put back what was got: it is borrowed from the record that it replaces. */
    CHECK(roster_get(store, text("ann"), text("ben@b"), &got) == STORE_OK);
    got.state |= ROSTER_FROM;
    CHECK(roster_put(store, text("ann"), text("ben@b"), &got) == STORE_OK);
    CHECK(got.version == item.version + 1);
    CHECK(roster_get(store, text("ann"), text("ben@b"), &got) == STORE_OK);
    CHECK(got.state == (ROSTER_TO | ROSTER_FROM) && span_is(got.name, "A & B"));
    CHECK(head_of(store, "ann").items == 1);
    CHECK(head_of(store, "ann").bytes == roster_weight(text("ben@b"), &got));
    CHECK(store_commit(store) == STORE_OK);
}

/* An account's records lie between those of its neighbours, whatever their names. */
static void test_neighbours(struct store *store)
{
    struct roster_item item = {.state = 0};
    CHECK(put(store, "kim", "z@z", &item) && put(store, "kim", "a@a", &item));
    CHECK(put(store, "kim2", "b@b", &item) && put(store, "ki", "c@c", &item));
    CHECK(put(store, "kim\x01", "d@d", &item));
    CHECK(strcmp(listed(store, "kim"), "a@a z@z ") == 0);
    CHECK(strcmp(listed(store, "ki"), "c@c ") == 0);
    CHECK(strcmp(listed(store, "kim2"), "b@b ") == 0);
    CHECK(strcmp(listed(store, "k"), "") == 0);
    CHECK(store_commit(store) == STORE_OK);
    CHECK(strcmp(listed(store, "kim"), "a@a z@z ") == 0);
    store_tick_end(store);
}

static void test_removal(struct store *store)
{
    struct roster_item item = {.state = 0};
    uint64_t first, version;
    char contact[32];
    CHECK(roster_remove(store, text("lea"), text("a@a"), &version) == STORE_NONE);
    CHECK(put(store, "lea", "a@a", &item) && put(store, "lea", "b@b", &item));
    CHECK(roster_remove(store, text("lea"), text("a@a"), &first) == STORE_OK);
    CHECK(first == item.version + 1);
    CHECK(roster_get(store, text("lea"), text("a@a"), &item) == STORE_NONE);
    CHECK(roster_remove(store, text("lea"), text("a@a"), &version) == STORE_NONE);
    CHECK(strcmp(listed(store, "lea"), "(a@a) b@b ") == 0);
    CHECK(head_of(store, "lea").items == 1 && head_of(store, "lea").tombstones == 1);
    item = (struct roster_item){.state = 0};
    CHECK(put(store, "lea", "a@a", &item)); /* takes the place of its tombstone */
    CHECK(head_of(store, "lea").items == 2 && head_of(store, "lea").tombstones == 0);
    CHECK(head_of(store, "lea").horizon == 0);

    for (int i = 0; i < ROSTER_TOMBSTONES_MAX + 2; i++) {
        snprintf(contact, sizeof contact, "c%d@c", i);
        CHECK(put(store, "lea", contact, &item));
        CHECK(roster_remove(store, text("lea"), text(contact), &version) == STORE_OK);
        first = i == 1 ? version : first;
    }
    /* Of the first two removals nothing is known any more. */
    CHECK(head_of(store, "lea").tombstones == ROSTER_TOMBSTONES_MAX);
    CHECK(head_of(store, "lea").horizon == first);
    CHECK(strstr(listed(store, "lea"), "(c0@c)") == NULL);
    CHECK(strstr(listed(store, "lea"), "(c1@c)") == NULL);
    CHECK(strstr(listed(store, "lea"), "(c2@c)") != NULL);
    CHECK(store_commit(store) == STORE_OK);
}

/* Without what it knew, a new account does not begin where an old one was. */
static void test_seed(struct store *store)
{
    struct roster_item item = {.state = 0};
    unsigned equal = 0;
    uint64_t before = 0;
    char name[16];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "new%d", i);
        CHECK(put(store, name, "a@a", &item));
        equal += item.version == before;
        before = item.version;
    }
    CHECK(equal == 0);
    CHECK(store_commit(store) == STORE_OK);
}

static void test_requests(struct store *store)
{
    struct span stanza, contact;
    struct roster_walk walk;
    CHECK(request_get(store, text("mia"), text("a@a"), &stanza) == STORE_NONE);
    CHECK(request_delete(store, text("mia"), text("a@a")) == STORE_NONE);
    CHECK(request_put(store, text("mia"), text("a@a"), text("<one/>")) == STORE_OK);
    CHECK(request_put(store, text("mia"), text("b@b"), text("<two/>")) == STORE_OK);
    CHECK(request_put(store, text("mia"), text("a@a"), text("<three/>")) == STORE_OK);
    CHECK(head_of(store, "mia").requests == 2 && head_of(store, "mia").version == 0);
    CHECK(request_get(store, text("mia"), text("a@a"), &stanza) == STORE_OK);
    CHECK(span_is(stanza, "<three/>"));
    CHECK(strcmp(listed(store, "mia"), "") == 0);
    roster_walk_begin(&walk, text("mia"));
    CHECK(request_next(store, &walk, &contact, &stanza) == STORE_OK && span_is(contact, "a@a"));
    CHECK(request_next(store, &walk, &contact, &stanza) == STORE_OK && span_is(stanza, "<two/>"));
    CHECK(request_next(store, &walk, &contact, &stanza) == STORE_NONE);
    CHECK(request_delete(store, text("mia"), text("a@a")) == STORE_OK);
    CHECK(head_of(store, "mia").requests == 1);
    CHECK(store_commit(store) == STORE_OK);
}

static void test_leaving(struct store *store)
{
    struct span name;
    CHECK(leaving_first(store, &name) == STORE_NONE);
    CHECK(leaving_put(store, text("mia")) == STORE_OK);
    CHECK(leaving_get(store, text("mia")) == STORE_OK);
    CHECK(leaving_get(store, text("lea")) == STORE_NONE);
    CHECK(leaving_first(store, &name) == STORE_OK && span_is(name, "mia"));
    CHECK(roster_forget(store, text("mia"), text("b@b")) == STORE_OK);
    CHECK(leaving_finish(store, text("mia")) == STORE_OK);
    CHECK(leaving_first(store, &name) == STORE_NONE);
    CHECK(head_of(store, "mia").requests == 0);
    CHECK(store_commit(store) == STORE_OK);
}

static void test_limits(struct store *store)
{
    static char bytes[ROSTER_ITEM_BYTES_MAX], contact[ROSTER_CONTACT_BYTES_MAX + 1], local[128];
    struct roster_item item = {.name = span_of(bytes, sizeof bytes)}, got;
    memset(bytes, '&', sizeof bytes);
    memset(contact, 'c', sizeof contact);
    memset(local, 'l', sizeof local);
    struct span longest = span_of(contact, ROSTER_CONTACT_BYTES_MAX), name = span_of(local, 127);
    CHECK(roster_put(store, name, longest, &item) == STORE_OK);
    CHECK(roster_get(store, name, longest, &got) == STORE_OK && span_equal(got.name, item.name));
    CHECK(roster_weight(longest, &got) >= 5 * sizeof bytes + longest.len);
    longest.len++;
    CHECK(roster_put(store, name, longest, &item) == STORE_FULL);
    CHECK(roster_get(store, name, longest, &got) == STORE_NONE);
    CHECK(store_commit(store) == STORE_OK);
}

/* What the disk garbled is refused, and nobody reads beyond it. */
static void test_damage(struct store *store)
{
    static const char key[] = "dan\0a@a", head[] = "dan";
    struct span name = span_of(key, sizeof key - 1);
    struct roster_item item = {.name = text("Ann")}, got;
    struct roster_head heads;
    struct span record;
    char bytes[64];
    char groups[16];
    item.groups = span_of(groups, roster_group_add(groups, text("g")));
    CHECK(put(store, "dan", "a@a", &item));
    CHECK(store_get(store, TABLE_ROSTERS, name, &record) == STORE_OK);
    size_t len = record.len;
    memcpy(bytes, record.bytes, len);
    for (size_t cut = 0; cut < len; cut++) {
        CHECK(store_put(store, TABLE_ROSTERS, name, span_of(bytes, cut), false) == STORE_OK);
        enum store_outcome outcome = roster_get(store, text("dan"), text("a@a"), &got);
        CHECK(cut == 15 ? outcome == STORE_OK : outcome == STORE_FAILED); /* 15: without groups */
    }
    bytes[0] ^= 1;
    CHECK(store_put(store, TABLE_ROSTERS, name, span_of(bytes, len), false) == STORE_OK);
    CHECK(roster_get(store, text("dan"), text("a@a"), &got) == STORE_FAILED);
    CHECK(store_put(store, TABLE_ROSTERS, span_of(head, 4), text("?"), false) == STORE_OK);
    CHECK(roster_head(store, text("dan"), &heads) == STORE_FAILED);
    store_abort(store);
}

int main(void)
{
    if (!directory_make())
        return 1;
    const char *why;
    struct store *store = open_store(MAP_USUAL, false, &why);
    if (store == NULL) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    test_items(store);
    test_neighbours(store);
    test_removal(store);
    test_seed(store);
    test_requests(store);
    test_leaving(store);
    test_limits(store);
    test_damage(store);
    store_close(store);
    directory_remove();
    return test_end();
}
