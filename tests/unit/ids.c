/* ids.c: verified addresses: of one account only, in one form, damaged. */
#include "store/ids.h"

#include "store_test.h"

static bool is_of(struct store *store, enum id_kind kind, const char *value, const char *owner)
{
    struct span local;
    return id_get(store, kind, span_string(value), &local) == STORE_OK && span_is(local, owner);
}

static unsigned count_of(struct store *store, const char *local)
{
    enum id_kind kind;
    struct span value;
    unsigned n = 0;
    while (id_of(store, span_string(local), n, &kind, &value) == STORE_OK)
        n++;
    return n;
}

static void test_ids(struct store *store)
{
    struct span romeo = SPAN("romeo"), local, value;
    enum id_kind kind;
    CHECK(id_get(store, ID_EMAIL, SPAN("r@x.example"), &local) == STORE_NONE);
    CHECK(id_put(store, ID_EMAIL, SPAN("r@x.example"), romeo) == STORE_OK);
    CHECK(id_put(store, ID_PHONE, SPAN("+4930123456"), romeo) == STORE_OK);
    CHECK(is_of(store, ID_EMAIL, "r@x.example", "romeo"));
    CHECK(is_of(store, ID_PHONE, "+4930123456", "romeo"));
    CHECK(id_get(store, ID_PHONE, SPAN("r@x.example"), &local) == STORE_NONE);
    CHECK(id_put(store, ID_EMAIL, SPAN("r@x.example"), SPAN("juliet")) == STORE_EXISTS);
    CHECK(id_put(store, ID_EMAIL, SPAN("r@x.example"), romeo) == STORE_OK);
    CHECK(count_of(store, "romeo") == 2 && count_of(store, "rome") == 0);
    CHECK(id_of(store, romeo, 0, &kind, &value) == STORE_OK && kind == ID_EMAIL &&
          span_is(value, "r@x.example"));
    CHECK(id_of(store, romeo, 1, &kind, &value) == STORE_OK && kind == ID_PHONE &&
          span_is(value, "+4930123456"));
    CHECK(id_of(store, romeo, 2, &kind, &value) == STORE_NONE);
    /* Both borrowed. */
    CHECK(id_get(store, ID_EMAIL, SPAN("r@x.example"), &local) == STORE_OK);
    CHECK(id_put(store, ID_EMAIL, SPAN("another@x.example"), local) == STORE_OK);
    CHECK(id_put(store, ID_EMAIL, SPAN("a@x.example"), romeo) == STORE_OK);
    CHECK(id_put(store, ID_EMAIL, SPAN("b@x.example"), romeo) == STORE_FULL);
    CHECK(count_of(store, "romeo") == IDS_PER_ACCOUNT_MAX);
    CHECK(id_of(store, romeo, 1, &kind, &value) == STORE_OK && span_is(value, "another@x.example"));
    CHECK(id_delete(store, kind, value) == STORE_OK && count_of(store, "romeo") == 3);
    CHECK(id_delete(store, ID_EMAIL, SPAN("another@x.example")) == STORE_NONE);
    CHECK(id_put(store, ID_EMAIL, SPAN("another@x.example"), SPAN("romeo2")) == STORE_OK);
    CHECK(id_forget(store, romeo) == STORE_OK && id_forget(store, romeo) == STORE_OK);
    CHECK(id_get(store, ID_EMAIL, SPAN("r@x.example"), &local) == STORE_NONE);
    CHECK(is_of(store, ID_EMAIL, "another@x.example", "romeo2"));
    uint64_t count;
    CHECK(store_count(store, TABLE_IDS, &count) == STORE_OK && count == 2);
    CHECK(id_forget(store, SPAN("romeo2")) == STORE_OK);
}

static void test_limits(struct store *store)
{
    static char letters[600];
    struct span value = span_of(letters, ID_VALUE_BYTES_MAX),
                longer = span_of(letters, ID_VALUE_BYTES_MAX + 1);
    struct span local = span_of(letters, 254), got;
    memset(letters, 'a', sizeof letters);
    CHECK(id_put(store, ID_EMAIL, value, local) == STORE_OK);
    CHECK(id_get(store, ID_EMAIL, value, &got) == STORE_OK && span_equal(got, local));
    CHECK(id_put(store, ID_EMAIL, longer, local) == STORE_FULL);
    CHECK(id_get(store, ID_EMAIL, longer, &got) == STORE_NONE);
    CHECK(id_put(store, ID_PHONE, value, span_of(letters, 255)) == STORE_FULL);
    CHECK(id_put(store, ID_PHONE, value, SPAN("")) == STORE_FULL);
    CHECK(id_put(store, ID_PHONE, SPAN(""), local) == STORE_FULL);
    CHECK(id_forget(store, local) == STORE_OK);
    CHECK(id_get(store, ID_EMAIL, value, &got) == STORE_NONE);
}

static void test_damage(struct store *store)
{
    struct span got;
    enum id_kind kind;
    uint64_t count;
    CHECK(id_put(store, ID_EMAIL, SPAN("r@x.example"), SPAN("romeo")) == STORE_OK);
    CHECK(store_put(store, TABLE_IDS, SPAN("er@x.example"), SPAN("\2romeo"), false) == STORE_OK);
    CHECK(id_get(store, ID_EMAIL, SPAN("r@x.example"), &got) == STORE_FAILED);
    CHECK(id_put(store, ID_EMAIL, SPAN("r@x.example"), SPAN("juliet")) == STORE_FAILED);
    CHECK(store_put(store, TABLE_IDS, SPAN("er@x.example"), SPAN("\1"), false) == STORE_OK);
    CHECK(id_get(store, ID_EMAIL, SPAN("r@x.example"), &got) == STORE_FAILED);
    CHECK(store_put(store, TABLE_IDS, SPAN("aromeo\0z?"), SPAN("\1"), false) == STORE_OK);
    CHECK(id_of(store, SPAN("romeo"), 0, &kind, &got) == STORE_OK);
    CHECK(id_of(store, SPAN("romeo"), 1, &kind, &got) == STORE_FAILED);
    CHECK(id_forget(store, SPAN("romeo")) == STORE_OK);
    CHECK(store_count(store, TABLE_IDS, &count) == STORE_OK && count == 0);
}

static const char *prepared(enum id_kind kind, struct span text)
{
    static char copy[300];
    struct span out;
    size_t mark = arena.used;
    bool good = id_prepare(kind, text, &arena, &out);
    if (good)
        memcpy(copy, out.bytes, out.len);
    copy[good ? out.len : 0] = '\0';
    arena_reset(&arena, mark);
    return good ? copy : NULL;
}

static void test_emails(void)
{
    static const char *const forms[][2] = {
        {"juliet@capulett.example", "juliet@capulett.example"},
        {"Juliet.C+kith@Capulett.EXAMPLE", "juliet.c+kith@capulett.example"},
        {"o'neill_{x}@a.b.example", "o'neill_{x}@a.b.example"},
        {"J\303\234LIET@M\303\234LLER.example", "j\303\274liet@m\303\274ller.example"},
        {"x@xn--mller-kva.example", "x@m\303\274ller.example"},
    };
    static const char *const wrong[] = {
        "",
        "@",
        "juliet",
        "@capulett.example",
        "juliet@",
        "juliet@localhost",
        "a@b@c.example",
        "juliet @x.example",
        " juliet@x.example",
        "juliet@x.example ",
        "juliet@x.example\n",
        "juliet\r\nBcc: all@x.example",
        "juliet@x.example,romeo@x.example",
        "a;b@x.example",
        "<juliet@x.example>",
        "\"juliet\"@x.example",
        "juliet(home)@x.example",
        "a\\b@x.example",
        "a:b@x.example",
        "a[b]@x.example",
        ".a@x.example",
        "a.@x.example",
        "a..b@x.example",
        "-oX@x.example",
        "juliet@-x.example",
        "juliet@x..example",
        "juliet@[192.0.2.1]",
        "juliet@192.0.2.1",
        "juliet@[IPv6:2001:db8::1]",
        "juliet@[2001:db8::1]",
        "juliet@x.e/y",
        "a\302\240b@x.example",
        "a\303@x.example",
        "\357\274\240\303\274@x.example",
        "\303\274\357\274\214b@x.example",
        "\303\274\177@x.example",
        "a\177@x.example",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const char *got = prepared(ID_EMAIL, span_string(forms[i][0]));
        CHECK(got != NULL && strcmp(got, forms[i][1]) == 0);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(prepared(ID_EMAIL, span_string(wrong[i])) == NULL);
    }
    CHECK(prepared(ID_EMAIL, SPAN("a\0b@x.example")) == NULL);
}

static void test_email_lengths(void)
{
    char text[300];
    memset(text, 'a', sizeof text);
    memcpy(text + ID_VALUE_BYTES_MAX - 10, "@x.example", 10);
    CHECK(prepared(ID_EMAIL, span_of(text, ID_VALUE_BYTES_MAX)) != NULL);
    CHECK(prepared(ID_EMAIL, span_of(text, ID_VALUE_BYTES_MAX - 1)) != NULL);
    memset(text, 'a', sizeof text);
    memcpy(text + ID_VALUE_BYTES_MAX - 9, "@x.example", 10);
    CHECK(prepared(ID_EMAIL, span_of(text, ID_VALUE_BYTES_MAX + 1)) == NULL);
    size_t size = arena.size;
    arena.size = arena.used;
    CHECK(prepared(ID_EMAIL, SPAN("juliet@capulett.example")) == NULL);
    CHECK(prepared(ID_PHONE, SPAN("+4930123456")) == NULL);
    arena.size = size;
}

static void test_phones(void)
{
    static const char *const forms[][2] = {
        {"+4930123456", "+4930123456"},
        {" +49 (30) 123-456", "+4930123456"},
        {"+1.555.0100", "+15550100"},
        {"+1234567", "+1234567"},
        {"+123456789012345", "+123456789012345"},
    };
    static const char *const wrong[] = {
        "",
        "+",
        "4930123456",
        "004930123456",
        "+123456",
        "+49+30123456",
        "+49 30 12345x",
        "+1234567890123456",
        "++4930123456",
        "+4930\t123456",
        "+0123456789",
        "+49/30123456",
        "\357\274\2134930123456",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const char *got = prepared(ID_PHONE, span_string(forms[i][0]));
        CHECK(got != NULL && strcmp(got, forms[i][1]) == 0);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(prepared(ID_PHONE, span_string(wrong[i])) == NULL);
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    if (store != NULL) {
        test_ids(store);
        test_limits(store);
        test_damage(store);
        test_emails();
        test_email_lengths();
        test_phones();
        CHECK(store_commit(store) == STORE_OK);
        store_close(store);
    }
    directory_remove();
    return test_end();
}
