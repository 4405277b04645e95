/* dialog.c: plays the conversations of tests/dialogs, each with the server's reads cut to 1, 2, 3
 * and 7 bytes and whole, and with sends cut and refused, each time from an empty store to an empty
 * house. Arguments: parts of the files' names; none: all. -v: show what is said (whole reads). */
#include "files.h"
#include "house.h"
#include "play.h"

#include <stdio.h>
#include <string.h>

static const struct conditions replays[] = {
    {.read_bytes = 0},
    {.read_bytes = 1},
    {.read_bytes = 2},
    {.read_bytes = 3},
    {.read_bytes = 7},
    {.read_bytes = 0, .send_bytes = 1},
    {.read_bytes = 7, .send_bytes = 5, .stuck_every = 2},
    {.read_bytes = 0, .stuck_every = 3},
};
#define REPLAYS (sizeof(replays) / sizeof(replays[0]))

static bool replay(const char *path, struct conditions conditions)
{
    struct play play;
    if (play_dialog(&play, path, &conditions))
        return true;
    fprintf(stderr, "%s    reads of %zu, sends of %zu bytes (0: whole), every %u. refused\n",
            play.report.bytes, conditions.read_bytes, conditions.send_bytes,
            conditions.stuck_every);
    return false;
}

int main(int count, char **arguments)
{
    unsigned passed = 0, failed = 0;
    clients_trace = count > 1 && strcmp(arguments[1], "-v") == 0;
    int skipped = clients_trace ? 2 : 1;
    house_boot();
    if (!files_find("tests/dialogs", count - skipped, arguments + skipped))
        return 2;
    for (unsigned i = 0; i < files_count(); i++) {
        bool fine = true;
        for (size_t r = 0; fine && r < (clients_trace ? 1 : REPLAYS); r++) {
            struct conditions conditions = replays[r];
            conditions.seed = i * REPLAYS + r;
            fine = replay(files_path(i), conditions);
            passed += fine;
            failed += !fine;
        }
    }
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
