/* delivery.c: requirements 2.4 cell by cell. For each set of an account's resources, and for each
 * sender, a dialog is written with every kind of stanza to every kind of address and what the
 * tables say of it, and played; at the end a fresh resource must be told just what was stored.
 * The tables are those of the requirements, not the server's. -v: show what is said. */
#include "house.h"
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFUSAL                                                                                    \
    "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"      \
    "</error>"
#define STANZA_ID_OF(name)                                                                         \
    "<stanza-id xmlns='urn:xmpp:sid:0' by='" name "@example.com' id='{any}'/>"
#define STANZA_ID STANZA_ID_OF("juliet")
#define MARKS "<delay xmlns='urn:xmpp:delay' from='example.com' stamp='{any}Z'/>" STANZA_ID
#define STRANGER (-1)

/* Juliet's resources, one character each: '-' connected and not available, 'n' available with a
 * negative priority, '0' and '5' with that one; '=', 'N', 'z' and 'v': the same with carbons. */
static const char *const sets[] = {"",   "-",  "n",   "-n",   "0",    "5",  "0-",  "0n",   "00",
                                   "05", "n5", "00n", "05n-", "5n0-", "=",  "N",   "z",    "=N",
                                   "z=", "0=", "zN",  "0N",   "zv",   "0v", "zvN", "0v-=", "v0nN"};

enum row {
    BARE_NO_ACCOUNT,
    FULL_NO_ACCOUNT,
    BARE_NONE,
    FULL_NONE,
    BARE_NEGATIVE,
    FULL_MATCH,
    FULL_OTHER_NEGATIVE,
    BARE_ONE,
    FULL_OTHER_ONE,
    BARE_SEVERAL,
    FULL_OTHER_SEVERAL,
    ROWS
};

/* "Message", the right-hand column; O: waits, E: refused, S: silently dropped, D: to the one that
 * there is, A: to all with a priority of 0 or more. An unknown type is as normal. */
static const char *const types[] = {NULL,        "normal",   "what", "chat",
                                    "groupchat", "headline", "error"};
static const char messages[ROWS][sizeof types / sizeof types[0]] = {
    /*                        -    normal what chat group head  error */
    [BARE_NO_ACCOUNT] = {'E', 'E', 'E', 'E', 'E', 'S', 'S'},
    [FULL_NO_ACCOUNT] = {'E', 'E', 'E', 'E', 'E', 'S', 'S'},
    [BARE_NONE] = {'O', 'O', 'O', 'O', 'E', 'S', 'S'},
    [FULL_NONE] = {'E', 'E', 'E', 'O', 'E', 'S', 'S'},
    [BARE_NEGATIVE] = {'O', 'O', 'O', 'O', 'E', 'S', 'S'},
    [FULL_MATCH] = {'D', 'D', 'D', 'D', 'D', 'D', 'D'},
    [FULL_OTHER_NEGATIVE] = {'E', 'E', 'E', 'O', 'E', 'S', 'S'},
    [BARE_ONE] = {'D', 'D', 'D', 'D', 'E', 'D', 'S'},
    [FULL_OTHER_ONE] = {'E', 'E', 'E', 'D', 'E', 'S', 'S'},
    [BARE_SEVERAL] = {'A', 'A', 'A', 'A', 'E', 'A', 'S'},
    [FULL_OTHER_SEVERAL] = {'E', 'E', 'E', 'A', 'E', 'S', 'S'},
};

/* One dialog under way. */
struct cell {
    FILE *file;
    FILE *stored; /* what the fresh resource will be told, in order */
    const char *set;
    int sender; /* index of one of juliet's resources, or STRANGER */
    unsigned number;
};

/* Where a stanza goes. */
struct address {
    char text[64];
    bool account;
    bool full;
    int match; /* index of the resource, -1: none has that name */
};

static unsigned cells;

static bool has_carbons(char resource)
{
    return strchr("=Nzv", resource) != NULL;
}

/* As without carbons. */
static char state_of(char resource)
{
    return has_carbons(resource) ? "-n05"[strchr("=Nzv", resource) - "=Nzv"] : resource;
}

static bool listens(char resource)
{
    char state = state_of(resource);
    return state == '0' || state == '5';
}

static const char *sender_name(const struct cell *cell)
{
    static char name[16];
    if (cell->sender == STRANGER)
        return "romeo";
    snprintf(name, sizeof name, "juliet.r%d", cell->sender);
    return name;
}

static enum row row_of(const struct cell *cell, const struct address *address)
{
    unsigned listening = 0, negative = 0;
    for (const char *state = cell->set; *state; state++) {
        listening += listens(*state);
        negative += state_of(*state) == 'n';
    }
    if (!address->account)
        return address->full ? FULL_NO_ACCOUNT : BARE_NO_ACCOUNT;
    if (address->match >= 0)
        return FULL_MATCH;
    if (listening > 1)
        return address->full ? FULL_OTHER_SEVERAL : BARE_SEVERAL;
    if (listening == 1)
        return address->full ? FULL_OTHER_ONE : BARE_ONE;
    if (negative > 0)
        return address->full ? FULL_OTHER_NEGATIVE : BARE_NEGATIVE;
    return address->full ? FULL_NONE : BARE_NONE;
}

/* `text` behind the addresses: further attributes, '>' and the rest. */
static void says(struct cell *cell, const char *name, const struct address *address,
                 const char *text)
{
    fprintf(cell->file, "%s sends <%s id='%u' to='%s'%s\n", sender_name(cell), name, cell->number,
            address->text, text);
    cells++;
}

static void gets(struct cell *cell, int resource, const char *name, const struct address *address,
                 const char *text)
{
    fprintf(cell->file, "juliet.r%d gets <%s id='%u' from='{%s}' to='%s'%s\n", resource, name,
            cell->number, sender_name(cell), address->text, text);
}

/* XEP-0280; the outer message is from the account that the copy is for. */
static void gets_copy(struct cell *cell, const char *account, const char *resource,
                      const char *direction, const struct address *address, const char *text)
{
    char type[32] = "";
    if (strncmp(text, " type=", 6) == 0)
        snprintf(type, sizeof type, "%.*s", (int)strcspn(text, ">"), text);
    fprintf(cell->file,
            "%s.%s gets <message from='%s@example.com' to='{%s.%s}'%s><%s "
            "xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message "
            "xmlns='jabber:client' id='%u' from='{%s}' to='%s'%s</forwarded></%s></message>\n",
            account, resource, account, account, resource, type, direction, cell->number,
            sender_name(cell), address->text, text, direction);
}

/* CC-3: what each resource with carbons does not get or send itself. */
static void copies(struct cell *cell, const struct address *address, size_t type, const char *sent,
                   const char *received)
{
    bool own = cell->sender != STRANGER;
    char row = messages[row_of(cell, address)][type];
    if (strchr("DAO", row) == NULL || (types[type] && strchr("gh", types[type][0])))
        return;
    if (!own)
        gets_copy(cell, "romeo", "other", "sent", address, sent);
    for (int i = 0; cell->set[i]; i++) {
        bool itself =
            row != 'O' && (address->match >= 0 ? i == address->match : listens(cell->set[i]));
        char resource[24];
        snprintf(resource, sizeof resource, "r%d", i);
        if (has_carbons(cell->set[i]) && !itself && i != cell->sender)
            gets_copy(cell, "juliet", resource, own ? "sent" : "received", address, received);
    }
}

static void is_refused(struct cell *cell, const char *name, const struct address *address)
{
    const char *sender = sender_name(cell);
    fprintf(cell->file, "%s gets <%s type='error' id='%u' from='%s' to='{%s}'>%s</%s>\n", sender,
            name, cell->number, address->text, sender, REFUSAL, name);
}

static void message(struct cell *cell, const struct address *address, size_t type)
{
    char text[64], marked[192], sent[192], attribute[32] = "";
    bool archived = !types[type] || strchr("nwc", types[type][0]);
    if (types[type])
        snprintf(attribute, sizeof attribute, " type='%s'", types[type]);
    snprintf(text, sizeof text, "%s><body>b</body></message>", attribute);
    snprintf(marked, sizeof marked, "%s><body>b</body>%s</message>", attribute,
             archived ? STANZA_ID : "");
    snprintf(sent, sizeof sent, "%s><body>b</body>%s</message>", attribute,
             archived ? STANZA_ID_OF("romeo") : "");
    cell->number++;
    says(cell, "message", address, text);
    switch (messages[row_of(cell, address)][type]) {
    case 'D':
    case 'A':
        for (int i = 0; cell->set[i]; i++)
            if (address->match >= 0 ? i == address->match : listens(cell->set[i]))
                gets(cell, i, "message", address, marked);
        break;
    case 'E':
        is_refused(cell, "message", address);
        break;
    case 'O':
        fprintf(cell->stored,
                "juliet.last gets <message id='%u' from='{%s}' to='%s'%s><body>b</body>%s"
                "</message>\n",
                cell->number, sender_name(cell), address->text, attribute, MARKS);
        break;
    default:
        break;
    }
    copies(cell, address, type, sent, marked);
}

/* "Presence": to the one resource, whatever its state, or to all that are available. */
static void presence(struct cell *cell, const struct address *address, const char *text)
{
    cell->number++;
    says(cell, "presence", address, text);
    for (int i = 0; cell->set[i] && address->account; i++)
        if (address->full ? i == address->match : state_of(cell->set[i]) != '-')
            gets(cell, i, "presence", address, text);
}

/* "IQ": a bare address is the server's; a request needs shared presence, here that of the same
 * account; an answer does not. */
static void iq(struct cell *cell, const struct address *address, const char *text, bool answer)
{
    bool own = cell->sender != STRANGER;
    if (own && address->account && !address->full)
        return; /* to oneself: the server's own business */
    cell->number++;
    says(cell, "iq", address, text);
    if (address->match >= 0 && (own || answer))
        gets(cell, address->match, "iq", address, text);
    else if (!answer)
        is_refused(cell, "iq", address);
}

static void stanzas(struct cell *cell, const struct address *address)
{
    for (size_t type = 0; type < sizeof types / sizeof types[0]; type++)
        message(cell, address, type);
    presence(cell, address, "><status>s</status></presence>");
    presence(cell, address, " type='unavailable'/>");
    iq(cell, address, " type='get'><x xmlns='y'/></iq>", false);
    iq(cell, address, " type='set'><x xmlns='y'/></iq>", false);
    iq(cell, address, " type='result'><x xmlns='y'/></iq>", true);
    iq(cell, address, " type='error'><x xmlns='y'/><error/></iq>", true);
}

static void with_carbons(const struct cell *cell, const char *name)
{
    fprintf(cell->file,
            "%s sends <iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>\n"
            "%s gets <iq type='result' id='c' to='{%s}'/>\n",
            name, name, name);
}

static void come_online(const struct cell *cell)
{
    char name[24];
    fprintf(cell->file, "romeo logs in\nromeo.other logs in\n");
    with_carbons(cell, "romeo.other");
    for (int i = 0; cell->set[i]; i++) {
        snprintf(name, sizeof name, "juliet.r%d", i);
        fprintf(cell->file, "%s logs in\n", name);
        if (has_carbons(cell->set[i]))
            with_carbons(cell, name);
    }
    for (int i = 0; cell->set[i]; i++)
        if (state_of(cell->set[i]) != '-')
            fprintf(cell->file, "juliet.r%d sends <presence><priority>%s</priority></presence>\n",
                    i,
                    state_of(cell->set[i]) == 'n'   ? "-7"
                    : state_of(cell->set[i]) == '5' ? "5"
                                                    : "0");
    for (int i = 0; cell->set[i]; i++)
        if (state_of(cell->set[i]) != '-')
            fprintf(cell->file, "juliet.r%d skips presence\n", i);
}

/* Nobody else listens there, or else nothing was stored. */
static void look_into_store(const struct cell *cell)
{
    char line[1024];
    fprintf(cell->file, "juliet.last logs in\njuliet.last sends <presence/>\n"
                        "juliet.last skips presence\n");
    rewind(cell->stored);
    while (fgets(line, sizeof line, cell->stored))
        fputs(line, cell->file);
    for (int i = 0; cell->set[i]; i++)
        if (state_of(cell->set[i]) != '-')
            fprintf(cell->file, "juliet.r%d gets <presence from='{juliet.last}' to='{any}'/>\n", i);
}

static bool write_dialog(const char *path, const char *set, int sender)
{
    struct cell cell = {.set = set, .sender = sender};
    cell.file = fopen(path, "w");
    cell.stored = tmpfile();
    if (!cell.file || !cell.stored) {
        perror(path);
        return false;
    }
    come_online(&cell);
    stanzas(&cell, &(struct address){"juliet@example.com", true, false, -1});
    stanzas(&cell, &(struct address){"juliet@example.com/none", true, true, -1});
    stanzas(&cell, &(struct address){"nobody@example.com", false, false, -1});
    stanzas(&cell, &(struct address){"nobody@example.com/none", false, true, -1});
    for (int i = 0; set[i]; i++) {
        struct address match = {"", true, true, i};
        snprintf(match.text, sizeof match.text, "{juliet.r%d}", i);
        stanzas(&cell, &match);
    }
    look_into_store(&cell);
    fclose(cell.stored);
    return fclose(cell.file) == 0;
}

static bool play_all(const char *path, const char *set, int sender, unsigned *passed)
{
    static const struct conditions replays[] = {
        {.read_bytes = 0}, {.read_bytes = 3}, {.read_bytes = 7, .send_bytes = 5, .stuck_every = 2}};
    unsigned replays_count = clients_trace ? 1 : sizeof replays / sizeof replays[0];
    for (unsigned i = 0; i < replays_count; i++) {
        struct play play;
        struct conditions conditions = replays[i];
        conditions.seed = i;
        if (!play_dialog(&play, path, &conditions)) {
            fprintf(stderr, "%s    juliet's resources: \"%s\", sender: %d\n", play.report.bytes,
                    set, sender);
            return false;
        }
        ++*passed;
    }
    return true;
}

int main(int count, char **arguments)
{
    char path[] = "/tmp/kith-delivery-XXXXXX";
    unsigned passed = 0, failed = 0;
    clients_trace = count > 1 && strcmp(arguments[1], "-v") == 0;
    int file = mkstemp(path);
    if (file < 0 || close(file) != 0) {
        perror(path);
        return 2;
    }
    house_boot();
    for (size_t set = 0; set < sizeof sets / sizeof sets[0]; set++)
        for (int sender = STRANGER; sender < (int)strlen(sets[set]); sender++)
            failed += !write_dialog(path, sets[set], sender) ||
                      !play_all(path, sets[set], sender, &passed);
    house_leave();
    if (failed == 0)
        unlink(path);
    else
        fprintf(stderr, "the last dialog is in %s\n", path);
    printf("%u cells\n%u passed, %u failed\n", cells, passed, failed);
    return failed != 0 || passed == 0;
}
