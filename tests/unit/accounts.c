/* accounts.c: account records: there and back, in order, damaged, of an older schema. */
#include "store/accounts.h"

#include "store_test.h"

#include <lmdb.h>

/* Every byte of it differs from its neighbours. */
static struct account sample(uint8_t first)
{
    struct account account = {.flags = ACCOUNT_ADMIN | (uint32_t)first << 24,
                              .made_us = UINT64_C(0x0102030405060708) + first,
                              .iterations = 0x0a0b0c0d};
    for (uint8_t i = 0; i < SCRAM_SALT_BYTES; i++)
        account.salt[i] = (uint8_t)(first + i);
    for (uint8_t i = 0; i < 32; i++) {
        account.sha256.stored_key[i] = (uint8_t)(first + 30 + i);
        account.sha256.server_key[i] = (uint8_t)(first + 70 + i);
    }
    for (uint8_t i = 0; i < 20; i++) {
        account.sha1.stored_key[i] = (uint8_t)(first + 110 + i);
        account.sha1.server_key[i] = (uint8_t)(first + 140 + i);
    }
    return account;
}

static bool same(const struct account *a, const struct account *b)
{
    return a->flags == b->flags && a->made_us == b->made_us && a->iterations == b->iterations &&
           memcmp(a->salt, b->salt, sizeof a->salt) == 0 &&
           memcmp(&a->sha1, &b->sha1, sizeof a->sha1) == 0 &&
           memcmp(&a->sha256, &b->sha256, sizeof a->sha256) == 0;
}

static void test_records(struct store *store)
{
    struct account first = sample(1), second = sample(50), out;
    struct span name;
    uint64_t count;

    CHECK(account_get(store, SPAN("juliet"), &out) == STORE_NONE);
    CHECK(account_put(store, SPAN("romeo"), &second, false) == STORE_OK);
    CHECK(account_put(store, SPAN("juliet"), &first, false) == STORE_OK);
    CHECK(account_put(store, SPAN("juliet"), &second, false) == STORE_EXISTS);
    CHECK(account_get(store, SPAN("juliet"), &out) == STORE_OK && same(&out, &first));
    CHECK(store_commit(store) == STORE_OK);
    CHECK(account_get(store, SPAN("romeo"), &out) == STORE_OK && same(&out, &second));
    CHECK(account_count(store, &count) == STORE_OK && count == 2);
    CHECK(account_next(store, SPAN_NONE, &name, &out) == STORE_OK);
    CHECK(span_is(name, "juliet") && same(&out, &first));
    CHECK(account_next(store, SPAN("juliet"), &name, &out) == STORE_OK && span_is(name, "romeo"));
    CHECK(account_next(store, SPAN("romeo"), &name, &out) == STORE_NONE);
    CHECK(account_put(store, SPAN("juliet"), &second, true) == STORE_OK);
    CHECK(account_get(store, SPAN("juliet"), &out) == STORE_OK && same(&out, &second));
    CHECK(account_delete(store, SPAN("juliet")) == STORE_OK);
    CHECK(account_delete(store, SPAN("juliet")) == STORE_NONE);
    CHECK(account_count(store, &count) == STORE_OK && count == 1);
    CHECK(store_commit(store) == STORE_OK);
}

static void test_names(struct store *store)
{
    static char letters[600];
    struct account account = sample(1), out;
    memset(letters, 'a', sizeof letters);
    CHECK(account_put(store, span_of(letters, 511), &account, false) == STORE_OK);
    CHECK(account_get(store, span_of(letters, 511), &out) == STORE_OK);
    CHECK(account_put(store, span_of(letters, 512), &account, false) == STORE_FULL);
    CHECK(account_get(store, span_of(letters, 512), &out) == STORE_NONE);
    CHECK(account_put(store, span_of(letters, 0), &account, false) == STORE_FULL);
    CHECK(account_get(store, span_of(letters, 0), &out) == STORE_NONE);
    CHECK(account_delete(store, span_of(letters, 512)) == STORE_NONE);
    CHECK(store_commit(store) == STORE_OK); /* none of these broke the transaction */
}

/* The layout is fixed: files outlive programs. And what does not fit it is not read. */
static void test_layout(struct store *store)
{
    struct account account = sample(1), out;
    struct span record, name;
    char bytes[200];

    CHECK(account_put(store, SPAN("x"), &account, true) == STORE_OK);
    CHECK(store_get(store, TABLE_ACCOUNTS, SPAN("x"), &record) == STORE_OK);
    CHECK(record.len == 137);
    CHECK(memcmp(record.bytes, "\x01\x01\0\0\x01\x09\x07\x06\x05\x04\x03\x02\x01\x0d\x0c\x0b\x0a",
                 17) == 0);
    memcpy(bytes, record.bytes, 137);
    for (size_t len = 0; len < sizeof bytes; len++) {
        if (len == 137)
            continue;
        CHECK(store_put(store, TABLE_ACCOUNTS, SPAN("x"), span_of(bytes, len), false) == STORE_OK);
        CHECK(account_get(store, SPAN("x"), &out) == STORE_FAILED);
        CHECK(account_next(store, SPAN_NONE, &name, &out) != STORE_NONE);
    }
    bytes[0] = 2;
    CHECK(store_put(store, TABLE_ACCOUNTS, SPAN("x"), span_of(bytes, 137), false) == STORE_OK);
    CHECK(account_get(store, SPAN("x"), &out) == STORE_FAILED);
    CHECK(store_commit(store) == STORE_OK); /* damage is no failure of the disk */
    CHECK(account_delete(store, SPAN("x")) == STORE_OK && store_commit(store) == STORE_OK);
}

/* Made by LMDB alone, as schema 0 was: no flags, version byte 0. */
static bool old_file_make(unsigned accounts, size_t last_bytes)
{
    char path[128], schema[8] = {0}, secret[32] = {7}, names[2][8] = {"schema", "secret"};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta, table;

    snprintf(path, sizeof path, "%s/kith.mdb", directory);
    bool made = mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 4) == 0 &&
                mdb_env_open(env, path, MDB_NOSUBDIR, 0600) == 0 &&
                mdb_txn_begin(env, NULL, 0, &txn) == 0 &&
                mdb_dbi_open(txn, "meta", MDB_CREATE, &meta) == 0 &&
                mdb_dbi_open(txn, "accounts", MDB_CREATE, &table) == 0 &&
                mdb_put(txn, meta, &(MDB_val){6, names[0]}, &(MDB_val){8, schema}, 0) == 0 &&
                mdb_put(txn, meta, &(MDB_val){6, names[1]}, &(MDB_val){32, secret}, 0) == 0;
    for (unsigned i = 0; i < accounts && made; i++) {
        char name[16], record[133] = {0, (char)i};
        int len = snprintf(name, sizeof name, "%06u", i);
        memset(record + 9, 0x55, sizeof record - 9);
        MDB_val value = {i + 1 < accounts ? sizeof record : last_bytes, record};
        made = mdb_put(txn, table, &(MDB_val){(size_t)len, name}, &value, 0) == 0;
    }
    made = made && mdb_txn_commit(txn) == 0;
    mdb_env_close(env);
    return made;
}

static void test_upgrade(void)
{
    const char *why;
    struct account account;
    struct store_use use;
    struct span name = SPAN_NONE;
    unsigned count = 0;

    files_remove();
    CHECK(old_file_make(3000, 133));
    CHECK(open_store(MAP_USUAL, true, &why) == NULL && strstr(why, "older kith") != NULL);
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    store_usage(store, &use);
    CHECK(use.schema == 2 && store_secret(store)[0] == 7);
    while (account_next(store, name, &name, &account) == STORE_OK) {
        CHECK(account.flags == 0 && account.made_us == (count & 0xff));
        CHECK(account.iterations == 0x55555555 && account.sha256.server_key[31] == 0x55);
        count++;
    }
    CHECK(count == 3000);
    store_close(store);
    store = open_store(MAP_USUAL, true, &why);
    CHECK(store != NULL);
    store_close(store);

    /* One record that cannot be understood: nothing is changed, and it is said. */
    files_remove();
    CHECK(old_file_make(10, 77));
    CHECK(open_store(MAP_USUAL, false, &why) == NULL && strstr(why, "it is unchanged") != NULL);
    CHECK(open_store(MAP_USUAL, true, &why) == NULL && strstr(why, "older kith") != NULL);
    files_remove();
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_records(store);
        test_names(store);
        test_layout(store);
        store_close(store);
    }
    test_upgrade();
    directory_remove();
    return test_end();
}
