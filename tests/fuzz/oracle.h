/* oracle.h: what a fresh expat parser, with nothing of ours around it, says of a stanza, and xml.c
 * compared with it. Used by the fuzz targets and, with fixed mutations, by tests/unit/mutation.c.
 * A difference ends the program. */
#ifndef KITH_ORACLE_H
#define KITH_ORACLE_H

#include <expat.h>
#include <stdio.h>

#include "base/must.h"
#include "wire/names.h"
#include "wire/xml.h"

#define ORACLE_LOG_BYTES (1 << 20)
#define ORACLE_REGION_BYTES (4 << 20)

static const struct xml_limits oracle_limits = {
    .depth_max = 12,
    .attributes_max = 9,
    .declarations_max = 14,
    .nodes_max = 30,
    .name_bytes_max = 100,
    .stanza_bytes_max = 1 << 20,
};

/* What was seen, as text. */
struct oracle_log {
    char *bytes;
    size_t used;
};

static void log_put(struct oracle_log *log, const char *bytes, size_t len)
{
    must(len <= ORACLE_LOG_BYTES - log->used);
    memcpy(log->bytes + log->used, bytes, len);
    log->used += len;
}

static void log_span(struct oracle_log *log, struct span span)
{
    log_put(log, span.bytes, span.len);
    log_put(log, "|", 1);
}

static void log_number(struct oracle_log *log, unsigned long number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%lu|", number);
    log_put(log, digits, (size_t)len);
}

static void log_tag(struct oracle_log *log, const char *tag, unsigned long at)
{
    log_put(log, tag, strlen(tag));
    log_number(log, at);
}

/* The stanza as a fresh parser sees it. */
struct oracle {
    XML_Parser parser;
    struct oracle_log log;
    struct span source;
    unsigned long offset;
    unsigned long edge;
    unsigned long depth, nodes, tops, declarations;
    size_t text_at; /* in the log: where the open run's characters begin; 0: none */
    bool refused;   /* by a rule that expat does not know */
    bool over;      /* a limit */
};

static unsigned long oracle_start(const struct oracle *oracle)
{
    return (unsigned long)XML_GetCurrentByteIndex(oracle->parser) - oracle->offset;
}

static unsigned long oracle_end(const struct oracle *oracle)
{
    return oracle_start(oracle) + (unsigned long)XML_GetCurrentByteCount(oracle->parser);
}

static void oracle_text_end(struct oracle *oracle)
{
    if (oracle->text_at == 0)
        return;
    log_put(&oracle->log, "|", 1);
    log_number(&oracle->log, oracle_start(oracle));
    oracle->text_at = 0;
}

static bool oracle_long(const char *name)
{
    for (; *name; name += strcspn(name, "\x1f"), name += *name != 0) {
        if (strcspn(name, "\x1f") > oracle_limits.name_bytes_max)
            return true;
    }
    return false;
}

/* ST-5b, for an expat without EXPAT_NS: a colon in the local name or the prefix, or none of it. */
static bool oracle_misnamed(const char *name)
{
    const char *local = strchr(name, '\x1f');
    local = local ? local + 1 : name;
    return *local == 0 || *local == '\x1f' || strchr(local, ':') != NULL;
}

static void XMLCALL oracle_declaration(void *user, const char *prefix, const char *uri)
{
    struct oracle *oracle = user;
    oracle_text_end(oracle);
    if (prefix != NULL && uri != NULL && strcmp(uri, NS_CLIENT) == 0)
        oracle->refused = true;
    oracle->refused |= prefix != NULL && oracle_misnamed(prefix);
    if (++oracle->declarations > oracle_limits.declarations_max ||
        (prefix && oracle_long(prefix)) || (uri && oracle_long(uri)))
        oracle->over = true;
    log_put(&oracle->log, "D", 1);
    log_span(&oracle->log, span_string(prefix ? prefix : ""));
    log_span(&oracle->log, span_string(uri ? uri : ""));
}

static void XMLCALL oracle_element(void *user, const char *name, const char **pairs)
{
    struct oracle *oracle = user;
    size_t count = 0;
    oracle_text_end(oracle);
    oracle->tops += oracle->depth == 0;
    oracle->refused |= oracle_misnamed(name);
    log_tag(&oracle->log, "E", oracle_start(oracle));
    log_number(&oracle->log, oracle_end(oracle));
    log_span(&oracle->log, span_string(name));
    for (; pairs[2 * count] != NULL; count++) {
        log_put(&oracle->log, "A", 1);
        log_span(&oracle->log, span_string(pairs[2 * count]));
        log_span(&oracle->log, span_string(pairs[2 * count + 1]));
        oracle->over |= oracle_long(pairs[2 * count]);
        oracle->refused |= oracle_misnamed(pairs[2 * count]);
    }
    if (count > oracle_limits.attributes_max || ++oracle->nodes > oracle_limits.nodes_max ||
        ++oracle->depth > oracle_limits.depth_max || oracle_long(name))
        oracle->over = true;
    oracle->edge = oracle_end(oracle);
}

static void XMLCALL oracle_element_end(void *user, const char *name)
{
    struct oracle *oracle = user;
    (void)name;
    oracle_text_end(oracle);
    if (oracle->depth == 0) {
        oracle->refused = true;
        return;
    }
    oracle->depth--;
    oracle->edge = oracle_end(oracle);
    log_tag(&oracle->log, "X", oracle->edge);
}

static void XMLCALL oracle_text(void *user, const char *text, int len)
{
    struct oracle *oracle = user;
    oracle->refused |= oracle->depth == 0;
    if (oracle->text_at == 0) {
        log_tag(&oracle->log, "T", oracle->edge);
        oracle->text_at = oracle->log.used;
        oracle->over |= ++oracle->nodes > oracle_limits.nodes_max;
    }
    log_put(&oracle->log, text, (size_t)len);
}

static void XMLCALL oracle_comment(void *user, const char *text)
{
    (void)text;
    ((struct oracle *)user)->refused = true;
}

static void XMLCALL oracle_instruction(void *user, const char *target, const char *data)
{
    (void)target, (void)data;
    ((struct oracle *)user)->refused = true;
}

/* Whether a fresh parser takes source as one element behind this wrapper. */
static bool oracle_read(struct oracle *oracle, const char *wrapper, struct span source)
{
    static char log_bytes[ORACLE_LOG_BYTES];
    XML_Parser parser = XML_ParserCreateNS("UTF-8", '\x1f');

    must(parser != NULL);
    XML_SetReturnNSTriplet(parser, 1);
    must(XML_Parse(parser, wrapper, (int)strlen(wrapper), 0) == XML_STATUS_OK);
    *oracle = (struct oracle){.parser = parser, .log.bytes = log_bytes, .source = source};
    oracle->offset = strlen(wrapper);
    XML_SetUserData(parser, oracle);
    XML_SetElementHandler(parser, oracle_element, oracle_element_end);
    XML_SetCharacterDataHandler(parser, oracle_text);
    XML_SetStartNamespaceDeclHandler(parser, oracle_declaration);
    XML_SetCommentHandler(parser, oracle_comment);
    XML_SetProcessingInstructionHandler(parser, oracle_instruction);
    bool taken = XML_Parse(parser, source.bytes, (int)source.len, 0) == XML_STATUS_OK;
    XML_ParserFree(parser);
    return taken && !oracle->refused && oracle->depth == 0 && oracle->tops == 1 &&
           oracle->edge == source.len && source.bytes[0] == '<' &&
           (source.len < 2 || source.bytes[1] != '!');
}

static void view_name(struct oracle_log *log, struct span namespace, struct span name,
                      struct span prefix)
{
    if (namespace.len) {
        log_put(log, namespace.bytes, namespace.len);
        log_put(log, "\x1f", 1);
    }
    log_put(log, name.bytes, name.len);
    if (prefix.len) {
        log_put(log, "\x1f", 1);
        log_put(log, prefix.bytes, prefix.len);
    }
    log_put(log, "|", 1);
}

static void view_node(struct oracle_log *log, const struct stanza *stanza, const struct node *node)
{
    if (node->name.len == 0) {
        must(node->inside == node->start && node->attribute_count == 0);
        log_tag(log, "T", node->start);
        log_span(log, node->text);
        log_number(log, node->end);
        return;
    }
    for (unsigned i = 0; i < node->declaration_count; i++) {
        log_put(log, "D", 1);
        log_span(log, stanza->declarations[node->first_declaration + i].prefix);
        log_span(log, stanza->declarations[node->first_declaration + i].uri);
    }
    log_tag(log, "E", node->start);
    log_number(log, node->inside);
    view_name(log, node->namespace, node->name, node->prefix);
    for (unsigned i = 0; i < node->attribute_count; i++) {
        const struct attribute *attribute = &stanza->attributes[node->first_attribute + i];
        log_put(log, "A", 1);
        view_name(log, attribute->namespace, attribute->name, attribute->prefix);
        log_span(log, attribute->value);
    }
}

/* The view as the oracle would have written it. */
static void view_log(struct oracle_log *log, const struct stanza *stanza)
{
    unsigned open[65], depth = 0;
    must(stanza->nodes[0].after == stanza->node_count);
    for (unsigned i = 0; i <= stanza->node_count; i++) {
        while (depth > 0 && stanza->nodes[open[depth - 1]].after == i)
            log_tag(log, "X", stanza->nodes[open[--depth]].end);
        if (i == stanza->node_count)
            break;
        must(stanza->nodes[i].parent == (depth ? open[depth - 1] : 0));
        view_node(log, stanza, &stanza->nodes[i]);
        if (stanza->nodes[i].name.len)
            open[depth++] = i;
    }
}

/* xml_read by a parser that has read all kinds of things before, by one that has read nothing, and
 * the oracle: same answer and same view. */
static enum xml_outcome oracle_compare_stanza(enum xml_wrapper wrapper, struct span source)
{
    static const char *const wrappers[] = {"<stream:stream xmlns='" NS_CLIENT
                                           "' xmlns:stream='" NS_STREAM "'>",
                                           "<stream xmlns='" NS_STREAM "'>"};
    static char used_region[ORACLE_REGION_BYTES] __attribute__((aligned(4096)));
    static char fresh_region[ORACLE_REGION_BYTES] __attribute__((aligned(4096)));
    static char memory[ORACLE_LOG_BYTES] __attribute__((aligned(16)));
    static char view_bytes[ORACLE_LOG_BYTES];
    static struct xml *used;
    struct oracle_log view = {view_bytes, 0};
    struct oracle oracle;
    struct arena arena;
    struct stanza stanza;

    if (source.len == 0)
        return XML_OK;
    if (used == NULL)
        used = xml_open(used_region, sizeof(used_region), &oracle_limits);
    struct xml *fresh = xml_open(fresh_region, sizeof(fresh_region), &oracle_limits);
    must(used != NULL && fresh != NULL);
    arena_init(&arena, memory, ORACLE_LOG_BYTES);
    enum xml_outcome outcome = xml_read(fresh, wrapper, source, &arena, &stanza);
    arena_init(&arena, memory, ORACLE_LOG_BYTES);
    must(xml_read(used, wrapper, source, &arena, &stanza) == outcome);

    bool taken = oracle_read(&oracle, wrappers[wrapper], source);
    if (taken && !oracle.over) {
        must(outcome == XML_OK);
        view_log(&view, &stanza);
        must(view.used == oracle.log.used);
        must(memcmp(view.bytes, oracle.log.bytes, view.used) == 0);
    } else {
        must(outcome != XML_OK && outcome != XML_FULL);
        must(outcome != XML_TOO_BIG || oracle.over);
        must(taken == false || outcome == XML_TOO_BIG);
    }
    return outcome;
}

#endif
