/* xml.c: see xml.h. Everything the parser remembers lives in its region, at fixed addresses, so
 * putting back the bytes that were there after a wrapper's start tag puts back the parser
 * (XML 1.0, Namespaces in XML 1.0; RFC 6120 4.8 and 11). */
#include "wire/xml.h"

#include <expat.h>
#include <strings.h>

#include "base/must.h"
#include "wire/names.h"
#include "wire/view.h"

#define BLOCK_ALIGN 16

/* Expat is fed this much at a time, so that its buffer grows with the longest tag and not with the
 * longest stanza. */
#define PIECE_BYTES 8192

/* Debian 12's 2.5.0 has it as a backport that its version number does not show. */
extern XML_Bool XML_SetReparseDeferralEnabled(XML_Parser, XML_Bool) __attribute__((weak));

/* What expat takes memory from: blocks one behind another, each after its size. Only the last one
 * is ever given back or grown in place. */
struct bump {
    char *bytes;
    size_t size;
    size_t used;
    size_t last; /* where the last block begins; 0: it was given back */
    size_t peak;
};

/* The parser as it was at some moment. */
struct snapshot {
    char *copy;
    size_t used;
    size_t last;
    uint32_t offset; /* bytes that it had read */
};

enum { SNAPSHOT_HEADER = XML_STREAM_DEFAULT + 1, SNAPSHOTS };

struct xml {
    XML_Parser parser;
    struct bump bump;
    struct snapshot snapshots[SNAPSHOTS];
    struct view view;
    uint32_t offset; /* what the parser calls the first byte of the source */
    enum xml_outcome outcome;
    bool deaf; /* handlers do nothing: warming up, or stopped */
};

/* expat's memory functions are not told whose they are. */
static struct xml *current;

static const char *const wrappers[] = {
    [XML_CONTENT_DEFAULT] = "<stream:stream xmlns='" NS_CLIENT "' xmlns:stream='" NS_STREAM "'>",
    [XML_STREAM_DEFAULT] = "<stream xmlns='" NS_STREAM "'>",
};

/* Names that the parser knows from the start, so that the most usual stanzas bring it none; each
 * costs some 100 bytes to put back. */
static const char usual[] =
    "<message xmlns='' from='' to='' id='' type='' xml:lang=''><body>.</body><active/>"
    "<composing/><request/><markable/><received/><origin-id/><store/></message>"
    "<presence><show/><status/><priority/><c hash='' node='' ver=''/></presence>"
    "<iq><query/><ping/><r/><a h=''/></iq>";

static size_t aligned(size_t len)
{
    return (len + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
}

static void *bump_malloc(size_t len)
{
    struct bump *bump = &current->bump;
    size_t at = bump->used + BLOCK_ALIGN;

    if (at > bump->size || len > bump->size - at || aligned(len) > bump->size - at)
        return NULL;
    memcpy(bump->bytes + bump->used, &len, sizeof(len));
    bump->last = at;
    bump->used = at + aligned(len);
    if (bump->used > bump->peak)
        bump->peak = bump->used;
    return bump->bytes + at;
}

static void bump_free(void *block)
{
    struct bump *bump = &current->bump;

    if (bump->last != 0 && block == bump->bytes + bump->last) {
        bump->used = bump->last - BLOCK_ALIGN;
        bump->last = 0;
    }
}

static void *bump_realloc(void *block, size_t len)
{
    struct bump *bump = &current->bump;
    size_t old_len;

    if (block == NULL)
        return bump_malloc(len);
    if (bump->last != 0 && block == bump->bytes + bump->last) {
        size_t used = bump->used;
        bump->used = bump->last - BLOCK_ALIGN;
        if (bump_malloc(len) != NULL)
            return block;
        bump->used = used;
        return NULL;
    }
    memcpy(&old_len, (char *)block - BLOCK_ALIGN, sizeof(old_len));
    if (len <= old_len)
        return block;
    void *grown = bump_malloc(len);
    if (grown != NULL)
        memcpy(grown, block, old_len);
    return grown;
}

/* Ends the parsing with this answer, unless it is XML_OK. */
static void xml_answer(struct xml *xml, enum xml_outcome outcome)
{
    if (outcome == XML_OK || xml->deaf)
        return;
    xml->outcome = outcome;
    xml->deaf = true;
    (void)XML_StopParser(xml->parser, XML_FALSE); /* fails only when it has stopped already */
}

/* The current event's first byte in the source, and the first byte after it. */
static uint32_t event_start(const struct xml *xml)
{
    return (uint32_t)XML_GetCurrentByteIndex(xml->parser) - xml->offset;
}

static uint32_t event_end(const struct xml *xml)
{
    return event_start(xml) + (uint32_t)XML_GetCurrentByteCount(xml->parser);
}

static void XMLCALL namespace_declared(void *user, const char *prefix, const char *uri)
{
    struct xml *xml = user;

    if (!xml->deaf)
        xml_answer(xml, view_declaration(&xml->view, span_string(prefix ? prefix : ""),
                                         span_string(uri ? uri : "")));
}

static void XMLCALL element_started(void *user, const char *name, const char **pairs)
{
    struct xml *xml = user;
    size_t count = (size_t)XML_GetSpecifiedAttributeCount(xml->parser) / 2;

    if (!xml->deaf)
        xml_answer(xml,
                   view_element(&xml->view, name, pairs, count, event_start(xml), event_end(xml)));
}

static void XMLCALL element_ended(void *user, const char *name)
{
    struct xml *xml = user;

    (void)name;
    /* Expat shows the end of <a/> as an event of no bytes behind it. */
    if (!xml->deaf)
        xml_answer(xml, view_element_end(&xml->view, event_start(xml), event_end(xml)));
}

static void XMLCALL text_came(void *user, const char *text, int len)
{
    struct xml *xml = user;

    if (!xml->deaf)
        xml_answer(xml, view_text(&xml->view, span_of(text, (size_t)len)));
}

/* Requirements 1.2, RFC 6120 11.1: the next four are restricted-xml. */
static void XMLCALL comment_came(void *user, const char *text)
{
    (void)text;
    xml_answer(user, XML_RESTRICTED);
}

static void XMLCALL instruction_came(void *user, const char *target, const char *data)
{
    (void)target;
    (void)data;
    xml_answer(user, XML_RESTRICTED);
}

static void XMLCALL doctype_came(void *user, const char *name, const char *system_id,
                                 const char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    xml_answer(user, XML_RESTRICTED);
}

static void XMLCALL entity_skipped(void *user, const char *name, int is_parameter)
{
    (void)name;
    (void)is_parameter;
    xml_answer(user, XML_RESTRICTED);
}

static void XMLCALL xml_declared(void *user, const char *version, const char *encoding,
                                 int standalone)
{
    (void)version; /* XML 1.0 fifth edition 2.8: 1.x is read as 1.0 */
    (void)standalone;
    if (encoding != NULL && strcasecmp(encoding, "UTF-8") != 0) /* RFC 6120 11.6 */
        xml_answer(user, XML_UNSUPPORTED_ENCODING);
}

/* RFC 3629 4. */
static bool utf8_valid(struct span text)
{
    const unsigned char *bytes = (const unsigned char *)text.bytes;

    for (size_t at = 0; at < text.len;) {
        unsigned char lead = bytes[at++];
        unsigned char low = 0x80, high = 0xBF; /* what the second byte may be */
        size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || more > text.len - at)
            return false;
        if (lead == 0xE0)
            low = 0xA0;
        else if (lead == 0xED)
            high = 0x9F;
        else if (lead == 0xF0)
            low = 0x90;
        else if (lead == 0xF4)
            high = 0x8F;
        for (; more > 0; more--) {
            if (bytes[at] < low || bytes[at] > high)
                return false;
            at++;
            low = 0x80;
            high = 0xBF;
        }
    }
    return true;
}

/* Why expat stopped inside of a token, at this byte. */
static enum xml_outcome token_answer(struct span source, size_t at)
{
    unsigned char byte = at < source.len ? (unsigned char)source.bytes[at] : 0;

    /* <!DOCTYPE and its like inside of the stream. */
    if (at > 1 && memcmp(source.bytes + at - 2, "<!", 2) == 0 && byte != '[' && byte != '-')
        return XML_RESTRICTED;
    return XML_NOT_WELL_FORMED;
}

static enum xml_outcome error_answer(struct xml *xml, struct span source)
{
    enum XML_Error error = XML_GetErrorCode(xml->parser);

    if (error != XML_ERROR_NO_MEMORY && !utf8_valid(source))
        return XML_UNSUPPORTED_ENCODING;
    switch (error) {
    case XML_ERROR_NO_MEMORY: /* the region, which is the same for every stanza */
        return XML_TOO_BIG;
    case XML_ERROR_UNDEFINED_ENTITY:
    case XML_ERROR_MISPLACED_XML_PI:
        return XML_RESTRICTED;
    case XML_ERROR_INVALID_TOKEN:
        return token_answer(source, event_start(xml));
    default:
        return XML_NOT_WELL_FORMED;
    }
}

static void xml_restore(struct xml *xml, const struct snapshot *snapshot)
{
    memcpy(xml->bump.bytes, snapshot->copy, snapshot->used);
    xml->bump.used = snapshot->used;
    xml->bump.last = snapshot->last;
    xml->offset = snapshot->offset;
}

/* Keeps the parser as it is now; the copy goes to the end of the region. */
static bool xml_keep(struct xml *xml, struct snapshot *snapshot)
{
    struct bump *bump = &xml->bump;

    if (aligned(bump->used) > bump->size - bump->used)
        return false;
    bump->size -= aligned(bump->used);
    *snapshot = (struct snapshot){bump->bytes + bump->size, bump->used, bump->last, xml->offset};
    memcpy(snapshot->copy, bump->bytes, bump->used);
    return true;
}

/* Lets the parser read something that nobody looks at. */
static bool xml_warm(struct xml *xml, const char *text)
{
    size_t len = strlen(text);

    xml->offset += (uint32_t)len;
    return XML_Parse(xml->parser, text, (int)len, XML_FALSE) == XML_STATUS_OK;
}

static bool xml_prepare(struct xml *xml)
{
    static const XML_Memory_Handling_Suite suite = {bump_malloc, bump_realloc, bump_free};
    static const char separator[] = {VIEW_SEPARATOR, 0};

    xml->parser = XML_ParserCreate_MM("UTF-8", &suite, separator);
    if (xml->parser == NULL)
        return false;
    if (XML_SetReparseDeferralEnabled != NULL)
        (void)XML_SetReparseDeferralEnabled(xml->parser, XML_FALSE);
    XML_SetReturnNSTriplet(xml->parser, 1);
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, element_started, element_ended);
    XML_SetCharacterDataHandler(xml->parser, text_came);
    XML_SetStartNamespaceDeclHandler(xml->parser, namespace_declared);
    XML_SetCommentHandler(xml->parser, comment_came);
    XML_SetProcessingInstructionHandler(xml->parser, instruction_came);
    XML_SetStartDoctypeDeclHandler(xml->parser, doctype_came);
    XML_SetSkippedEntityHandler(xml->parser, entity_skipped);
    XML_SetXmlDeclHandler(xml->parser, xml_declared);
    if (!xml_keep(xml, &xml->snapshots[SNAPSHOT_HEADER]))
        return false;
    for (size_t i = 0; i < SNAPSHOT_HEADER; i++) {
        xml_restore(xml, &xml->snapshots[SNAPSHOT_HEADER]);
        if (!xml_warm(xml, wrappers[i]) || !xml_warm(xml, usual) ||
            !xml_keep(xml, &xml->snapshots[i]))
            return false;
    }
    return true;
}

/* Lets the parser, as in the snapshot, read all of source. XML_OK: expat takes it so far. */
static enum xml_outcome xml_parse(struct xml *xml, const struct snapshot *snapshot,
                                  struct span source, struct arena *arena)
{
    if (source.len > xml->view.limits.stanza_bytes_max)
        return XML_TOO_BIG;
    current = xml;
    xml_restore(xml, snapshot);
    view_begin(&xml->view, source, arena);
    xml->outcome = XML_OK;
    xml->deaf = false;
    for (size_t at = 0; at < source.len; at += PIECE_BYTES) {
        struct span piece = span_cut(source, at, at + PIECE_BYTES);
        enum XML_Status status = XML_Parse(xml->parser, piece.bytes, (int)piece.len, XML_FALSE);
        if (xml->outcome != XML_OK)
            return xml->outcome;
        if (status != XML_STATUS_OK)
            return error_answer(xml, source);
    }
    return XML_OK;
}

static size_t xml_fixed_bytes(const struct xml_limits *limits)
{
    return aligned(sizeof(struct xml)) + aligned(limits->depth_max * sizeof(struct node *)) +
           aligned(limits->declarations_max * sizeof(struct declaration));
}

/* Measured with expat 2.5.0 and 2.8.3 on 64 bits (tests/unit/xml.c, which fills each limit). */
size_t xml_region_bytes(const struct xml_limits *limits)
{
    size_t tag =
        limits->stanza_bytes_max < XML_TAG_BYTES ? limits->stanza_bytes_max : XML_TAG_BYTES;
    size_t snapshots = 48 * 1024; /* three copies, and what they are copies of */
    size_t names = limits->nodes_max / 8 * (size_t)192;

    return xml_fixed_bytes(limits) + snapshots + 4 * tag + names + 2 * PIECE_BYTES +
           limits->declarations_max * (size_t)512 + limits->depth_max * (size_t)256;
}

struct xml *xml_open(void *region, size_t region_bytes, const struct xml_limits *limits)
{
    struct xml *xml = region;
    struct arena fixed;

    must((uintptr_t)region % BLOCK_ALIGN == 0);
    must(limits->nodes_max <= 65000 && limits->stanza_bytes_max <= INT32_MAX / 4);
    if (region_bytes < xml_region_bytes(limits))
        return NULL;
    arena_init(&fixed, region, region_bytes);
    must(arena_take(&fixed, sizeof(*xml)) == region);
    *xml = (struct xml){.deaf = true, .view = {.limits = *limits}};
    xml->view.open = arena_take(&fixed, limits->depth_max * sizeof(struct node *));
    xml->view.declared = arena_take(&fixed, limits->declarations_max * sizeof(struct declaration));
    xml->bump.bytes = arena_take(&fixed, 0);
    if (xml->view.open == NULL || xml->view.declared == NULL || xml->bump.bytes == NULL)
        return NULL;
    xml->bump.size = (region_bytes - fixed.used) & ~(size_t)(BLOCK_ALIGN - 1);
    current = xml;
    return xml_prepare(xml) ? xml : NULL;
}

enum xml_outcome xml_read(struct xml *xml, enum xml_wrapper wrapper, struct span source,
                          struct arena *arena, struct stanza *out)
{
    size_t used = arena->used;
    enum xml_outcome outcome = xml_parse(xml, &xml->snapshots[wrapper], source, arena);

    if (outcome != XML_OK)
        return outcome;
    if (xml->view.depth != 0 || xml->view.nodes == 0 || xml->view.edge != source.len)
        return XML_NOT_WELL_FORMED;
    outcome = view_finish(&xml->view, out);
    if (outcome == XML_OK && out->nodes[0].start != 0) {
        arena_reset(arena, used);
        return XML_NOT_WELL_FORMED;
    }
    return outcome;
}

enum xml_outcome xml_read_header(struct xml *xml, struct span source, struct arena *arena,
                                 struct stanza *out)
{
    char first = source.len ? source.bytes[0] : 0;

    /* Not a byte order mark (ST-12), by which expat would change its encoding. */
    if (first != '<' && first != ' ' && first != '\t' && first != '\r' && first != '\n')
        return XML_NOT_WELL_FORMED;
    enum xml_outcome outcome = xml_parse(xml, &xml->snapshots[SNAPSHOT_HEADER], source, arena);
    if (outcome != XML_OK)
        return outcome;
    if (xml->view.depth != 1 || xml->view.nodes != 1 || xml->view.edge != source.len)
        return XML_NOT_WELL_FORMED;
    must(view_element_end(&xml->view, xml->view.edge, xml->view.edge) == XML_OK);
    return view_finish(&xml->view, out);
}

size_t xml_peak(const struct xml *xml)
{
    return (size_t)(xml->bump.bytes - (const char *)xml) + xml->bump.peak;
}
