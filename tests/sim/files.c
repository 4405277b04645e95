/* files.c: see files.h. Limit: FILES. */
#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES 2000

static char files[FILES][256];
static unsigned file_count;

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool wanted(const char *file, int count, char **parts)
{
    for (int i = 0; i < count; i++) {
        if (strstr(file, parts[i]))
            return true;
    }
    return count == 0;
}

bool files_find(const char *directory, int count, char **parts)
{
    struct dirent *entry;
    DIR *open = opendir(directory);
    if (!open) {
        perror(directory);
        return false;
    }
    while ((entry = readdir(open)) != NULL && file_count < FILES) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".txt") != 0)
            continue;
        snprintf(files[file_count], sizeof(files[0]), "%s/%.200s", directory, entry->d_name);
        file_count += wanted(files[file_count], count, parts);
    }
    closedir(open);
    qsort(files, file_count, sizeof(files[0]), compare);
    return true;
}

unsigned files_count(void)
{
    return file_count;
}

const char *files_path(unsigned i)
{
    return files[i];
}
