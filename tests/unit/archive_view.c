/* archive_view.c: views of the archive with several sources beside a plain model: a random history
 * of accounts and channels, indexed at any time and in pieces, over commits, aborts and reopenings;
 * what a view shows is the same at any state of the index. Also stores of schema 1. */
#include "store/archive.h"
#include "store/environment.h"
#include "store/record.h"
#include "store_test.h"

enum {
    ACCOUNTS = 150,
    CHANNELS = 4,
    OWNERS = ACCOUNTS + CHANNELS,
    MESSAGES_MAX = 3000,
    ROUNDS = 60
};
enum { MAP_LARGE = 16 << 20, TAKEN_MAX = 8, PARTICIPANTS = 3 };

struct message {
    uint64_t number;
    int owners[2]; /* the second one -1: there is none */
    int with[2];   /* an account, or a channel's participant */
    bool kept[2];
    bool replaced;
};

struct model {
    struct message messages[MESSAGES_MAX];
    unsigned count;
    unsigned first; /* those before are kept by nobody */
};

static struct model now, safe;
static uint64_t last;

/* A part of a view, as the model understands it. */
struct part {
    int owner;
    uint64_t low, high;
};
struct look {
    struct part parts[1 + TAKEN_MAX];
    unsigned count;
    int with; /* -1: all */
    int who;  /* of the other side's resources; -1: all */
};

/* --- names --- */

static struct span owner_name(int owner, char text[32])
{
    int len = owner < ACCOUNTS ? snprintf(text, 32, "u%d", owner)
                               : snprintf(text, 32, "\1c%d", owner - ACCOUNTS);
    return span_of(text, (size_t)len);
}

static struct jid jid_of_owner(int owner, int who)
{
    char local[32], resource[32];
    struct jid jid = {0};
    struct span name = owner_name(owner, local);
    snprintf(resource, sizeof resource, "r%d", who);
    CHECK(jid_of(owner < ACCOUNTS ? name : span_cut(name, 1, name.len),
                 owner < ACCOUNTS ? SPAN("example.com") : SPAN("mix.example.com"),
                 who < 0 ? SPAN("") : span_string(resource), &arena, &jid));
    return jid;
}

static void body_text(char *text, size_t size, const struct message *message)
{
    snprintf(text, size, "<message><body>%llu%s%*s</body></message>",
             (unsigned long long)message->number, message->replaced ? " was taken back" : "",
             (int)(message->number % (message->replaced ? 300 : 700)), "");
}

static void build_body(struct build *build, const struct message *message)
{
    char text[4096];
    body_text(text, sizeof text, message);
    build_init(build, &arena, strlen(text) + ARCHIVE_NOTE_BYTES(64));
    build_str(build, text);
}

/* --- changes, in the store and in the model --- */

static enum store_outcome put(struct store *store, int from, int to, int who)
{
    char names[2][32];
    struct build build;
    size_t mark = arena.used;
    struct message message = {.number = last + 1 + (uint64_t)(rand() % 5), .kept = {true, false}};
    bool channel = to >= ACCOUNTS;
    struct jid with[2] = {jid_of_owner(channel ? to : from, who), jid_of_owner(to, -1)};
    struct archive_owner owners[2] = {{owner_name(to, names[0]), &with[0]},
                                      {owner_name(from, names[1]), &with[1]}};
    unsigned count = channel || from == to ? 1 : 2;
    message.owners[0] = to;
    message.with[0] = (channel ? to : from) * PARTICIPANTS + who;
    message.owners[1] = count == 2 ? from : -1;
    message.with[1] = -1 - to; /* without a resource */
    message.kept[1] = count == 2;
    build_body(&build, &message);
    enum store_outcome outcome =
        archive_has_room(store, build.used)
            ? archive_put(store, message.number, message.number * 7, owners, count, &build)
            : STORE_FULL;
    arena_reset(&arena, mark);
    if (outcome != STORE_OK)
        return outcome;
    last = message.number;
    now.messages[now.count++] = message;
    return STORE_OK;
}

static bool alive(const struct message *message)
{
    return message->kept[0] || message->kept[1];
}

static struct message *first_of(int owner, int *side)
{
    for (unsigned i = now.first; i < now.count; i++)
        for (*side = 0; *side < 2; (*side)++)
            if (now.messages[i].owners[*side] == owner && now.messages[i].kept[*side])
                return &now.messages[i];
    return NULL;
}

static bool drop_first(struct store *store, int owner)
{
    char name[32];
    int side;
    struct message *message = first_of(owner, &side);
    enum store_outcome outcome = archive_drop_first(store, owner_name(owner, name));
    if (outcome == STORE_FULL)
        return true;
    if (message != NULL)
        message->kept[side] = false;
    return outcome == (message != NULL ? STORE_OK : STORE_NONE);
}

static bool drop_oldest(struct store *store)
{
    while (now.first < now.count && !alive(&now.messages[now.first]))
        now.first++;
    enum store_outcome outcome = archive_drop_oldest(store, ARCHIVE_NUMBER_MAX);
    if (outcome == STORE_FULL || now.first == now.count)
        return outcome != STORE_OK;
    now.messages[now.first].kept[0] = now.messages[now.first].kept[1] = false;
    return outcome == STORE_OK;
}

static bool replace(struct store *store)
{
    struct build build;
    size_t mark = arena.used;
    if (now.count == 0)
        return true;
    struct message *message = &now.messages[(unsigned)rand() % now.count], young = *message;
    young.replaced = true;
    build_body(&build, &young);
    enum store_outcome outcome = archive_replace(store, message->number, &build);
    arena_reset(&arena, mark);
    if (outcome == STORE_OK)
        *message = young;
    return outcome == STORE_FULL || outcome == (alive(message) ? STORE_OK : STORE_NONE);
}

/* As many transactions as it takes. */
static bool index_all(struct store *store)
{
    enum store_outcome outcome;
    unsigned rounds = 0;
    while ((outcome = archive_index(store)) == STORE_FULL && rounds++ < 50)
        if (store_commit(store) != STORE_OK)
            return false;
    return outcome == STORE_OK && store_commit(store) == STORE_OK;
}

static bool trim_all(struct store *store, unsigned most)
{
    struct archive_trim trim = {.len = 0};
    enum store_outcome outcome;
    unsigned rounds = 0;
    if (!index_all(store))
        return false;
    while ((outcome = archive_trim(store, &trim, most)) != STORE_NONE && rounds++ < 10000)
        if (outcome == STORE_FULL && store_commit(store) != STORE_OK)
            return false;
    for (int owner = 0; owner < OWNERS; owner++) {
        unsigned count = 0;
        for (unsigned i = now.count; i > now.first; i--)
            for (int side = 0; side < 2; side++) {
                struct message *message = &now.messages[i - 1];
                if (message->owners[side] == owner && message->kept[side])
                    message->kept[side] = ++count <= most;
            }
    }
    return outcome == STORE_NONE && store_commit(store) == STORE_OK;
}

/* --- looking --- */

static bool seen(const struct look *look, const struct message *message)
{
    for (int side = 0; side < 2; side++) {
        int with = message->with[side];
        bool talk = look->with < 0 || (with < 0 ? -1 - with : with / PARTICIPANTS) == look->with;
        bool who = look->who < 0 || (with >= 0 && with % PARTICIPANTS == look->who);
        for (unsigned i = 0; i < look->count && talk && who && message->kept[side]; i++)
            if (look->parts[i].owner == message->owners[side] &&
                look->parts[i].low <= message->number && message->number <= look->parts[i].high)
                return true;
    }
    return false;
}

/* Up to two stays in each channel. */
static void look_make(struct look *look)
{
    *look = (struct look){.count = 1, .with = -1, .who = -1};
    look->parts[0] = (struct part){rand() % 4 == 0 ? rand() % ACCOUNTS : rand() % 3, 0, UINT64_MAX};
    for (int channel = 0; channel < CHANNELS; channel++) {
        uint64_t low = (uint64_t)rand() % (last + 2);
        for (int stay = rand() % 3; stay > 0; stay--) {
            uint64_t high = rand() % 4 == 0 ? UINT64_MAX : low + (uint64_t)rand() % (last / 2 + 2);
            look->parts[look->count++] = (struct part){ACCOUNTS + channel, low, high};
            if (high == UINT64_MAX)
                break;
            low = high + 1;
        }
    }
    if (rand() % 2 == 0)
        return;
    look->with = rand() % 2 == 0 ? rand() % 3 : ACCOUNTS + rand() % CHANNELS;
    look->who = rand() % 3 - 1;
}

static bool body_is(struct store *store, const struct message *message)
{
    char text[4096];
    struct archive_body body;
    body_text(text, sizeof text, message);
    return archive_body(store, message->number, &body) == STORE_OK && span_is(body.stanza, text) &&
           body.stamp_us == message->number * 7;
}

/* Both ways from any place, and how many there are. */
static bool look_walk(struct store *store, const struct look *look, struct archive_view *view)
{
    uint64_t from = (uint64_t)rand() % (last + 2), at = from, back = from;
    uint32_t count = 0, counted;
    bool good = true;
    for (unsigned i = 0; i < now.count && good; i++) {
        const struct message *message = &now.messages[i];
        if (message->number <= from || !seen(look, message))
            continue;
        count++;
        good = archive_after(store, view, at, &at) == STORE_OK && at == message->number &&
               body_is(store, message);
    }
    good = good && archive_after(store, view, at, &at) == STORE_NONE &&
           archive_count(store, view, from + 1, ARCHIVE_NUMBER_MAX, &counted) == STORE_OK &&
           counted == count;
    count = 0;
    for (unsigned i = now.count; i > 0 && good; i--) {
        const struct message *message = &now.messages[i - 1];
        if (message->number >= from || !seen(look, message))
            continue;
        count++;
        good = archive_before(store, view, back, &back) == STORE_OK && back == message->number;
    }
    return good && archive_before(store, view, back, &back) == STORE_NONE &&
           (from < 2 ||
            (archive_count(store, view, 1, from - 1, &counted) == STORE_OK && counted == count));
}

static bool look_is(struct store *store)
{
    char names[1 + TAKEN_MAX][32];
    struct archive_source sources[TAKEN_MAX];
    struct archive_view view;
    struct look look;
    struct jid with;
    size_t mark = arena.used;
    look_make(&look);
    if (look.with >= 0)
        with = jid_of_owner(look.with, look.who);
    archive_view(&view, owner_name(look.parts[0].owner, names[0]), look.with >= 0 ? &with : NULL);
    for (unsigned i = 1; i < look.count; i++)
        archive_source(&sources[i - 1], owner_name(look.parts[i].owner, names[i]),
                       look.parts[i].low, look.parts[i].high);
    view.sources = sources;
    view.count = look.count - 1;
    bool good = look_walk(store, &look, &view) && look_walk(store, &look, &view);
    for (unsigned i = 0; i < 20 && now.count > 0 && good; i++) {
        const struct message *message = &now.messages[(unsigned)rand() % now.count];
        good = archive_has(store, &view, message->number) ==
               (seen(&look, message) ? STORE_OK : STORE_NONE);
    }
    arena_reset(&arena, mark);
    return good;
}

/* A body for each message that somebody keeps, and an entry for each who does. */
static bool all_is(struct store *store)
{
    struct archive_use use;
    uint64_t messages = 0, entries = 0;
    bool good = true;
    for (unsigned i = 0; i < now.count && good; i++) {
        const struct message *message = &now.messages[i];
        struct archive_body body;
        messages += alive(message);
        entries += (uint64_t)message->kept[0] + message->kept[1];
        good = alive(message) ? body_is(store, message)
                              : archive_body(store, message->number, &body) == STORE_NONE;
    }
    for (unsigned i = 0; i < 6 && good; i++)
        good = look_is(store);
    return good && archive_usage(store, &use) == STORE_OK && use.messages == messages &&
           use.entries >= entries; /* more: an index that is not made to its end */
}

/* --- a history --- */

static bool step(struct store *store)
{
    enum store_outcome outcome;
    int owner = rand() % 4 == 0 ? rand() % OWNERS : rand() % 2 == 0 ? rand() % 3 : OWNERS - 1;
    switch (rand() % 32) {
    case 0:
        return drop_first(store, owner);
    case 1:
        return drop_oldest(store);
    case 2:
        return replace(store);
    case 3:
        outcome = archive_index(store);
        return outcome == STORE_OK || outcome == STORE_FULL;
    default:
        if (now.count == MESSAGES_MAX)
            return true;
        if (rand() % 2 == 0)
            outcome = put(store, 0, ACCOUNTS + rand() % CHANNELS, rand() % PARTICIPANTS);
        else
            outcome = put(store, rand() % 8 == 0 ? rand() % 3 : rand() % ACCOUNTS,
                          rand() % 8 == 0 ? rand() % 3 : rand() % ACCOUNTS, rand() % PARTICIPANTS);
        return outcome == STORE_OK || outcome == STORE_FULL;
    }
}

static struct store *reopened(struct store *store, bool read_only)
{
    const char *why = "";
    if (store != NULL)
        store_close(store);
    return open_store(MAP_LARGE, read_only, &why);
}

static bool round_run(struct store *store)
{
    bool good = true;
    safe = now;
    for (int i = rand() % 80; i > 0 && good; i--)
        good = step(store);
    if (rand() % 8 == 0)
        good = good && look_is(store); /* of what is not safe yet */
    if (rand() % 6 == 0) {
        store_abort(store);
        now = safe;
    } else {
        good = good && store_commit(store) == STORE_OK;
    }
    good = good && all_is(store);
    store_tick_end(store);
    return good;
}

static void test_history(unsigned seed)
{
    bool good = true;
    memset(&now, 0, sizeof now);
    last = 1000;
    files_remove();
    srand(seed);
    struct store *store = reopened(NULL, false);
    for (unsigned round = 0; round < ROUNDS && good && store != NULL; round++) {
        good = round_run(store);
        if (good && round % 16 == 15)
            good = trim_all(store, 20 + (unsigned)rand() % 40) && all_is(store);
        if (good && rand() % 10 == 0) {
            store = reopened(store, true); /* cannot write: the index stays as it is */
            good = store != NULL && all_is(store);
            store = reopened(store, false);
        }
    }
    CHECK(good && store != NULL);
    CHECK(now.count > MESSAGES_MAX / 4);
    if (store != NULL) {
        CHECK(index_all(store) && all_is(store));
        store_close(store);
    }
}

/* --- schema 1: no hashes in the bodies, and all entries are there --- */

static bool old_put(struct store *store, uint64_t number, uint32_t place)
{
    char body[64], key[8], entry_key[16] = "u0";
    uint8_t entry[17] = {1};
    int len = snprintf(body, sizeof body, "<message>%c%s%c%c%c%c%c%c%c%c%c%c%c", 2, "u0", 3, 0,
                       (int)number, 0, 0, 0, 0, 0, 0, 0, 1);
    for (unsigned i = 0; i < 8; i++)
        key[i] = (char)(number >> 8 * (7 - i));
    memcpy(entry_key + 3, key, 8);
    record_number_put(entry + 1, 4, place);
    return store_put(store, TABLE_BODIES, span_of(key, 8), span_of(body, (size_t)len), true) ==
               STORE_OK &&
           store_put(store, TABLE_ARCHIVE, span_of(entry_key, 11),
                     span_of((const char *)entry, sizeof entry), true) == STORE_OK;
}

static void test_upgrade(void)
{
    struct archive_view view;
    struct archive_body body;
    struct store_use use;
    uint64_t number;
    uint32_t count, behind;
    memset(&now, 0, sizeof now);
    last = 100;
    files_remove();
    struct store *store = reopened(NULL, false);
    bool made = true;
    for (unsigned i = 0; i < 50; i++)
        made = made && old_put(store, 10 + i, 7 + i);
    CHECK(made && store_put(store, TABLE_META, SPAN("schema"), SPAN("\1\0\0\0\0\0\0\0"), false) ==
                      STORE_OK);
    CHECK(store_commit(store) == STORE_OK);
    store = reopened(store, false);
    store_usage(store, &use);
    CHECK(use.schema == 2 && archive_unindexed(store, &behind) == STORE_OK && behind == 0);
    CHECK(put(store, 1, 0, 0) == STORE_OK && store_commit(store) == STORE_OK);
    archive_view(&view, SPAN("u0"), NULL);
    for (unsigned indexed = 0; indexed < 2; indexed++) {
        CHECK(archive_count(store, &view, 1, ARCHIVE_NUMBER_MAX, &count) == STORE_OK &&
              count == 51);
        CHECK(archive_before(store, &view, last, &number) == STORE_OK && number == 59);
        CHECK(archive_body(store, 59, &body) == STORE_OK && span_is(body.stanza, "<message>") &&
              body.stamp_us == 59);
        CHECK(index_all(store));
        archive_view(&view, SPAN("u0"), NULL);
    }
    CHECK(archive_drop_first(store, SPAN("u0")) == STORE_OK);
    CHECK(archive_body(store, 10, &body) == STORE_NONE && store_commit(store) == STORE_OK);
    store_close(store);
}

int main(void)
{
    if (!directory_make())
        return 2;
    test_upgrade();
    for (unsigned seed = 1; seed <= 6; seed++)
        test_history(seed);
    directory_remove();
    return test_end();
}
