/* commands_invitations.c: see commands_invitations.h. */
#include "features/commands_invitations.h"

#include "base/must.h"
#include "wire/names.h"
#include "wire/uri.h"

struct span invitations_asker(const struct command_turn *command)
{
    return jid_local(&command->turn->session->jid);
}

/* --- making --- */

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

void invitations_make(struct command_turn *command, struct invitation_wish *wish,
                      const char *form_type, bool as_account)
{
    struct server *server = command->turn->server;
    struct build *build = &command->build;
    struct span who = invitations_asker(command);
    struct invite invite;
    struct build uri;
    char token[TOKEN_CHARS];
    wish->owner = who;
    if (!wish->unlimited && invitation_throttled(server, who)) {
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
    invitation_note(server, who);
    if (as_account)
        invite.flags &= (uint8_t)~INVITE_CONTACT; /* of the copy that the link is made of */
    invitation_link(&uri, &invite, span_of(token, sizeof token));
    must(!uri.full);
    form_begin(build, "result", "Invitation", NULL, form_type);
    form_put(build, "text-single", "uri", "Link", build_span(&uri), false);
    form_put_time(build, "text-single", "expire", "Valid until", invite.expires_us);
    form_end(build);
}

/* --- which they are --- */

static bool seen(const struct invitations *invitations, const struct invite *invite)
{
    return invite->expires_us > invitations->command->turn->server->wall_us &&
           (invitations->owner.bytes == NULL || span_equal(invite->owner, invitations->owner)) &&
           (invitations->channel.bytes == NULL ||
            jid_list_has(invite->channels, invitations->channel));
}

/* Writes each, as long as there is room; more: there are some that found none. */
static enum store_outcome each(const struct invitations *invitations, bool *more,
                               void (*put)(const struct invitations *, const struct invite *))
{
    struct command_turn *command = invitations->command;
    struct store *store = command->turn->server->store;
    struct invite invite;
    struct span after = SPAN_NONE;
    enum store_outcome outcome = STORE_OK;
    *more = false;
    while (!*more && (outcome = invite_next(store, after, &invite)) == STORE_OK) {
        size_t mark = command->build.used;
        if (seen(invitations, &invite)) {
            put(invitations, &invite);
            *more = !command_keep(command, mark);
        }
        after = span_of((const char *)invite.hash, sizeof invite.hash);
    }
    return *more || outcome == STORE_NONE ? STORE_OK : outcome;
}

/* --- showing --- */

static const char *kind_of(const struct invite *invite)
{
    if (!(invite->flags & INVITE_CONTACT))
        return invite->flags & INVITE_ACCOUNT ? "account" : "channel";
    return invite->flags & INVITE_ACCOUNT ? "account and contact" : "contact";
}

enum column { ID, START, KIND, USERNAME, CREATED, EXPIRE, USES_LEFT, OWNER, NOTE, COLUMNS };

/* A channel's keepers learn what lets into it, no more of what others wish for. */
enum shown { OF_DOMAIN = 1, OF_CHANNEL = 2, OF_OTHERS = 4 };

static const struct {
    const char *var, *label;
    uint8_t shown; /* mask of enum shown */
} columns[COLUMNS] = {
    [ID] = {"id", "Id", OF_DOMAIN | OF_CHANNEL},
    [START] = {"start", "Token begins with", OF_DOMAIN | OF_CHANNEL},
    [KIND] = {"kind", "For", OF_DOMAIN},
    [USERNAME] = {"username", "Name", OF_DOMAIN},
    [CREATED] = {"created", "Made", OF_DOMAIN},
    [EXPIRE] = {"expire", "Valid until", OF_DOMAIN | OF_CHANNEL},
    [USES_LEFT] = {"uses-left", "Uses", OF_DOMAIN | OF_CHANNEL},
    [OWNER] = {"owner", "By", OF_OTHERS | OF_CHANNEL},
    [NOTE] = {"note", "Note", OF_DOMAIN},
};

static bool shown(const struct invitations *invitations, enum column column)
{
    unsigned mask = invitations->channel.bytes != NULL ? OF_CHANNEL : OF_DOMAIN;
    if (invitations->owner.bytes == NULL)
        mask |= OF_OTHERS;
    return columns[column].shown & mask;
}

static void field_put(struct build *build, enum column column, const struct invite *invite)
{
    const char *var = columns[column].var;
    char id[INVITATION_ID_CHARS], start[INVITATION_START_CHARS];
    struct span text = SPAN("");
    switch (column) {
    case CREATED:
        form_put_time(build, NULL, var, NULL, invite->made_us);
        return;
    case EXPIRE:
        form_put_time(build, NULL, var, NULL, invite->expires_us);
        return;
    case USES_LEFT:
        form_put_number(build, NULL, var, NULL, invite->uses_left);
        return;
    case ID:
        invitation_id(invite, id);
        text = span_of(id, sizeof id);
        break;
    case START:
        text = invitation_start(invite, start);
        break;
    case KIND:
        text = span_string(kind_of(invite));
        break;
    case USERNAME:
        text = invite->username;
        break;
    case OWNER:
        text = invite->owner;
        break;
    case NOTE:
        text = invite->note;
        break;
    case COLUMNS:
        break;
    }
    form_put(build, NULL, var, NULL, text, false);
}

static void item_put(const struct invitations *invitations, const struct invite *invite)
{
    struct build *build = &invitations->command->build;
    build_str(build, "<item>");
    for (unsigned i = 0; i < COLUMNS; i++)
        if (shown(invitations, (enum column)i))
            field_put(build, (enum column)i, invite);
    build_str(build, "</item>");
}

void invitations_list(const struct invitations *invitations, const char *form_type)
{
    struct command_turn *command = invitations->command;
    struct build *build = &command->build;
    bool more;
    form_begin(build, "result", "Invitations", NULL, form_type);
    build_str(build, "<reported>");
    for (unsigned i = 0; i < COLUMNS; i++)
        if (shown(invitations, (enum column)i))
            form_put(build, "text-single", columns[i].var, columns[i].label, SPAN_NONE, false);
    build_str(build, "</reported>");
    enum store_outcome outcome = each(invitations, &more, item_put);
    command_finish(command, outcome, more);
}

/* --- revoking --- */

/* "k3f7, contact: for the lake"; of a channel "k3f7, by romeo". */
static void option_put(const struct invitations *invitations, const struct invite *invite)
{
    char id[INVITATION_ID_CHARS], start[INVITATION_START_CHARS];
    char text[INVITATION_START_CHARS + 64 + SESSION_JID_BYTES + INVITE_NOTE_BYTES_MAX];
    struct build label = {.bytes = text, .size = sizeof text};
    invitation_id(invite, id);
    build_put(&label, invitation_start(invite, start));
    if (shown(invitations, KIND)) {
        build_str(&label, ", ");
        build_str(&label, kind_of(invite));
    }
    if (!shown(invitations, KIND) && invite->owner.len > 0) {
        build_str(&label, ", by ");
        build_put(&label, invite->owner);
    }
    if (shown(invitations, NOTE) && invite->note.len > 0) {
        build_str(&label, ": ");
        build_put(&label, invite->note);
    }
    form_option(&invitations->command->build, build_span(&label), span_of(id, sizeof id));
}

void invitations_choose(const struct invitations *invitations, const char *form_type)
{
    struct command_turn *command = invitations->command;
    bool more;
    form_begin(&command->build, "form", "Revoke invitations", "Their links will be worth nothing.",
               form_type);
    form_open(&command->build, "list-multi", "ids", "Invitations", true);
    enum store_outcome outcome = each(invitations, &more, option_put);
    form_shut(&command->build);
    command_finish(command, outcome, more);
}

/* Looks for all of them before the first one goes. false: it was refused. */
static bool chosen_read(const struct invitations *invitations, uint8_t hashes[][INVITE_HASH_BYTES],
                        unsigned *count)
{
    struct command_turn *command = invitations->command;
    struct server *server = command->turn->server;
    const struct stanza *stanza = command->turn->stanza;
    const struct node *at = NULL, *field = form_field(stanza, command->form, "ids");
    struct invite invite;
    struct span id;
    *count = 0;
    while (field != NULL && (id = form_values(stanza, field, &at, &server->arena)).bytes != NULL) {
        if (*count == INVITATIONS_REVOKED_MAX) {
            command_refuse(command, ERROR_NOT_ACCEPTABLE, "These are too many at once.");
            return false;
        }
        enum store_outcome outcome =
            invitation_find(server->store, id, invitations->owner, &invite);
        if (outcome == STORE_OK && !seen(invitations, &invite))
            outcome = STORE_NONE;
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

void invitations_revoke(const struct invitations *invitations,
                        enum store_outcome (*revoke)(const struct invitations *invitations,
                                                     struct invite *invite))
{
    uint8_t hashes[INVITATIONS_REVOKED_MAX][INVITE_HASH_BYTES];
    struct command_turn *command = invitations->command;
    struct store *store = command->turn->server->store;
    struct invite invite;
    unsigned count;
    if (!chosen_read(invitations, hashes, &count))
        return;
    if (!store_has_room(store, INVITE_CHANGE_BYTES)) {
        command_refuse(command, ERROR_RESOURCE_CONSTRAINT, NULL);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        enum store_outcome outcome = invite_get(store, hashes[i], &invite);
        if (outcome == STORE_OK)
            outcome = revoke(invitations, &invite);
        if (outcome != STORE_OK && outcome != STORE_NONE) { /* the same one may be named twice */
            command_refuse_store(command, outcome);
            return;
        }
    }
    command_note(command,
                 count == 1 ? "The invitation is revoked." : "The invitations are revoked.");
}
