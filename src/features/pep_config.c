/* pep_config.c: a node's configuration as a form (XEP-0060 8.2, 16.4.4), one table of its fields.
 * Fields with one possible value may be asked for with that value. */
#include "features/pep_parts.h"
#include "store/rosters.h"
#include "wire/build.h"
#include "wire/names.h"

#define NUMBER_CHARACTERS 10

enum field_kind { FIELD_MODEL, FIELD_LAST, FIELD_FLAG, FIELD_MOST, FIELD_GROUPS, FIELD_FIXED };

static const struct field {
    const char *var;
    enum field_kind kind;
    uint8_t flag;
    const char *value; /* the only one */
    const char *label;
} fields[] = {
    {"pubsub#access_model", FIELD_MODEL, 0, NULL, "Who may read"},
    {"pubsub#roster_groups_allowed", FIELD_GROUPS, 0, NULL, "Roster groups that may read"},
    {"pubsub#persist_items", FIELD_FLAG, PEP_PERSIST, NULL, "Keep items"},
    {"pubsub#max_items", FIELD_MOST, 0, NULL, "How many items are kept"},
    {"pubsub#send_last_published_item", FIELD_LAST, 0, NULL, "When the last item is sent"},
    {"pubsub#deliver_payloads", FIELD_FLAG, PEP_PAYLOADS, NULL, "Notify with payload"},
    {"pubsub#notify_retract", FIELD_FLAG, PEP_NOTIFY_RETRACT, NULL, "Notify of removed items"},
    {"pubsub#notify_delete", FIELD_FLAG, PEP_NOTIFY_DELETE, NULL, "Notify when the node goes"},
    {"pubsub#notify_config", FIELD_FLAG, PEP_NOTIFY_CONFIG, NULL, "Notify of this form's changes"},
    {"pubsub#deliver_notifications", FIELD_FIXED, 0, "1", "Notify"},
    {"pubsub#publish_model", FIELD_FIXED, 0, "publishers", "Who may publish"},
    {"pubsub#notification_type", FIELD_FIXED, 0, "headline", "Type of notifications"},
};

static const char *const models[PEP_MODELS] = {
    [PEP_PRESENCE] = "presence",   [PEP_OPEN] = "open",           [PEP_ROSTER] = "roster",
    [PEP_WHITELIST] = "whitelist", [PEP_AUTHORIZE] = "authorize",
};
static const char *const lasts[PEP_LASTS] = {
    [PEP_LAST_ON_PRESENCE] = "on_sub_and_presence",
    [PEP_LAST_ON_SUBSCRIPTION] = "on_sub",
    [PEP_LAST_NEVER] = "never",
};

/* --- reading --- */

static bool word_read(struct span value, const char *const *words, unsigned count, uint8_t *out)
{
    for (unsigned i = 0; i < count; i++)
        if (span_is(value, words[i])) {
            *out = (uint8_t)i;
            return true;
        }
    return false;
}

static bool most_read(struct span value, uint32_t *most)
{
    uint64_t number;
    *most = PEP_ITEMS_UNLIMITED;
    if (span_is(value, "max"))
        return true;
    if (!span_number(value, PEP_ITEMS_UNLIMITED - 1, &number) || number == 0)
        return false;
    *most = (uint32_t)number;
    return true;
}

static bool flag_read(struct span value, uint8_t flag, uint8_t *flags)
{
    bool yes = form_true(value);
    if (!yes && !span_is(value, "0") && !span_is(value, "false"))
        return false;
    *flags = (uint8_t)(yes ? *flags | flag : *flags & ~flag);
    return true;
}

static bool groups_read(struct turn *turn, const struct node *node, struct span *groups)
{
    struct arena *arena = &turn->server->arena;
    const struct node *at = NULL;
    struct span group;
    char *bytes = arena_take(arena, PEP_GROUPS_BYTES_MAX);
    size_t len = 0;
    if (bytes == NULL)
        return false;
    while ((group = form_values(turn->stanza, node, &at, arena)).bytes != NULL) {
        if (len + ROSTER_GROUP_BYTES(group.len) > PEP_GROUPS_BYTES_MAX)
            return false;
        len += roster_group_add(bytes + len, group);
    }
    *groups = span_of(bytes, len);
    return at == NULL; /* else no memory for one of them */
}

static bool fixed_read(struct span value, const char *only)
{
    return span_is(value, only) || (strcmp(only, "1") == 0 && form_true(value));
}

static bool field_read(struct turn *turn, const struct node *node, const struct field *field,
                       struct pep_config *settings)
{
    const struct node *at = NULL;
    struct span value = form_values(turn->stanza, node, &at, &turn->server->arena);
    if (field->kind == FIELD_GROUPS)
        return groups_read(turn, node, &settings->groups);
    switch (field->kind) {
    case FIELD_MODEL:
        return word_read(value, models, PEP_MODELS, &settings->model);
    case FIELD_LAST:
        return word_read(value, lasts, PEP_LASTS, &settings->send_last);
    case FIELD_FLAG:
        return flag_read(value, field->flag, &settings->flags);
    case FIELD_MOST:
        return most_read(value, &settings->items_max);
    case FIELD_GROUPS:
    case FIELD_FIXED:
        break;
    }
    return fixed_read(value, field->value);
}

enum pep_form pep_config_read(struct turn *turn, const struct node *form, const char *form_type,
                              bool strict, struct pep_config *settings)
{
    const struct stanza *stanza = turn->stanza;
    if (!span_is(form_value(stanza, form, "FORM_TYPE", &turn->server->arena), form_type))
        return PEP_FORM_OTHER;
    for (const struct node *at = stanza_child(stanza, form, NS_DATA_FORMS, "field"); at != NULL;
         at = stanza_next(stanza, at, NS_DATA_FORMS, "field")) {
        struct span var = stanza_attribute(stanza, at, "var");
        size_t i = 0;
        while (i < sizeof fields / sizeof fields[0] && !span_is(var, fields[i].var))
            i++;
        if (i < sizeof fields / sizeof fields[0]) {
            if (!field_read(turn, at, &fields[i], settings))
                return PEP_FORM_BAD;
        } else if (strict && !span_is(var, "FORM_TYPE")) {
            return PEP_FORM_UNKNOWN;
        }
    }
    return PEP_FORM_GOOD;
}

bool pep_config_equal(const struct pep_config *one, const struct pep_config *other)
{
    return one->model == other->model && one->send_last == other->send_last &&
           one->flags == other->flags && one->items_max == other->items_max &&
           span_equal(one->groups, other->groups);
}

/* --- writing --- */

static void words_build(struct build *build, const struct field *field, const char *const *words,
                        unsigned count, unsigned chosen)
{
    form_open(build, "list-single", field->var, field->label, false);
    for (unsigned i = 0; i < count; i++)
        form_option(build, SPAN_NONE, span_string(words[i]));
    form_add(build, span_string(words[chosen]));
    form_shut(build);
}

static void most_build(struct build *build, const struct field *field, uint32_t most)
{
    char text[NUMBER_CHARACTERS];
    struct build number = {.bytes = text, .size = sizeof text};
    build_number(&number, most);
    form_put(build, "text-single", field->var, field->label,
             most == PEP_ITEMS_UNLIMITED ? SPAN("max") : build_span(&number), false);
}

static void groups_build(struct build *build, const struct field *field, struct span groups)
{
    struct span group;
    form_open(build, "text-multi", field->var, field->label, false);
    while (roster_group_next(&groups, &group))
        form_add(build, group);
    form_shut(build);
}

static void field_build(struct build *build, const struct field *field,
                        const struct pep_config *settings)
{
    switch (field->kind) {
    case FIELD_MODEL:
        words_build(build, field, models, PEP_MODELS, settings->model);
        break;
    case FIELD_LAST:
        words_build(build, field, lasts, PEP_LASTS, settings->send_last);
        break;
    case FIELD_FLAG:
        form_put(build, "boolean", field->var, field->label,
                 settings->flags & field->flag ? SPAN("1") : SPAN("0"), false);
        break;
    case FIELD_MOST:
        most_build(build, field, settings->items_max);
        break;
    case FIELD_GROUPS:
        groups_build(build, field, settings->groups);
        break;
    case FIELD_FIXED:
        form_put(build, strcmp(field->value, "1") == 0 ? "boolean" : "text-single", field->var,
                 field->label, span_string(field->value), false);
        break;
    }
}

void pep_config_build(struct build *build, const char *type, const struct pep_config *settings)
{
    form_begin(build, type, NULL, NULL, NS_PUBSUB_CONFIG);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        field_build(build, &fields[i], settings);
    form_end(build);
}
