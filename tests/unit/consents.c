/* consents.c: who agreed to be asked back by whom: kept, ended, too many, of each account its own.
 */
#include "store/consents.h"

#include "store_test.h"

static bool agreed(struct store *store, const char *local, const char *contact, uint64_t now_us)
{
    return consent_get(store, span_string(local), span_string(contact), now_us) == STORE_OK;
}

static enum store_outcome agree(struct store *store, const char *local, const char *contact,
                                uint64_t until_us)
{
    return consent_put(store, span_string(local), span_string(contact), until_us);
}

static void test_consents(struct store *store)
{
    static char letters[512];
    memset(letters, 'a', sizeof letters);
    struct span romeo = SPAN("romeo"), longest = span_of(letters, 511 - 6);
    CHECK(consent_get(store, romeo, SPAN("j@x"), 0) == STORE_NONE);
    CHECK(agree(store, "romeo", "j@x", 1000) == STORE_OK);
    CHECK(agreed(store, "romeo", "j@x", 999) && !agreed(store, "romeo", "j@x", 1000));
    CHECK(!agreed(store, "rome", "j@x", 0) && !agreed(store, "romeo", "j@", 0));
    CHECK(!agreed(store, "romeo", "j@x.", 0));
    CHECK(consent_put(store, romeo, longest, 1000) == STORE_OK);
    CHECK(consent_get(store, romeo, longest, 0) == STORE_OK);
    CHECK(consent_put(store, romeo, span_of(letters, 506), 1000) == STORE_FULL);
    CHECK(consent_get(store, romeo, span_of(letters, 506), 0) == STORE_NONE);
    CHECK(consent_put(store, romeo, SPAN(""), 1000) == STORE_FULL);
    CHECK(consent_delete(store, romeo, longest) == STORE_OK);
    CHECK(consent_delete(store, romeo, longest) == STORE_NONE);
    CHECK(agree(store, "rome", "j@x", 1) == STORE_OK &&
          agree(store, "romeo2", "j@x", 9) == STORE_OK);
    CHECK(agree(store, "romeo", "k@x", 5) == STORE_OK);
    CHECK(consent_forget(store, romeo) == STORE_OK && consent_forget(store, romeo) == STORE_OK);
    CHECK(!agreed(store, "romeo", "j@x", 0) && !agreed(store, "romeo", "k@x", 0));
    CHECK(agreed(store, "rome", "j@x", 0) && agreed(store, "romeo2", "j@x", 0));
    CHECK(consent_sweep(store, 1, 9) == STORE_NONE);
    CHECK(!agreed(store, "rome", "j@x", 0) && agreed(store, "romeo2", "j@x", 0));
    CHECK(consent_sweep(store, 9, 9) == STORE_NONE && !agreed(store, "romeo2", "j@x", 0));
}

/* Others' do not count, and do not make room. */
static void test_limit(struct store *store)
{
    char contact[16];
    uint64_t count;
    CHECK(agree(store, "a", "x@x", 1) == STORE_OK && agree(store, "c", "x@x", 1) == STORE_OK);
    for (unsigned i = 0; i < CONSENTS_MAX; i++) {
        snprintf(contact, sizeof contact, "u%u@x", i);
        CHECK(agree(store, "b", contact, i == 7 ? 50 : 100 + i) == STORE_OK);
    }
    CHECK(agree(store, "b", "u3@x", 300) == STORE_OK && agreed(store, "b", "u7@x", 0));
    CHECK(agree(store, "b", "new@x", 300) == STORE_OK && !agreed(store, "b", "u7@x", 0));
    CHECK(agree(store, "b", "newer@x", 300) == STORE_OK && !agreed(store, "b", "u0@x", 0));
    CHECK(agreed(store, "a", "x@x", 0) && agreed(store, "c", "x@x", 0));
    CHECK(store_count(store, TABLE_CONSENTS, &count) == STORE_OK && count == CONSENTS_MAX + 2);
    CHECK(store_put(store, TABLE_CONSENTS, SPAN("b\0u3@x"), SPAN(""), false) == STORE_OK);
    CHECK(consent_get(store, SPAN("b"), SPAN("u3@x"), 0) == STORE_FAILED);
    CHECK(consent_forget(store, SPAN("b")) == STORE_OK);
    CHECK(store_count(store, TABLE_CONSENTS, &count) == STORE_OK && count == 2);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_consents(store);
        test_limit(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
