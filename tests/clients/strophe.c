/* strophe.c: an echo over libstrophe. Logs in, sends every chat message back to its sender,
 * says on standard output what happens: online, message, offline REASON. Ends with the stream.
 * Arguments: jid, password, port, CA file, "starttls" or "direct". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>

static int answer_message(xmpp_conn_t *connection, xmpp_stanza_t *message, void *context)
{
    char *body = xmpp_message_get_body(message);

    if (body == NULL)
        return 1;
    printf("message %s %zu\n", xmpp_stanza_get_from(message), strlen(body));
    xmpp_stanza_t *echo = xmpp_message_new(context, "chat", xmpp_stanza_get_from(message), NULL);
    if (echo == NULL || xmpp_message_set_body(echo, body) != 0)
        exit(3);
    xmpp_send(connection, echo);
    xmpp_stanza_release(echo);
    xmpp_free(context, body);
    return 1;
}

static void follow_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error,
                              xmpp_stream_error_t *stream_error, void *context)
{
    if (event == XMPP_CONN_CONNECT) {
        xmpp_handler_add(connection, answer_message, NULL, "message", NULL, context);
        xmpp_stanza_t *presence = xmpp_presence_new(context);
        xmpp_send(connection, presence);
        xmpp_stanza_release(presence);
        printf("online %s %s\n", xmpp_conn_get_bound_jid(connection),
               xmpp_conn_is_secured(connection) ? "secured" : "in the clear");
        return;
    }
    printf("offline error %d stream error %d\n", error,
           stream_error ? (int)stream_error->type : -1);
    xmpp_stop(context);
}

int main(int count, char **words)
{
    if (count != 6) {
        fprintf(stderr, "usage: strophe JID PASSWORD PORT CA starttls|direct\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    xmpp_initialize();
    xmpp_ctx_t *context = xmpp_ctx_new(NULL, xmpp_get_default_logger(XMPP_LEVEL_DEBUG));
    xmpp_conn_t *connection = xmpp_conn_new(context);
    long flags =
        strcmp(words[5], "direct") == 0 ? XMPP_CONN_FLAG_LEGACY_SSL : XMPP_CONN_FLAG_MANDATORY_TLS;
    xmpp_conn_set_jid(connection, words[1]);
    xmpp_conn_set_pass(connection, words[2]);
    xmpp_conn_set_cafile(connection, words[4]);
    if (xmpp_conn_set_flags(connection, flags) != 0)
        return 3;
    unsigned short port = (unsigned short)atoi(words[3]);
    if (xmpp_connect_client(connection, "127.0.0.1", port, follow_connection, context) != 0)
        return 3;
    xmpp_run(context);
    xmpp_conn_release(connection);
    xmpp_ctx_free(context);
    xmpp_shutdown();
    return 0;
}
