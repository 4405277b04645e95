/* adhoc.c: see adhoc.h. */
#include "core/adhoc.h"

#include "core/announce.h"
#include "core/channel.h"
#include "store/accounts.h"
#include "wire/names.h"

#define END_BYTES_MAX 512 /* of an answer, behind its lists */
#define DISCO_BYTES_MAX 8192

static bool of_channel(const struct adhoc *row)
{
    return row->who == ADHOC_INVITERS || row->who == ADHOC_KEEPERS;
}

static bool to_channel(const struct turn *turn)
{
    return turn->to.local_len > 0 && span_is(jid_domain(&turn->to), config.mix_domain);
}

/* What the asker is to the channel that the turn's `to` names. false: it is none that he may know
 * of (MX-2). */
static bool channel_look(const struct turn *turn, bool *invites, bool *keeps)
{
    struct channel_here channel;
    enum channel_role role = ROLE_ANYONE;
    size_t mark = turn->server->arena.used;
    bool seen = channel_find_for(turn->server, jid_local(&turn->to), jid_bare(&turn->session->jid),
                                 &channel, &role) == STORE_OK;
    *invites = seen && channel_may_invite(&channel.channel, role, false);
    *keeps = seen && role >= ROLE_ADMIN;
    arena_reset(&turn->server->arena, mark);
    return seen;
}

const struct adhoc *adhoc_find(const struct turn *turn, struct span node)
{
    bool invites, keeps;
    if (to_channel(turn) && !channel_look(turn, &invites, &keeps))
        return NULL;
    for (size_t i = 0; i < adhoc_len; i++)
        if (span_is(node, adhoc[i].node) && of_channel(&adhoc[i]) == to_channel(turn))
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
    bool invites, keeps;
    if (of_channel(row))
        return channel_look(turn, &invites, &keeps) &&
               (row->who == ADHOC_KEEPERS ? keeps : invites);
    if (row->who == ADHOC_REGISTRARS && config.registration == REGISTRATION_CLOSED)
        return false;
    return row->who == ADHOC_USERS || adhoc_admin(turn);
}

/* --- what service discovery tells of them (INV-6) --- */

static void command_info_build(struct build *build, struct span node, const struct adhoc *row)
{
    build_str(build, "<query xmlns='" NS_DISCO_INFO "'");
    build_attr(build, "node", node);
    build_str(build, "><identity category='automation'");
    build_attr(build, "type", row != NULL ? SPAN("command-node") : SPAN("command-list"));
    build_attr(build, "name", row != NULL ? span_string(row->name) : SPAN("Commands"));
    build_str(build, "/>");
    announce_feature(build, NS_COMMANDS);
    announce_feature(build, NS_DATA_FORMS);
    build_str(build, "</query>");
}

/* A command has no items; the list of them holds what the asker may carry out. */
static void command_items_build(const struct turn *turn, struct build *build, struct span node,
                                bool list)
{
    build_str(build, "<query xmlns='" NS_DISCO_ITEMS "'");
    build_attr(build, "node", node);
    build_str(build, ">");
    for (size_t i = 0; list && i < adhoc_len; i++) {
        if (of_channel(&adhoc[i]) != to_channel(turn) || !adhoc_allowed(turn, &adhoc[i]))
            continue;
        build_str(build, "<item");
        build_attr(build, "jid", jid_bare(&turn->to));
        build_attr(build, "node", span_string(adhoc[i].node));
        build_attr(build, "name", span_string(adhoc[i].name));
        build_str(build, "/>");
    }
    build_str(build, "</query>");
}

bool adhoc_disco(struct turn *turn, bool info, struct span node)
{
    struct build build;
    bool list = span_is(node, NS_COMMANDS);
    const struct adhoc *row = adhoc_find(turn, node);
    if (!list && row == NULL)
        return false;
    if (row != NULL && !adhoc_allowed(turn, row)) {
        reply_error(turn, ERROR_FORBIDDEN);
        return true;
    }
    build_init(&build, &turn->server->arena, DISCO_BYTES_MAX);
    if (info)
        command_info_build(&build, node, row);
    else
        command_items_build(turn, &build, node, list);
    reply_built(turn, &build);
    return true;
}

/* --- for run and ask --- */

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
    command_refuse(command, store_error(outcome), NULL);
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
