/* archivecut.c: the power goes at each write and sync of a history of the archive: puts, drops, and
 * the index, which takes several transactions. On each disk that may come of it nothing
 * acknowledged is lost and nothing half-done is seen, and the index that is made then says the same
 * as the bodies did (GR-2). Arguments: seed, cuts. */
#include <stdlib.h>

#include "../sim/disk.h"
#include "../unit/test.h"
#include "groups.h"
#include "store/archive.h"

enum {
    OWNERS = 100, /* more than one transaction indexes */
    KEPT_MAX = 12,
    IMAGES = 2,
    CUT_PERIOD = 29,
    STEPS_MAX = 24, /* of a transaction */
    BODY_BYTES_MAX = 4000,
};

/* What each owner keeps, the oldest first. */
struct state {
    struct kept {
        unsigned count;
        uint64_t numbers[KEPT_MAX];
    } owners[OWNERS];
};

struct verdict {
    unsigned images, unreadable, wrong, ahead, indexed;
};

static uint64_t last;
static unsigned pieces; /* of an index that took several transactions */

static struct span owner_name(int owner, char text[16])
{
    int len = snprintf(text, 16, "%s%d", owner % 10 == 0 ? "\1c" : "u", owner);
    return span_of(text, (size_t)len);
}

static unsigned body_bytes(uint64_t number)
{
    return 40 + (unsigned)(number % 11 == 0 ? number % (BODY_BYTES_MAX - 200) : number % 300);
}

/* --- changes --- */

static void forget(struct kept *kept, uint64_t number)
{
    if (kept->count == 0 || kept->numbers[0] != number)
        return;
    kept->count--;
    memmove(kept->numbers, kept->numbers + 1, kept->count * sizeof kept->numbers[0]);
}

static bool drop_first(struct store *store, struct state *state, int owner)
{
    char name[16];
    struct kept *kept = &state->owners[owner];
    enum store_outcome outcome = archive_drop_first(store, owner_name(owner, name));
    if (outcome == STORE_OK && kept->count > 0)
        forget(kept, kept->numbers[0]);
    return outcome == STORE_OK || outcome == STORE_NONE || outcome == STORE_FULL;
}

static bool drop_oldest(struct store *store, struct state *state)
{
    uint64_t number = UINT64_MAX;
    for (int i = 0; i < OWNERS; i++)
        if (state->owners[i].count > 0 && state->owners[i].numbers[0] < number)
            number = state->owners[i].numbers[0];
    for (int i = 0; i < OWNERS; i++)
        forget(&state->owners[i], number);
    return archive_drop_oldest(store, ARCHIVE_NUMBER_MAX) ==
           (number == UINT64_MAX ? STORE_NONE : STORE_OK);
}

static bool put(struct store *store, struct state *state, int one, int two)
{
    static char text[BODY_BYTES_MAX];
    static const struct jid with = {"a@b/c", 1, 1, 1};
    char names[2][16];
    uint64_t number = last + 1 + (uint64_t)(rand() % 3);
    struct archive_owner owners[2] = {{owner_name(one, names[0]), &with},
                                      {owner_name(two, names[1]), &with}};
    struct build build = {.bytes = text, .size = sizeof text, .used = body_bytes(number)};
    memset(text, 'a' + (int)(number % 26), build.used);
    if (state->owners[one].count == KEPT_MAX || state->owners[two].count == KEPT_MAX)
        return drop_oldest(store, state);
    enum store_outcome outcome =
        archive_put(store, number, number, owners, one == two ? 1 : 2, &build);
    if (outcome != STORE_OK)
        return outcome == STORE_FULL;
    last = number;
    state->owners[one].numbers[state->owners[one].count++] = number;
    if (one != two)
        state->owners[two].numbers[state->owners[two].count++] = number;
    return true;
}

/* Now and then, then to its end. */
static bool index_some(struct store *store)
{
    uint32_t behind;
    if (archive_unindexed(store, &behind) != STORE_OK)
        return false;
    if (behind < 60 && rand() % 20 > 0)
        return true;
    enum store_outcome outcome = archive_index(store);
    pieces += outcome == STORE_FULL;
    return outcome == STORE_OK || outcome == STORE_FULL;
}

/* One transaction. false: it is not safe; the state is then what it would have been. */
static bool change(struct store *store, struct state *state)
{
    bool good = index_some(store);
    for (int i = rand() % STEPS_MAX; i > 0 && good; i--) {
        int owner = rand() % OWNERS;
        if (rand() % 16 == 0)
            good = drop_first(store, state, owner);
        else if (rand() % 8 == 0)
            good = drop_oldest(store, state);
        else
            good = put(store, state, owner, rand() % OWNERS);
    }
    return good && store_commit(store) == STORE_OK;
}

/* --- what is there --- */

static bool body_whole(struct store *store, uint64_t number)
{
    struct archive_body body;
    if (archive_body(store, number, &body) != STORE_OK || body.stamp_us != number ||
        body.stanza.len != body_bytes(number))
        return false;
    for (size_t i = 0; i < body.stanza.len; i++)
        if (body.stanza.bytes[i] != (char)('a' + number % 26))
            return false;
    return true;
}

/* false: something is there in part. */
static bool state_read(struct store *store, struct state *state)
{
    struct archive_use use;
    uint64_t entries = 0;
    bool whole = true;
    memset(state, 0, sizeof *state);
    for (int i = 0; i < OWNERS && whole; i++) {
        struct kept *kept = &state->owners[i];
        struct archive_view view;
        char name[16];
        uint64_t at = 0;
        uint32_t count;
        enum store_outcome outcome = STORE_OK;
        archive_view(&view, owner_name(i, name), NULL);
        while (kept->count < KEPT_MAX &&
               (outcome = archive_after(store, &view, at, &at)) == STORE_OK) {
            kept->numbers[kept->count++] = at;
            whole = whole && body_whole(store, at);
        }
        whole = whole && (outcome == STORE_OK || outcome == STORE_NONE) &&
                archive_count(store, &view, 1, ARCHIVE_NUMBER_MAX, &count) == STORE_OK &&
                count == kept->count;
        entries += kept->count;
    }
    return whole && archive_usage(store, &use) == STORE_OK && use.entries >= entries &&
           use.messages <= entries && use.messages * 2 >= entries;
}

static bool same(const struct state *a, const struct state *b)
{
    for (int i = 0; i < OWNERS; i++)
        if (a->owners[i].count != b->owners[i].count ||
            memcmp(a->owners[i].numbers, b->owners[i].numbers,
                   a->owners[i].count * sizeof a->owners[i].numbers[0]) != 0)
            return false;
    return true;
}

/* With the index made to its end the same is there. What is written for that stays. */
static bool index_agrees(struct store *store, const struct state *state)
{
    static struct state indexed;
    enum store_outcome outcome;
    while ((outcome = archive_index(store)) == STORE_FULL)
        if (store_commit(store) != STORE_OK)
            return false;
    bool agrees = outcome == STORE_OK && state_read(store, &indexed) && same(&indexed, state);
    return store_commit(store) == STORE_OK && agrees;
}

/* Opens what the disk shows; *seen is what is there. */
static struct store *judge(const struct state *safe, const struct state *cut_off, bool read_only,
                           struct verdict *verdict, struct state *seen)
{
    const char *why;
    struct store *store = store_open_here(read_only, &why);
    verdict->images++;
    if (store == NULL) {
        verdict->unreadable++;
        return NULL;
    }
    bool whole = state_read(store, seen);
    bool ahead = whole && !same(seen, safe) && same(seen, cut_off);
    verdict->ahead += ahead;
    verdict->wrong += !whole || (!ahead && !same(seen, safe));
    if (!read_only && rand() % 4 == 0) {
        verdict->wrong += !index_agrees(store, seen);
        verdict->indexed++;
    }
    store_tick_end(store);
    return store;
}

static struct verdict cuts_run(uint64_t seed, unsigned cuts, enum disk_lie lie)
{
    static struct state safe, cut_off, seen;
    struct verdict verdict = {0};
    const char *why;
    struct store *store = store_open_here(false, &why);
    memset(&cut_off, 0, sizeof cut_off);
    last = 100;
    disk_lie(lie);
    quiet(true);
    for (unsigned cut = 0; cut < cuts && store != NULL; cut++) {
        disk_cut_at(1 + cut % CUT_PERIOD);
        do {
            safe = cut_off;
        } while (change(store, &cut_off));
        if (!disk_is_cut())
            break;
        store_close(store);
        for (uint64_t i = 1; i < IMAGES; i++) {
            disk_image(seed ^ (cut * 8 + i));
            store = judge(&safe, &cut_off, true, &verdict, &seen);
            if (store != NULL)
                store_close(store);
        }
        disk_image(seed ^ cut * 8);
        disk_power_on();
        store = judge(&safe, &cut_off, false, &verdict, &seen);
        cut_off = seen;
    }
    if (store != NULL)
        store_close(store);
    quiet(false);
    return verdict;
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 0) : 1;
    unsigned cuts = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 0) : 1000;
    groups_begin(seed);
    srand((unsigned)seed);
    store_remove();
    disk_watch(store_directory);
    struct verdict verdict = cuts_run(seed, cuts, DISK_HONEST);
    printf("%u cuts, %u disks: %u unreadable, %u wrong, %u one ahead; %u pieces of an index\n",
           cuts, verdict.images, verdict.unreadable, verdict.wrong, verdict.ahead, pieces);
    CHECK(verdict.images == cuts * IMAGES && verdict.unreadable == 0 && verdict.wrong == 0);
    CHECK(verdict.ahead > 0 && verdict.indexed > 0 && pieces > 0);
    store_remove();
    disk_watch(store_directory);
    verdict = cuts_run(seed, 60, DISK_DSYNC_LIES);
    printf("a lying disk: %u unreadable, %u wrong\n", verdict.unreadable, verdict.wrong);
    CHECK(verdict.wrong > 0);
    CHECK(groups_end());
    return test_end();
}
