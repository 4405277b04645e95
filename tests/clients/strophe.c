/* strophe.c: a person over libstrophe, who says on standard output what happens: an echo that sends
 * every chat message back to its sender, or one who is moved by lines on standard input. Words of
 * a line are percent-encoded where they would break it. Ends with the stream.
 * Arguments: jid, password, port, CA file, "starttls" or "direct", for no echo "moved". */
#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include <unistd.h>

#define NS_BLOCKING "urn:xmpp:blocking"
#define NS_DELAY "urn:xmpp:delay"
#define WORDS_MAX 3
#define WAIT_MS 10 /* libstrophe waits this long even when TLS has read more already */

struct person {
    xmpp_ctx_t *context;
    xmpp_conn_t *connection;
    bool echo;
    bool gone;
    char input[4096];
    size_t len;
};

/* The requests of a person; their id is the verb. */
static const struct request {
    const char *verb, *type, *element, *space;
    const char *subscription; /* of the item that is named */
} requests[] = {
    {"roster", "get", "query", XMPP_NS_ROSTER, NULL},
    {"remove", "set", "query", XMPP_NS_ROSTER, "remove"},
    {"block", "set", "block", NS_BLOCKING, NULL},
    {"unblock", "set", "unblock", NS_BLOCKING, NULL},
    {"blocklist", "get", "blocklist", NS_BLOCKING, NULL},
    {"ping", "get", "ping", "urn:xmpp:ping", NULL},
};

static const struct {
    const char *verb, *type;
} presences[] = {
    {"subscribe", "subscribe"},
    {"accept", "subscribed"},
    {"available", NULL},
};

/* --- what is said --- */

static void word_put(const char *word)
{
    for (; *word != '\0'; word++) {
        unsigned char byte = (unsigned char)*word;
        if (byte <= ' ' || byte == '%' || byte == 0x7f)
            printf("%%%02X", byte);
        else
            putchar(byte);
    }
}

/* The last word is NULL. */
static void say(const char *verb, ...)
{
    va_list words;
    va_start(words, verb);
    fputs(verb, stdout);
    for (const char *word = va_arg(words, char *); word; word = va_arg(words, char *)) {
        putchar(' ');
        word_put(word);
    }
    va_end(words);
    putchar('\n');
}

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

/* The items of an element that has some: a roster or addresses that are blocked. */
static void say_items(const char *verb, xmpp_stanza_t *element)
{
    for (xmpp_stanza_t *item = xmpp_stanza_get_children(element); item;
         item = xmpp_stanza_get_next(item)) {
        const char *jid = xmpp_stanza_get_attribute(item, "jid");
        if (jid)
            say(verb, jid, or_none(xmpp_stanza_get_attribute(item, "subscription")), NULL);
    }
}

static void say_lists(xmpp_stanza_t *iq)
{
    static const struct {
        const char *element, *space, *verb;
    } lists[] = {
        {"query", XMPP_NS_ROSTER, "contact"},
        {"blocklist", NS_BLOCKING, "blocked"},
        {"block", NS_BLOCKING, "blocked"},
        {"unblock", NS_BLOCKING, "unblocked"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        xmpp_stanza_t *element =
            xmpp_stanza_get_child_by_name_and_ns(iq, lists[i].element, lists[i].space);
        if (element)
            say_items(lists[i].verb, element);
    }
}

static const char *error_condition(xmpp_stanza_t *stanza)
{
    xmpp_stanza_t *error = xmpp_stanza_get_child_by_name(stanza, "error");
    xmpp_stanza_t *condition =
        error ? xmpp_stanza_get_child_by_ns(error, XMPP_NS_STANZAS_IETF) : NULL;
    return condition ? xmpp_stanza_get_name(condition) : "none";
}

/* --- what is done --- */

/* Frees what it sends. */
static void send_stanza(struct person *person, xmpp_stanza_t *stanza)
{
    xmpp_send(person->connection, stanza);
    xmpp_stanza_release(stanza);
}

/* Parents keep what is added to them. */
static xmpp_stanza_t *add_element(struct person *person, xmpp_stanza_t *parent, const char *name)
{
    xmpp_stanza_t *element = xmpp_stanza_new(person->context);
    if (element == NULL || xmpp_stanza_set_name(element, name) != XMPP_EOK ||
        xmpp_stanza_add_child(parent, element) != XMPP_EOK)
        exit(3);
    xmpp_stanza_release(element);
    return element;
}

static void send_message(struct person *person, const char *to, const char *body)
{
    xmpp_stanza_t *message = xmpp_message_new(person->context, "chat", to, NULL);
    if (message == NULL || xmpp_message_set_body(message, body) != XMPP_EOK)
        exit(3);
    send_stanza(person, message);
}

static void send_presence(struct person *person, const char *type, const char *to)
{
    xmpp_stanza_t *presence = xmpp_presence_new(person->context);
    if (presence == NULL || (type && xmpp_stanza_set_type(presence, type) != XMPP_EOK) ||
        (to && xmpp_stanza_set_to(presence, to) != XMPP_EOK))
        exit(3);
    send_stanza(person, presence);
}

/* --- what happens --- */

static int follow_message(xmpp_conn_t *connection, xmpp_stanza_t *message, void *of_person)
{
    struct person *person = of_person;
    const char *from = or_none(xmpp_stanza_get_from(message));
    const char *type = xmpp_stanza_get_type(message);
    char *body = xmpp_message_get_body(message);
    (void)connection;

    if (type && strcmp(type, "error") == 0) {
        say("bounced", from, error_condition(message), NULL);
    } else if (body) {
        bool late = xmpp_stanza_get_child_by_name_and_ns(message, "delay", NS_DELAY) != NULL;
        say("message", from, late ? "late" : "live", body, NULL);
        if (person->echo)
            send_message(person, from, body);
    }
    if (body)
        xmpp_free(person->context, body);
    return 1;
}

static int follow_presence(xmpp_conn_t *connection, xmpp_stanza_t *presence, void *of_person)
{
    const char *type = xmpp_stanza_get_type(presence);
    xmpp_stanza_t *status = xmpp_stanza_get_child_by_name(presence, "status");
    char *text = status ? xmpp_stanza_get_text(status) : NULL;
    struct person *person = of_person;
    (void)connection;

    say(type ? type : "available", or_none(xmpp_stanza_get_from(presence)), text ? text : "", NULL);
    if (text)
        xmpp_free(person->context, text);
    return 1;
}

static int follow_push(xmpp_conn_t *connection, xmpp_stanza_t *iq, void *of_person)
{
    struct person *person = of_person;
    const char *id = xmpp_stanza_get_id(iq);
    (void)connection;

    say_lists(iq);
    xmpp_stanza_t *result = xmpp_iq_new(person->context, "result", id ? id : "");
    if (result == NULL)
        exit(3);
    send_stanza(person, result);
    return 1;
}

static int follow_answer(xmpp_conn_t *connection, xmpp_stanza_t *iq, void *of_person)
{
    const char *id = or_none(xmpp_stanza_get_id(iq));
    const char *type = or_none(xmpp_stanza_get_type(iq));
    (void)connection;
    (void)of_person;

    say_lists(iq);
    if (strcmp(type, "result") == 0)
        say("done", id, NULL);
    else
        say("refused", id, error_condition(iq), NULL);
    return 0;
}

/* --- what is asked for --- */

static void send_request(struct person *person, const struct request *request, const char *jid)
{
    xmpp_stanza_t *iq = xmpp_iq_new(person->context, request->type, request->verb);
    if (iq == NULL)
        exit(3);
    xmpp_stanza_t *element = add_element(person, iq, request->element);
    if (xmpp_stanza_set_ns(element, request->space) != XMPP_EOK)
        exit(3);
    if (jid) {
        xmpp_stanza_t *item = add_element(person, element, "item");
        if (xmpp_stanza_set_attribute(item, "jid", jid) != XMPP_EOK)
            exit(3);
        if (request->subscription &&
            xmpp_stanza_set_attribute(item, "subscription", request->subscription) != XMPP_EOK)
            exit(3);
    }
    xmpp_id_handler_add(person->connection, follow_answer, request->verb, person);
    send_stanza(person, iq);
}

/* words[0] is the verb, those that were not given are NULL. */
static void obey(struct person *person, char **words)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (strcmp(words[0], requests[i].verb) == 0) {
            send_request(person, &requests[i], words[1]);
            return;
        }
    for (size_t i = 0; i < sizeof presences / sizeof presences[0]; i++)
        if (strcmp(words[0], presences[i].verb) == 0) {
            send_presence(person, presences[i].type, words[1]);
            return;
        }
    if (strcmp(words[0], "say") == 0 && words[2])
        send_message(person, words[1], words[2]);
    else if (strcmp(words[0], "leave") == 0)
        xmpp_disconnect(person->connection);
    else
        say("impossible", words[0], NULL);
}

static int hex(char digit)
{
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

static void word_decode(char *word)
{
    char *to = word;
    for (; *word != '\0'; word++) {
        if (*word == '%' && isxdigit((unsigned char)word[1]) && isxdigit((unsigned char)word[2])) {
            *to++ = (char)(hex(word[1]) * 16 + hex(word[2]));
            word += 2;
        } else {
            *to++ = *word;
        }
    }
    *to = '\0';
}

static void obey_line(struct person *person, char *line)
{
    char *words[WORDS_MAX] = {line};
    for (size_t i = 0; i < WORDS_MAX && words[i]; i++) {
        char *space = strchr(words[i], ' ');
        if (space)
            *space = '\0';
        if (space && i + 1 < WORDS_MAX)
            words[i + 1] = space + 1;
        word_decode(words[i]);
    }
    obey(person, words);
}

static void obey_input(struct person *person)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, 0) <= 0)
        return;
    size_t room = sizeof person->input - 1 - person->len;
    ssize_t count = read(STDIN_FILENO, person->input + person->len, room);
    if (count <= 0)
        exit(3); /* who moves it is no more, or says too much */
    person->len += (size_t)count;
    person->input[person->len] = '\0';
    char *line = person->input, *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        obey_line(person, line);
    }
    person->len = strlen(line);
    memmove(person->input, line, person->len);
}

/* --- the stream --- */

static void follow_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error,
                              xmpp_stream_error_t *stream_error, void *of_person)
{
    struct person *person = of_person;
    if (event == XMPP_CONN_CONNECT) {
        xmpp_handler_add(connection, follow_message, NULL, "message", NULL, person);
        xmpp_handler_add(connection, follow_presence, NULL, "presence", NULL, person);
        xmpp_handler_add(connection, follow_push, NULL, "iq", "set", person);
        say("online", xmpp_conn_get_bound_jid(connection),
            xmpp_conn_is_secured(connection) ? "secured" : "in the clear", NULL);
        send_request(person, &requests[0], NULL);
        send_presence(person, NULL, NULL);
        return;
    }
    printf("offline error %d stream error %d\n", error,
           stream_error ? (int)stream_error->type : -1);
    person->gone = true;
}

int main(int count, char **words)
{
    static struct person person;
    if (count != 6 && count != 7) {
        fprintf(stderr, "usage: strophe JID PASSWORD PORT CA starttls|direct [moved]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    xmpp_initialize();
    person.context = xmpp_ctx_new(NULL, xmpp_get_default_logger(XMPP_LEVEL_DEBUG));
    person.connection = xmpp_conn_new(person.context);
    person.echo = count == 6;
    long flags =
        strcmp(words[5], "direct") == 0 ? XMPP_CONN_FLAG_LEGACY_SSL : XMPP_CONN_FLAG_MANDATORY_TLS;
    xmpp_conn_set_jid(person.connection, words[1]);
    xmpp_conn_set_pass(person.connection, words[2]);
    xmpp_conn_set_cafile(person.connection, words[4]);
    if (xmpp_conn_set_flags(person.connection, flags) != XMPP_EOK)
        return 3;
    unsigned short port = (unsigned short)atoi(words[3]);
    if (xmpp_connect_client(person.connection, "127.0.0.1", port, follow_connection, &person) !=
        XMPP_EOK)
        return 3;
    while (!person.gone) {
        xmpp_run_once(person.context, WAIT_MS);
        if (!person.echo)
            obey_input(&person);
    }
    xmpp_conn_release(person.connection);
    xmpp_ctx_free(person.context);
    xmpp_shutdown();
    return 0;
}
