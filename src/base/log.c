/* log.c: see log.h, must.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"

enum log_level log_limit = LOG_NOTE;

void log_line(enum log_level level, const char *format, ...)
{
    char text[500];
    char line[sizeof text * 4 + 16] = "kith: ";
    size_t used = 6;
    va_list list;

    if (level > log_limit)
        return;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof text)
        len = sizeof text - 1;
    for (int i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte < 0x7f)
            line[used++] = (char)byte;
        else
            used += (size_t)snprintf(line + used, 5, "\\x%02x", byte);
    }
    line[used++] = '\n';
    /* A full or closed standard error must not stop the server. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}

void must_fail(const char *condition, const char *file, int line)
{
    log_line(LOG_ERROR, "bug: '%s' does not hold at %s:%d; please report this", condition, file,
             line);
    abort();
}
