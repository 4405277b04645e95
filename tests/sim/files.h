/* files.h: the dialogs of a directory, in order of their names. */
#ifndef KITH_SIM_FILES_H
#define KITH_SIM_FILES_H

#include <stdbool.h>

/* Those whose path holds one of the parts (none given: all). false: no such directory. */
bool files_find(const char *directory, int count, char **parts);
unsigned files_count(void);
const char *files_path(unsigned i);

#endif
