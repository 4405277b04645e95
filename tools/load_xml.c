/* load_xml.c: where a stanza ends (tags, quotes, comments and CDATA are told apart), and textual
 * questions to a complete one. Not a parser: the server on trial is trusted to send XML. */
#include "load.h"

#include <ctype.h>
#include <string.h>

enum { IN_TEXT, IN_OPEN, IN_TAG, IN_DECLARATION, IN_CDATA, IN_COMMENT };

static enum piece tag_ends(struct splitter *splitter)
{
    splitter->state = IN_TEXT;
    if (splitter->closing)
        splitter->depth--;
    else if (splitter->last != '/')
        splitter->depth++;
    if (splitter->closing && splitter->depth == 0)
        return PIECE_CLOSE;
    if (!splitter->closing && splitter->last != '/' && splitter->depth == 1)
        return PIECE_HEADER;
    return splitter->depth == 1 ? PIECE_STANZA : PIECE_NONE;
}

static enum piece tag_byte(struct splitter *splitter, char byte)
{
    enum piece piece = PIECE_NONE;
    if (splitter->quote) {
        if (byte == splitter->quote)
            splitter->quote = 0;
    } else if (byte == '"' || byte == '\'') {
        splitter->quote = byte;
    } else if (byte == '>') {
        piece = tag_ends(splitter);
    }
    splitter->last = byte;
    return piece;
}

/* The first byte after '<'. */
static void tag_begins(struct splitter *splitter, const char *bytes, size_t at, size_t len)
{
    splitter->closing = bytes[at] == '/';
    splitter->quote = 0;
    splitter->last = 0;
    splitter->state = IN_TAG;
    if (bytes[at] == '?')
        splitter->state = IN_DECLARATION;
    else if (bytes[at] == '!')
        splitter->state = at + 1 < len && bytes[at + 1] == '[' ? IN_CDATA : IN_COMMENT;
}

static bool ends_with(const char *bytes, size_t at, const char *end)
{
    size_t len = strlen(end);
    return at + 1 >= len && memcmp(bytes + at + 1 - len, end, len) == 0;
}

enum piece splitter_next(struct splitter *splitter, const char *bytes, size_t bytes_len,
                         size_t *len)
{
    static const char *const ends[] = {
        [IN_DECLARATION] = "?>", [IN_CDATA] = "]]>", [IN_COMMENT] = "-->"};
    enum piece piece = PIECE_NONE;
    size_t at = splitter->scanned;
    while (at < bytes_len && piece == PIECE_NONE) {
        if (splitter->state == IN_TEXT) {
            const char *open = memchr(bytes + at, '<', bytes_len - at);
            at = open ? (size_t)(open - bytes) : bytes_len - 1;
            splitter->state = open ? IN_OPEN : IN_TEXT;
        } else if (splitter->state == IN_OPEN) {
            /* "<!" tells only with its next byte what it is. */
            if (bytes[at] == '!' && at + 1 == bytes_len)
                break;
            tag_begins(splitter, bytes, at, bytes_len);
        } else if (splitter->state == IN_TAG) {
            piece = tag_byte(splitter, bytes[at]);
        } else if (ends_with(bytes, at, ends[splitter->state])) {
            splitter->state = IN_TEXT;
        }
        at++;
    }
    splitter->scanned = piece == PIECE_NONE ? at : 0;
    *len = at;
    return splitter->depth < 0 ? PIECE_BROKEN : piece;
}

static const char *xml_root(const char *stanza, size_t *len)
{
    const char *open = memchr(stanza, '<', *len);
    if (!open)
        return NULL;
    *len -= (size_t)(open - stanza);
    return open;
}

bool xml_is(const char *stanza, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    const char *root = xml_root(stanza, &len);
    if (!root || len < name_len + 2 || memcmp(root + 1, name, name_len) != 0)
        return false;
    return strchr(" \t\r\n/>", root[name_len + 1]) != NULL;
}

bool xml_has(const char *stanza, size_t len, const char *text)
{
    return memmem(stanza, len, text, strlen(text)) != NULL;
}

unsigned xml_count(const char *stanza, size_t len, const char *text)
{
    const char *end = stanza + len;
    unsigned count = 0;
    for (; (stanza = memmem(stanza, (size_t)(end - stanza), text, strlen(text))); stanza++)
        count++;
    return count;
}

static void copy(char *out, size_t size, const char *bytes, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(out, bytes, len);
    out[len] = '\0';
}

void xml_attribute(const char *stanza, size_t len, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    const char *root = xml_root(stanza, &len);
    char quote = 0;
    out[0] = '\0';
    for (size_t i = 1; root && i + name_len + 2 < len && (quote || root[i] != '>'); i++) {
        if (quote) {
            if (root[i] == quote)
                quote = 0;
        } else if (root[i] == '"' || root[i] == '\'') {
            quote = root[i];
        } else if (isspace((unsigned char)root[i]) && memcmp(root + i + 1, name, name_len) == 0 &&
                   root[i + 1 + name_len] == '=') {
            const char *value = root + i + name_len + 3;
            const char *end = memchr(value, value[-1], len - (size_t)(value - root));
            if (end)
                copy(out, size, value, (size_t)(end - value));
            return;
        }
    }
}

void xml_text(const char *stanza, size_t len, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    const char *end = stanza + len;
    out[0] = '\0';
    for (const char *at = stanza; (at = memchr(at, '<', (size_t)(end - at))); at++) {
        if ((size_t)(end - at) < name_len + 2 || memcmp(at + 1, name, name_len) != 0 ||
            !strchr(" >", at[name_len + 1]))
            continue;
        const char *text = memchr(at, '>', (size_t)(end - at));
        const char *stop = text ? memchr(text, '<', (size_t)(end - text)) : NULL;
        if (stop && text[-1] != '/')
            copy(out, size, text + 1, (size_t)(stop - text - 1));
        return;
    }
}
