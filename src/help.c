/* help.c: see help.h. */
#include "help.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define WIDTH 80
#define MARGIN 2
#define HANGING 6 /* where a name goes on that needs several lines */
#define KEY_COLUMN 19
#define KEY_BYTES 512

static void line_end(unsigned indent)
{
    printf("\n%*s", (int)indent, "");
}

/* From column at on; returns the column behind it. */
static unsigned words_print(const char *text, unsigned at, unsigned indent)
{
    bool first = true;
    while (*text != '\0') {
        size_t len = *text == '[' ? strcspn(text, "]") : 0;
        len += strcspn(text + len, " ");
        if (!first && at + 1 + len > WIDTH) {
            line_end(indent);
            at = indent;
        } else if (!first) {
            printf(" ");
            at++;
        }
        printf("%.*s", (int)len, text);
        at += (unsigned)len;
        text += len + (text[len] == ' ');
        first = false;
    }
    return at;
}

void help_row(const char *name, const char *text, unsigned column)
{
    printf("%*s", MARGIN, "");
    unsigned at = words_print(name, MARGIN, HANGING);
    if (at + 1 > column)
        line_end(column);
    else
        printf("%*s", (int)(column - at), "");
    (void)words_print(text, column, column);
    printf("\n");
}

void help_keys(void)
{
    struct config_key key;
    char expected[KEY_BYTES];
    printf("\nkith.conf has lines `key = value`; all may be left out:\n");
    for (unsigned n = 0; config_key(n, &key); n++) {
        snprintf(expected, sizeof expected, "expected: %s%s%s", key.expected,
                 key.fallback[0] ? "; default " : "", key.fallback);
        help_row(key.name, key.meaning, KEY_COLUMN);
        help_row("", expected, KEY_COLUMN);
    }
}
