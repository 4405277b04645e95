/* welcome.c: see welcome.h. Called before the freeze, since asking for the machine's addresses
 * takes memory of the system. The QR code's memory comes from the heap and goes back to it. */
#include "welcome.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_parts.h"
#include "store/accounts.h"

#define ADDRESSES_MAX 4
/* By this our invitation is known later, when its token is not. */
#define FIRST_NOTE "first start"

/* The machine's own addresses in its networks, for devices that cannot find it by name. */
static void addresses_print(void)
{
    struct ifaddrs *all, *one;
    char text[INET_ADDRSTRLEN];
    unsigned shown = 0;
    if (getifaddrs(&all) != 0)
        return;
    for (one = all; one != NULL && shown < ADDRESSES_MAX; one = one->ifa_next) {
        struct sockaddr_in address;
        if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET ||
            (one->ifa_flags & IFF_LOOPBACK) || !(one->ifa_flags & IFF_UP))
            continue;
        memcpy(&address, one->ifa_addr, sizeof address);
        if (inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) != NULL)
            printf("%s %s", shown++ ? "," : "   This machine has", text);
    }
    freeifaddrs(all);
    if (shown > 0)
        printf(".\n");
}

static void ports_print(void)
{
    if (config.listen_count > 0)
        printf(", port %u (STARTTLS)", config.listen[0].port);
    if (config.listen_tls_count > 0)
        printf("%s port %u (direct TLS)", config.listen_count > 0 ? " or" : ",",
               config.listen_tls[0].port);
}

/* What an earlier start has invited to is not open for ever. */
static enum store_outcome first_revoke(struct store *store)
{
    struct span after = SPAN_NONE;
    struct invite invite;
    enum store_outcome outcome;
    while ((outcome = invite_next(store, after, &invite)) == STORE_OK) {
        after = span_of((const char *)invite.hash, sizeof invite.hash);
        if (invite.owner.len == 0 && span_is(invite.note, FIRST_NOTE) &&
            (outcome = invite_delete(store, invite.hash)) != STORE_OK)
            return outcome;
    }
    return outcome;
}

/* The administrator's own invitation, when there is nobody yet and somebody looks at it: a log is
 * no place for it. */
static bool first_invite(struct store *store, uint64_t accounts, struct invite_slip *slip)
{
    const struct invitation_wish wish = {.flags = INVITE_ACCOUNT | INVITE_ADMIN,
                                         .owner = SPAN(""),
                                         .username = SPAN(""),
                                         .note = SPAN(FIRST_NOTE),
                                         .unlimited = true};
    bool wanted =
        accounts == 0 && isatty(STDOUT_FILENO) && config.registration != REGISTRATION_CLOSED;
    bool made = (wanted || accounts > 0) && first_revoke(store) == STORE_NONE && wanted &&
                invite_slip_make(store, &wish, slip) == INVITATION_MADE;
    return store_commit(store) == STORE_OK && made;
}

static void people_print(const char *call, uint64_t accounts, const struct invite_slip *slip)
{
    if (slip != NULL) {
        printf("2. Make the first account, your own: open this link in a chat client, or point a\n"
               "   phone's camera at the code.\n\n");
        invite_show(slip);
        printf("\n   Or, from another terminal (asks for a password):\n"
               "       %s user add --admin anna\n",
               call);
    } else {
        printf("2. Add people, from another terminal (each asks for a password):\n"
               "       %s user add%s anna\n       %s user add ben\n",
               call, accounts == 0 ? " --admin" : "", call);
    }
    if (config.registration != REGISTRATION_CLOSED)
        printf("   Invite others with a link and a QR code:\n       %s invite%s\n", call,
               accounts == 0 && slip == NULL ? " --admin" : "");
}

void welcome_print(const struct command_line *line, struct store *store, const char *ca_path)
{
    char call[2 * CONFIG_TEXT_MAX];
    uint64_t accounts = 0;
    struct invite_slip slip;
    enum store_outcome outcome = account_count(store, &accounts);
    bool invited = outcome == STORE_OK && first_invite(store, accounts, &slip);
    store_tick_end(store);
    if (!isatty(STDOUT_FILENO) && (outcome != STORE_OK || accounts > 0))
        return;
    snprintf(call, sizeof call, "%s%s%s", line->program, line->config ? " --config " : "",
             line->config ? line->config : "");
    printf("\nThis is kith, chat server of %s, with %llu account%s.\n\n", config.domain,
           (unsigned long long)accounts, accounts == 1 ? "" : "s");
    if (ca_path[0] != '\0')
        printf("1. Have people's devices trust the certificate authority of this server:\n"
               "       %s\n   README.md says how, for each client.\n",
               ca_path);
    else
        printf("1. The certificate is the one you gave: %s\n", config.certificate);
    people_print(call, accounts, invited ? &slip : NULL);
    printf("3. In a client, log in with the address, as anna@%s, and the password.\n"
           "   If it asks for a server:\n       %s",
           config.domain, config.domain);
    ports_print();
    printf(".\n");
    if (strcmp(config.domain, "localhost") == 0)
        printf("   Only this machine knows itself as localhost. For phones and others in the same\n"
               "   network start with another name: make run DOMAIN=chat.lan\n");
    else
        printf("   Devices that do not find %s by name take this machine's address instead.\n",
               config.domain);
    addresses_print();
    printf("\nCtrl-C stops the server.\n\n");
    (void)fflush(stdout); /* nobody may be reading */
}
