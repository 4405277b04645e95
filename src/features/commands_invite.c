/* commands_invite.c: invitations by ad-hoc command: XEP-0401's two, and our own to make any kind,
 * to list and to revoke them (INV-6 ... INV-8, INV-10). Owns nothing. Limits: INV-5. */
#include "core/username.h"
#include "features/commands.h"
#include "features/commands_invitations.h"
#include "wire/names.h"

#define FORM_INVITATION "urn:xmpp:invite#invitation" /* XEP-0401 12.1 */
#define FIELD_USES "{" NS_INVITE_OWN "}uses"
#define FIELD_DAYS "{" NS_INVITE_OWN "}expire-days"
#define ADMIN_DAYS_MAX 365

/* --- making --- */

/* Only so many days may be asked for; 0: there is no choice. */
static uint64_t days_max(const struct command_turn *command)
{
    return command->admin ? ADMIN_DAYS_MAX : config.invite_lifetime / INVITATION_DAY_SECONDS;
}

static void make(struct command_turn *command, struct invitation_wish *wish, bool as_account)
{
    wish->unlimited = command->admin;
    invitations_make(command, wish, FORM_INVITATION, as_account);
}

static uint8_t account_flag(void)
{
    return config.registration == REGISTRATION_CLOSED ? 0 : INVITE_ACCOUNT;
}

void invite_run(struct command_turn *command)
{
    struct invitation_wish wish = {.flags = (uint8_t)(INVITE_CONTACT | account_flag())};
    make(command, &wish, false);
}

/* The name that the account is to have; empty: any. false: it was refused. */
static bool read_username(struct command_turn *command, struct span *out)
{
    struct span typed;
    *out = SPAN("");
    if (!command_value(command, "username", &typed))
        return false;
    if (typed.len == 0 || username_prepare(typed, &command->turn->server->arena, out))
        return true;
    command_refuse(command, ERROR_NOT_ACCEPTABLE, "This cannot be a name.");
    return false;
}

/* false: it was refused. */
static bool read_counts(struct command_turn *command, const char *uses_field,
                        const char *days_field, struct invitation_wish *wish)
{
    uint64_t uses = 1, days = 0;
    if (!command_number(command, uses_field, INVITE_USES_MAX, &uses) ||
        !command_number(command, days_field, days_max(command), &days))
        return false;
    if (uses > 1 && wish->username.len > 0) {
        command_refuse(command, ERROR_NOT_ACCEPTABLE, "A name can be given to one account only.");
        return false;
    }
    wish->uses = (uint16_t)uses;
    wish->seconds = days * INVITATION_DAY_SECONDS;
    return true;
}

static void put_counts(struct command_turn *command, const char *uses_field, const char *days_field)
{
    struct build *build = &command->build;
    if (command->admin)
        form_put(build, "text-single", uses_field, "How often it can be used", SPAN("1"), false);
    if (days_max(command) > 0)
        form_put(build, "text-single", days_field, "Valid for so many days", SPAN_NONE, false);
}

void create_account_ask(struct command_turn *command)
{
    struct build *build = &command->build;
    form_begin(build, "form", "Create account",
               "Makes a link with which somebody gets an account here.", NULL);
    form_put(build, "text-single", "username", "Username", SPAN_NONE, false);
    form_put(build, "boolean", "roster-subscription", "Roster subscription", SPAN("0"), false);
    put_counts(command, FIELD_USES, FIELD_DAYS);
    form_end(build);
}

void create_account_run(struct command_turn *command)
{
    struct invitation_wish wish = {.flags = INVITE_ACCOUNT};
    bool contact = false;
    if (!read_username(command, &wish.username) ||
        !command_boolean(command, "roster-subscription", &contact) ||
        !read_counts(command, FIELD_USES, FIELD_DAYS, &wish))
        return;
    if (contact)
        wish.flags |= INVITE_CONTACT;
    make(command, &wish, true);
}

/* --- any kind (5.6, MT-8) --- */

void invite_create_ask(struct command_turn *command)
{
    struct build *build = &command->build;
    form_begin(build, "form", "Create invitation", "Makes a link to be sent to whom you invite.",
               NS_INVITE_OWN);
    form_put(build, "boolean", "contact", "You become contacts of each other", SPAN("1"), false);
    if (command->admin && account_flag() != 0) {
        form_put(build, "boolean", "account", "An account can be made with it", SPAN("1"), false);
        form_put(build, "text-single", "username", "Name of the account", SPAN_NONE, false);
    }
    put_counts(command, "uses", "expire-days");
    form_put(build, "text-single", "note", "Note to yourself", SPAN_NONE, false);
    form_end(build);
}

/* What only admins may ask for was not among the fields that others got. */
static bool may_create(const struct command_turn *command, const struct invitation_wish *wish)
{
    return command->admin ||
           (!(wish->flags & INVITE_ACCOUNT) && wish->username.len == 0 && wish->uses == 1);
}

/* What is asked for, whether or not it makes sense. false: it was refused. */
static bool read_wish(struct command_turn *command, struct invitation_wish *wish)
{
    bool contact = true, account = command->admin && account_flag() != 0;
    if (!command_boolean(command, "contact", &contact) ||
        !command_boolean(command, "account", &account) ||
        !read_username(command, &wish->username) ||
        !read_counts(command, "uses", "expire-days", wish) ||
        !command_value(command, "note", &wish->note))
        return false;
    wish->flags = (uint8_t)((contact ? INVITE_CONTACT : 0) | (account ? INVITE_ACCOUNT : 0));
    return true;
}

void invite_create_run(struct command_turn *command)
{
    struct invitation_wish wish = {.flags = 0};
    if (!read_wish(command, &wish))
        return;
    if (!may_create(command, &wish))
        command_refuse(command, ERROR_FORBIDDEN, NULL);
    else if (wish.flags == 0)
        command_refuse(command, ERROR_NOT_ACCEPTABLE, "An invitation must be for something.");
    else if ((wish.flags & INVITE_ACCOUNT) && account_flag() == 0)
        command_refuse(command, ERROR_NOT_ALLOWED, "Nobody can register here.");
    else if (wish.username.len > 0 && !(wish.flags & INVITE_ACCOUNT))
        command_refuse(command, ERROR_NOT_ACCEPTABLE, "A name goes with an account.");
    else if (wish.note.len > INVITE_NOTE_BYTES_MAX)
        command_refuse(command, ERROR_NOT_ACCEPTABLE, "The note is too long.");
    else
        make(command, &wish, false);
}

/* --- listing and revoking (INV-10) --- */

static struct invitations own(struct command_turn *command)
{
    return (struct invitations){
        .command = command,
        .owner = command->admin ? SPAN_NONE : invitations_asker(command),
    };
}

void invite_list_run(struct command_turn *command)
{
    const struct invitations invitations = own(command);
    invitations_list(&invitations, NS_INVITE_OWN);
}

void invite_revoke_ask(struct command_turn *command)
{
    const struct invitations invitations = own(command);
    invitations_choose(&invitations, NS_INVITE_OWN);
}

static enum store_outcome revoke(const struct invitations *invitations, struct invite *invite)
{
    return invite_delete(invitations->command->turn->server->store, invite->hash);
}

void invite_revoke_run(struct command_turn *command)
{
    const struct invitations invitations = own(command);
    invitations_revoke(&invitations, revoke);
}
