/* registration_commands.c: see registration_commands.h. Owns nothing; no code and no handle is ever
 * shown. Limit: what fits into one answer, and it says when there are more. */
#include "features/registration_commands.h"

#include "features/registration.h"
#include "store/pending.h"
#include "wire/names.h"

/* A registration, not an account that verifies an address, and not expired. */
static bool is_open(const struct command_turn *command, const struct pending *pending)
{
    return !(pending->flags & PENDING_OF_ACCOUNT) &&
           pending->expires_us > command->turn->server->wall_us;
}

/* What it waits for. */
static const char *waits_for(const struct pending *pending)
{
    if (pending->stage == STAGE_ADDRESS)
        return "address";
    return pending->channel == PENDING_ADMIN   ? "admin"
           : pending->channel == PENDING_EMAIL ? "code by e-mail"
                                               : "code by phone";
}

static void put_item(struct build *build, const struct pending *pending)
{
    build_str(build, "<item>");
    form_put(build, NULL, "username", NULL, pending->local, false);
    form_put(build, NULL, "reason", NULL, pending->reason, false);
    form_put(build, NULL, "email", NULL, pending->email, false);
    form_put(build, NULL, "phone", NULL, pending->phone, false);
    form_put(build, NULL, "waits-for", NULL, span_string(waits_for(pending)), false);
    form_put_time(build, NULL, "created", NULL, pending->made_us);
    form_put_time(build, NULL, "expire", NULL, pending->expires_us);
    build_str(build, "</item>");
}

static void put_option(struct build *build, const struct pending *pending)
{
    form_option(build, pending->local, pending->local);
}

/* Writes each, as long as there is room; more: there are some that found none. */
static enum store_outcome each(struct command_turn *command, bool *more,
                               void (*put)(struct build *, const struct pending *))
{
    struct pending pending;
    struct span after = SPAN_NONE;
    enum store_outcome outcome;
    *more = false;
    while (!*more &&
           (outcome = pending_next(command->turn->server->store, after, &pending)) == STORE_OK) {
        size_t mark = command->build.used;
        after = pending.local;
        if (!is_open(command, &pending))
            continue;
        put(&command->build, &pending);
        *more = !command_keep(command, mark);
    }
    return *more || outcome == STORE_NONE ? STORE_OK : outcome;
}

void pending_list_run(struct command_turn *command)
{
    static const struct {
        const char *var, *label;
    } columns[] = {
        {"username", "Name"},       {"reason", "Reason"}, {"email", "E-mail"}, {"phone", "Phone"},
        {"waits-for", "Waits for"}, {"created", "Asked"}, {"expire", "Until"},
    };
    struct build *build = &command->build;
    bool more;
    form_begin(build, "result", "Pending registrations", NULL, NS_REGISTER_OWN);
    build_str(build, "<reported>");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        form_put(build, "text-single", columns[i].var, columns[i].label, SPAN_NONE, false);
    build_str(build, "</reported>");
    enum store_outcome outcome = each(command, &more, put_item);
    command_finish(command, outcome, more);
}

void pending_ask(struct command_turn *command)
{
    struct build *build = &command->build;
    bool more;
    form_begin(build, "form", command->row->name, NULL, NS_REGISTER_OWN);
    form_open(build, "list-single", "username", "Name", true);
    enum store_outcome outcome = each(command, &more, put_option);
    form_shut(build);
    command_finish(command, outcome, more);
}

static void decide(struct command_turn *command,
                   enum store_outcome (*decision)(struct server *server, struct span local),
                   const char *said)
{
    struct span local;
    if (!command_value(command, "username", &local))
        return;
    if (local.len == 0) {
        command_refuse_payload(command, "Choose one.");
        return;
    }
    enum store_outcome outcome = decision(command->turn->server, local);
    if (outcome == STORE_OK)
        command_note(command, said);
    else
        command_refuse_store(command, outcome);
}

void pending_approve_run(struct command_turn *command)
{
    decide(command, registration_approve, "The account is made.");
}

void pending_refuse_run(struct command_turn *command)
{
    decide(command, registration_refuse, "The registration is refused.");
}
