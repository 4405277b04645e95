/* timestamp.c: see timestamp.h. The proleptic Gregorian calendar, counted from the first of March,
 * so that the leap day is the last one of a year. */
#include "wire/timestamp.h"

#include "base/must.h"

#define DAY_SECONDS 86400
#define ERA_DAYS 146097     /* 400 years */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define YEAR_MAX 9999

static void digits(char *out, size_t len, uint64_t number)
{
    while (len > 0) {
        out[--len] = (char)('0' + number % 10);
        number /= 10;
    }
}

void timestamp_write(uint64_t utc_us, char out[TIMESTAMP_BYTES])
{
    uint64_t seconds = utc_us / 1000000, days = seconds / DAY_SECONDS + DAYS_TO_1970;
    uint64_t second = seconds % DAY_SECONDS, day = days % ERA_DAYS;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    uint64_t month = (5 * day + 2) / 153; /* 0: March; 153 days in five months */
    day -= (153 * month + 2) / 5;
    year += days / ERA_DAYS * 400 + (month >= 10);
    must(year <= YEAR_MAX);

    memcpy(out, "0000-00-00T00:00:00.000Z", TIMESTAMP_BYTES);
    digits(out, 4, year);
    digits(out + 5, 2, month < 10 ? month + 3 : month - 9);
    digits(out + 8, 2, day + 1);
    digits(out + 11, 2, second / 3600);
    digits(out + 14, 2, second / 60 % 60);
    digits(out + 17, 2, second % 60);
    digits(out + 20, 3, utc_us / 1000 % 1000);
}
