/* records.c: vCards, private XML, absences: there and back, of each account its own, damaged. */
#include "store/absences.h"
#include "store/private.h"
#include "store/vcards.h"

#include "store_test.h"

#define LONG_BYTES 40000 /* several pages of LMDB's */

static char longest[LONG_BYTES];

static void test_vcards(struct store *store)
{
    struct span romeo = SPAN("romeo");
    struct vcard card = {.has_photo = true, .xml = span_of(longest, sizeof longest)}, got;
    size_t used = arena.used;
    for (uint8_t i = 0; i < VCARD_HASH_BYTES; i++)
        card.photo[i] = (uint8_t)(200 + i);
    CHECK(vcard_get(store, romeo, &got) == STORE_NONE);
    CHECK(vcard_put(store, romeo, &card, &arena) == STORE_OK && arena.used == used);
    CHECK(vcard_get(store, romeo, &got) == STORE_OK && got.has_photo);
    CHECK(memcmp(got.photo, card.photo, VCARD_HASH_BYTES) == 0 && span_equal(got.xml, card.xml));
    CHECK(store_commit(store) == STORE_OK);
    CHECK(vcard_get(store, romeo, &got) == STORE_OK && span_equal(got.xml, card.xml));
    card = (struct vcard){.xml = SPAN("<vCard/>")};
    CHECK(vcard_put(store, romeo, &card, &arena) == STORE_OK);
    CHECK(vcard_get(store, romeo, &got) == STORE_OK && !got.has_photo &&
          span_is(got.xml, "<vCard/>"));
    CHECK(vcard_get(store, SPAN("juliet"), &got) == STORE_NONE);
    CHECK(store_put(store, TABLE_VCARDS, SPAN("juliet"), SPAN("\2short"), false) == STORE_OK);
    CHECK(vcard_get(store, SPAN("juliet"), &got) == STORE_FAILED);
    CHECK(vcard_delete(store, romeo) == STORE_OK && vcard_get(store, romeo, &got) == STORE_NONE);
    CHECK(vcard_delete(store, romeo) == STORE_NONE);
    arena.size = used;
    CHECK(vcard_put(store, romeo, &card, &arena) == STORE_FULL);
    arena.size = sizeof arena_bytes;
}

static bool keep(struct store *store, const char *local, struct private_name name, struct span xml)
{
    return private_put(store, span_string(local), &name, xml, &arena) == STORE_OK;
}

static bool has(struct store *store, const char *local, struct private_name name, struct span xml)
{
    struct span got;
    enum store_outcome outcome = private_get(store, span_string(local), &name, &got);
    return xml.bytes == NULL ? outcome == STORE_NONE : outcome == STORE_OK && span_equal(got, xml);
}

static void test_private(struct store *store)
{
    const struct private_name one = {SPAN("ab"), SPAN("c")}, other = {SPAN("a"), SPAN("bc")};
    const struct private_name both[] = {one, other};
    struct private_use use;
    struct span text = span_of(longest, sizeof longest);
    CHECK(keep(store, "romeo", one, SPAN("<c/>")) && has(store, "romeo", other, SPAN_NONE));
    CHECK(keep(store, "romeo", other, text) && has(store, "romeo", other, text));
    /* Names that begin alike. */
    CHECK(keep(store, "rome", one, SPAN("<r/>")) && keep(store, "romeo2", one, SPAN("<2/>")));
    CHECK(keep(store, "romeo", one, SPAN("<c>again</c>")));
    CHECK(has(store, "romeo", one, SPAN("<c>again</c>")));
    CHECK(private_count(store, SPAN("romeo"), NULL, 0, &use) == STORE_OK && use.elements == 2 &&
          use.bytes == 1 + 12 + 1 + LONG_BYTES);
    CHECK(private_count(store, SPAN("romeo"), &one, 1, &use) == STORE_OK && use.elements == 1 &&
          use.bytes == 1 + LONG_BYTES);
    CHECK(private_count(store, SPAN("romeo"), both, 2, &use) == STORE_OK && use.elements == 0);
    CHECK(private_count(store, SPAN("nobody"), NULL, 0, &use) == STORE_OK && use.elements == 0);
    CHECK(private_forget(store, SPAN("romeo"), 1) == STORE_OK);
    CHECK(private_count(store, SPAN("romeo"), NULL, 0, &use) == STORE_OK && use.elements == 1);
    CHECK(private_forget(store, SPAN("romeo"), 9) == STORE_NONE);
    CHECK(has(store, "romeo", one, SPAN_NONE) && has(store, "romeo", other, SPAN_NONE));
    CHECK(has(store, "rome", one, SPAN("<r/>")) && has(store, "romeo2", one, SPAN("<2/>")));
    CHECK(private_forget(store, SPAN("romeo"), 9) == STORE_NONE);
    const struct private_name endless = {span_of(longest, PRIVATE_NAME_BYTES_MAX), SPAN("x")};
    CHECK(!keep(store, "romeo", endless, SPAN("<x/>")) && has(store, "romeo", endless, SPAN_NONE));
}

static void test_absences(struct store *store)
{
    struct span romeo = SPAN("romeo");
    struct absence absence = {UINT64_C(0x0102030405060708), SPAN("off to <bed>")}, got;
    CHECK(absence_get(store, romeo, &got) == STORE_NONE);
    CHECK(absence_put(store, romeo, &absence) == STORE_OK);
    CHECK(absence_get(store, romeo, &got) == STORE_OK && got.since_us == absence.since_us &&
          span_equal(got.status, absence.status));
    absence.status = span_of(longest, ABSENCE_STATUS_BYTES_MAX);
    CHECK(absence_put(store, romeo, &absence) == STORE_OK);
    CHECK(absence_get(store, romeo, &got) == STORE_OK && span_equal(got.status, absence.status));
    absence.status.len++;
    CHECK(absence_put(store, romeo, &absence) == STORE_OK);
    CHECK(absence_get(store, romeo, &got) == STORE_OK && got.status.len == 0);
    CHECK(absence_delete(store, romeo) == STORE_OK);
    CHECK(absence_get(store, romeo, &got) == STORE_NONE);
    CHECK(absence_get(store, span_of(longest, 512), &got) == STORE_NONE);
}

int main(void)
{
    if (!directory_make())
        return 1;
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (char)('a' + i % 23);
    const char *why;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_vcards(store);
        test_private(store);
        test_absences(store);
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
