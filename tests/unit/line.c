/* Tests of src/base/line.c: text of strangers on a terminal, in one line. */
#include "base/line.h"

#include <stdlib.h>

#include "test.h"

static size_t unfit(const char *text)
{
    return line_unfit(span_string(text));
}

static void test_characters(void)
{
    CHECK(unfit("") == 0 && unfit("a") == 0 && unfit(" ") == 0 && unfit("~") == 0);
    CHECK(unfit("\xc2\xa0") == 0 && unfit("\xc3\xa9") == 0 && unfit("\xe2\x80\x93") == 0);
    CHECK(unfit("\xe2\x80\x8d") == 0); /* joins emoji */
    CHECK(unfit("\xf0\x9f\x8d\xaa") == 0);
    CHECK(unfit("\n") == 1 && unfit("\r") == 1 && unfit("\t") == 1 && unfit("\x1b[2J") == 1);
    CHECK(line_unfit(span_of("\0", 1)) == 1 && unfit("\x7f") == 1 && unfit("\x1f") == 1);
    CHECK(unfit("\xc2\x80") == 2 &&
          unfit("\xc2\x9b"
                "31m") == 2 &&
          unfit("\xc2\x9f") == 2);
    CHECK(unfit("\xd8\x9c") == 2 && unfit("\xd8\x9b") == 0);
    CHECK(unfit("\xe2\x80\x8f") == 3 && unfit("\xe2\x80\xa8") == 3 && unfit("\xe2\x80\xae") == 3);
    CHECK(unfit("\xe2\x80\xaf") == 0 && unfit("\xe2\x81\xa5") == 0);
    CHECK(unfit("\xe2\x81\xa6") == 3 && unfit("\xe2\x81\xa9") == 3 && unfit("\xe2\x81\xaa") == 0);
    CHECK(unfit("\xe2\x80") == 0 && unfit("\xc2") == 0); /* cut off: no character at all */
}

static void check_printed(const char *text, const char *expected)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&bytes, &len);
    CHECK(file != NULL);
    if (file == NULL)
        return;
    line_print(file, span_string(text));
    CHECK(fclose(file) == 0 && strcmp(bytes, expected) == 0);
    free(bytes);
}

static void test_printing(void)
{
    check_printed("", "");
    check_printed("the nurse's caf\xc3\xa9", "the nurse's caf\xc3\xa9");
    check_printed("a\x1b[2Jb\nc", "a?[2Jb?c");
    check_printed("\xe2\x80\xae"
                  "eman\xc2\x9b"
                  "1A",
                  "?eman?1A");
}

int main(void)
{
    test_characters();
    test_printing();
    return test_end();
}
