/* archive.c: the archive of the store: a random history of puts and drops beside a model of it in
 * memory, over commits, aborts and reopenings; a body is there as long as somebody keeps it. Also
 * the ids that are made of numbers. */
#include "store/archive.h"

#include "store_test.h"
#include "wire/uid.h"

enum { ACCOUNTS = 4, MESSAGES_MAX = 600 };

static const char *const accounts[ACCOUNTS] = {"anna", "ann", "bob", "carol"};

struct entry {
    uint64_t number;
    int with; /* index of the other one */
};
/* What should be there: of each account, the oldest first. */
struct model {
    struct entry entries[ACCOUNTS][MESSAGES_MAX];
    unsigned first[ACCOUNTS], end[ACCOUNTS];
    uint64_t last;
};

static struct model now, safe;

static struct jid jid_of_account(int account, const char *resource)
{
    struct jid jid = {0};
    (void)jid_of(span_string(accounts[account]), SPAN("example.com"), span_string(resource), &arena,
                 &jid);
    return jid;
}

static void body_text(char *text, size_t size, uint64_t number)
{
    snprintf(text, size, "<message><body>%llu%*s</body></message>", (unsigned long long)number,
             (int)(number % 2000), "");
}

static bool put(struct store *store, int from, int to)
{
    char text[4096];
    struct build build;
    size_t mark = arena.used;
    uint64_t number = now.last += 1 + (uint64_t)(rand() % 3);
    struct jid sender = jid_of_account(from, "r"), receiver = jid_of_account(to, "");
    struct archive_owner owners[2] = {{span_string(accounts[to]), &sender},
                                      {span_string(accounts[from]), &receiver}};
    body_text(text, sizeof text, number);
    build_init(&build, &arena, strlen(text) + ARCHIVE_NOTE_BYTES(64));
    build_str(&build, text);
    bool good =
        archive_put(store, number, number * 7, owners, from == to ? 1 : 2, &build) == STORE_OK;
    arena_reset(&arena, mark);
    now.entries[to][now.end[to]++] = (struct entry){number, from};
    if (from != to)
        now.entries[from][now.end[from]++] = (struct entry){number, to};
    return good;
}

static bool drop_first(struct store *store, int account)
{
    bool some = now.first[account] < now.end[account];
    now.first[account] += some;
    return archive_drop_first(store, span_string(accounts[account])) ==
           (some ? STORE_OK : STORE_NONE);
}

static bool drop_oldest(struct store *store)
{
    uint64_t oldest = UINT64_MAX;
    for (int i = 0; i < ACCOUNTS; i++)
        if (now.first[i] < now.end[i] && now.entries[i][now.first[i]].number < oldest)
            oldest = now.entries[i][now.first[i]].number;
    for (int i = 0; i < ACCOUNTS; i++)
        now.first[i] += now.first[i] < now.end[i] && now.entries[i][now.first[i]].number == oldest;
    if (oldest != UINT64_MAX && archive_drop_oldest(store, oldest) != STORE_NONE)
        return false; /* it is not older than itself */
    return archive_drop_oldest(store, ARCHIVE_NUMBER_MAX) ==
           (oldest == UINT64_MAX ? STORE_NONE : STORE_OK);
}

static bool body_is(struct store *store, uint64_t number)
{
    char text[4096];
    struct archive_body body;
    body_text(text, sizeof text, number);
    return archive_body(store, number, &body) == STORE_OK && span_is(body.stanza, text) &&
           body.stamp_us == number * 7;
}

/* One account, looked at from both ends, and the talk with one of the others. */
static bool account_is(struct store *store, int account)
{
    struct archive_view all, talk;
    uint64_t at = 0, back = UINT64_MAX, said = 0;
    struct jid with = jid_of_account((account + 1) % ACCOUNTS, "");
    uint32_t count;
    bool good = true;
    archive_view(&all, span_string(accounts[account]), NULL);
    archive_view(&talk, span_string(accounts[account]), &with);
    for (unsigned i = now.first[account]; i < now.end[account] && good; i++) {
        const struct entry *entry = &now.entries[account][i];
        good = archive_after(store, &all, at, &at) == STORE_OK && at == entry->number &&
               body_is(store, at) && archive_has(store, &all, at) == STORE_OK &&
               archive_count(store, &all, at, ARCHIVE_NUMBER_MAX, &count) == STORE_OK &&
               count == now.end[account] - i;
        if (good && entry->with == (account + 1) % ACCOUNTS)
            good = archive_after(store, &talk, said, &said) == STORE_OK && said == entry->number;
    }
    for (unsigned i = now.end[account]; i > now.first[account] && good; i--)
        good = archive_before(store, &all, back, &back) == STORE_OK &&
               back == now.entries[account][i - 1].number;
    return good && archive_after(store, &all, at, &at) == STORE_NONE &&
           archive_before(store, &all, back, &back) == STORE_NONE &&
           archive_after(store, &talk, said, &said) == STORE_NONE &&
           archive_count(store, &all, 1, ARCHIVE_NUMBER_MAX, &count) == STORE_OK &&
           count == now.end[account] - now.first[account];
}

/* As many bodies as different messages, and as many entries as are kept. */
static bool archive_is(struct store *store)
{
    struct archive_use use;
    uint64_t messages = 0, entries = 0;
    for (int i = 0; i < ACCOUNTS; i++) {
        if (!account_is(store, i))
            return false;
        entries += now.end[i] - now.first[i];
        for (unsigned n = now.first[i]; n < now.end[i]; n++) {
            int other = now.entries[i][n].with;
            bool both = now.first[other] < now.end[other] &&
                        now.entries[other][now.first[other]].number <= now.entries[i][n].number;
            messages += other == i || !both || i < other; /* counted once */
        }
    }
    return archive_usage(store, &use) == STORE_OK && use.messages == messages &&
           use.entries == entries;
}

static bool step(struct store *store)
{
    int account = rand() % ACCOUNTS;
    switch (rand() % 9) {
    case 8:
        return archive_index(store) == STORE_OK;
    case 0:
        return drop_first(store, account);
    case 1:
        return drop_oldest(store);
    default:
        return put(store, account, rand() % ACCOUNTS);
    }
}

static void test_history(unsigned seed)
{
    const char *why = "";
    bool good = true;
    memset(&now, 0, sizeof now);
    files_remove();
    struct store *store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL);
    srand(seed);
    for (unsigned round = 0; round < 40 && good; round++) {
        safe = now;
        for (int i = rand() % 12; i > 0 && good; i--)
            good = step(store);
        if (rand() % 4 == 0) { /* as a power cut leaves it */
            uint64_t last = now.last;
            store_abort(store);
            now = safe;
            now.last = last;
        } else {
            good &= store_commit(store) == STORE_OK;
        }
        good &= archive_is(store);
        store_tick_end(store);
    }
    CHECK(good);
    store_close(store);
    store = open_store(MAP_USUAL, false, &why);
    CHECK(store != NULL && archive_is(store));
    uint64_t last;
    CHECK(archive_last(store, &last) == STORE_OK && last <= now.last);
    for (int i = 0; i < ACCOUNTS; i++) {
        enum store_outcome outcome = STORE_OK;
        while (outcome == STORE_OK) {
            outcome = archive_forget(store, span_string(accounts[i]), 8);
            CHECK(store_commit(store) == STORE_OK);
        }
        CHECK(outcome == STORE_NONE);
        now.first[i] = now.end[i];
        CHECK(archive_is(store));
    }
    store_close(store);
}

static void test_ids(void)
{
    uint8_t key[UID_KEY_BYTES], other[UID_KEY_BYTES];
    char id[UID_CHARS], again[UID_CHARS];
    uint64_t number;
    uid_key((const uint8_t *)"secret", 6, key);
    uid_key((const uint8_t *)"secreT", 6, other);
    for (uint64_t n = 1; n != 0; n *= 3) {
        if (n > UINT64_MAX / 4)
            break;
        uid_write(key, SPAN("anna"), n, id);
        CHECK(uid_read(key, SPAN("anna"), span_of(id, sizeof id), &number) && number == n);
        CHECK(!uid_read(key, SPAN("ann"), span_of(id, sizeof id), &number));
        CHECK(!uid_read(other, SPAN("anna"), span_of(id, sizeof id), &number));
        CHECK(!uid_read(key, SPAN("anna"), span_of(id, sizeof id - 1), &number));
        uid_write(key, SPAN("ann"), n, again);
        CHECK(memcmp(id, again, sizeof id) != 0);
        id[0] = id[0] == 'A' ? 'B' : 'A';
        CHECK(!uid_read(key, SPAN("anna"), span_of(id, sizeof id), &number));
    }
    CHECK(!uid_read(key, SPAN("anna"), SPAN("======================"), &number));
}

int main(void)
{
    if (!directory_make())
        return 2;
    test_ids();
    for (unsigned seed = 1; seed <= 20; seed++)
        test_history(seed);
    directory_remove();
    return test_end();
}
