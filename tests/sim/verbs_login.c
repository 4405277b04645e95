/* verbs_login.c: the verbs by which a client of a dialog gets in: SASL step by step, or all at
 * once. */
#include "house.h"
#include "login.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

static bool login_option(struct login *login, const char *key, const char *value)
{
    const struct {
        const char *key;
        const char **field;
    } options[] = {
        {"username", &login->username}, {"password", &login->password},
        {"authzid", &login->authzid},   {"flag", &login->flag},
        {"tamper", &login->tamper},     {"first", &login->first},
        {"more", &login->more},         {"token", &login->token},
        {"asks", &login->asks},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].key, key) == 0) {
            *options[i].field = value;
            return true;
        }
    }
    return false;
}

/* Reads "MECHANISM key=value … [fails OUTCOME]"; salt= and iterations= and extensions= are
 * patterns for what server-first brings. */
static bool login_read(struct play *play, const char *rest, struct login *login,
                       const char **expected, const char *patterns[3])
{
    static const char *const names[3] = {"salt=", "iterations=", "extensions="};
    const char *word;
    login->mechanism = script_word(&rest);
    while ((word = script_word(&rest)) != NULL) {
        const char *equals = strchr(word, '=');
        bool taken = false;
        for (int i = 0; i < 3 && equals; i++) {
            if (strncmp(word, names[i], strlen(names[i])) == 0) {
                patterns[i] = equals + 1;
                taken = true;
            }
        }
        if (strcmp(word, "fails") == 0) {
            *expected = script_word(&rest);
            taken = *expected && !*rest;
        } else if (strcmp(word, "asked") == 0) {
            taken = login->asked = true;
        } else if (strcmp(word, "sasl2") == 0) {
            taken = login->second = true;
        } else if (equals && !taken) {
            taken = login_option(login, memory_string(word, (size_t)(equals - word)), equals + 1);
        }
        if (!taken)
            return play_fail(play, "not understood: %s", word);
    }
    return true;
}

/* What is sent, not compared: its variables are what they stand for. */
static bool variables_fill(struct play *play, const char **value)
{
    const char *fault = "";
    struct text text = {0};
    if (!*value)
        return true;
    text = script_expand(*value, play->variables, &fault);
    *value = text.bytes;
    return text.bytes || play_fail(play, "cannot be sent: %s", fault);
}

bool verb_authenticates(struct play *play, struct client *client, const char *rest,
                        const struct statement *statement)
{
    const char *expected = "success", *patterns[3] = {NULL, NULL, NULL}, *fault = "";
    struct login login = {.username = client->account, .password = "pencil", .flag = "n"};
    (void)statement;
    struct text words = script_expand(rest, NULL, &fault);
    if (!words.bytes)
        return play_fail(play, "not understood: %s", fault);
    if (!login_read(play, words.bytes, &login, &expected, patterns))
        return false;
    if (!variables_fill(play, &login.token) || !variables_fill(play, &login.asks))
        return false;
    const char *outcome = login_try(client, &login);
    if (strcmp(outcome, expected) != 0)
        return play_fail(play, "%s instead of %s%s", outcome, expected, client_unread(client));
    if (strcmp(outcome, "success") == 0 && !login.second && !client_peek(client)) {
        client->reader = tree_reader(); /* what comes from now on is another stream (SA-5) */
        client->spoke = false;
    }
    const char *came[3] = {login.salt, login.iterations, login.extensions};
    for (int i = 0; i < 3; i++) {
        if (patterns[i] && (!came[i] || !text_matches(patterns[i], came[i], play->variables)))
            return play_fail(play, "server-first has %s, not %s", came[i] ? came[i] : "nothing",
                             patterns[i]);
    }
    return true;
}

bool verb_binds(struct play *play, struct client *client, const char *rest,
                const struct statement *statement)
{
    struct text out = {0};
    (void)statement;
    const char *resource = *rest ? rest : client->resource;
    text_format(&out,
                "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                "<resource>%s</resource></bind></iq>",
                resource);
    client_say(client, out.bytes, out.len);
    if (!play_settle(play, 0))
        return false;
    const struct tree *result = client_take(client);
    const struct tree *bind = result ? tree_child(result, "bind") : NULL;
    const struct tree *jid = bind ? tree_child(bind, "jid") : NULL;
    if (!jid)
        return play_fail(play, "%s was not bound:%s", client->name, client_unread(client));
    variable_set(play->variables, client->name, strlen(client->name), tree_text(jid));
    return true;
}

bool verb_logs_in(struct play *play, struct client *client, const char *rest,
                  const struct statement *statement)
{
    (void)rest;
    return verb_opens(play, client, "", statement) &&
           verb_authenticates(play, client, "SCRAM-SHA-1", statement) &&
           verb_opens(play, client, "", statement) && verb_binds(play, client, "", statement);
}

/* Logs in, sends <presence/>, and takes its own presence that comes back (6121 4.2.2). */
bool verb_comes_online(struct play *play, struct client *client, const char *rest,
                       const struct statement *statement)
{
    if (!verb_logs_in(play, client, rest, statement))
        return false;
    client_say_string(client, "<presence/>");
    if (!play_settle(play, 0))
        return false;
    const char *self = variable(play->variables, client->name, strlen(client->name));
    for (const struct tree *tree = client_peek(client); tree; tree = tree->next) {
        const char *from = tree_attribute(tree, "from");
        if (strcmp(tree->name, "presence") == 0 && from && strcmp(from, self) == 0) {
            client_take_this(client, tree);
            return true;
        }
    }
    return play_fail(play, "%s's own presence did not come back:%s", client->name,
                     client_unread(client));
}
