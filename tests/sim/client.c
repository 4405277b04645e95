/* client.c: the test's side of each stream: what was sent, what came, and whether the header obeys
 * RFC 6120 4.7 (requirement ST-1). */
#include "client.h"

#include "base/config.h"
#include "house.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XMLNS "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
#define STREAM_IDS 4096

bool clients_trace;

static struct client clients[CLIENTS];
static unsigned client_count;
static const char *stream_ids[STREAM_IDS];
static unsigned stream_id_count;

void clients_forget(void)
{
    memset(clients, 0, sizeof(clients));
    client_count = 0;
    stream_id_count = 0;
}

struct client *client_named(const char *name, size_t len)
{
    for (unsigned i = 0; i < client_count; i++) {
        if (strlen(clients[i].name) == len && memcmp(clients[i].name, name, len) == 0)
            return &clients[i];
    }
    if (client_count == CLIENTS || len >= sizeof(clients[0].name)) {
        fprintf(stderr, "no more than %d clients, with short names\n", CLIENTS);
        exit(2);
    }
    struct client *client = &clients[client_count++];
    memcpy(client->name, name, len);
    const char *dot = memchr(name, '.', len);
    size_t account_len = dot ? (size_t)(dot - name) : len;
    memcpy(client->account, name, account_len);
    snprintf(client->resource, sizeof(client->resource), "%s",
             dot ? client->name + account_len + 1 : "home");
    client->link = -1;
    return client;
}

struct client *client_at(unsigned i)
{
    return i < client_count ? &clients[i] : NULL;
}

/* "192.0.2.1" as sixteen bytes. */
static bool address_read(const char *text, uint8_t *out)
{
    unsigned part[4];
    memset(out, 0, 16);
    if (sscanf(text, "%u.%u.%u.%u", &part[0], &part[1], &part[2], &part[3]) != 4)
        return false;
    out[10] = 0xff;
    out[11] = 0xff;
    for (int i = 0; i < 4; i++)
        out[12 + i] = (uint8_t)part[i];
    return true;
}

bool client_connect(struct client *client, const char *address)
{
    uint8_t bytes[16];
    if (address && !address_read(address, bytes))
        return false;
    client->reader = tree_reader(); /* a doorman speaks first */
    client->spoke = false;
    client->header_taken = false;
    client->link = world_connect(HOUSE_PORT, address ? bytes : NULL);
    return client->link >= 0;
}

static void trace(const struct client *client, const char *arrow, const char *bytes, size_t len)
{
    if (!clients_trace)
        return;
    fprintf(stderr, "%8llu %s %s ", (unsigned long long)world_now_ms(), client->name, arrow);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)bytes[i] < 32)
            fprintf(stderr, "\\x%02X", (unsigned char)bytes[i]);
        else
            fputc(bytes[i], stderr);
    }
    fputc('\n', stderr);
}

void client_say(struct client *client, const char *bytes, size_t len)
{
    trace(client, "->", bytes, len);
    world_say(client->link, bytes, len);
}

void client_say_string(struct client *client, const char *string)
{
    client_say(client, string, strlen(string));
}

void client_expect_header(struct client *client)
{
    client->spoke = true;
    client->header_taken = false;
    if (client->reader->header)
        client->reader = tree_reader();
}

void client_say_header(struct client *client, const char *attributes)
{
    struct text header = {0};
    const char *from = attributes ? strstr(attributes, "from='") : NULL;
    text_string(&header, "<?xml version='1.0'?><stream:stream ");
    if (attributes)
        text_string(&header, attributes);
    else
        text_format(&header, "to='%s' version='1.0'", config.domain);
    text_string(&header, attributes && strstr(attributes, "xmlns") ? ">" : " " XMLNS ">");
    client->from = from ? from + 6 : NULL;
    client_expect_header(client);
    client_say(client, header.bytes, header.len);
}

static void client_listen(struct client *client)
{
    char bytes[16384];
    size_t len;
    while (client->link >= 0 && (len = world_hear(client->link, bytes, sizeof(bytes))) > 0) {
        trace(client, "<-", bytes, len);
        tree_read(client->reader, bytes, len);
    }
}

void clients_listen(void)
{
    for (unsigned i = 0; i < client_count; i++) {
        if (!clients[i].deaf)
            client_listen(&clients[i]);
    }
}

struct tree *client_peek(const struct client *client)
{
    return client->reader ? client->reader->first : NULL;
}

void client_take_this(struct client *client, const struct tree *tree)
{
    struct tree *before = NULL;
    struct tree *each = client->reader->first;
    while (each && each != tree) {
        before = each;
        each = each->next;
    }
    if (!each)
        return;
    if (before)
        before->next = each->next;
    else
        client->reader->first = each->next;
    if (client->reader->last == each)
        client->reader->last = before;
}

struct tree *client_take(struct client *client)
{
    struct tree *tree = client_peek(client);
    if (tree)
        client_take_this(client, tree);
    return tree;
}

static const char *header_fault(const struct client *client, const struct tree *header)
{
    const char *id = tree_attribute(header, "id");
    const char *to = tree_attribute(header, "to");
    const char *from = tree_attribute(header, "from");
    bool lang = false;
    for (const struct tree_attribute *a = header->attributes; a; a = a->next)
        lang |= strcmp(a->name, "lang") == 0 && a->namespace[0] && a->value[0];
    if (!client->reader->declared)
        return "no XML declaration before the header";
    if (strcmp(header->name, "stream") != 0 || strcmp(header->prefix, "stream") != 0 ||
        strcmp(header->namespace, "http://etherx.jabber.org/streams") != 0)
        return "the root is not <stream:stream>";
    if (!from || strcmp(from, config.domain) != 0)
        return "the header's from is not the served domain";
    if (!lang)
        return "the header has no xml:lang";
    if (to && !client->from)
        return "the header has a to, though the client sent no from";
    if (!id || strlen(id) < 20)
        return "the stream id is missing or too short for 128 random bits";
    for (unsigned i = 0; i < stream_id_count; i++) {
        if (strcmp(stream_ids[i], id) == 0)
            return "the stream id was used before";
    }
    if (stream_id_count < STREAM_IDS)
        stream_ids[stream_id_count++] = id;
    return NULL;
}

const char *client_fault(struct client *client)
{
    struct tree_reader *reader = client->reader;
    if (reader && reader->header && !client->spoke)
        return "the server spoke first";
    if (!reader)
        return NULL;
    if (reader->fault[0])
        return reader->fault;
    if (reader->loose.len)
        return "text between the stanzas";
    if (!reader->header || client->header_taken)
        return NULL;
    client->header_taken = true;
    return header_fault(client, reader->header);
}

const char *client_unread(const struct client *client)
{
    struct text out = {0};
    text_string(&out, "");
    for (const struct tree *tree = client_peek(client); tree && out.len < 4000; tree = tree->next) {
        text_string(&out, "\n        ");
        tree_print(&out, tree);
    }
    if (client->reader && client->reader->ended)
        text_string(&out, "\n        </stream:stream>");
    if (client->link >= 0 && world_closed(client->link))
        text_string(&out, "\n        (connection closed)");
    if (out.len == 0)
        text_string(&out, "\n        nothing");
    return out.bytes;
}
