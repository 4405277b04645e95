/* unix.h: what unix.c lends to linux.c and posix.c. */
#ifndef KITH_UNIX_H
#define KITH_UNIX_H

#include <stdbool.h>

/* Catches SIGTERM, SIGINT, SIGHUP and blocks them outside the wait. */
bool unix_signals_open(void);
void unix_signals_shut(void);
/* The mask (sigset_t) under which to wait. */
const void *unix_signals_mask(void);

#endif
