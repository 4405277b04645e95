/* match.c: whether what came is what was expected: attribute order and prefixes are free, all else
 * is strict. {any} stands for any characters, {name} for those it stood for before. An optional
 * <text/> beside an error condition (RFC 6120 4.9.2, 8.3.2) need not be expected. */
#include "tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES 256

struct variables {
    size_t count;
    struct {
        const char *name;
        const char *value;
    } list[VARIABLES];
};

struct variables *variables_new(void)
{
    return memory_take(sizeof(struct variables));
}

const char *variable(const struct variables *variables, const char *name, size_t len)
{
    for (size_t i = variables->count; i > 0; i--) {
        const char *known = variables->list[i - 1].name;
        if (strlen(known) == len && memcmp(known, name, len) == 0)
            return variables->list[i - 1].value;
    }
    return NULL;
}

void variable_set(struct variables *variables, const char *name, size_t len, const char *value)
{
    if (variables->count == VARIABLES) {
        fprintf(stderr, "more than %d variables\n", VARIABLES);
        exit(2);
    }
    variables->list[variables->count].name = memory_string(name, len);
    variables->list[variables->count].value = memory_string(value, strlen(value));
    variables->count++;
}

size_t variables_mark(const struct variables *variables)
{
    return variables->count;
}

void variables_back(struct variables *variables, size_t mark)
{
    variables->count = mark;
}

bool text_matches(const char *pattern, const char *came, struct variables *variables)
{
    size_t mark = variables_mark(variables);
    while (*pattern && *pattern != '{' && *pattern == *came) {
        pattern++;
        came++;
    }
    const char *close = *pattern == '{' ? strchr(pattern, '}') : NULL;
    if (!close)
        return *pattern == *came;
    const char *name = pattern + 1;
    size_t name_len = (size_t)(close - name);
    bool any = name_len == 3 && memcmp(name, "any", 3) == 0;
    const char *known = any ? NULL : variable(variables, name, name_len);
    if (known) {
        return strncmp(came, known, strlen(known)) == 0 &&
               text_matches(close + 1, came + strlen(known), variables);
    }
    /* An unknown one stands for as few characters as the rest of the pattern allows. */
    size_t most = strlen(came);
    for (size_t taken = close[1] ? 0 : most; taken <= most; taken++) {
        if (!any)
            variable_set(variables, name, name_len, memory_string(came, taken));
        if (text_matches(close + 1, came + taken, variables))
            return true;
        variables_back(variables, mark);
    }
    return false;
}

__attribute__((format(printf, 1, 2))) static const char *say(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    return memory_string(line, strlen(line));
}

static const struct tree_attribute *attribute_find(const struct tree *tree,
                                                   const struct tree_attribute *like)
{
    for (const struct tree_attribute *a = tree->attributes; a; a = a->next) {
        if (strcmp(a->namespace, like->namespace) == 0 && strcmp(a->name, like->name) == 0)
            return a;
    }
    return NULL;
}

static const char *attributes_differ(const struct tree *expected, const struct tree *came,
                                     struct variables *variables)
{
    for (const struct tree_attribute *a = expected->attributes; a; a = a->next) {
        const struct tree_attribute *b = attribute_find(came, a);
        if (!b)
            return say("<%s> has no attribute %s", came->name, a->name);
        if (!text_matches(a->value, b->value, variables))
            return say("<%s> has %s='%s'", came->name, a->name, b->value);
    }
    for (const struct tree_attribute *b = came->attributes; b; b = b->next) {
        if (!attribute_find(expected, b))
            return say("<%s> has an attribute too many: %s='%s'", came->name, b->name, b->value);
    }
    return NULL;
}

/* <text/> of an error, which the expected element does not ask for. */
static bool optional(const struct tree *expected, const struct tree *child)
{
    return child->name && strcmp(expected->name, "error") == 0 &&
           strcmp(child->name, "text") == 0 && !tree_child(expected, "text") &&
           strstr(child->namespace, "urn:ietf:params:xml:ns:xmpp-") != NULL;
}

static const char *children_differ(const struct tree *expected, const struct tree *came,
                                   struct variables *variables)
{
    const struct tree *b = came->child;
    for (const struct tree *a = expected->child; a; a = a->next) {
        if (!a->name && strcmp(a->text.bytes, "{rest}") == 0)
            return NULL;
        while (b && optional(expected, b))
            b = b->next;
        if (!b && !a->name && text_matches(a->text.bytes, "", variables))
            continue;
        if (!b)
            return say("<%s> lacks %s%s", came->name,
                       a->name ? "a child: " : "text: ", a->name ? a->name : a->text.bytes);
        const char *differs = tree_differs(a, b, variables);
        if (differs)
            return differs;
        b = b->next;
    }
    while (b && optional(expected, b))
        b = b->next;
    if (b)
        return say("<%s> has too many children: %s%s", came->name, b->name ? "<" : "text ",
                   b->name ? b->name : b->text.bytes);
    return NULL;
}

const char *tree_differs(const struct tree *expected, const struct tree *came,
                         struct variables *variables)
{
    if (!expected->name || !came->name) {
        if (expected->name)
            return say("text where <%s> was expected: %s", expected->name, came->text.bytes);
        if (came->name)
            return say("<%s> where text was expected: %s", came->name, expected->text.bytes);
        if (!text_matches(expected->text.bytes, came->text.bytes, variables))
            return say("the text is '%s', not '%s'", came->text.bytes, expected->text.bytes);
        return NULL;
    }
    if (strcmp(expected->name, came->name) != 0)
        return say("it is <%s>, not <%s>", came->name, expected->name);
    if (strcmp(expected->namespace, came->namespace) != 0)
        return say("<%s> is in '%s', not '%s'", came->name, came->namespace, expected->namespace);
    const char *differs = attributes_differ(expected, came, variables);
    return differs ? differs : children_differ(expected, came, variables);
}
