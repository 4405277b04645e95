/* command_user.c: accounts by command. The password stays in the process of the command line, which
 * derives the keys; the request carries name, flag, iterations, salt and four keys in base64. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "command_parts.h"
#include "core/stream.h"
#include "store/accounts.h"
#include "store/channels.h"
#include "store/forget.h"
#include "store/logins.h"
#include "store/released.h"
#include "store/rosters.h"
#include "wire/base64.h"

#define PASSWORD_BYTES_MAX 1024
#define KEY_LINES 4
#define CONTROL_C 3

/* One line of standard input, without its end. false: none, or too long. */
static bool line_read(char *bytes, size_t size, size_t *len)
{
    char byte = '\0';
    *len = 0;
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n') {
        if (byte == CONTROL_C || *len == size)
            return false;
        bytes[(*len)++] = byte;
    }
    if (*len > 0 && bytes[*len - 1] == '\r')
        (*len)--;
    return *len > 0;
}

/* Asked for without echo on a terminal, and there twice. */
static bool password_ask(const char *prompt, char *bytes, size_t *len)
{
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return line_read(bytes, PASSWORD_BYTES_MAX, len);
    silent = before;
    /* Ctrl-C must not leave a terminal without echo: it ends the line instead. */
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    silent.c_cc[VEOL] = CONTROL_C;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
        return false;
    fprintf(stderr, "%s", prompt);
    bool read_well = line_read(bytes, PASSWORD_BYTES_MAX, len);
    fprintf(stderr, "\n");
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) == 0 && read_well;
}

static bool password_read(struct arena *arena, struct span *password)
{
    char first[PASSWORD_BYTES_MAX], again[PASSWORD_BYTES_MAX];
    size_t first_len, again_len;
    bool good = password_ask("Password: ", first, &first_len);
    if (!good)
        complain("no password; give it as one line on standard input, or on a terminal when asked");
    if (good && isatty(STDIN_FILENO)) {
        good = password_ask("Once more: ", again, &again_len) &&
               span_equal_secret(span_of(first, first_len), span_of(again, again_len));
        if (!good)
            complain("the two passwords are not the same; try again");
        secret_forget(again, sizeof again);
    }
    if (good && !jid_prepare_password(span_of(first, first_len), arena, password)) {
        good = false;
        complain("that password has characters that clients could not send; take another");
    }
    secret_forget(first, sizeof first);
    return good;
}

bool user_read_name(const char *argument, bool is_new, struct arena *arena, struct span *local)
{
    struct span text = span_string(argument);
    size_t at = span_find(text, '@');
    struct span domain;
    if (at < text.len && (!jid_prepare_domain(span_cut(text, at + 1, text.len), arena, &domain) ||
                          !span_is(domain, config.domain))) {
        complain("%s is not an address of this server, whose domain is %s", argument,
                 config.domain);
        return false;
    }
    text = span_cut(text, 0, at);
    bool good =
        is_new ? jid_prepare_new_local(text, arena, local) : jid_prepare_local(text, arena, local);
    if (!good || local->len > SESSION_PART_BYTES) {
        complain("`%.*s` cannot be a user name; expected letters, digits, '.', '-' or '_', at most "
                 "%d bytes",
                 (int)text.len, text.bytes, SESSION_PART_BYTES);
        return false;
    }
    return true;
}

bool user_prepare_name(const struct options *options, struct arena *arena, struct build *request)
{
    struct span local;
    if (!user_read_name(options->argument, false, arena, &local))
        return false;
    build_put(request, local);
    build_str(request, "\n");
    return true;
}

static void base64_line(struct build *request, const uint8_t *bytes, size_t len)
{
    char text[BASE64_BYTES(DIGEST_BYTES_MAX)];
    build_put(request, span_of(text, base64_encode(span_of((const char *)bytes, len), text)));
    build_str(request, "\n");
}

static void keys_lines(struct build *request, enum digest digest, struct span password,
                       struct span salt)
{
    struct derive derive;
    struct scram_keys keys;
    derive_begin(&derive, digest, password, salt, config.sasl_iterations);
    while (!derive_slice(&derive, config.sasl_iterations))
        continue;
    scram_keys_of(digest, derive.out, &keys);
    base64_line(request, keys.stored_key, digest_bytes(digest));
    base64_line(request, keys.server_key, digest_bytes(digest));
    derive_forget(&derive);
    secret_forget(&keys, sizeof keys);
}

bool user_prepare_keys(const struct options *options, struct arena *arena, struct build *request)
{
    uint8_t salt[SCRAM_SALT_BYTES];
    struct span local, password;
    if (!user_read_name(options->argument, true, arena, &local) || !password_read(arena, &password))
        return false;
    plat_random(salt, sizeof salt);
    build_put(request, local);
    build_str(request, options->admin ? "\nadmin\n" : "\nuser\n");
    build_number(request, config.sasl_iterations);
    build_str(request, "\n");
    base64_line(request, salt, sizeof salt);
    struct span salt_span = span_of((const char *)salt, sizeof salt);
    keys_lines(request, DIGEST_SHA1, password, salt_span);
    keys_lines(request, DIGEST_SHA256, password, salt_span);
    secret_forget((char *)password.bytes, password.len);
    return true;
}

static bool base64_exact(struct span text, uint8_t *out, size_t len)
{
    uint8_t bytes[BASE64_BYTES(DIGEST_BYTES_MAX)];
    size_t got;
    if (text.len > sizeof bytes || !base64_decode(text, bytes, &got) || got != len)
        return false;
    memcpy(out, bytes, len);
    return true;
}

/* What user_prepare_keys wrote. */
static bool request_account(const struct request *request, struct account *account)
{
    const struct span *line = request->arguments;
    uint64_t iterations = 0;
    *account = (struct account){.made_us = plat_wall_us()};
    if (request->count != 4 + KEY_LINES || line[0].len > SESSION_PART_BYTES ||
        !span_number(line[2], 1000000, &iterations) || iterations < 4096)
        return false;
    account->iterations = (uint32_t)iterations;
    account->flags = span_is(line[1], "admin") ? ACCOUNT_ADMIN : 0;
    return base64_exact(line[3], account->salt, sizeof account->salt) &&
           base64_exact(line[4], account->sha1.stored_key, digest_bytes(DIGEST_SHA1)) &&
           base64_exact(line[5], account->sha1.server_key, digest_bytes(DIGEST_SHA1)) &&
           base64_exact(line[6], account->sha256.stored_key, digest_bytes(DIGEST_SHA256)) &&
           base64_exact(line[7], account->sha256.server_key, digest_bytes(DIGEST_SHA256));
}

/* Why the store said no. */
static enum command_exit reply_refused(struct request *request, enum store_outcome outcome)
{
    int len = (int)request->arguments[0].len;
    const char *name = request->arguments[0].bytes;
    if (outcome == STORE_NONE)
        reply_line(request->reply, "kith: there is no account %.*s; `kith user list` shows all",
                   len, name);
    else if (outcome == STORE_EXISTS)
        reply_line(request->reply,
                   "kith: there is an account %.*s already; `kith user password %.*s` sets a new "
                   "password",
                   len, name, len, name);
    else if (outcome == STORE_FULL)
        reply_line(request->reply, "kith: the data file is full; delete accounts, free disk space, "
                                   "or give a profile with larger map_bytes");
    else
        reply_line(request->reply, "kith: the disk failed; nothing was changed, see the log");
    return COMMAND_FAILED;
}

enum command_exit user_add(struct request *request)
{
    struct span local = request->arguments[0];
    struct account account, found;
    uint64_t count;
    if (!request_account(request, &account))
        return reply_malformed(request);
    enum store_outcome outcome = account_get(request->store, local, &found);
    if (outcome != STORE_NONE)
        return reply_refused(request, outcome == STORE_OK ? STORE_EXISTS : outcome);
    outcome = account_count(request->store, &count);
    if (outcome != STORE_OK)
        return reply_refused(request, outcome);
    if (count >= plan.accounts) {
        reply_line(request->reply, "kith: the profile %s allows %u accounts, and there are as many",
                   plan.profile, plan.accounts);
        return COMMAND_FAILED;
    }
    outcome = leaving_get(request->store, local);
    if (outcome == STORE_OK) {
        reply_line(request->reply,
                   "kith: a deleted account %.*s still takes leave of its contacts; "
                   "try again in a moment, with the server running",
                   (int)local.len, local.bytes);
        return COMMAND_FAILED;
    }
    if (outcome == STORE_NONE)
        outcome = account_put(request->store, local, &account, false);
    /* Whoever may make accounts decides who gets the name of a deleted one (REG-12). */
    if (outcome == STORE_OK)
        outcome = released_delete(request->store, local);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return reply_refused(request, outcome);
    reply_line(request->reply, "%.*s@%s can log in now", (int)local.len, local.bytes,
               config.domain);
    return COMMAND_DONE;
}

enum command_exit user_password(struct request *request)
{
    struct span local = request->arguments[0];
    struct account account, found;
    if (!request_account(request, &account))
        return reply_malformed(request);
    enum store_outcome outcome = account_get(request->store, local, &found);
    if (outcome == STORE_OK) {
        account.flags = found.flags;
        account.made_us = found.made_us;
        outcome = login_forget(request->store, local); /* S2-7 */
    }
    if (outcome == STORE_OK)
        outcome = account_put(request->store, local, &account, true);
    if (outcome != STORE_OK)
        return reply_refused(request, outcome);
    if (request->server != NULL)
        stream_end_account(request->server, local, STREAM_RESET);
    reply_line(request->reply, "%.*s@%s has a new password", (int)local.len, local.bytes,
               config.domain);
    return COMMAND_DONE;
}

/* What is left of an account that has nobody to tell, and where there are no channels, goes at
 * once, when no server runs that would do it in the background. */
static enum store_outcome leave_here(struct store *store, struct span local)
{
    struct roster_walk walk;
    struct roster_item item;
    struct channel channel;
    struct span contact, stanza;
    enum store_outcome outcome = STORE_OK;
    roster_walk_begin(&walk, local);
    if (roster_next(store, &walk, &contact, &item) != STORE_NONE ||
        request_next(store, &walk, &contact, &stanza) != STORE_NONE ||
        channel_next(store, SPAN_NONE, &contact, &channel) != STORE_NONE)
        return STORE_OK;
    while (outcome == STORE_OK && leaving_get(store, local) == STORE_OK) {
        outcome = leaving_finish(store, local);
        if (outcome == STORE_OK)
            outcome = store_commit(store);
    }
    return outcome;
}

enum command_exit user_delete(struct request *request)
{
    struct span local = request->arguments[0];
    if (request->count != 1 || local.len == 0 || local.len > SESSION_PART_BYTES)
        return reply_malformed(request);
    enum store_outcome outcome = account_forget(request->store, local, plat_wall_us());
    if (outcome != STORE_OK)
        return reply_refused(request, outcome);
    if (request->server != NULL) {
        stream_end_account(request->server, local, STREAM_NOT_AUTHORIZED);
        request->server->reap_ms = 0; /* its contacts are told: subscription_reap */
    } else {
        outcome = leave_here(request->store, local);
        if (outcome != STORE_OK)
            return reply_refused(request, outcome);
    }
    reply_line(request->reply, "%.*s@%s is gone", (int)local.len, local.bytes, config.domain);
    return COMMAND_DONE;
}

/* Printed as it is read: there may be more accounts than a reply holds. */
enum command_exit user_list(struct request *request)
{
    char name[JID_PART_BYTES_MAX];
    struct span after = SPAN_NONE, local;
    struct account account;
    enum store_outcome outcome;
    while ((outcome = account_next(request->store, after, &local, &account)) == STORE_OK) {
        printf("%.*s@%s%s%s\n", (int)local.len, local.bytes, config.domain,
               account.flags & ACCOUNT_ADMIN ? " admin" : "",
               account.flags & ACCOUNT_DISABLED ? " disabled" : "");
        memcpy(name, local.bytes, local.len);
        after = span_of(name, local.len);
    }
    return reply_printed(request, outcome);
}
