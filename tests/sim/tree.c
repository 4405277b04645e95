/* tree.c: streams and snippets of XML into trees (expat with namespaces), and back into text for
 * people. Text made only of the indentation of a dialog file never gets here (script.c). */
#include "tree.h"

#include <stdio.h>
#include <string.h>

#define SEPARATOR '\n' /* cannot stand in a namespace name or a prefix */
#define HEADER                                                                                     \
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

/* Not in every expat's header, but in every one that defers. */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled) __attribute__((weak));

/* Expat's own memory: blocks with their size in front, never freed one by one. */
static void *block_take(size_t len)
{
    size_t *block = memory_take(len + 16);
    *block = len;
    return (char *)block + 16;
}

static void *block_resize(void *old, size_t len)
{
    void *block = block_take(len);
    if (old) {
        size_t old_len = *(size_t *)(void *)((char *)old - 16);
        memcpy(block, old, old_len < len ? old_len : len);
    }
    return block;
}

static void block_free(void *block)
{
    (void)block;
}

/* expat gives "namespace\nname\nprefix", "namespace\nname" or "name". */
static void name_split(const char *joined, const char **namespace, const char **name,
                       const char **prefix)
{
    const char *first = strchr(joined, SEPARATOR);
    const char *second = first ? strchr(first + 1, SEPARATOR) : NULL;
    if (!first) {
        *namespace = "";
        *name = memory_string(joined, strlen(joined));
    } else {
        size_t name_len = second ? (size_t)(second - first - 1) : strlen(first + 1);
        *namespace = memory_string(joined, (size_t)(first - joined));
        *name = memory_string(first + 1, name_len);
    }
    *prefix = second ? memory_string(second + 1, strlen(second + 1)) : "";
}

static void tree_append(struct tree *parent, struct tree *child)
{
    child->parent = parent;
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
}

static void on_start(void *data, const char *name, const char **attributes)
{
    struct tree_reader *reader = data;
    struct tree *tree = memory_take(sizeof(*tree));
    name_split(name, &tree->namespace, &tree->name, &tree->prefix);
    if (tree->prefix[0] && strcmp(tree->namespace, "jabber:client") == 0)
        snprintf(reader->fault, sizeof(reader->fault), "jabber:client by a prefix (ST-5)");
    struct tree_attribute **end = &tree->attributes;
    for (size_t i = 0; attributes[i]; i += 2) {
        const char *prefix;
        struct tree_attribute *attribute = memory_take(sizeof(*attribute));
        name_split(attributes[i], &attribute->namespace, &attribute->name, &prefix);
        attribute->value = memory_string(attributes[i + 1], strlen(attributes[i + 1]));
        *end = attribute;
        end = &attribute->next;
    }
    if (!reader->header) {
        reader->header = tree;
        return;
    }
    if (reader->current)
        tree_append(reader->current, tree);
    reader->current = tree;
}

static void on_end(void *data, const char *name)
{
    struct tree_reader *reader = data;
    struct tree *tree = reader->current;
    (void)name;
    if (!tree) {
        reader->ended = true;
        return;
    }
    reader->current = tree->parent;
    if (tree->parent)
        return;
    if (reader->last)
        reader->last->next = tree;
    else
        reader->first = tree;
    reader->last = tree;
}

static void on_text(void *data, const char *bytes, int len)
{
    struct tree_reader *reader = data;
    struct tree *parent = reader->current;
    if (!parent) {
        for (int i = 0; i < len; i++) {
            if (!strchr(" \t\r\n", bytes[i]))
                text_add(&reader->loose, bytes + i, 1);
        }
        return;
    }
    if (!parent->last || parent->last->name)
        tree_append(parent, memory_take(sizeof(struct tree)));
    text_add(&parent->last->text, bytes, (size_t)len);
}

static void on_declaration(void *data, const char *version, const char *encoding, int standalone)
{
    struct tree_reader *reader = data;
    (void)encoding;
    reader->declared = version && strcmp(version, "1.0") == 0 && standalone < 0;
}

/* What a server must never send (RFC 6120 11.1). */
static void on_comment(void *data, const char *comment)
{
    struct tree_reader *reader = data;
    (void)comment;
    snprintf(reader->fault, sizeof(reader->fault), "a comment");
}

static void on_instruction(void *data, const char *target, const char *text)
{
    (void)target;
    (void)text;
    on_comment(data, "");
}

static void on_doctype(void *data, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    on_comment(data, "");
}

struct tree_reader *tree_reader(void)
{
    static const XML_Memory_Handling_Suite suite = {block_take, block_resize, block_free};
    static const char separator[] = {SEPARATOR, '\0'};
    struct tree_reader *reader = memory_take(sizeof(*reader));
    reader->parser = XML_ParserCreate_MM("UTF-8", &suite, separator);
    XML_SetReturnNSTriplet(reader->parser, 1);
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetXmlDeclHandler(reader->parser, on_declaration);
    XML_SetCommentHandler(reader->parser, on_comment);
    XML_SetProcessingInstructionHandler(reader->parser, on_instruction);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    if (XML_SetReparseDeferralEnabled)
        XML_SetReparseDeferralEnabled(reader->parser, XML_FALSE);
    return reader;
}

bool tree_read(struct tree_reader *reader, const char *bytes, size_t len)
{
    if (reader->fault[0])
        return false;
    if (XML_Parse(reader->parser, bytes, (int)len, 0) == XML_STATUS_ERROR) {
        snprintf(reader->fault, sizeof(reader->fault), "%s",
                 XML_ErrorString(XML_GetErrorCode(reader->parser)));
    }
    return !reader->fault[0];
}

struct tree *tree_parse(const char *xml, size_t len, const char **fault)
{
    struct tree_reader *reader = tree_reader();
    if (!tree_read(reader, HEADER, sizeof(HEADER) - 1) || !tree_read(reader, xml, len)) {
        *fault = reader->fault;
        return NULL;
    }
    if (!reader->first || reader->current || reader->first->next || reader->loose.len) {
        *fault = "not exactly one complete element";
        return NULL;
    }
    return reader->first;
}

const char *tree_attribute(const struct tree *tree, const char *name)
{
    for (const struct tree_attribute *a = tree->attributes; a; a = a->next) {
        if (!a->namespace[0] && strcmp(a->name, name) == 0)
            return a->value;
    }
    return NULL;
}

const struct tree *tree_child(const struct tree *tree, const char *name)
{
    for (const struct tree *child = tree->child; child; child = child->next) {
        if (child->name && strcmp(child->name, name) == 0)
            return child;
    }
    return NULL;
}

const char *tree_text(const struct tree *tree)
{
    struct text text = {0};
    text_add(&text, "", 0);
    for (const struct tree *child = tree->child; child; child = child->next) {
        if (!child->name)
            text_add(&text, child->text.bytes, child->text.len);
    }
    return text.bytes;
}

static void print_escaped(struct text *out, const char *string)
{
    for (; *string; string++) {
        if (*string == '<')
            text_string(out, "&lt;");
        else if (*string == '&')
            text_string(out, "&amp;");
        else if (*string == '\'')
            text_string(out, "&apos;");
        else if ((unsigned char)*string < 32)
            text_format(out, "&#%d;", *string);
        else
            text_add(out, string, 1);
    }
}

void tree_print(struct text *out, const struct tree *tree)
{
    if (!tree->name) {
        print_escaped(out, tree->text.bytes);
        return;
    }
    const char *outer = tree->parent ? tree->parent->namespace : "jabber:client";
    text_format(out, "<%s", tree->name);
    if (strcmp(outer, tree->namespace) != 0)
        text_format(out, " xmlns='%s'", tree->namespace);
    for (const struct tree_attribute *a = tree->attributes; a; a = a->next) {
        text_format(out, a->namespace[0] ? " {%s}%s='" : " %s%s='", a->namespace, a->name);
        print_escaped(out, a->value);
        text_string(out, "'");
    }
    if (!tree->child) {
        text_string(out, "/>");
        return;
    }
    text_string(out, ">");
    for (const struct tree *child = tree->child; child; child = child->next)
        tree_print(out, child);
    text_format(out, "</%s>", tree->name);
}
