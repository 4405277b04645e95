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

/* The number that the next `len` digits are. */
static bool number_next(struct span *text, size_t len, uint64_t *number)
{
    bool good = text->len >= len && span_number(span_cut(*text, 0, len), UINT32_MAX, number);
    *text = span_cut(*text, len, text->len);
    return good;
}

static bool byte_next(struct span *text, char byte)
{
    bool good = text->len > 0 && text->bytes[0] == byte;
    *text = span_cut(*text, 1, text->len);
    return good;
}

/* Digits behind a point, if there is one, as microseconds. */
static bool fraction_next(struct span *text, uint64_t *microseconds)
{
    uint64_t scale = 1000000;
    *microseconds = 0;
    if (text->len == 0 || text->bytes[0] != '.')
        return true;
    *text = span_cut(*text, 1, text->len);
    size_t count = 0;
    for (; count < text->len && text->bytes[count] >= '0' && text->bytes[count] <= '9'; count++) {
        scale /= 10;
        *microseconds += scale * (uint64_t)(text->bytes[count] - '0');
    }
    *text = span_cut(*text, count, text->len);
    return count > 0;
}

/* "Z", or "+02:00": minutes to the east. */
static bool zone_next(struct span *text, int64_t *minutes)
{
    uint64_t hour, minute;
    *minutes = 0;
    if (text->len == 0)
        return false;
    char sign = text->bytes[0];
    *text = span_cut(*text, 1, text->len);
    if (sign == 'Z')
        return text->len == 0;
    bool good = (sign == '+' || sign == '-') && number_next(text, 2, &hour) &&
                byte_next(text, ':') && number_next(text, 2, &minute) && text->len == 0 &&
                hour < 24 && minute < 60;
    if (good)
        *minutes = (int64_t)(hour * 60 + minute) * (sign == '-' ? -1 : 1);
    return good;
}

static bool date_next(struct span *text, uint64_t *days)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t year, month, day;
    if (!number_next(text, 4, &year) || !byte_next(text, '-') || !number_next(text, 2, &month) ||
        !byte_next(text, '-') || !number_next(text, 2, &day) || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (uint64_t)(leap && month == 2))
        return false;
    if (month < 3) {
        year--; /* wraps for the year 0, which the caller refuses */
        month += 12;
    }
    *days = year / 400 * ERA_DAYS + year % 400 * 365 + year % 400 / 4 - year % 400 / 100 +
            (153 * (month - 3) + 2) / 5 + day - 1;
    return true;
}

bool timestamp_read(struct span text, uint64_t *utc_us)
{
    uint64_t days, hour, minute, second, fraction;
    int64_t zone;
    if (span_starts(text, "0000") || !date_next(&text, &days) || days < DAYS_TO_1970 ||
        !byte_next(&text, 'T') || !number_next(&text, 2, &hour) || !byte_next(&text, ':') ||
        !number_next(&text, 2, &minute) || !byte_next(&text, ':') ||
        !number_next(&text, 2, &second) || !fraction_next(&text, &fraction) ||
        !zone_next(&text, &zone) || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds =
        (int64_t)((days - DAYS_TO_1970) * DAY_SECONDS + hour * 3600 + minute * 60 + second) -
        zone * 60;
    if (seconds < 0)
        return false;
    *utc_us = (uint64_t)seconds * 1000000 + fraction;
    return true;
}
