/* A stream from arbitrary bytes: the framer, read whole and in pieces, against expat. */
#include "tests/fuzz/oracle_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oracle_compare_stream(span_of((const char *)data, size));
    return 0;
}
