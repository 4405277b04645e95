/* memory.h: what the test programs remember while a dialog runs. All of it is forgotten at once.
 * Not malloc: in these programs malloc is the server's fixed heap, which is under test. */
#ifndef KITH_SIM_MEMORY_H
#define KITH_SIM_MEMORY_H

#include <stddef.h>

/* Zeroed, aligned to 16, valid until memory_forget. Ends the program when 4 GB are used up. */
void *memory_take(size_t len);
char *memory_string(const char *bytes, size_t len);
void memory_forget(void);

/* A run of bytes that grows at its end. All zero: empty. bytes[len] is always 0. */
struct text {
    char *bytes;
    size_t len;
    size_t size;
};

void text_add(struct text *text, const void *bytes, size_t len);
void text_string(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_format(struct text *text, const char *format, ...);
/* Takes len bytes off the front. */
void text_drop(struct text *text, size_t len);

#endif
