/* script.c: see script.h. Pieces of one statement are joined without a space between '>' and '<',
 * so that the indentation of a dialog file is never text. */
#include "script.h"

#include "wire/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPANDED_MAX 64000000

static bool file_read(const char *path, struct text *out)
{
    char bytes[4096];
    size_t len;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0)
        text_add(out, bytes, len);
    bool read = !ferror(file);
    fclose(file);
    return read;
}

static const char *join(const char *before, const char *after)
{
    struct text joined = {0};
    size_t len = strlen(before);
    text_string(&joined, before);
    if (len == 0 || before[len - 1] != '>' || after[0] != '<')
        text_string(&joined, " ");
    text_string(&joined, after);
    return joined.bytes;
}

static bool statement_go_on(struct statement *statement, const char *line)
{
    if (strncmp(line, "and ", 4) == 0) {
        if (statement->count == STATEMENT_PARTS)
            return false;
        line += 4 + strspn(line + 4, " ");
        statement->parts[statement->count++] = line;
        return true;
    }
    const char **part = &statement->parts[statement->count - 1];
    *part = join(*part, line);
    return true;
}

struct statement *script_read(const char *path, const char **fault)
{
    struct text file = {0};
    struct statement *first = NULL, *last = NULL;
    int number = 0;
    *fault = "cannot be read";
    if (!file_read(path, &file) || file.len == 0)
        return NULL;
    for (const char *at = file.bytes; *at;) {
        size_t len = strcspn(at, "\n");
        size_t used = len;
        number++;
        while (used > 0 && strchr(" \t\r", at[used - 1]))
            used--;
        size_t indent = strspn(at, " ");
        const char *line = used ? memory_string(at + indent, used - indent) : "";
        at += len + (at[len] == '\n');
        if (!*line || *line == '#')
            continue;
        if (indent > 0) {
            *fault = "an indented line without a statement, or too many ands";
            if (!last || !statement_go_on(last, line))
                return NULL;
            continue;
        }
        struct statement *statement = memory_take(sizeof(*statement));
        statement->line = number;
        statement->parts[statement->count++] = line;
        if (last)
            last->next = statement;
        else
            first = statement;
        last = statement;
    }
    *fault = "holds no statements";
    return first;
}

/* \xHH and the like; returns the bytes of raw used, 0: not an escape. */
static size_t expand_escape(const char *raw, struct text *out)
{
    static const char letters[] = "nrt\\{}", meant[] = "\n\r\t\\{}";
    unsigned byte;
    const char *letter = raw[1] ? strchr(letters, raw[1]) : NULL;
    if (letter) {
        text_add(out, &meant[letter - letters], 1);
        return 2;
    }
    if (sscanf(raw, "\\x%2x", &byte) != 1)
        return 0;
    char value = (char)byte;
    text_add(out, &value, 1);
    return 4;
}

/* {"text"*1000}, in which each # becomes the number of the repetition; returns the bytes used, 0:
 * not of that form. */
static size_t expand_repeat(const char *raw, struct text *out)
{
    const char *end = strstr(raw, "\"*");
    char *after;
    if (strncmp(raw, "{\"", 2) != 0 || !end)
        return 0;
    unsigned long times = strtoul(end + 2, &after, 10);
    if (*after != '}' || times > EXPANDED_MAX / 16)
        return 0;
    for (unsigned long i = 0; i < times; i++) {
        for (const char *at = raw + 2; at < end; at++) {
            if (*at == '#')
                text_format(out, "%lu", i);
            else
                text_add(out, at, 1);
        }
    }
    return (size_t)(after + 1 - raw);
}

static size_t expand_base64(const char *raw, struct text *out)
{
    const char *end = strchr(raw, '}');
    struct text plain = {0};
    if (strncmp(raw, "{base64:", 8) != 0 || !end)
        return 0;
    for (const char *at = raw + 8; at < end;) {
        size_t used = *at == '\\' ? expand_escape(at, &plain) : 0;
        if (used == 0)
            text_add(&plain, at, used = 1);
        at += used;
    }
    char *encoded = memory_take(BASE64_BYTES(plain.len) + 1);
    text_add(out, encoded, base64_encode(span_of(plain.bytes, plain.len), encoded));
    return (size_t)(end + 1 - raw);
}

static size_t expand_variable(const char *raw, const struct variables *variables, struct text *out)
{
    const char *end = strchr(raw, '}');
    const char *value = end ? variable(variables, raw + 1, (size_t)(end - raw - 1)) : NULL;
    if (!value)
        return 0;
    text_string(out, value);
    return (size_t)(end + 1 - raw);
}

struct text script_expand(const char *raw, const struct variables *variables, const char **fault)
{
    struct text out = {0};
    text_add(&out, "", 0);
    while (*raw) {
        size_t used = 0;
        if (*raw == '\\')
            used = expand_escape(raw, &out);
        else if (*raw == '{')
            used = expand_repeat(raw, &out);
        if (!used && *raw == '{')
            used = expand_base64(raw, &out);
        if (!used && *raw == '{' && variables)
            used = expand_variable(raw, variables, &out);
        if (!used && (*raw == '\\' || (*raw == '{' && variables))) {
            *fault = memory_string(raw, strcspn(raw, "}>"));
            return (struct text){0};
        }
        if (!used)
            text_add(&out, raw, used = 1);
        raw += used;
    }
    return out;
}

const char *script_word(const char **rest)
{
    struct text word = {0};
    const char *at = *rest + strspn(*rest, " ");
    if (!*at)
        return NULL;
    text_add(&word, "", 0);
    while (*at && *at != ' ') {
        if (*at != '\'') {
            text_add(&word, at++, 1);
            continue;
        }
        size_t len = strcspn(at + 1, "'");
        text_add(&word, at + 1, len);
        at += 1 + len + (at[1 + len] == '\'');
    }
    *rest = at + strspn(at, " ");
    return word.bytes;
}
