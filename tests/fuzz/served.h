/* served.h: what the fuzz targets that are a whole server begin with. */
#ifndef KITH_FUZZ_SERVED_H
#define KITH_FUZZ_SERVED_H

#include "tests/sim/house.h"

#include <stdlib.h>

const char *__asan_default_options(void);
int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the libraries hold while the server lives hangs from its own region, which is not searched.
 */
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static inline void served_begin(void)
{
    house_boot();
    atexit(house_leave);
}

#endif
