/* timestamp.h: points in time as XEP-0082 writes them, in UTC and with milliseconds. */
#ifndef KITH_TIMESTAMP_H
#define KITH_TIMESTAMP_H

#include "base/span.h"

/* "2002-09-10T23:08:25.000Z" */
#define TIMESTAMP_BYTES 24

/* utc_us: microseconds since 1970, in years of four digits. No terminating zero. */
void timestamp_write(uint64_t utc_us, char out[TIMESTAMP_BYTES]);
/* XEP-0082 3.2 DateTime, of any zone; what is finer than a microsecond is dropped. false: it is no
 * such time, or one before 1970. */
bool timestamp_read(struct span text, uint64_t *utc_us);

#endif
