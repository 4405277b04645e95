/* settings.c: see settings.h. */
#include "base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct span trimmed(struct span text)
{
    while (text.len > 0 && is_space(text.bytes[0]))
        text = span_cut(text, 1, text.len);
    while (text.len > 0 && is_space(text.bytes[text.len - 1]))
        text.len--;
    return text;
}

static struct span without_comment(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.bytes[i] == '#' && (i == 0 || is_space(line.bytes[i - 1])))
            return trimmed(span_cut(line, 0, i));
    return trimmed(line);
}

struct span settings_file(const char *path)
{
    static char bytes[SETTINGS_BYTES_MAX + 1];
    size_t len = 0;
    ssize_t got = 1;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return SPAN_NONE;
    while (got > 0 && len < sizeof bytes) {
        got = read(file, bytes + len, sizeof bytes - len);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            len += (size_t)got;
    }
    int error = got < 0 ? errno : EFBIG;
    (void)close(file); /* nothing was written */
    if (got < 0 || len == sizeof bytes) {
        errno = error;
        return SPAN_NONE;
    }
    return span_of(bytes, len);
}

enum settings_outcome settings_next(struct settings *settings)
{
    while (settings->left.len > 0) {
        size_t end = span_find(settings->left, '\n');
        struct span line = without_comment(span_cut(settings->left, 0, end));
        settings->left = span_cut(settings->left, end + 1, settings->left.len);
        settings->line++;
        if (line.len == 0)
            continue;
        size_t equals = span_find(line, '=');
        settings->key = trimmed(span_cut(line, 0, equals));
        settings->value = trimmed(span_cut(line, equals + 1, line.len));
        if (equals == line.len || settings->key.len == 0 || settings->value.len == 0)
            return SETTINGS_BAD;
        return SETTINGS_PAIR;
    }
    return SETTINGS_END;
}

bool settings_bytes(struct span value, uint64_t *out)
{
    static const struct {
        char letter;
        unsigned bits;
    } units[] = {{'K', 10}, {'M', 20}, {'G', 30}};
    unsigned bits = 0;

    for (size_t i = 0; value.len > 1 && i < sizeof units / sizeof units[0]; i++) {
        char last = value.bytes[value.len - 1];
        if (last == units[i].letter || last == units[i].letter - 'A' + 'a') {
            value.len--;
            bits = units[i].bits;
            break;
        }
    }
    if (!span_number(value, UINT64_MAX >> bits, out))
        return false;
    *out <<= bits;
    return true;
}

bool settings_number(struct span text, uint32_t *number, uint32_t least, uint32_t most)
{
    uint64_t value;
    if (!span_number(text, most, &value) || value < least)
        return false;
    *number = (uint32_t)value;
    return true;
}
