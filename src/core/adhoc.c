/* adhoc.c: see adhoc.h. */
#include "core/adhoc.h"

#include "store/accounts.h"
#include "wire/names.h"

#define END_BYTES_MAX 512 /* of an answer, behind its lists */

const struct adhoc *adhoc_find(struct span node)
{
    for (size_t i = 0; i < adhoc_len; i++)
        if (span_is(node, adhoc[i].node))
            return &adhoc[i];
    return NULL;
}

bool adhoc_admin(const struct turn *turn)
{
    struct account account;
    return account_get(turn->server->store, jid_local(&turn->session->jid), &account) == STORE_OK &&
           (account.flags & ACCOUNT_ADMIN);
}

bool adhoc_allowed(const struct turn *turn, const struct adhoc *row)
{
    if (row->who == ADHOC_REGISTRARS && config.registration == REGISTRATION_CLOSED)
        return false;
    return row->who == ADHOC_USERS || adhoc_admin(turn);
}

static void refuse(struct command_turn *command, const struct refusal *refusal)
{
    command->refused = true;
    reply_refusal(command->turn, refusal);
}

void command_refuse(struct command_turn *command, enum stanza_error error, const char *text)
{
    const struct refusal refusal = {.error = error, .text = span_string(text)};
    refuse(command, &refusal);
}

void command_refuse_payload(struct command_turn *command, const char *text)
{
    const struct refusal refusal = {
        .error = ERROR_BAD_REQUEST,
        .text = span_string(text),
        .condition = SPAN("<bad-payload xmlns='" NS_COMMANDS "'/>"),
    };
    refuse(command, &refusal);
}

void command_refuse_store(struct command_turn *command, enum store_outcome outcome)
{
    if (outcome == STORE_NONE)
        command_refuse(command, ERROR_ITEM_NOT_FOUND, NULL);
    else if (outcome == STORE_EXISTS)
        command_refuse(command, ERROR_CONFLICT, NULL);
    else if (outcome == STORE_FULL)
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
    else
        command_refuse(command, ERROR_INTERNAL_SERVER_ERROR, NULL);
}

static void note(struct command_turn *command, const char *type, const char *text)
{
    build_str(&command->build, "<note");
    build_attr(&command->build, "type", span_string(type));
    build_str(&command->build, ">");
    build_text(&command->build, span_string(text));
    build_str(&command->build, "</note>");
}

void command_note(struct command_turn *command, const char *text)
{
    note(command, "info", text);
}

bool command_keep(struct command_turn *command, size_t mark)
{
    struct build *build = &command->build;
    if (!build->full && build->size - build->used >= END_BYTES_MAX)
        return true;
    build->used = mark;
    build->full = false;
    return false;
}

void command_note_more(struct command_turn *command)
{
    note(command, "warn", "There are more than can be shown at once.");
}

bool command_value(struct command_turn *command, const char *var, struct span *out)
{
    struct arena *arena = &command->turn->server->arena;
    size_t mark = arena->used;
    *out = form_value(command->turn->stanza, command->form, var, arena);
    if (out->len <= ADHOC_VALUE_BYTES_MAX)
        return true;
    arena_reset(arena, mark); /* the answer needs it */
    command_refuse_payload(command, "That is too long.");
    return false;
}

bool command_boolean(struct command_turn *command, const char *var, bool *out)
{
    struct span value;
    if (!command_value(command, var, &value))
        return false;
    if (value.len == 0)
        return true;
    *out = form_true(value);
    if (*out || span_is(value, "0") || span_is(value, "false"))
        return true;
    command_refuse_payload(command, "A box is ticked or not.");
    return false;
}

bool command_number(struct command_turn *command, const char *var, uint64_t max, uint64_t *out)
{
    struct span value;
    uint64_t number;
    if (!command_value(command, var, &value))
        return false;
    if (value.len == 0)
        return true;
    if (!span_number(value, UINT64_MAX, &number)) {
        command_refuse_payload(command, "A number is a row of digits.");
        return false;
    }
    if (number < 1 || number > max) {
        command_refuse(command, ERROR_NOT_ACCEPTABLE, "That number is too small or too big.");
        return false;
    }
    *out = number;
    return true;
}

void command_finish(struct command_turn *command, enum store_outcome outcome, bool more)
{
    form_end(&command->build);
    if (more)
        command_note_more(command);
    if (outcome != STORE_OK)
        command_refuse_store(command, outcome);
}
