/* library.h: which library keeps the data, for `kith version`. */
#ifndef KITH_STORE_LIBRARY_H
#define KITH_STORE_LIBRARY_H

/* The name and version of the one that is running. */
const char *store_library(void);

#endif
