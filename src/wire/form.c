/* form.c: see form.h. */
#include "wire/form.h"

#include "wire/names.h"
#include "wire/timestamp.h"

const struct node *form_find(const struct stanza *stanza, const struct node *parent)
{
    return stanza_child(stanza, parent, NS_DATA_FORMS, "x");
}

enum form_type form_type(const struct stanza *stanza, const struct node *form)
{
    static const struct {
        const char *name;
        enum form_type type;
    } types[] = {
        {"form", FORM_FORM},
        {"submit", FORM_SUBMIT},
        {"cancel", FORM_CANCEL},
        {"result", FORM_RESULT},
    };
    if (form == NULL)
        return FORM_NONE;
    struct span name = stanza_attribute(stanza, form, "type");
    if (name.bytes == NULL)
        return FORM_SUBMIT;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (span_is(name, types[i].name))
            return types[i].type;
    return FORM_UNKNOWN;
}

const struct node *form_field(const struct stanza *stanza, const struct node *form, const char *var)
{
    const struct node *at =
        form == NULL ? NULL : stanza_child(stanza, form, NS_DATA_FORMS, "field");
    while (at != NULL && !span_is(stanza_attribute(stanza, at, "var"), var))
        at = stanza_next(stanza, at, NS_DATA_FORMS, "field");
    return at;
}

struct span form_values(const struct stanza *stanza, const struct node *field,
                        const struct node **at, struct arena *arena)
{
    *at = *at == NULL ? stanza_child(stanza, field, NS_DATA_FORMS, "value")
                      : stanza_next(stanza, *at, NS_DATA_FORMS, "value");
    return *at == NULL ? SPAN_NONE : stanza_text(stanza, *at, arena);
}

struct span form_value(const struct stanza *stanza, const struct node *form, const char *var,
                       struct arena *arena)
{
    const struct node *at = NULL;
    const struct node *field = form_field(stanza, form, var);
    return field == NULL ? SPAN_NONE : form_values(stanza, field, &at, arena);
}

bool form_true(struct span value)
{
    return span_is(value, "1") || span_is(value, "true");
}

void form_open(struct build *build, const char *type, const char *var, const char *label,
               bool required)
{
    build_str(build, "<field");
    build_attr(build, "type", span_string(type));
    build_attr(build, "var", span_string(var));
    build_attr(build, "label", span_string(label));
    build_str(build, required ? "><required/>" : ">");
}

void form_add(struct build *build, struct span value)
{
    build_element(build, "value", value);
}

void form_option(struct build *build, struct span label, struct span value)
{
    build_str(build, "<option");
    build_attr(build, "label", label);
    build_str(build, ">");
    form_add(build, value);
    build_str(build, "</option>");
}

void form_shut(struct build *build)
{
    build_str(build, "</field>");
}

void form_put(struct build *build, const char *type, const char *var, const char *label,
              struct span value, bool required)
{
    form_open(build, type, var, label, required);
    form_add(build, value);
    form_shut(build);
}

void form_put_time(struct build *build, const char *type, const char *var, const char *label,
                   uint64_t utc_us)
{
    char text[TIMESTAMP_BYTES];
    timestamp_write(utc_us, text);
    form_put(build, type, var, label, span_of(text, sizeof text), false);
}

void form_put_number(struct build *build, const char *type, const char *var, const char *label,
                     uint64_t number)
{
    char text[24];
    struct build digits = {.bytes = text, .size = sizeof text};
    build_number(&digits, number);
    form_put(build, type, var, label, build_span(&digits), false);
}

void form_begin(struct build *build, const char *type, const char *title, const char *instructions,
                const char *form_type)
{
    build_str(build, "<x xmlns='" NS_DATA_FORMS "'");
    build_attr(build, "type", span_string(type));
    build_str(build, ">");
    build_element(build, "title", span_string(title));
    build_element(build, "instructions", span_string(instructions));
    if (form_type != NULL)
        form_put(build, "hidden", "FORM_TYPE", NULL, span_string(form_type), false);
}

void form_end(struct build *build)
{
    build_str(build, "</x>");
}
