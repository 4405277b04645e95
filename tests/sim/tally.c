/* tally.c: see tally.h. */
#include "tally.h"

#include <stdarg.h>
#include <stdio.h>

#include "crowd.h"
#include "house.h"
#include "world.h"

const char *tally_part = "";

static unsigned passed, failed;

bool check(bool fine, const char *format, ...)
{
    va_list arguments;
    passed += fine;
    failed += !fine;
    if (fine)
        return true;
    printf("failed: %s: ", tally_part);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    return false;
}

bool settle(uint64_t ms)
{
    crowd_listen();
    const char *complaint = house_settle(ms, crowd_listen);
    if (!complaint)
        complaint = world_complaint();
    return !complaint || check(false, "%s", complaint);
}

int tally_end(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
