/* pending.c: pending registrations: there and back, how large, found, counted, ended, damaged. */
#include "store/pending.h"

#include "store_test.h"

#define HOUR UINT64_C(3600000000)

static void bytes_fill(void *bytes, size_t len, unsigned first)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(first + i);
}

static struct pending sample(const char *local, unsigned n)
{
    struct pending pending = {.local = span_string(local),
                              .flags = PENDING_NAME_GIVEN | PENDING_INVITED,
                              .stage = 3,
                              .channel = PENDING_EMAIL,
                              .tries_left = 5,
                              .sends_left = 4,
                              .made_us = UINT64_C(0x0102030405060708),
                              .expires_us = HOUR,
                              .code_sent_us = UINT64_C(0x1112131415161718),
                              .code_expires_us = UINT64_C(0x2122232425262728),
                              .iterations = 10000,
                              .email = SPAN("juliet@capulett.example"),
                              .phone = SPAN("+4930123456"),
                              .reason = SPAN("It is I, Juliet, from the balcony.")};
    bytes_fill(pending.salt, sizeof pending.salt, n);
    bytes_fill(pending.sha1.stored_key, 20, n + 1);
    bytes_fill(pending.sha1.server_key, 20, n + 2);
    bytes_fill(pending.sha256.stored_key, 32, n + 3);
    bytes_fill(pending.sha256.server_key, 32, n + 4);
    bytes_fill(pending.handle_hash, sizeof pending.handle_hash, n + 5);
    bytes_fill(pending.code_hash, sizeof pending.code_hash, n + 6);
    bytes_fill(pending.invite_hash, sizeof pending.invite_hash, n + 7);
    bytes_fill(pending.address, sizeof pending.address, n + 8);
    return pending;
}

static bool same(const struct pending *a, const struct pending *b)
{
    return span_equal(a->local, b->local) && a->flags == b->flags && a->stage == b->stage &&
           a->channel == b->channel && a->tries_left == b->tries_left &&
           a->sends_left == b->sends_left && a->made_us == b->made_us &&
           a->expires_us == b->expires_us && a->code_sent_us == b->code_sent_us &&
           a->code_expires_us == b->code_expires_us && a->iterations == b->iterations &&
           memcmp(a->salt, b->salt, sizeof a->salt) == 0 &&
           memcmp(&a->sha1, &b->sha1, sizeof a->sha1) == 0 &&
           memcmp(&a->sha256, &b->sha256, sizeof a->sha256) == 0 &&
           memcmp(a->handle_hash, b->handle_hash, PENDING_HASH_BYTES) == 0 &&
           memcmp(a->code_hash, b->code_hash, PENDING_HASH_BYTES) == 0 &&
           memcmp(a->invite_hash, b->invite_hash, PENDING_HASH_BYTES) == 0 &&
           memcmp(a->address, b->address, PENDING_ADDRESS_BYTES) == 0 &&
           span_equal(a->email, b->email) && span_equal(a->phone, b->phone) &&
           span_equal(a->reason, b->reason);
}

static size_t stored_bytes(struct store *store, struct span local)
{
    struct span record;
    CHECK(store_get(store, TABLE_PENDING, local, &record) == STORE_OK);
    return local.len + record.len;
}

static void test_records(struct store *store)
{
    static char letters[PENDING_ID_BYTES_MAX];
    struct pending pending = sample("juliet", 1), got;
    CHECK(pending_get(store, SPAN("juliet"), &got) == STORE_NONE);
    CHECK(pending_put(store, &pending) == STORE_OK && store_commit(store) == STORE_OK);
    CHECK(pending_get(store, SPAN("juliet"), &got) == STORE_OK && same(&got, &pending));
    size_t usual = stored_bytes(store, SPAN("juliet"));
    /* What is read can be put, with a name that the store holds. */
    CHECK(pending_next(store, SPAN_NONE, &got) == STORE_OK && same(&got, &pending));
    got.tries_left = pending.tries_left = 4;
    CHECK(pending_put(store, &got) == STORE_OK);
    CHECK(pending_get(store, SPAN("juliet"), &got) == STORE_OK && same(&got, &pending));
    memset(letters, 'x', sizeof letters);
    pending = sample("juliet", 2);
    pending.local = span_of(letters, PENDING_LOCAL_BYTES_MAX);
    pending.email = span_of(letters, PENDING_ID_BYTES_MAX);
    pending.phone = span_of(letters, PENDING_PHONE_BYTES_MAX);
    pending.reason = span_of(letters, PENDING_REASON_BYTES_MAX);
    CHECK(pending_put(store, &pending) == STORE_OK);
    CHECK(pending_get(store, pending.local, &got) == STORE_OK && same(&got, &pending));
    size_t most = stored_bytes(store, pending.local);
    printf("a pending registration with its key: %zu bytes, %zu at most\n", usual, most);
    CHECK(usual < most && most <= PENDING_BYTES_MAX);
    CHECK(pending_delete(store, pending.local) == STORE_OK);
    pending.reason.len++;
    CHECK(pending_put(store, &pending) == STORE_FULL);
    pending.reason.len--;
    pending.phone.len++;
    CHECK(pending_put(store, &pending) == STORE_FULL);
    pending.phone.len--;
    pending.local.len++;
    CHECK(pending_put(store, &pending) == STORE_FULL);
    CHECK(pending_get(store, pending.local, &got) == STORE_NONE);
    CHECK(pending_delete(store, pending.local) == STORE_NONE);
    pending = sample("", 1);
    CHECK(pending_put(store, &pending) == STORE_FULL);
    CHECK(pending_delete(store, SPAN("juliet")) == STORE_OK);
    CHECK(pending_delete(store, SPAN("juliet")) == STORE_NONE);
}

static void test_handles(struct store *store)
{
    struct pending first = sample("anna", 1), second = sample("berta", 2), got;
    uint8_t handle[PENDING_HASH_BYTES];
    CHECK(pending_put(store, &first) == STORE_OK && pending_put(store, &second) == STORE_OK);
    memcpy(handle, second.handle_hash, sizeof handle);
    CHECK(pending_by_handle(store, handle, &got) == STORE_OK && same(&got, &second));
    /* The name lasts, too. */
    got.stage = second.stage = 9;
    CHECK(pending_put(store, &got) == STORE_OK);
    CHECK(pending_by_handle(store, handle, &got) == STORE_OK && same(&got, &second));
    handle[PENDING_HASH_BYTES - 1] ^= 1;
    CHECK(pending_by_handle(store, handle, &got) == STORE_NONE);
    CHECK(pending_sweep(store, HOUR, 9) == STORE_NONE);
}

/* One of each network address, all of which expire in an hour. */
static void addresses_put(struct store *store, const char *const *names, const uint8_t (*at)[16],
                          unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct pending pending = sample(names[i], i);
        memcpy(pending.address, at[i], sizeof pending.address);
        CHECK(pending_put(store, &pending) == STORE_OK);
    }
}

static void test_addresses(struct store *store)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    static const uint8_t at[][16] = {
        {[10] = 0xff, [11] = 0xff, [12] = 192, [15] = 1},
        {[10] = 0xff, [11] = 0xff, [12] = 192, [15] = 2},
        {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, [15] = 1},
        {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, [8] = 9},
        {0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, [15] = 1},
    };
    unsigned count;
    addresses_put(store, names, at, 5);
    CHECK(pending_count_of(store, at[0], 0, &count) == STORE_OK && count == 1);
    CHECK(pending_count_of(store, at[2], 0, &count) == STORE_OK && count == 2);
    CHECK(pending_count_of(store, at[4], 0, &count) == STORE_OK && count == 1);
    CHECK(pending_count_of(store, at[2], HOUR, &count) == STORE_OK && count == 0);
    CHECK(pending_sweep(store, HOUR - 1, 9) == STORE_NONE);
    CHECK(pending_count_of(store, at[1], 0, &count) == STORE_OK && count == 1);
    CHECK(pending_sweep(store, HOUR, 3) == STORE_OK);
    CHECK(pending_count_of(store, at[2], 0, &count) == STORE_OK && count == 1);
    CHECK(pending_sweep(store, HOUR, 3) == STORE_NONE);
}

static void test_limit(struct store *store)
{
    char name[16];
    struct pending got;
    for (unsigned i = 0; i <= PENDING_MAX; i++) {
        snprintf(name, sizeof name, "user%u", i);
        struct pending pending = sample(name, i);
        CHECK(pending_put(store, &pending) == (i < PENDING_MAX ? STORE_OK : STORE_FULL));
    }
    struct pending again = sample("user7", 99);
    CHECK(pending_put(store, &again) == STORE_OK);
    CHECK(pending_sweep(store, HOUR, PENDING_MAX + 1) == STORE_NONE);
    CHECK(pending_next(store, SPAN_NONE, &got) == STORE_NONE);
}

static void test_damage(struct store *store)
{
    struct pending first = sample("anna", 1), second = sample("berta", 2), got;
    struct span record;
    char bytes[PENDING_BYTES_MAX];
    unsigned count;
    CHECK(pending_put(store, &first) == STORE_OK && pending_put(store, &second) == STORE_OK);
    CHECK(store_get(store, TABLE_PENDING, SPAN("anna"), &record) == STORE_OK);
    size_t len = record.len;
    memcpy(bytes, record.bytes, len);
    for (size_t cut = 0; cut <= len; cut += cut + 1 < len ? 7 : 1) {
        size_t at = cut == len ? len + 1 : cut;
        CHECK(store_put(store, TABLE_PENDING, SPAN("anna"), span_of(bytes, at), false) == STORE_OK);
        CHECK(pending_get(store, SPAN("anna"), &got) == STORE_FAILED);
        CHECK(pending_next(store, SPAN_NONE, &got) == STORE_FAILED && span_is(got.local, "anna"));
        CHECK(pending_by_handle(store, second.handle_hash, &got) == STORE_OK);
        CHECK(pending_count_of(store, second.address, 0, &count) == STORE_OK && count == 1);
    }
    bytes[0] = 2;
    CHECK(store_put(store, TABLE_PENDING, SPAN("anna"), span_of(bytes, len), false) == STORE_OK);
    CHECK(pending_get(store, SPAN("anna"), &got) == STORE_FAILED);
    CHECK(pending_sweep(store, 0, 9) == STORE_NONE); /* the damaged one goes */
    CHECK(pending_get(store, SPAN("anna"), &got) == STORE_NONE);
    CHECK(pending_get(store, SPAN("berta"), &got) == STORE_OK && same(&got, &second));
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
        test_handles(store);
        test_addresses(store);
        test_limit(store);
        test_damage(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
