/* faults.c: the dialogs of tests/dialogs again, each with the n-th request for memory refused, for
 * a sample of n (pools, the tick's arena, the heap). What the dialog expects may then fail; but the
 * server lives, serves the next client, gives everything back and closes every handle.
 * Arguments: parts of the files' names; none: all. */
#include "files.h"
#include "house.h"
#include "verbs.h"
#include "world.h"
#include "wrap.h"

#include <stdio.h>
#include <string.h>

#define SAMPLES 16
#define RECOVERY_MS 20000 /* of a store that could not write */

static const char *const kinds[] = {"pool", "arena", "heap"};

/* All clients of the dialog leave, then one comes that must be served as if nothing had been. */
static bool serves(struct play *play)
{
    struct client *client;
    play->report = (struct text){0};
    text_string(&play->report, "");
    if (!house_is_open() || !config.plaintext_on_loopback)
        return true; /* nobody can log in there */
    for (unsigned i = 0; (client = client_at(i)) != NULL; i++) {
        if (client->link >= 0)
            world_reset(client->link);
        client->link = -1;
        client->reader = NULL;
    }
    client = client_named("juliet.probe", strlen("juliet.probe"));
    play->line = 0;
    if (!play_settle(play, RECOVERY_MS) || !verb_comes_online(play, client, "", NULL))
        return false;
    client_say_string(client, "<message><body>still here</body></message>");
    if (!play_settle(play, 0))
        return false;
    /* Among the others' farewells and what was stored. */
    for (const struct tree *taken; (taken = client_take(client)) != NULL;) {
        const struct tree *body = tree_child(taken, "body");
        if (body && strcmp(tree_text(body), "still here") == 0)
            return true;
    }
    return play_fail(play, "its message did not come back:%s", client_unread(client));
}

static bool fault(const char *path, enum wrap_kind kind, uint64_t n, unsigned seed)
{
    struct play play;
    struct conditions conditions = {.seed = seed};
    wrap_begin(kind, n);
    (void)play_speak(&play, path, &conditions);
    wrap_end();
    bool served = serves(&play);
    bool left = play_see_off(&play);
    if (!served || !left)
        fprintf(stderr, "%s    after request %llu to the %s was refused\n", play.report.bytes,
                (unsigned long long)n, kinds[kind]);
    return served && left;
}

int main(int count, char **arguments)
{
    unsigned passed = 0, failed = 0;
    setvbuf(stderr, NULL, _IONBF, 0);
    house_boot();
    if (!files_find("tests/dialogs", count - 1, arguments + 1))
        return 2;
    for (unsigned i = 0; i < files_count(); i++) {
        struct play play;
        struct conditions conditions = {.seed = i};
        uint64_t counts[WRAP_KINDS];
        wrap_begin(WRAP_POOL, 0);
        (void)play_speak(&play, files_path(i), &conditions);
        for (int kind = 0; kind < WRAP_KINDS; kind++)
            counts[kind] = wrap_count(kind);
        wrap_end();
        (void)play_see_off(&play);
        for (int kind = 0; kind < WRAP_KINDS; kind++) {
            uint64_t step = counts[kind] / SAMPLES + 1;
            for (uint64_t n = 1 + i % step; n <= counts[kind]; n += step) {
                bool fine = fault(files_path(i), kind, n, i);
                passed += fine;
                failed += !fine;
            }
        }
    }
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
