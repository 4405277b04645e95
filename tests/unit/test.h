/* test.h: what a unit test needs. Each file in tests/unit is one program. */
#ifndef KITH_TEST_H
#define KITH_TEST_H

#include <stdio.h>

static unsigned test_passed, test_failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) {                                                                           \
            test_passed++;                                                                         \
        } else {                                                                                   \
            test_failed++;                                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
        }                                                                                          \
    } while (0)

/* The last line of main. */
static inline int test_end(void)
{
    printf("%u passed, %u failed\n", test_passed, test_failed);
    return test_failed != 0 || test_passed == 0;
}

#endif
