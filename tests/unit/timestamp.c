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

/* Read back, to the millisecond. */
static bool read_back(uint64_t utc_us)
{
    char text[TIMESTAMP_BYTES];
    uint64_t back;
    timestamp_write(utc_us, text);
    return timestamp_read(span_of(text, sizeof text), &back) && back == utc_us - utc_us % 1000;
}

static bool reads(const char *text, uint64_t utc_us)
{
    uint64_t back;
    return timestamp_read(span_string(text), &back) && back == utc_us;
}

static void test_reading(void)
{
    static const char *const bad[] = {
        "",
        "2002",
        "2002-09-10",
        "2002-09-10T23:08:25",
        "2002-09-10 23:08:25Z",
        "2002-13-10T23:08:25Z",
        "2002-00-10T23:08:25Z",
        "2002-02-29T23:08:25Z",
        "1900-02-29T23:08:25Z",
        "2002-09-10T24:08:25Z",
        "2002-09-10T23:60:25Z",
        "2002-09-10T23:08:61Z",
        "2002-09-10T23:08:25.Z",
        "2002-09-10T23:08:25+2:00",
        "2002-09-10T23:08:25+02:00Z",
        "2002-09-10T23:08:25Zx",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
        "-2002-09-10T23:08:25Z",
    };
    uint64_t back;
    bool good = true;
    for (uint64_t day = 0; day < 365 * 4000 && good; day++)
        good = read_back((day * 86400 + day % 86400) * 1000000 + day * 997 % 1000000);
    CHECK(good);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!timestamp_read(span_string(bad[i]), &back));
    CHECK(reads("1970-01-01T00:00:00Z", 0));
    CHECK(reads("2000-02-29T00:00:00.123456789Z", UINT64_C(951782400123456)));
    CHECK(reads("2000-02-29T02:30:00+02:30", UINT64_C(951782400000000)));
    CHECK(reads("2000-02-28T23:59:59.5-00:00", UINT64_C(951782399500000)));
    CHECK(reads("2000-02-28T23:59:60Z", UINT64_C(951782400000000)));
}

int main(void)
{
    test_reading();
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
