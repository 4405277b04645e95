/* logins.c: tokens of clients: the key outside of the database, what is made of it, records kept,
 * changed, too many, forgotten, expired, damaged. */
#include "store/logins.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store_test.h"

static const uint8_t phone[LOGIN_AGENT_BYTES] = {1}, laptop[LOGIN_AGENT_BYTES] = {2};

static struct login_client client(const char *local, const uint8_t *agent)
{
    return (struct login_client){span_string(local), agent};
}

static bool has(struct store *store, const char *local, const uint8_t *agent)
{
    struct login_client whose = client(local, agent);
    struct login_tokens found;
    return login_get(store, &whose, &found) == STORE_OK;
}

static enum store_outcome put(struct store *store, const char *local, const uint8_t *agent,
                              uint64_t expires_us)
{
    struct login_client whose = client(local, agent);
    struct login_tokens tokens = {.fresh = {.mechanism = 1, .expires_us = expires_us}};
    return login_put(store, &whose, &tokens);
}

static void test_key(void)
{
    uint8_t key[LOGIN_KEY_BYTES] = {0}, again[LOGIN_KEY_BYTES] = {0}, other[LOGIN_KEY_BYTES];
    char path[128];
    struct stat status;
    const char *why = NULL;
    snprintf(path, sizeof path, "%s/token-key", directory);
    CHECK(login_key(directory, key, &arena, &why));
    CHECK(login_key(directory, again, &arena, &why) && memcmp(key, again, sizeof key) == 0);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600);
    CHECK(status.st_size == LOGIN_KEY_BYTES);
    CHECK(truncate(path, LOGIN_KEY_BYTES - 1) == 0);
    CHECK(!login_key(directory, again, &arena, &why) && strstr(why, path) != NULL);
    CHECK(unlink(path) == 0);
    CHECK(login_key(directory, other, &arena, &why) && memcmp(key, other, sizeof key) != 0);
    CHECK(unlink(path) == 0);
    CHECK(!login_key("/nowhere", again, &arena, &why));
}

/* Whatever a token is made of makes it another one. */
static void test_token(void)
{
    static uint8_t key[LOGIN_KEY_BYTES], nonce[LOGIN_NONCE_BYTES];
    uint8_t one[LOGIN_TOKEN_BYTES], two[LOGIN_TOKEN_BYTES];
    struct login_client romeo = client("romeo", phone), rome = client("rome", phone);
    struct login_client other = client("romeo", laptop);
    login_token_of(key, &romeo, nonce, one);
    login_token_of(key, &romeo, nonce, two);
    CHECK(memcmp(one, two, sizeof one) == 0);
    login_token_of(key, &rome, nonce, two);
    CHECK(memcmp(one, two, sizeof one) != 0);
    login_token_of(key, &other, nonce, two);
    CHECK(memcmp(one, two, sizeof one) != 0);
    nonce[15] = 1;
    login_token_of(key, &romeo, nonce, two);
    CHECK(memcmp(one, two, sizeof one) != 0);
    nonce[15] = 0;
    key[31] = 1;
    login_token_of(key, &romeo, nonce, two);
    CHECK(memcmp(one, two, sizeof one) != 0);
}

static void test_records(struct store *store)
{
    struct login_client romeo = client("romeo", phone);
    struct login_tokens found, tokens = {
                                   .fresh = {2, UINT64_C(1) << 50, UINT32_C(1) << 30, {7}},
                                   .current = {3, 5, 6, {[15] = 8}},
                               };
    CHECK(login_get(store, &romeo, &found) == STORE_NONE);
    CHECK(login_put(store, &romeo, &tokens) == STORE_OK);
    CHECK(login_get(store, &romeo, &found) == STORE_OK);
    CHECK(found.fresh.mechanism == 2 && found.fresh.expires_us == UINT64_C(1) << 50);
    CHECK(found.fresh.count == UINT32_C(1) << 30 && found.fresh.nonce[0] == 7);
    CHECK(found.current.mechanism == 3 && found.current.expires_us == 5);
    CHECK(found.current.count == 6 && found.current.nonce[15] == 8);
    CHECK(!has(store, "romeo", laptop) && !has(store, "rome", phone));
    CHECK(login_delete(store, &romeo) == STORE_OK && login_delete(store, &romeo) == STORE_NONE);
    CHECK(put(store, "", phone, 1) == STORE_FULL && !has(store, "", phone));
}

static void test_forget(struct store *store)
{
    CHECK(put(store, "romeo", phone, 9) == STORE_OK && put(store, "romeo", laptop, 9) == STORE_OK);
    CHECK(put(store, "rome", phone, 9) == STORE_OK && put(store, "romeo2", phone, 9) == STORE_OK);
    CHECK(login_forget(store, SPAN("romeo")) == STORE_OK);
    CHECK(!has(store, "romeo", phone) && !has(store, "romeo", laptop));
    CHECK(has(store, "rome", phone) && has(store, "romeo2", phone));
    CHECK(login_forget(store, SPAN("romeo")) == STORE_OK);
    CHECK(put(store, "rome", laptop, 10) == STORE_OK);
    CHECK(login_sweep(store, 8, 9) == STORE_NONE && has(store, "rome", phone));
    CHECK(login_sweep(store, 9, 1) == STORE_OK && login_sweep(store, 9, 9) == STORE_NONE);
    CHECK(!has(store, "rome", phone) && !has(store, "romeo2", phone) && has(store, "rome", laptop));
    CHECK(login_forget(store, SPAN("rome")) == STORE_OK);
}

/* The one that ends first makes room; others' do not count. */
static void test_limit(struct store *store)
{
    uint8_t agent[LOGIN_AGENT_BYTES] = {0};
    CHECK(put(store, "juliet", phone, 1) == STORE_OK);
    for (uint8_t i = 0; i < LOGINS_MAX; i++) {
        agent[0] = i;
        CHECK(put(store, "romeo", agent, i == 4 ? 1 : 100) == STORE_OK);
    }
    agent[0] = 0;
    CHECK(put(store, "romeo", agent, 200) == STORE_OK); /* not one more */
    agent[0] = 4;
    CHECK(has(store, "romeo", agent));
    agent[0] = 99;
    CHECK(put(store, "romeo", agent, 100) == STORE_OK && has(store, "romeo", agent));
    agent[0] = 4;
    CHECK(!has(store, "romeo", agent));
    for (uint8_t i = 0; i < LOGINS_MAX; i++) {
        agent[0] = i;
        CHECK(has(store, "romeo", agent) == (i != 4));
    }
    CHECK(has(store, "juliet", phone));
    CHECK(login_forget(store, SPAN("romeo")) == STORE_OK);
    CHECK(login_forget(store, SPAN("juliet")) == STORE_OK);
}

static void test_damaged(struct store *store)
{
    static const char key[] = "romeo\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct span at = span_of(key, 6 + LOGIN_AGENT_BYTES);
    struct login_client romeo = client("romeo", phone);
    struct login_tokens found;
    CHECK(put(store, "romeo", phone, 100) == STORE_OK);
    CHECK(store_put(store, TABLE_LOGINS, at, SPAN("\1damaged"), false) == STORE_OK);
    CHECK(login_get(store, &romeo, &found) == STORE_FAILED && found.fresh.mechanism == 0);
    CHECK(login_sweep(store, 1, 9) == STORE_NONE);
    CHECK(login_get(store, &romeo, &found) == STORE_NONE);
}

int main(void)
{
    const char *why = "";
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_key();
        test_token();
        test_records(store);
        test_forget(store);
        test_limit(store);
        test_damaged(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
