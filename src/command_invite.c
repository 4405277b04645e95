/* command_invite.c: invitations by command (MT-8). They are made and revoked by the server if one
 * runs; how one looks, with its QR code, is the business of the command line's process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/line.h"
#include "command_parts.h"
#include "core/channel.h"
#include "core/invitation.h"
#include "core/session.h"
#include "qr_code.h"
#include "store/accounts.h"
#include "wire/precis.h"
#include "wire/uri.h"

#define DAYS_MAX 365
#define DAY_SECONDS 86400
#define TOKEN_GROUPS 6
#define SENTENCE_BYTES 1024
#define TIME_BYTES 64
#define DOES_ENTER "lets whoever opens it into"

/* --- showing --- */

/* Local time, since a person reads it. */
static const char *time_text(uint64_t us, char out[TIME_BYTES])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm parts;
    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(out, TIME_BYTES, "%Y-%m-%d %H:%M %Z", &parts) == 0)
        out[0] = '\0';
    return out;
}

/* Whether it is a terminal that takes colours and characters beyond ASCII. */
static bool is_terminal(bool *utf8)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"}; /* POSIX XBD 8.2 */
    const char *terminal = getenv("TERM"), *value = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && (value == NULL || *value == '\0'); i++)
        value = getenv(names[i]);
    const char *coding = value == NULL ? NULL : strchr(value, '.');
    /* Where nothing is said (a router, root's shell) the terminal of today has UTF-8. */
    *utf8 = coding == NULL || strncasecmp(coding, ".UTF-8", 6) == 0 ||
            strncasecmp(coding, ".utf8", 5) == 0;
    return isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static void code_print(struct span link)
{
    char text[URI_BYTES_MAX + 1];
    bool utf8;
    if (!is_terminal(&utf8) || link.len > URI_BYTES_MAX)
        return;
    if (!utf8) {
        printf("(Where the terminal has UTF-8, LANG=C.UTF-8 before this command shows a QR code.)"
               "\n\n");
        return;
    }
    memcpy(text, link.bytes, link.len);
    text[link.len] = '\0';
    if (qr_code_print(stdout, text))
        printf("\n");
}

void invite_show(const struct invite_slip *slip)
{
    char until[TIME_BYTES];
    printf("%.*s\n\n", (int)slip->link.len, slip->link.bytes);
    printf("This %.*s.\nIt works ", (int)slip->does.len, slip->does.bytes);
    if (slip->uses == 1)
        printf("once, until %s.\n\n", time_text(slip->expires_us, until));
    else
        printf("%llu times, until %s.\n\n", (unsigned long long)slip->uses,
               time_text(slip->expires_us, until));
    code_print(slip->link);
    if (span_starts(slip->does, DOES_ENTER)) /* no client has a place for its code */
        return;
    printf("Code, to be typed into clients that do not open links:\n   ");
    for (size_t i = 0; i < TOKEN_GROUPS; i++) {
        struct span group = span_cut(slip->token, i * slip->token.len / TOKEN_GROUPS,
                                     (i + 1) * slip->token.len / TOKEN_GROUPS);
        printf(" %.*s", (int)group.len, group.bytes);
    }
    printf("\n");
}

static void channels_put(struct build *build, struct span channels)
{
    const char *before = "";
    struct span one;
    while (jid_list_next(&channels, &one)) {
        build_str(build, before);
        build_put(build, one);
        before = ", ";
    }
}

/* What stands behind "This …" and in lists. */
static void does_put(struct build *build, const struct invite *invite)
{
    const char *join = ", whose owner ";
    if (!(invite->flags & (INVITE_ACCOUNT | INVITE_CONTACT))) {
        build_str(build, DOES_ENTER " ");
        channels_put(build, invite->channels);
        return;
    }
    if (!(invite->flags & INVITE_ACCOUNT)) {
        build_str(build, "makes whoever opens it a contact of ");
        build_put(build, invite->owner);
        if (invite->channels.len > 0) {
            build_str(build, " and a participant of ");
            channels_put(build, invite->channels);
        }
        return;
    }
    build_str(build, invite->username.len > 0 ? "makes the account " : "makes an account on ");
    build_put(build, invite->username);
    build_str(build, invite->username.len > 0 ? "@" : "");
    build_str(build, config.domain);
    if (invite->flags & INVITE_ADMIN) {
        build_str(build, join);
        build_str(build, "may administer the server");
        join = " and ";
    }
    if (invite->flags & INVITE_CONTACT) {
        build_str(build, join);
        build_str(build, "becomes a contact of ");
        build_put(build, invite->owner);
        join = " and ";
    }
    if (invite->channels.len > 0) {
        build_str(build, join);
        build_str(build, "takes part in ");
        channels_put(build, invite->channels);
    }
}

enum invitation_outcome invite_slip_make(struct store *store, const struct invitation_wish *wish,
                                         struct invite_slip *slip)
{
    static char token[TOKEN_CHARS], link[URI_BYTES_MAX], does[SENTENCE_BYTES];
    struct build link_build = {.bytes = link, .size = sizeof link};
    struct build does_build = {.bytes = does, .size = sizeof does};
    struct invite invite;
    enum invitation_outcome outcome = invitation_make(store, wish, plat_wall_us(), token, &invite);
    if (outcome != INVITATION_MADE)
        return outcome;
    slip->token = span_of(token, sizeof token);
    invitation_link(&link_build, &invite, slip->token);
    does_put(&does_build, &invite);
    slip->link = build_span(&link_build);
    slip->does = build_span(&does_build);
    slip->expires_us = invite.expires_us;
    slip->uses = invite.uses_left;
    return outcome;
}

/* --- making --- */

/* "key value": an empty line would end the request. */
static void wish_line(struct build *request, const char *key, struct span value)
{
    build_str(request, key);
    build_str(request, " ");
    build_put(request, value);
    build_str(request, "\n");
}

static bool number_prepare(const char *key, const char *given, unsigned max, struct build *request)
{
    uint64_t number;
    if (given == NULL)
        return true;
    if (!span_number(span_string(given), max, &number) || number == 0) {
        complain("--%s %s; expected a number from 1 to %u", key, given, max);
        return false;
    }
    wish_line(request, key, span_string(given));
    return true;
}

static bool name_prepare(const char *key, const char *given, bool is_new, struct arena *arena,
                         struct build *request)
{
    struct span local;
    if (given == NULL)
        return true;
    if (!user_read_name(given, is_new, arena, &local))
        return false;
    wish_line(request, key, local);
    return true;
}

/* Characters that may stand in a line, in XML and on a terminal. */
static bool is_line(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (line_unfit(span_cut(text, i, text.len)) > 0)
            return false;
    return precis_utf8_valid(text);
}

static bool note_prepare(const char *given, struct build *request)
{
    struct span note = span_string(given);
    if (given == NULL || note.len == 0)
        return true;
    if (note.len > INVITE_NOTE_BYTES_MAX || !is_line(note)) {
        complain("--note takes one line of UTF-8, at most %d bytes", INVITE_NOTE_BYTES_MAX);
        return false;
    }
    wish_line(request, "note", note);
    return true;
}

bool invite_prepare_numbers(const struct options *options, struct build *request)
{
    return number_prepare("uses", options->uses, INVITE_USES_MAX, request) &&
           number_prepare("days", options->days, DAYS_MAX, request);
}

bool invite_prepare(const struct options *options, struct arena *arena, struct build *request)
{
    if (options->invited != NULL && options->uses != NULL && strcmp(options->uses, "1") != 0) {
        complain("--for keeps one name, so that --uses can only be 1");
        return false;
    }
    if (options->admin)
        wish_line(request, "admin", SPAN("yes"));
    return name_prepare("for", options->invited, true, arena, request) &&
           name_prepare("contact", options->contact, false, arena, request) &&
           invite_prepare_numbers(options, request) &&
           channel_prepare_names(options, arena, request) && note_prepare(options->note, request);
}

bool invite_read_number(struct span line, struct invitation_wish *wish)
{
    struct span key = span_cut(line, 0, span_find(line, ' '));
    struct span value = span_cut(line, key.len + 1, line.len);
    uint64_t number = 0;
    if (span_is(key, "uses") && span_number(value, INVITE_USES_MAX, &number))
        wish->uses = (uint16_t)number;
    else if (span_is(key, "days") && span_number(value, DAYS_MAX, &number))
        wish->seconds = number * DAY_SECONDS;
    else
        return false;
    return true;
}

/* One line of what invite_prepare wrote. */
static bool wish_read(struct span line, struct invitation_wish *wish)
{
    struct span key = span_cut(line, 0, span_find(line, ' '));
    struct span value = span_cut(line, key.len + 1, line.len);
    if (value.len == 0)
        return false;
    if (span_is(key, "admin")) {
        wish->flags |= INVITE_ADMIN;
    } else if (span_is(key, "for") && value.len <= SESSION_PART_BYTES) {
        wish->username = value;
    } else if (span_is(key, "contact") && value.len <= SESSION_PART_BYTES) {
        wish->flags |= INVITE_CONTACT;
        wish->owner = value;
    } else if (span_is(key, "channel")) {
        wish->channels = value; /* their names still */
    } else if (span_is(key, "note") && value.len <= INVITE_NOTE_BYTES_MAX && is_line(value)) {
        wish->note = value;
    } else {
        return invite_read_number(line, wish);
    }
    return true;
}

static enum command_exit reply_refused(struct request *request, enum invitation_outcome outcome,
                                       struct span name)
{
    if (outcome == INVITATION_NAME_TAKEN)
        reply_line(
            request->reply,
            "kith: the name %.*s is taken: by an account, another invitation, a registration "
            "that waits, or as a reserved name",
            (int)name.len, name.bytes);
    else if (outcome == INVITATION_TOO_MANY)
        reply_line(request->reply,
                   "kith: there are %d invitations, the most there can be; "
                   "`kith invite list` shows them, `kith invite revoke ID` ends one",
                   INVITES_MAX);
    else if (outcome == INVITATION_NO_ROOM)
        reply_line(request->reply, "kith: the data file is full; delete accounts, free disk space, "
                                   "or give a profile with larger map_bytes");
    else
        reply_line(request->reply, "kith: the disk failed; nothing was changed, see the log");
    return COMMAND_FAILED;
}

/* Whether the wish can be granted at all; else the reply says why not. */
static bool wish_fits(struct request *request, const struct invitation_wish *wish)
{
    struct account account;
    if (config.registration == REGISTRATION_CLOSED) {
        reply_line(request->reply, "kith: nobody could use it, since kith.conf has `registration = "
                                   "closed`; say `invite` there and restart the server");
        return false;
    }
    if (wish->owner.len == 0)
        return true;
    enum store_outcome outcome = account_get(request->store, wish->owner, &account);
    if (outcome == STORE_NONE)
        reply_line(request->reply, "kith: there is no account %.*s; `kith user list` shows all",
                   (int)wish->owner.len, wish->owner.bytes);
    else if (outcome != STORE_OK)
        (void)reply_refused(request, INVITATION_FAILED, wish->owner);
    return outcome == STORE_OK;
}

enum command_exit invite_reply(struct request *request, const struct invitation_wish *wish)
{
    struct invite_slip slip;
    enum invitation_outcome outcome = invite_slip_make(request->store, wish, &slip);
    if (outcome != INVITATION_MADE)
        return reply_refused(request, outcome, wish->username);
    reply_line(request->reply, "%.*s", (int)slip.link.len, slip.link.bytes);
    reply_line(request->reply, "%.*s", (int)slip.token.len, slip.token.bytes);
    reply_line(request->reply, "%.*s", (int)slip.does.len, slip.does.bytes);
    reply_line(request->reply, "%llu", (unsigned long long)slip.expires_us);
    reply_line(request->reply, "%llu", (unsigned long long)slip.uses);
    return COMMAND_DONE;
}

enum command_exit invite_make(struct request *request)
{
    struct invitation_wish wish = {.flags = INVITE_ACCOUNT,
                                   .owner = SPAN(""),
                                   .username = SPAN(""),
                                   .note = SPAN(""),
                                   .unlimited = true};
    for (unsigned i = 0; i < request->count; i++)
        if (!wish_read(request->arguments[i], &wish))
            return reply_malformed(request);
    return wish_fits(request, &wish) && channel_names_fit(request, &wish)
               ? invite_reply(request, &wish)
               : COMMAND_FAILED;
}

static struct span line_take(struct span *text)
{
    struct span line = span_cut(*text, 0, span_find(*text, '\n'));
    *text = span_cut(*text, line.len + 1, text->len);
    return line;
}

/* What invite_make replied. */
bool invite_answer_show(struct span answer)
{
    struct invite_slip slip;
    slip.link = line_take(&answer);
    slip.token = line_take(&answer);
    slip.does = line_take(&answer);
    if (slip.token.len != TOKEN_CHARS ||
        !span_number(line_take(&answer), UINT64_MAX, &slip.expires_us) ||
        !span_number(line_take(&answer), INVITE_USES_MAX, &slip.uses))
        return false;
    invite_show(&slip);
    return true;
}

/* --- the list --- */

static void invite_print(const struct invite *invite)
{
    char id[INVITATION_ID_CHARS], does[SENTENCE_BYTES], until[TIME_BYTES];
    char beginning[INVITATION_START_CHARS];
    struct build build = {.bytes = does, .size = sizeof does};
    struct span start = invitation_start(invite, beginning);
    invitation_id(invite, id);
    does_put(&build, invite);
    printf("%.*s  %.*s…  ", (int)sizeof id, id, (int)start.len, start.bytes);
    line_print(stdout, build_span(&build));
    if (invite->owner.len > 0 && !(invite->flags & INVITE_CONTACT))
        printf("; made by %.*s", (int)invite->owner.len, invite->owner.bytes);
    if (invite->bound.len > 0)
        printf("; only for %.*s", (int)invite->bound.len, invite->bound.bytes);
    printf("; %u use%s left, until %s", invite->uses_left, invite->uses_left == 1 ? "" : "s",
           time_text(invite->expires_us, until));
    if (invite->note.len > 0) {
        printf("; ");
        line_print(stdout, invite->note); /* others than we may have written it */
    }
    printf("\n");
}

enum command_exit invite_list(struct request *request)
{
    struct span after = SPAN_NONE;
    struct invite invite;
    uint64_t now_us = plat_wall_us();
    enum store_outcome outcome;
    while ((outcome = invite_next(request->store, after, &invite)) == STORE_OK) {
        if (now_us < invite.expires_us)
            invite_print(&invite);
        after = span_of((const char *)invite.hash, sizeof invite.hash);
    }
    return reply_printed(request, outcome);
}

/* --- revoking --- */

bool invite_prepare_id(const struct options *options, struct arena *arena, struct build *request)
{
    struct span id = span_string(options->argument);
    (void)arena;
    if (id.len != INVITATION_ID_CHARS || strspn(id.bytes, "0123456789abcdef") != id.len) {
        complain("`%s` is not the id of an invitation, which has %d digits of 0-9 and a-f; "
                 "`kith invite list` shows them",
                 id.bytes, INVITATION_ID_CHARS);
        return false;
    }
    build_put(request, id);
    build_str(request, "\n");
    return true;
}

enum command_exit invite_revoke(struct request *request)
{
    struct span id = request->arguments[0];
    struct invite invite;
    if (request->count != 1 || id.len != INVITATION_ID_CHARS)
        return reply_malformed(request);
    enum store_outcome outcome = invitation_find(request->store, id, SPAN_NONE, &invite);
    if (outcome == STORE_OK)
        outcome = invite_delete(request->store, invite.hash);
    if (outcome == STORE_OK) {
        reply_line(request->reply, "the invitation %.*s is revoked", (int)id.len, id.bytes);
        return COMMAND_DONE;
    }
    if (outcome == STORE_NONE)
        reply_line(request->reply,
                   "kith: there is no invitation %.*s; `kith invite list` shows all", (int)id.len,
                   id.bytes);
    else if (outcome == STORE_EXISTS)
        reply_line(request->reply,
                   "kith: two invitations have the id %.*s by chance; neither is revoked",
                   (int)id.len, id.bytes);
    else
        return reply_refused(request, INVITATION_FAILED, SPAN_NONE);
    return COMMAND_FAILED;
}
