/* memory.c: a bump of mapped pages behind everything the test side keeps. */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Reserved, not used: pages come when they are touched. A 32-bit process has less to reserve. */
#define MEMORY_BYTES (sizeof(void *) == 8 ? (size_t)4 << 30 : (size_t)1 << 29)
#define KEPT_BYTES ((size_t)8 << 20)

static char *region;
static size_t used;
static size_t used_most;

void *memory_take(size_t len)
{
    if (!region) {
        region = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (region == MAP_FAILED) {
            perror("mmap");
            exit(2);
        }
    }
    len = (len + 15) & ~(size_t)15;
    if (len > MEMORY_BYTES - used) {
        fprintf(stderr, "the test side is out of memory\n");
        exit(2);
    }
    void *taken = region + used;
    used += len;
    if (used > used_most)
        used_most = used;
    return taken;
}

char *memory_string(const char *bytes, size_t len)
{
    char *copy = memory_take(len + 1);
    memcpy(copy, bytes, len);
    return copy;
}

void memory_forget(void)
{
    size_t kept = used_most < KEPT_BYTES ? used_most : KEPT_BYTES;
    if (!region)
        return;
    memset(region, 0, kept);
    if (used_most > kept && madvise(region + kept, MEMORY_BYTES - kept, MADV_DONTNEED) != 0) {
        perror("madvise");
        exit(2);
    }
    used = 0;
    used_most = 0;
}

void text_add(struct text *text, const void *bytes, size_t len)
{
    if (text->len + len + 1 > text->size) {
        size_t size = 2 * (text->len + len) + 64;
        char *grown = memory_take(size);
        if (text->len)
            memcpy(grown, text->bytes, text->len);
        text->bytes = grown;
        text->size = size;
    }
    if (len)
        memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

void text_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (len < 0)
        return;
    text_add(text, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void text_drop(struct text *text, size_t len)
{
    text->bytes += len;
    text->size -= len;
    text->len -= len;
}
