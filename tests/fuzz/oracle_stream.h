/* oracle_stream.h: what a fresh expat parser says of a whole stream, and framer.c compared with it;
 * what is cut goes on to oracle.h. A difference ends the program. */
#ifndef KITH_ORACLE_STREAM_H
#define KITH_ORACLE_STREAM_H

#include "tests/fuzz/oracle.h"
#include "wire/framer.h"

#define ORACLE_ITEMS_MAX 4096

/* Where a stream's header, first-level elements and end tag end. */
struct oracle_items {
    enum frame_outcome kinds[ORACLE_ITEMS_MAX];
    size_t ends[ORACLE_ITEMS_MAX];
    size_t count;
};

static void items_add(struct oracle_items *items, enum frame_outcome kind, size_t end)
{
    if (items->count == ORACLE_ITEMS_MAX)
        return;
    items->kinds[items->count] = kind;
    items->ends[items->count++] = end;
}

/* The stream as a fresh parser sees it, up to the first thing that XMPP does not allow. */
struct oracle_stream {
    XML_Parser parser;
    struct span source;
    struct oracle_items items;
    size_t depth;
    size_t limit;
    bool ended; /* what is behind the end tag does not count */
    bool taken; /* all of it is a document */
};

static size_t stream_start(const struct oracle_stream *stream)
{
    return (size_t)XML_GetCurrentByteIndex(stream->parser);
}

static void stream_offence(struct oracle_stream *stream)
{
    if (stream_start(stream) < stream->limit)
        stream->limit = stream_start(stream);
}

static void XMLCALL stream_element(void *user, const char *name, const char **pairs)
{
    struct oracle_stream *stream = user;
    (void)name, (void)pairs;
    if (stream->depth++ == 0) {
        size_t end = stream_start(stream) + (size_t)XML_GetCurrentByteCount(stream->parser);
        if (stream->source.bytes[end - 2] == '/')
            stream_offence(stream);
        items_add(&stream->items, FRAME_HEADER, end);
    }
}

static void XMLCALL stream_element_end(void *user, const char *name)
{
    struct oracle_stream *stream = user;
    size_t end = stream_start(stream) + (size_t)XML_GetCurrentByteCount(stream->parser);
    (void)name;
    if (--stream->depth <= 1)
        items_add(&stream->items, stream->depth ? FRAME_STANZA : FRAME_END, end);
    stream->ended |= stream->depth == 0;
}

static void XMLCALL stream_text(void *user, const char *text, int len)
{
    struct oracle_stream *stream = user;
    (void)text, (void)len;
    if (stream->depth != 1)
        return;
    for (int i = 0; i < XML_GetCurrentByteCount(stream->parser); i++) {
        if (strchr(" \t\r\n", stream->source.bytes[stream_start(stream) + (size_t)i]) == NULL)
            stream_offence(stream);
    }
}

static void XMLCALL stream_cdata(void *user)
{
    struct oracle_stream *stream = user;
    if (stream->depth == 1)
        stream_offence(stream);
}

static void XMLCALL stream_comment(void *user, const char *text)
{
    (void)text;
    if (!((struct oracle_stream *)user)->ended)
        stream_offence(user);
}

static void XMLCALL stream_instruction(void *user, const char *target, const char *data)
{
    (void)target, (void)data;
    if (!((struct oracle_stream *)user)->ended)
        stream_offence(user);
}

static void XMLCALL stream_doctype(void *user, const char *name, const char *system_id,
                                   const char *public_id, int has_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_subset;
    stream_offence(user);
}

static void oracle_stream_read(struct oracle_stream *stream, struct span source)
{
    XML_Parser parser = XML_ParserCreateNS("UTF-8", '\x1f');
    must(parser != NULL);
    memset(stream, 0, sizeof(*stream));
    stream->parser = parser;
    stream->source = source;
    stream->limit = source.len;
    XML_SetUserData(parser, stream);
    XML_SetElementHandler(parser, stream_element, stream_element_end);
    XML_SetCharacterDataHandler(parser, stream_text);
    XML_SetStartCdataSectionHandler(parser, stream_cdata);
    XML_SetCommentHandler(parser, stream_comment);
    XML_SetProcessingInstructionHandler(parser, stream_instruction);
    XML_SetStartDoctypeDeclHandler(parser, stream_doctype);
    stream->taken = XML_Parse(parser, source.bytes, (int)source.len, 1) == XML_STATUS_OK;
    if (!stream->taken && !stream->ended)
        stream_offence(stream);
    XML_ParserFree(parser);
}

/* The framer's items, each read growing by `step` bytes (0: all there is). Runs of white space are
 * left out: where they are cut depends on the reads. */
static void items_frame(struct oracle_items *items, struct span source, size_t step)
{
    struct framer framer = {0};
    enum frame_outcome outcome = FRAME_MORE;
    size_t from = 0, seen = step ? 0 : source.len, len;

    items->count = 0;
    for (;;) {
        outcome = frame_next(&framer, span_of(source.bytes + from, seen - from), &len);
        must(len <= seen - from && framer.scanned <= len);
        if (outcome == FRAME_MORE) {
            must(len == seen - from);
            if (seen == source.len)
                return;
            seen = step < source.len - seen ? seen + step : source.len;
            continue;
        }
        from += len;
        if (outcome != FRAME_SPACE)
            items_add(items, outcome, from);
        if (outcome >= FRAME_END)
            return;
    }
}

static void oracle_compare_stream(struct span source)
{
    static struct oracle_stream stream;
    static struct oracle_items whole, split;
    const char *space = " \t\r\n";
    size_t from = 0;

    if (source.len == 0)
        return;
    items_frame(&whole, source, 0);
    for (size_t step = 1; step <= 7; step += 2) {
        items_frame(&split, source, step);
        must(split.count == whole.count);
        must(memcmp(split.kinds, whole.kinds, whole.count * sizeof(whole.kinds[0])) == 0);
        must(memcmp(split.ends, whole.ends, whole.count * sizeof(whole.ends[0])) == 0);
    }
    if (source.bytes[0] != '<' &&
        (source.bytes[0] == 0 || strchr(space, source.bytes[0]) == NULL)) {
        must(whole.count == 1 && whole.kinds[0] == FRAME_BAD); /* ST-12 */
        return;
    }
    if (memchr(source.bytes, 0, source.len)) /* expat might see UTF-16, a NUL stops it anyway */
        return;
    oracle_stream_read(&stream, source);
    for (size_t i = 0; i < stream.items.count && stream.items.ends[i] <= stream.limit; i++) {
        must(i < whole.count && whole.kinds[i] == stream.items.kinds[i]);
        must(whole.ends[i] == stream.items.ends[i]);
    }
    for (size_t i = 0; i < whole.count && whole.ends[i] <= stream.limit; i++) {
        /* The framer refuses nothing that expat takes; a fault in a comment or in a name before the
         * root it may see earlier. */
        if (whole.kinds[i] > FRAME_END)
            must(!stream.taken || stream.limit < source.len);
        else
            must(i < stream.items.count && stream.items.ends[i] == whole.ends[i]);
    }
    for (size_t i = 0; i < whole.count; i++) {
        if (whole.kinds[i] == FRAME_STANZA) {
            while (strchr(space, source.bytes[from]) != NULL)
                from++;
            oracle_compare_stanza(XML_CONTENT_DEFAULT,
                                  span_of(source.bytes + from, whole.ends[i] - from));
        }
        from = whole.ends[i];
    }
}

#endif
