/* library.h: which XML library this is, for `kith version`. */
#ifndef KITH_LIBRARY_H
#define KITH_LIBRARY_H

/* The name and version of the one that is running. */
const char *xml_library(void);

#endif
