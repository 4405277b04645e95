/* client.h: the clients of a dialog: a link to the server and the streams read from it.
 * At most CLIENTS of them; they live until clients_forget. */
#ifndef KITH_SIM_CLIENT_H
#define KITH_SIM_CLIENT_H

#include "tree.h"

#define CLIENTS 256

struct client {
    char name[64];              /* "romeo" or "romeo.phone" */
    char account[64];           /* the part before the dot */
    char resource[64];          /* the part after it, or "home" */
    int link;                   /* -1: not connected */
    struct tree_reader *reader; /* of the present stream; NULL: not connected */
    bool spoke;                 /* has sent a header, so that one may come */
    bool header_taken;
    bool deaf;        /* does not read for now */
    const char *from; /* of the header sent last */
};

/* Whether all that is said is shown on standard error. */
extern bool clients_trace;

void clients_forget(void);
/* By name; made when it is new. */
struct client *client_named(const char *name, size_t len);
/* The i-th, NULL after the last. */
struct client *client_at(unsigned i);

bool client_connect(struct client *client, const char *address);
void client_say(struct client *client, const char *bytes, size_t len);
void client_say_string(struct client *client, const char *string);
/* From here on a new stream is read. */
void client_expect_header(struct client *client);
/* A declaration and a stream header with these attributes (NULL: the usual ones). */
void client_say_header(struct client *client, const char *attributes);

/* Reads what has come, for all clients that are not deaf. */
void clients_listen(void);

/* The oldest unread first-level element; NULL: none. */
struct tree *client_peek(const struct client *client);
struct tree *client_take(struct client *client);
/* Takes this one out of the unread ones. */
void client_take_this(struct client *client, const struct tree *tree);
/* What is wrong with what came: bytes that are no XML, a header that breaks ST-1. NULL: nothing. */
const char *client_fault(struct client *client);
/* A short account of what is unread, for people. */
const char *client_unread(const struct client *client);

#endif
