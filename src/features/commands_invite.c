/* commands_invite.c: invitations by ad-hoc command: XEP-0401's two, and our own to make any kind,
 * to list and to revoke them (INV-6 ... INV-8, INV-10). Owns nothing. Limits: INV-5. */
#include "base/must.h"
#include "core/invitation.h"
#include "core/username.h"
#include "features/commands.h"
#include "wire/names.h"
#include "wire/uri.h"

#define FORM_INVITATION "urn:xmpp:invite#invitation" /* XEP-0401 12.1 */
#define FIELD_USES "{" NS_INVITE_OWN "}uses"
#define FIELD_DAYS "{" NS_INVITE_OWN "}expire-days"
#define DAY_SECONDS 86400
#define ADMIN_DAYS_MAX 365
#define REVOKE_MAX 20

/* --- making --- */

static struct span own_local(const struct command_turn *command)
{
    return jid_local(&command->turn->session->jid);
}

/* Only so many days may be asked for; 0: there is no choice. */
static uint64_t days_max(const struct command_turn *command)
{
    return command->admin ? ADMIN_DAYS_MAX : config.invite_lifetime / DAY_SECONDS;
}

/* INV-7: fields directly in the form, `expire` always. */
static void result(struct command_turn *command, struct span uri, const struct invite *invite)
{
    struct build *build = &command->build;
    form_begin(build, "result", "Invitation", NULL, FORM_INVITATION);
    form_put(build, "text-single", "uri", "Link", uri, false);
    form_put_time(build, "text-single", "expire", "Valid until", invite->expires_us);
    form_end(build);
}

static void refuse_making(struct command_turn *command, enum invitation_outcome outcome)
{
    if (outcome == INVITATION_NAME_TAKEN)
        command_refuse(command, ERROR_CONFLICT, "This name is taken.");
    else if (outcome == INVITATION_TOO_MANY)
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT,
                       "There are too many invitations. Revoke some, or wait until they expire.");
    else if (outcome == INVITATION_NO_ROOM)
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
    else
        command_refuse(command, ERROR_INTERNAL_SERVER_ERROR, NULL);
}

/* as_account: the link is for making an account, even if it makes a contact too (INV-8). */
static void make(struct command_turn *command, struct invitation_wish *wish, bool as_account)
{
    struct server *server = command->turn->server;
    struct span who = own_local(command);
    struct invite invite;
    struct build uri;
    char token[TOKEN_CHARS];
    wish->owner = who;
    wish->unlimited = command->admin;
    if (!wish->unlimited && config.rate_limits &&
        throttle_full(&server->invitations, SPAN("invitation"), who, server->now_ms)) { /* INV-5 */
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT,
                       "These are many invitations for one hour. Try again later.");
        return;
    }
    build_init(&uri, &server->arena, URI_BYTES_MAX);
    if (uri.full) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return;
    }
    enum invitation_outcome outcome =
        invitation_make(server->store, wish, server->wall_us, token, &invite);
    if (outcome != INVITATION_MADE) {
        refuse_making(command, outcome);
        return;
    }
    throttle_note(&server->invitations, SPAN("invitation"), who, server->now_ms);
    if (as_account)
        invite.flags &= (uint8_t)~INVITE_CONTACT; /* of the copy that the link is made of */
    invitation_link(&uri, &invite, span_of(token, sizeof token));
    must(!uri.full);
    result(command, build_span(&uri), &invite);
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
    wish->seconds = days * DAY_SECONDS;
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

/* The next one that has not expired and that who asks may see; after.bytes NULL: the first. */
static enum store_outcome next(const struct command_turn *command, struct span after,
                               struct invite *out)
{
    struct server *server = command->turn->server;
    enum store_outcome outcome;
    while ((outcome = invite_next(server->store, after, out)) == STORE_OK) {
        if (out->expires_us > server->wall_us &&
            (command->admin || span_equal(out->owner, own_local(command))))
            break;
        after = span_of((const char *)out->hash, sizeof out->hash);
    }
    return outcome;
}

static const char *kind_of(const struct invite *invite)
{
    if (!(invite->flags & INVITE_CONTACT))
        return "account";
    return invite->flags & INVITE_ACCOUNT ? "account and contact" : "contact";
}

static void put_item(struct command_turn *command, const struct invite *invite)
{
    struct build *build = &command->build;
    char id[INVITATION_ID_CHARS];
    invitation_id(invite, id);
    build_str(build, "<item>");
    form_put(build, NULL, "id", NULL, span_of(id, sizeof id), false);
    form_put(build, NULL, "start", NULL, span_of(invite->start, sizeof invite->start), false);
    form_put(build, NULL, "kind", NULL, span_string(kind_of(invite)), false);
    form_put(build, NULL, "username", NULL, invite->username, false);
    form_put_time(build, NULL, "created", NULL, invite->made_us);
    form_put_time(build, NULL, "expire", NULL, invite->expires_us);
    form_put_number(build, NULL, "uses-left", NULL, invite->uses_left);
    if (command->admin)
        form_put(build, NULL, "owner", NULL, invite->owner, false);
    form_put(build, NULL, "note", NULL, invite->note, false);
    build_str(build, "</item>");
}

static void put_reported(struct command_turn *command)
{
    static const struct {
        const char *var, *label;
    } columns[] = {
        {"id", "Id"},          {"start", "Token begins with"},
        {"kind", "For"},       {"username", "Name"},
        {"created", "Made"},   {"expire", "Valid until"},
        {"uses-left", "Uses"}, {"note", "Note"},
    };
    struct build *build = &command->build;
    build_str(build, "<reported>");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        form_put(build, "text-single", columns[i].var, columns[i].label, SPAN_NONE, false);
    if (command->admin)
        form_put(build, "text-single", "owner", "By", SPAN_NONE, false);
    build_str(build, "</reported>");
}

/* Writes each, as long as there is room; more: there are some that found none. */
static enum store_outcome each(struct command_turn *command, bool *more,
                               void (*put)(struct command_turn *, const struct invite *))
{
    struct invite invite;
    struct span after = SPAN_NONE;
    enum store_outcome outcome;
    *more = false;
    while (!*more && (outcome = next(command, after, &invite)) == STORE_OK) {
        size_t mark = command->build.used;
        put(command, &invite);
        *more = !command_keep(command, mark);
        after = span_of((const char *)invite.hash, sizeof invite.hash);
    }
    return *more || outcome == STORE_NONE ? STORE_OK : outcome;
}

void invite_list_run(struct command_turn *command)
{
    bool more;
    form_begin(&command->build, "result", "Invitations", NULL, NS_INVITE_OWN);
    put_reported(command);
    enum store_outcome outcome = each(command, &more, put_item);
    command_finish(command, outcome, more);
}

/* "k3f7, contact: for the lake" */
static void put_option(struct command_turn *command, const struct invite *invite)
{
    char id[INVITATION_ID_CHARS], text[INVITE_START_CHARS + 64 + INVITE_NOTE_BYTES_MAX];
    struct build label = {.bytes = text, .size = sizeof text};
    invitation_id(invite, id);
    build_put(&label, span_of(invite->start, sizeof invite->start));
    build_str(&label, ", ");
    build_str(&label, kind_of(invite));
    if (invite->note.len > 0) {
        build_str(&label, ": ");
        build_put(&label, invite->note);
    }
    form_option(&command->build, build_span(&label), span_of(id, sizeof id));
}

void invite_revoke_ask(struct command_turn *command)
{
    bool more;
    struct build *build = &command->build;
    form_begin(build, "form", "Revoke invitations", "Their links will be worth nothing.",
               NS_INVITE_OWN);
    form_open(build, "list-multi", "ids", "Invitations", true);
    enum store_outcome outcome = each(command, &more, put_option);
    form_shut(build);
    command_finish(command, outcome, more);
}

/* Looks for all of them before the first one goes. false: it was refused. */
static bool read_ids(struct command_turn *command, uint8_t hashes[][INVITE_HASH_BYTES],
                     unsigned *count)
{
    struct server *server = command->turn->server;
    const struct stanza *stanza = command->turn->stanza;
    const struct node *at = NULL, *field = form_field(stanza, command->form, "ids");
    struct span owner = command->admin ? SPAN_NONE : own_local(command), id;
    struct invite invite;
    *count = 0;
    while (field != NULL && (id = form_values(stanza, field, &at, &server->arena)).bytes != NULL) {
        if (*count == REVOKE_MAX) {
            command_refuse(command, ERROR_NOT_ACCEPTABLE, "These are too many at once.");
            return false;
        }
        enum store_outcome outcome = invitation_find(server->store, id, owner, &invite);
        if (outcome != STORE_OK) {
            command_refuse_store(command, outcome);
            return false;
        }
        memcpy(hashes[(*count)++], invite.hash, INVITE_HASH_BYTES);
    }
    if (*count == 0)
        command_refuse_payload(command, "Choose at least one.");
    return *count > 0;
}

void invite_revoke_run(struct command_turn *command)
{
    uint8_t hashes[REVOKE_MAX][INVITE_HASH_BYTES];
    struct store *store = command->turn->server->store;
    unsigned count;
    if (!read_ids(command, hashes, &count))
        return;
    if (!store_has_room(store, INVITE_CHANGE_BYTES)) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        enum store_outcome outcome = invite_delete(store, hashes[i]);
        if (outcome != STORE_OK && outcome != STORE_NONE) { /* the same one may be named twice */
            command_refuse_store(command, outcome);
            return;
        }
    }
    command_note(command,
                 count == 1 ? "The invitation is revoked." : "The invitations are revoked.");
}
