/* archive.c: what an account may ask its archive (XEP-0313 4, XEP-0059), in the test world. Bytes
 * from 128 on stand for words of the protocol, the others for themselves; they are what stands in
 * the query. Whatever it is: one answer, no more results than were asked for and these in order,
 * each with a body; and the same answer when the index has been made to its end. */
#include "core/archive.h"
#include "tests/fuzz/served.h"
#include "tests/sim/verbs.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 70 /* more than a page */
#define FIRST_US UINT64_C(1800000000000000)
#define STEP_US UINT64_C(700000)
#define IDS 6
#define FIELD(var) "<field var='" var "'><value>"
#define SET "<set xmlns='http://jabber.org/protocol/rsm'>"

/* Ids of messages: that are there, were dropped, are another's. */
static char ids[IDS][UID_CHARS + 1];

static const char *const words[] = {
    "<x xmlns='jabber:x:data' type='submit'>" FIELD("FORM_TYPE") "urn:xmpp:mam:2</value></field>",
    "<x xmlns='jabber:x:data' type='submit'>",
    "</x>",
    FIELD("with"),
    FIELD("start"),
    FIELD("end"),
    FIELD("before-id"),
    FIELD("after-id"),
    FIELD("ids"),
    FIELD("include-groupchat"),
    FIELD("FORM_TYPE"),
    "</value></field>",
    "</value><value>",
    SET,
    "</set>",
    "<max>",
    "</max>",
    "<before>",
    "<before/>",
    "</before>",
    "<after>",
    "</after>",
    "<index>0</index>",
    "<flip-page/>",
    "romeo@example.com",
    "romeo@example.com/r1",
    "nurse@example.com",
    "example.com",
    "2027-01-15T08:00:00Z",
    "2027-01-15T08:00:07.7Z",
    "2027-01-15T09:00:30.123456+01:00",
    "1",
    "50",
    "4294967296",
    SET "<max>10</max>",
    "true",
    ids[0],
    ids[1],
    ids[2],
    ids[3],
    ids[4],
    ids[5],
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static struct play play;
static struct client *juliet;

static void broken(const char *what)
{
    fprintf(stderr, "%s\n%s\n", what, play.report.bytes ? play.report.bytes : "");
    abort();
}

/* Every other one is from a person of its own; every third from another resource. */
static void message_put(struct store *store, unsigned n)
{
    static char bytes[512];
    static const struct jid with[2][3] = {{{"romeo@example.com/r0", 5, 11, 2},
                                           {"romeo@example.com/r1", 5, 11, 2},
                                           {"romeo@example.com", 5, 11, 0}},
                                          {{"nurse@example.com/r0", 5, 11, 2},
                                           {"nurse@example.com/r1", 5, 11, 2},
                                           {"nurse@example.com", 5, 11, 0}}};
    struct build build = {.bytes = bytes, .size = sizeof(bytes)};
    struct archive_owner owner = {SPAN("juliet"), &with[n % 2][n % 3]};
    uint64_t number = FIRST_US + n * STEP_US;
    build_str(&build, "<message type='chat'><body>");
    build_number(&build, n);
    build_str(&build, "</body></message>");
    if (archive_put(store, number, number, &owner, 1, &build) != STORE_OK)
        broken("a message cannot be put");
}

static void begin(void)
{
    static const unsigned of[IDS] = {0, 1, 20, 21, MESSAGES - 1, 40};
    const char *why;
    house_close();
    memory_forget();
    clients_forget();
    world_begin(1);
    memset(&play, 0, sizeof(play));
    play.path = "fuzz";
    play.variables = variables_new();
    text_string(&play.report, "");
    house_begin();
    if (!house_open(&why) || !house_account("juliet", "pencil", 0))
        broken(why);
    struct store *store = house_server()->store;
    for (unsigned n = 0; n < MESSAGES; n++) {
        message_put(store, n);
        if (n == MESSAGES / 3 && archive_index(store) != STORE_OK)
            broken("the index cannot be made");
    }
    if (archive_drop_oldest(store, ARCHIVE_NUMBER_MAX) != STORE_OK ||
        store_commit(store) != STORE_OK)
        broken("the store cannot be written");
    store_tick_end(store);
    for (unsigned i = 0; i < IDS; i++)
        archive_id(house_server(), i < 5 ? SPAN("juliet") : SPAN("romeo"),
                   FIRST_US + of[i] * STEP_US, ids[i]);
}

static void ask(const uint8_t *data, size_t size)
{
    client_say_string(juliet, "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2' queryid='1'>");
    for (size_t i = 0; i < size; i++) {
        char byte = (char)data[i];
        if (data[i] < 128)
            client_say(juliet, &byte, 1);
        else if (data[i] - 128u < WORDS)
            client_say_string(juliet, words[data[i] - 128u]);
    }
    client_say_string(juliet, "</query></iq>");
    const char *complaint = house_settle(0, clients_listen);
    if (complaint || world_complaint())
        broken(complaint ? complaint : world_complaint());
    const char *fault = client_fault(juliet);
    if (fault)
        broken(fault);
}

/* Of a result; -1: it is none. */
static int result_number(const struct tree *tree)
{
    static const char *const path[] = {"result", "forwarded", "message", "body"};
    for (unsigned i = 0; i < 4 && tree != NULL; i++)
        tree = tree_child(tree, path[i]);
    return tree != NULL ? atoi(tree_text(tree)) : -1;
}

/* What was said to the first question, up to its answer or the end of the stream. */
static void answer_read(struct text *answer)
{
    const struct tree *came;
    int last = -1, way = 0;
    unsigned results = 0;
    text_string(answer, "");
    while ((came = client_take(juliet)) != NULL) {
        for (const struct tree *at = came->child; at != NULL; at = at->next)
            if (at->name != NULL)
                tree_print(answer, at);
        if (strcmp(came->name, "message") != 0)
            return;
        int number = result_number(came);
        if (number < 1 || number >= MESSAGES || ++results > 50)
            broken("this is no result, or one too many");
        if (last >= 0) {
            int step = number > last ? 1 : -1;
            if (number == last || (way != 0 && step != way))
                broken("the results are not in order");
            way = step;
        }
        last = number;
    }
}

static void story(const char *name, const uint8_t *data, size_t size, struct text *answer)
{
    juliet = client_named(name, strlen(name));
    if (!verb_comes_online(&play, juliet, "", NULL))
        broken("juliet is not let in");
    ask(data, size);
    answer_read(answer);
    world_reset(juliet->link);
    (void)house_settle(0, clients_listen);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    served_begin();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text first = {0}, again = {0};
    begin();
    story("juliet.first", data, size, &first);
    if (archive_index(house_server()->store) != STORE_OK)
        broken("the index cannot be made");
    story("juliet.again", data, size, &again);
    if (strcmp(first.bytes, again.bytes) != 0)
        broken("the answer depends on the index");
    return 0;
}
