/* dialog.c: plays the conversations of tests/dialogs, each with the server's reads cut to 1, 2, 3
 * and 7 bytes and whole, each time from an empty store to an empty house. Arguments: parts of
 * the files' names; none: all. -v: show what is said (only whole reads). */
#include "house.h"
#include "play.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES 1000

static const size_t cuts[] = {0, 1, 2, 3, 7};
#define CUTS (sizeof(cuts) / sizeof(cuts[0]))

static char files[FILES][256];
static unsigned file_count;

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool files_find(const char *directory)
{
    struct dirent *entry;
    DIR *open = opendir(directory);
    if (!open) {
        perror(directory);
        return false;
    }
    while ((entry = readdir(open)) != NULL && file_count < FILES) {
        const char *end = strrchr(entry->d_name, '.');
        if (end && strcmp(end, ".txt") == 0)
            snprintf(files[file_count++], sizeof(files[0]), "%s/%.200s", directory, entry->d_name);
    }
    closedir(open);
    qsort(files, file_count, sizeof(files[0]), compare);
    return true;
}

static bool wanted(const char *file, int count, char **parts)
{
    for (int i = 0; i < count; i++) {
        if (strstr(file, parts[i]))
            return true;
    }
    return count == 0;
}

int main(int count, char **arguments)
{
    unsigned passed = 0, failed = 0;
    count--;
    arguments++;
    if (count > 0 && strcmp(arguments[0], "-v") == 0) {
        clients_trace = true;
        count--;
        arguments++;
    }
    house_boot();
    if (!files_find("tests/dialogs"))
        return 2;
    for (unsigned i = 0; i < file_count; i++) {
        bool fine = wanted(files[i], count, arguments);
        for (size_t c = 0; fine && c < (clients_trace ? 1 : CUTS); c++) {
            struct play play;
            struct conditions conditions = {.seed = i * 8 + c, .read_bytes = cuts[c]};
            fine = play_dialog(&play, files[i], &conditions);
            if (fine) {
                passed++;
                continue;
            }
            failed++;
            fprintf(stderr, "%s    (reads of %zu bytes, 0 is whole)\n", play.report.bytes,
                    cuts[c]);
        }
    }
    house_leave();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
