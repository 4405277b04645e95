/* commands.c: see commands.h; INV-9. Owns server->command_sessions: forms that were handed out and
 * are not yet submitted. Limits: COMMAND_SESSIONS, SESSIONS_PER_USER, SESSION_MS,
 * ANSWER_BYTES_MAX. */
#include "features/commands.h"

#include "core/output.h"
#include "wire/digest.h"
#include "wire/names.h"

#define ANSWER_BYTES_MAX 24576
#define SESSION_MS 300000
#define SESSIONS_PER_USER 4 /* so that nobody takes all of them */

enum action { ACTION_EXECUTE, ACTION_CANCEL, ACTION_PREV, ACTION_NEXT, ACTION_COMPLETE };

_Static_assert(COMMAND_USER_BYTES == DIGEST_BYTES_MAX, "the hash fits");

/* --- reading --- */

static void refuse(struct turn *turn, enum stanza_error error, struct span condition)
{
    const struct refusal refusal = {.error = error, .condition = condition};
    reply_refusal(turn, &refusal);
}

static void refuse_action(struct turn *turn)
{
    refuse(turn, ERROR_BAD_REQUEST, SPAN("<bad-action xmlns='" NS_COMMANDS "'/>"));
}

/* XEP-0050 4.1. false: there is no such action. */
static bool action_read(const struct turn *turn, enum action *action)
{
    static const char *const names[] = {
        [ACTION_EXECUTE] = "execute", [ACTION_CANCEL] = "cancel",     [ACTION_PREV] = "prev",
        [ACTION_NEXT] = "next",       [ACTION_COMPLETE] = "complete",
    };
    struct span text = stanza_attribute(turn->stanza, turn->child, "action");
    *action = ACTION_EXECUTE;
    if (text.bytes == NULL)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(text, names[i])) {
            *action = (enum action)i;
            return true;
        }
    return false;
}

/* --- sessions --- */

static void user_hash(const struct turn *turn, uint8_t out[COMMAND_USER_BYTES])
{
    digest_hash(DIGEST_SHA256, jid_bare(&turn->session->jid), out);
}

static bool session_is_of(const struct command_session *session,
                          const uint8_t user[COMMAND_USER_BYTES])
{
    return session->row != NULL && memcmp(session->user, user, COMMAND_USER_BYTES) == 0;
}

/* 3.3: an id is known to the one it was given to, for the one command. NULL: unknown. */
static struct command_session *session_of(const struct turn *turn, const struct adhoc *row,
                                          struct span id)
{
    uint8_t user[COMMAND_USER_BYTES];
    user_hash(turn, user);
    for (unsigned i = 0; i < COMMAND_SESSIONS; i++) {
        struct command_session *at = &turn->server->command_sessions[i];
        if (session_is_of(at, user) && at->row == row &&
            span_equal_secret(span_of(at->id, sizeof at->id), id))
            return at;
    }
    return NULL;
}

static void session_end(struct command_session *session)
{
    *session = (struct command_session){.row = NULL};
}

/* The newest stands first; the oldest gives way, of one's own when one has enough of them. */
static void session_begin(const struct turn *turn, const struct adhoc *row,
                          const char id[TOKEN_CHARS])
{
    struct command_session *all = turn->server->command_sessions;
    uint8_t user[COMMAND_USER_BYTES];
    unsigned gone = COMMAND_SESSIONS - 1, owned = 0, own = 0;
    user_hash(turn, user);
    for (unsigned i = 0; i < COMMAND_SESSIONS; i++) {
        if (all[i].row == NULL)
            gone = i;
        if (session_is_of(&all[i], user)) {
            own = i;
            owned++;
        }
    }
    if (owned >= SESSIONS_PER_USER)
        gone = own;
    memmove(&all[1], &all[0], gone * sizeof *all);
    all[0] = (struct command_session){.row = row, .until_ms = turn->server->now_ms + SESSION_MS};
    memcpy(all[0].id, id, sizeof all[0].id);
    memcpy(all[0].user, user, sizeof all[0].user);
}

/* --- answering --- */

static void answer_tag(struct build *build, const struct adhoc *row, struct span id,
                       const char *status)
{
    build_str(build, "<command xmlns='" NS_COMMANDS "'");
    build_attr(build, "node", span_string(row->node));
    build_attr(build, "sessionid", id);
    build_attr(build, "status", span_string(status));
    build_str(build, ">");
}

/* Room for the answer is taken before anything is done. false: an error was said. */
static bool answer_begin(struct command_turn *command, struct span id, const char *status)
{
    build_init(&command->build, &command->turn->server->arena, ANSWER_BYTES_MAX);
    answer_tag(&command->build, command->row, id, status);
    if (command->build.full)
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
    return !command->build.full;
}

/* A long one is not copied within the arena. false: an error was said. */
static bool answer_end(struct command_turn *command)
{
    struct server *server = command->turn->server;
    struct rope payload = {0};
    build_str(&command->build, "</command></iq>");
    bool good = !command->build.full && output_body(server, &payload, build_span(&command->build));
    if (good)
        reply_result_rope(command->turn, &payload);
    else
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
    rope_clear(&server->chunks, &payload);
    return good;
}

/* true: it is done, and said. */
static bool carry_out(struct command_turn *command, struct span id)
{
    if (!answer_begin(command, id, "completed"))
        return false;
    command->row->run(command);
    return !command->refused && answer_end(command);
}

static void ask(struct command_turn *command, const char id[TOKEN_CHARS])
{
    if (!answer_begin(command, span_of(id, TOKEN_CHARS), "executing"))
        return;
    build_str(&command->build, "<actions execute='complete'><complete/></actions>");
    command->row->ask(command);
    if (!command->refused && answer_end(command))
        session_begin(command->turn, command->row, id);
}

static void start(struct command_turn *command, enum action action)
{
    char id[TOKEN_CHARS];
    if (action != ACTION_EXECUTE) {
        refuse_action(command->turn);
        return;
    }
    token_make(id);
    if (command->row->ask != NULL)
        ask(command, id);
    else
        (void)carry_out(command, span_of(id, sizeof id));
}

static void cancel(const struct command_turn *command, struct command_session *session)
{
    struct build build;
    build_init(&build, &command->turn->server->arena, 512);
    answer_tag(&build, command->row, span_of(session->id, sizeof session->id), "canceled");
    build_str(&build, "</command>");
    session_end(session);
    reply_built(command->turn, &build);
}

/* There is one stage: its form is submitted, whatever that is called. */
static void go_on(struct command_turn *command, enum action action, struct span id)
{
    struct turn *turn = command->turn;
    struct command_session *session = session_of(turn, command->row, id);
    if (session == NULL) {
        refuse(turn, ERROR_BAD_REQUEST, SPAN("<bad-sessionid xmlns='" NS_COMMANDS "'/>"));
        return;
    }
    if (session->until_ms <= turn->server->now_ms) {
        refuse(turn, ERROR_NOT_ALLOWED, SPAN("<session-expired xmlns='" NS_COMMANDS "'/>"));
        return;
    }
    if (action == ACTION_CANCEL) {
        cancel(command, session);
        return;
    }
    if (action == ACTION_PREV) {
        refuse_action(turn);
        return;
    }
    command->form = form_find(turn->stanza, turn->child);
    enum form_type type = form_type(turn->stanza, command->form);
    /* 3.5.1: a form of type cancel counts as submitted. */
    if (type != FORM_SUBMIT && type != FORM_CANCEL)
        command_refuse_payload(command, NULL);
    else if (carry_out(command, id))
        session_end(session);
}

void command_request(struct turn *turn)
{
    struct span node = stanza_attribute(turn->stanza, turn->child, "node");
    struct span id = stanza_attribute(turn->stanza, turn->child, "sessionid");
    struct command_turn command = {.turn = turn, .row = adhoc_find(turn, node)};
    enum action action;
    if (node.bytes == NULL) { /* 4.1 */
        reply_error(turn, ERROR_BAD_REQUEST);
        return;
    }
    if (command.row == NULL) {
        reply_error(turn, ERROR_ITEM_NOT_FOUND);
        return;
    }
    if (!adhoc_allowed(turn, command.row)) {
        reply_error(turn, ERROR_FORBIDDEN);
        return;
    }
    if (!action_read(turn, &action)) {
        refuse_action(turn);
        return;
    }
    command.admin = adhoc_admin(turn);
    if (id.bytes == NULL)
        start(&command, action);
    else
        go_on(&command, action, id);
}
