/* library.c: see library.h. */
#include "store/library.h"

#include <lmdb.h>
#include <stddef.h>

const char *store_library(void)
{
    return mdb_version(NULL, NULL, NULL);
}
