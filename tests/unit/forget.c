/* forget.c: what is left of a deleted account: nothing; also in a store that is nearly full. */
#include "store/forget.h"

#include "store/absences.h"
#include "store/accounts.h"
#include "store/blocklists.h"
#include "store/consents.h"
#include "store/ids.h"
#include "store/invites.h"
#include "store/logins.h"
#include "store/memberships.h"
#include "store/pending.h"
#include "store/pep.h"
#include "store/private.h"
#include "store/released.h"
#include "store/rosters.h"
#include "store/vcards.h"

#include "store_test.h"

#define OTHERS 20
#define NODES 10
#define CHANNELS 20
#define NOW UINT64_C(1000000)

static void put(enum store_outcome outcome)
{
    CHECK(outcome == STORE_OK);
}

/* As much as an account may have, without contacts and messages. */
static void account_fill(struct store *store, unsigned n)
{
    static char xml[3000];
    char name[32], text[64];
    struct span local = span_of(name, (size_t)snprintf(name, sizeof name, "somebody%02u", n));
    memset(xml, 'x', sizeof xml);
    put(account_put(store, local, &(struct account){.iterations = 4096}, false));
    put(vcard_put(store, local, &(struct vcard){.xml = span_of(xml, sizeof xml)}, &arena));
    put(absence_put(store, local, &(struct absence){.since_us = 1}));
    put(pending_put(store, &(struct pending){.local = local, .expires_us = 2 * NOW}));
    for (unsigned i = 0; i < PRIVATE_ELEMENTS_MAX; i++) {
        snprintf(text, sizeof text, "element%u", i);
        struct private_name element = {SPAN("urn:example"), span_string(text)};
        put(private_put(store, local, &element, span_of(xml, 100), &arena));
    }
    for (unsigned i = 0; i < NODES; i++) {
        struct pep_node node = {.config = {.flags = PEP_PERSIST, .items_max = 1}};
        struct pep_item item = {.id = SPAN("current"), .payload = span_of(xml, 100)};
        snprintf(text, sizeof text, "node%u", i);
        put(pep_item_put(store, local, span_string(text), &node, &item, &arena));
    }
    for (unsigned i = 0; i < IDS_PER_ACCOUNT_MAX; i++) {
        snprintf(text, sizeof text, "person%u.%u@mail.example", n, i);
        put(id_put(store, ID_EMAIL, span_string(text), local));
    }
    for (unsigned i = 0; i < CONSENTS_MAX; i++) {
        snprintf(text, sizeof text, "contact%u@chat.example", i);
        put(consent_put(store, local, span_string(text), 2 * NOW));
    }
    for (unsigned i = 0; i < LOGINS_MAX; i++) {
        const uint8_t agent[LOGIN_AGENT_BYTES] = {(uint8_t)i};
        struct login_tokens tokens = {.current = {.mechanism = 1, .expires_us = 2 * NOW}};
        put(login_put(store, &(struct login_client){local, agent}, &tokens));
    }
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct stay stay = {.channel = i, .joined = 1, .left = i % 2 == 0 ? 2 : UINT64_MAX};
        snprintf(text, sizeof text, "channel%u", i);
        put(membership_enter(store, local, span_string(text), &stay));
    }
    for (unsigned i = 0; i < INVITES_MAX / OTHERS; i++) {
        struct invite invite = {.expires_us = 2 * NOW, .uses_left = 5, .owner = local};
        invite.hash[0] = (uint8_t)(i * 37);
        invite.hash[1] = (uint8_t)n;
        put(invite_put(store, &invite));
    }
    put(store_commit(store));
}

static uint64_t records_of(struct store *store, struct span local)
{
    uint64_t count = 0;
    for (int table = TABLE_ACCOUNTS; table < TABLE_COUNT; table++) {
        struct span key = SPAN_NONE, value;
        while (store_next(store, (enum store_table)table, key, &key, &value) == STORE_OK)
            count += memmem(key.bytes, key.len, local.bytes, local.len) != NULL ||
                     memmem(value.bytes, value.len, local.bytes, local.len) != NULL;
    }
    return count;
}

/* The steps of the server's reaper, which has no contacts to tell. */
static unsigned leave(struct store *store, struct span local)
{
    unsigned steps = 0;
    while (leaving_get(store, local) == STORE_OK && steps < 99) {
        put(leaving_finish(store, local));
        put(store_commit(store));
        steps++;
    }
    return steps;
}

static void test_forget(struct store *store)
{
    struct span local = SPAN("somebody07"), other = SPAN("somebody08");
    uint64_t before = records_of(store, other);
    CHECK(account_forget(store, SPAN("nobody"), NOW) == STORE_NONE);
    CHECK(account_forget(store, SPAN("somebody0"), NOW) == STORE_NONE);
    CHECK(records_of(store, local) > 100 && before > 100);
    put(account_forget(store, local, NOW));
    put(store_commit(store));
    struct account account;
    CHECK(account_get(store, local, &account) == STORE_NONE);
    CHECK(leaving_get(store, local) == STORE_OK);
    CHECK(released_get(store, local, NOW + UINT64_C(30) * 86400 * 1000000 - 1) == STORE_OK);
    CHECK(released_get(store, local, NOW + UINT64_C(30) * 86400 * 1000000) == STORE_NONE);
    CHECK(leave(store, local) >= PRIVATE_ELEMENTS_MAX / 8 - 1);
    CHECK(records_of(store, local) == 1); /* the name that is kept free */
    CHECK(records_of(store, other) == before);
}

/* Fills the map to where nothing may be written any more. */
static void store_fill(struct store *store)
{
    static char value[3500];
    char key[16];
    enum store_outcome outcome = STORE_OK;
    for (unsigned i = 0; outcome == STORE_OK; i++) {
        snprintf(key, sizeof key, "fill%06u", i);
        outcome =
            store_put(store, TABLE_OFFLINE, span_string(key), span_of(value, sizeof value), true);
        if (outcome == STORE_OK && i % 8 == 7)
            put(store_commit(store));
    }
    CHECK(outcome == STORE_FULL);
    put(store_commit(store));
}

static void test_full(struct store *store)
{
    char name[32];
    unsigned deleted = 0;
    store_fill(store);
    for (unsigned n = 10; n < 13; n++) {
        struct span local = span_of(name, (size_t)snprintf(name, sizeof name, "somebody%02u", n));
        struct account account;
        uint64_t before = records_of(store, local);
        enum store_outcome outcome = account_forget(store, local, NOW);
        CHECK(outcome == STORE_OK || (outcome == STORE_FULL && records_of(store, local) == before));
        put(store_commit(store));
        if (outcome != STORE_OK)
            continue;
        deleted++;
        CHECK(account_get(store, local, &account) == STORE_NONE);
        (void)leave(store, local);
        CHECK(records_of(store, local) <= 1);
    }
    printf("in a full store %u of 3 accounts deleted\n", deleted);
    CHECK(deleted == 3);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        for (unsigned n = 0; n < OTHERS; n++)
            account_fill(store, n);
        test_forget(store);
        test_full(store);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
