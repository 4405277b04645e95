/* framer.c: see framer.h. Quotes are the only place where '>' does not end a tag, and CDATA the
 * only place where '<' does not begin one: that is all that must be known of XML to find the end of
 * what expat will accept. What expat will not accept may be cut anywhere. */
#include "wire/framer.h"

#include "base/must.h"

#define DEPTH_MAX 65000

enum state {
    CONTENT,     /* between tags */
    OPENED,      /* after '<' */
    START_TAG,   /* memory: whether the byte before was '/' */
    VALUE,       /* in an attribute's value; memory: its quote */
    END_TAG,     /* after "</" */
    EXCLAIMED,   /* after "<!"; memory: how much of cdata_open came */
    CDATA,       /* memory: how many ']' came in a row, at most 2 */
    QUESTIONED,  /* after "<?"; memory: how much of declaration_open came */
    DECLARATION, /* memory: whether the byte before was '?' */
};

_Static_assert(sizeof(struct framer) <= 12, "the framer is part of every session");

static const char cdata_open[] = "[CDATA[";
static const char declaration_open[] = "xml";

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static size_t find(struct span bytes, size_t from, char byte)
{
    return from + span_find(span_cut(bytes, from, bytes.len), byte);
}

static size_t find_not_space(struct span bytes, size_t from)
{
    while (from < bytes.len && is_space(bytes.bytes[from]))
        from++;
    return from;
}

static void enter(struct framer *framer, enum state state, uint8_t memory)
{
    framer->state = (uint8_t)state;
    framer->quote_or_match = memory;
}

static enum frame_outcome after_content(struct framer *framer, struct span bytes, size_t *at)
{
    size_t from = *at;

    if (framer->depth > 1) {
        *at = find(bytes, from, '<');
        if (*at == bytes.len)
            return FRAME_MORE;
    } else {
        *at = find_not_space(bytes, from);
        /* Before the header too: go-xmpp ends what comes before a restart with a line feed. */
        if ((framer->depth == 1 || from == 0) && *at > from)
            return FRAME_SPACE;
        if (*at == bytes.len)
            return FRAME_MORE;
        if (bytes.bytes[*at] != '<')
            return framer->depth == 1 ? FRAME_TEXT : FRAME_BAD;
    }
    (*at)++;
    enter(framer, OPENED, 0);
    return FRAME_MORE;
}

static enum frame_outcome after_opened(struct framer *framer, struct span bytes, size_t *at)
{
    switch (bytes.bytes[*at]) {
    case '/':
        if (framer->depth == 0)
            return FRAME_BAD;
        (*at)++;
        enter(framer, END_TAG, 0);
        return FRAME_MORE;
    case '!':
        (*at)++;
        enter(framer, EXCLAIMED, 0);
        return FRAME_MORE;
    case '?':
        /* Only as the first thing can it be the declaration; anything else is a processing
         * instruction (1.2 restricted-xml). */
        if (framer->depth != 0 || *at != 1)
            return FRAME_RESTRICTED;
        (*at)++;
        enter(framer, QUESTIONED, 0);
        return FRAME_MORE;
    default:
        enter(framer, START_TAG, 0);
        return FRAME_MORE;
    }
}

/* A start tag has ended. */
static enum frame_outcome element_started(struct framer *framer, bool empty)
{
    enter(framer, CONTENT, 0);
    if (framer->depth == 0) {
        framer->depth = 1;
        return empty ? FRAME_BAD : FRAME_HEADER;
    }
    if (empty)
        return framer->depth == 1 ? FRAME_STANZA : FRAME_MORE;
    if (framer->depth == DEPTH_MAX)
        return FRAME_BAD;
    framer->depth++;
    return FRAME_MORE;
}

static enum frame_outcome after_start_tag(struct framer *framer, struct span bytes, size_t *at)
{
    size_t from = *at;

    for (size_t i = from; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.bytes[i];
        if (byte > '>') /* letters, mostly */
            continue;
        if (byte == '>') {
            *at = i + 1;
            return element_started(framer, i > from ? bytes.bytes[i - 1] == '/'
                                                    : framer->quote_or_match != 0);
        }
        if (byte == '\'' || byte == '"') {
            *at = i + 1;
            enter(framer, VALUE, byte);
            return FRAME_MORE;
        }
    }
    *at = bytes.len;
    framer->quote_or_match = bytes.bytes[bytes.len - 1] == '/';
    return FRAME_MORE;
}

static enum frame_outcome after_value(struct framer *framer, struct span bytes, size_t *at)
{
    *at = find(bytes, *at, (char)framer->quote_or_match);
    if (*at < bytes.len) {
        (*at)++;
        enter(framer, START_TAG, 0);
    }
    return FRAME_MORE;
}

static enum frame_outcome after_end_tag(struct framer *framer, struct span bytes, size_t *at)
{
    *at = find(bytes, *at, '>');
    if (*at == bytes.len)
        return FRAME_MORE;
    (*at)++;
    enter(framer, CONTENT, 0);
    framer->depth--;
    if (framer->depth == 0)
        return FRAME_END;
    return framer->depth == 1 ? FRAME_STANZA : FRAME_MORE;
}

static enum frame_outcome after_exclaimed(struct framer *framer, struct span bytes, size_t *at)
{
    if (bytes.bytes[*at] != cdata_open[framer->quote_or_match])
        return FRAME_RESTRICTED; /* a comment, or DOCTYPE and its like */
    (*at)++;
    framer->quote_or_match++;
    if (framer->quote_or_match < sizeof(cdata_open) - 1)
        return FRAME_MORE;
    if (framer->depth <= 1) /* character data outside of a stanza (ST-10) */
        return framer->depth == 1 ? FRAME_TEXT : FRAME_BAD;
    enter(framer, CDATA, 0);
    return FRAME_MORE;
}

static enum frame_outcome after_cdata(struct framer *framer, struct span bytes, size_t *at)
{
    if (framer->quote_or_match == 0) {
        *at = find(bytes, *at, ']');
        if (*at == bytes.len)
            return FRAME_MORE;
    }
    char byte = bytes.bytes[(*at)++];
    if (byte == ']')
        framer->quote_or_match = framer->quote_or_match == 0 ? 1 : 2;
    else if (byte == '>' && framer->quote_or_match == 2)
        enter(framer, CONTENT, 0);
    else
        framer->quote_or_match = 0;
    return FRAME_MORE;
}

static enum frame_outcome after_questioned(struct framer *framer, struct span bytes, size_t *at)
{
    char byte = bytes.bytes[*at];

    if (framer->quote_or_match == sizeof(declaration_open) - 1) {
        if (!is_space(byte))
            return byte == '?' ? FRAME_BAD : FRAME_RESTRICTED; /* <?xml? or <?xml-stylesheet */
        enter(framer, DECLARATION, 0);
    } else if (byte == declaration_open[framer->quote_or_match]) {
        framer->quote_or_match++;
    } else {
        return FRAME_RESTRICTED;
    }
    (*at)++;
    return FRAME_MORE;
}

static enum frame_outcome after_declaration(struct framer *framer, struct span bytes, size_t *at)
{
    char byte = bytes.bytes[(*at)++];

    if (byte == '>' && framer->quote_or_match)
        enter(framer, CONTENT, 0);
    else
        framer->quote_or_match = byte == '?';
    return FRAME_MORE;
}

/* Goes on from bytes[*at], at least one byte. */
static enum frame_outcome framer_step(struct framer *framer, struct span bytes, size_t *at)
{
    switch ((enum state)framer->state) {
    case CONTENT:
        return after_content(framer, bytes, at);
    case OPENED:
        return after_opened(framer, bytes, at);
    case START_TAG:
        return after_start_tag(framer, bytes, at);
    case VALUE:
        return after_value(framer, bytes, at);
    case END_TAG:
        return after_end_tag(framer, bytes, at);
    case EXCLAIMED:
        return after_exclaimed(framer, bytes, at);
    case CDATA:
        return after_cdata(framer, bytes, at);
    case QUESTIONED:
        return after_questioned(framer, bytes, at);
    case DECLARATION:
        return after_declaration(framer, bytes, at);
    }
    must(false);
}

enum frame_outcome frame_next(struct framer *framer, struct span bytes, size_t *item_len)
{
    enum frame_outcome outcome = FRAME_MORE;
    size_t at = framer->scanned;

    must(at <= bytes.len && bytes.len <= UINT32_MAX);
    while (outcome == FRAME_MORE && at < bytes.len)
        outcome = framer_step(framer, bytes, &at);
    framer->scanned = outcome == FRAME_MORE ? (uint32_t)at : 0;
    *item_len = at;
    return outcome;
}

void framer_restart(struct framer *framer)
{
    *framer = (struct framer){0};
}

void framer_dropped(struct framer *framer, size_t len)
{
    must(len <= framer->scanned);
    framer->scanned -= (uint32_t)len;
}
