/* timestamp.c: every day of four thousand years against the C library's calendar, and edges. */
#include "wire/timestamp.h"

#include "test.h"

#include <stdlib.h>
#include <time.h>

static bool same(uint64_t utc_us)
{
    char ours[TIMESTAMP_BYTES + 1] = "", theirs[64];
    time_t seconds = (time_t)(utc_us / 1000000);
    struct tm parts;
    timestamp_write(utc_us, ours);
    if (gmtime_r(&seconds, &parts) == NULL)
        return false;
    size_t len = strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(theirs + len, sizeof theirs - len, ".%03uZ", (unsigned)(utc_us / 1000 % 1000));
    if (strcmp(ours, theirs) == 0)
        return true;
    printf("%s is not %s\n", ours, theirs);
    return false;
}

int main(void)
{
    bool good = true;
    for (uint64_t day = 0; day < 365 * 4000 && good; day++)
        good = same((day * 86400 + day % 86400) * 1000000 + day * 997 % 1000000);
    CHECK(good);
    CHECK(same(0));
    CHECK(same(UINT64_C(951782399999999))); /* the second before 2000-02-29 */
    CHECK(same(UINT64_C(951782400000000)));
    CHECK(same(UINT64_C(4107542399999999))); /* the second before 2100-03-01 */
    CHECK(same(UINT64_C(4107542400000000)));
    CHECK(same(UINT64_C(253402300799999999))); /* the last one of 9999 */
    return test_end();
}
