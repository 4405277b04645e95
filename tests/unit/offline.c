/* offline.c: stored messages and lists of blocked addresses: there and back, in order, apart from
 * other accounts', over transactions, damaged. */
#include "store/offline.h"

#include "store_test.h"

#include <lmdb.h>

#include "store/blocklists.h"
#include "store/rosters.h"

static enum store_outcome put(struct store *store, const char *local, const char *from,
                              const char *text)
{
    struct build build;
    size_t mark = arena.used;
    build_init(&build, &arena, strlen(text) + OFFLINE_NOTE_BYTES(strlen(from)));
    build_str(&build, text);
    enum store_outcome outcome =
        offline_put(store, span_string(local), &build, span_string(from), 0);
    arena_reset(&arena, mark);
    return outcome;
}

/* The stanzas of an account, one behind the other. */
static const char *all(struct store *store, const char *local)
{
    static char text[4096];
    struct offline_message message = {0};
    size_t used = 0;
    while (offline_next(store, span_string(local), message.number, &message) == STORE_OK) {
        memcpy(text + used, message.stanza.bytes, message.stanza.len);
        used += message.stanza.len;
    }
    text[used] = 0;
    return text;
}

static bool queue_is(struct store *store, const char *local, uint64_t messages, uint64_t bytes)
{
    struct offline_queue queue;
    return offline_look(store, span_string(local), &queue) == STORE_OK &&
           queue.messages == messages && queue.bytes == bytes;
}

static void test_queue(struct store *store)
{
    struct offline_message message;
    CHECK(queue_is(store, "b", 0, 0));
    CHECK(offline_next(store, SPAN("b"), 0, &message) == STORE_NONE);
    CHECK(put(store, "b", "x@y/z", "<one/>") == STORE_OK);
    CHECK(put(store, "a", "", "<other/>") == STORE_OK);
    CHECK(put(store, "b\1", "", "<other/>") == STORE_OK);
    CHECK(put(store, "bb", "", "<other/>") == STORE_OK);
    CHECK(put(store, "b", "", "") == STORE_OK);
    CHECK(store_commit(store) == STORE_OK);
    CHECK(put(store, "b", "w@y", "<three/>") == STORE_OK);
    CHECK(strcmp(all(store, "b"), "<one/><three/>") == 0);
    CHECK(queue_is(store, "b", 3, 14));
    CHECK(offline_next(store, SPAN("b"), 0, &message) == STORE_OK && message.number == 1 &&
          span_is(message.from, "x@y/z") && span_is(message.stanza, "<one/>"));
    CHECK(offline_next(store, SPAN("b"), 2, &message) == STORE_OK && message.number == 3 &&
          span_is(message.from, "w@y"));
    CHECK(offline_next(store, SPAN("b"), 3, &message) == STORE_NONE);
    CHECK(queue_is(store, "a", 1, 8) && queue_is(store, "bb", 1, 8) &&
          queue_is(store, "b\1", 1, 8));

    CHECK(offline_drop(store, SPAN("b"), 2, 1) == STORE_OK);
    CHECK(queue_is(store, "b", 2, 8));
    CHECK(offline_drop(store, SPAN("b"), 2, 9) == STORE_NONE);
    CHECK(queue_is(store, "b", 1, 8));
    CHECK(put(store, "b", "", "<four/>") == STORE_OK);
    CHECK(queue_is(store, "b", 2, 15));
    CHECK(offline_drop(store, SPAN("b"), UINT64_MAX, 9) == STORE_NONE);
    CHECK(queue_is(store, "b", 0, 0));
    CHECK(queue_is(store, "a", 1, 8) && queue_is(store, "bb", 1, 8) &&
          queue_is(store, "b\1", 1, 8));
    /* From the beginning again. */
    CHECK(put(store, "b", "", "<five/>") == STORE_OK);
    CHECK(queue_is(store, "b", 1, 7));
    CHECK(store_commit(store) == STORE_OK);
}

/* More than one byte of a number counts in their order. */
static void test_many(struct store *store)
{
    char text[16];
    struct offline_message message = {0};
    unsigned n = 0;
    for (unsigned i = 1; i <= 600; i++) {
        snprintf(text, sizeof text, "<m%u/>", i);
        CHECK(put(store, "many", "", text) == STORE_OK);
        if (i % 50 == 0)
            CHECK(store_commit(store) == STORE_OK);
    }
    while (offline_next(store, SPAN("many"), message.number, &message) == STORE_OK) {
        snprintf(text, sizeof text, "<m%u/>", ++n);
        CHECK(message.number == n && span_is(message.stanza, text));
    }
    CHECK(n == 600);
    while (offline_drop(store, SPAN("many"), UINT64_MAX, 16) == STORE_OK)
        CHECK(store_commit(store) == STORE_OK);
    CHECK(queue_is(store, "many", 0, 0));
    CHECK(store_commit(store) == STORE_OK);
}

static bool jid_matches(struct store *store, const char *text)
{
    struct jid jid;
    size_t mark = arena.used;
    bool matches =
        jid_parse(span_string(text), &arena, &jid) && blocklist_match(store, SPAN("u"), &jid);
    arena_reset(&arena, mark);
    return matches;
}

static enum store_outcome block(struct store *store, const char *const *addresses)
{
    struct build build;
    build_init(&build, &arena, 4096);
    blocklist_begin(&build);
    for (; *addresses != NULL; addresses++)
        blocklist_add(&build, span_string(*addresses));
    return blocklist_put(store, SPAN("u"), &build);
}

static void test_blocks(struct store *store)
{
    struct span addresses, one;
    CHECK(!blocklist_exists(store, SPAN("u")));
    CHECK(block(store, (const char *const[]){NULL}) == STORE_OK);
    CHECK(!blocklist_exists(store, SPAN("u")));
    CHECK(block(store, (const char *const[]){"full@x/r", "bare@x", "whole.example", "half/r",
                                             NULL}) == STORE_OK);
    CHECK(store_commit(store) == STORE_OK);
    CHECK(blocklist_exists(store, SPAN("u")) && !blocklist_exists(store, SPAN("v")));
    CHECK(blocklist_get(store, SPAN("u"), &addresses) == STORE_OK);
    CHECK(blocklist_has(addresses, SPAN("bare@x")) && !blocklist_has(addresses, SPAN("bare@")));
    CHECK(blocklist_next(&addresses, &one) && span_is(one, "full@x/r"));
    CHECK(blocklist_next(&addresses, &one) && blocklist_next(&addresses, &one) &&
          blocklist_next(&addresses, &one) && span_is(one, "half/r"));
    CHECK(!blocklist_next(&addresses, &one));
    CHECK(jid_matches(store, "full@x/r") && !jid_matches(store, "full@x") &&
          !jid_matches(store, "full@x/s"));
    CHECK(jid_matches(store, "bare@x") && jid_matches(store, "bare@x/any") &&
          !jid_matches(store, "bar@x") && !jid_matches(store, "x"));
    CHECK(jid_matches(store, "whole.example") && jid_matches(store, "a@whole.example/b") &&
          !jid_matches(store, "sub.whole.example"));
    CHECK(jid_matches(store, "half/r") && !jid_matches(store, "half") &&
          !jid_matches(store, "a@half/r"));
    CHECK(blocklist_delete(store, SPAN("u")) == STORE_OK);
    CHECK(!jid_matches(store, "bare@x"));
    CHECK(store_commit(store) == STORE_OK);
}

/* An account that was deleted leaves nothing, in steps, and others keep theirs. */
static void test_leaving(struct store *store)
{
    unsigned steps = 0;
    for (unsigned i = 0; i < 40; i++)
        CHECK(put(store, "u", "", "<left/>") == STORE_OK);
    CHECK(put(store, "uu", "", "<kept/>") == STORE_OK);
    CHECK(block(store, (const char *const[]){"x@y", NULL}) == STORE_OK);
    CHECK(leaving_put(store, SPAN("u")) == STORE_OK);
    while (leaving_get(store, SPAN("u")) == STORE_OK && steps < 99) {
        CHECK(leaving_finish(store, SPAN("u")) == STORE_OK);
        CHECK(store_commit(store) == STORE_OK);
        steps++;
    }
    CHECK(steps > 1 && steps < 9);
    CHECK(queue_is(store, "u", 0, 0) && queue_is(store, "uu", 1, 7));
    CHECK(!blocklist_exists(store, SPAN("u")));
}

/* Writes a record as it must not be, past the store. */
static void damage(const char *table, const void *key, size_t key_len, const char *record,
                   size_t len)
{
    char path[128];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val name = {key_len, (void *)key}, value = {len, (void *)record};
    snprintf(path, sizeof path, "%s/kith.mdb", directory);
    CHECK(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, TABLE_COUNT) == 0 &&
          mdb_env_set_mapsize(env, 4 << 20) == 0 &&
          mdb_env_open(env, path, MDB_NOSUBDIR, 0600) == 0);
    CHECK(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, table, 0, &dbi) == 0 &&
          mdb_put(txn, dbi, &name, &value, 0) == 0 && mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
}

static void test_damaged(void)
{
    struct offline_message message;
    struct offline_queue queue;
    struct span addresses;
    damage("offline", "d\0\0\0\0\0\0\0\0\7", 10, "<x/>too long a sender\377\377\0\0\0\0\0\0\0\0\1",
           32);
    damage("blocks", "d", 1, "\1\377\0x", 4);
    const char *why;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(offline_next(store, SPAN("d"), 0, &message) == STORE_FAILED && message.number == 7);
    CHECK(offline_look(store, SPAN("d"), &queue) == STORE_FAILED);
    CHECK(offline_drop(store, SPAN("d"), 7, 2) == STORE_NONE);
    CHECK(queue_is(store, "d", 0, 0));
    CHECK(blocklist_get(store, SPAN("d"), &addresses) == STORE_FAILED && addresses.len == 0);
    CHECK(blocklist_exists(store, SPAN("d")));
    store_close(store);
}

int main(void)
{
    if (!directory_make())
        return 1;
    const char *why;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_queue(store);
        test_many(store);
        test_blocks(store);
        test_leaving(store);
        store_close(store);
        test_damaged();
    }
    directory_remove();
    return test_end();
}
