/* welcome.c: see welcome.h. Called before the freeze, since asking for the machine's addresses
 * takes memory of the system. */
#include "welcome.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/accounts.h"

#define ADDRESSES_MAX 4

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

void welcome_print(const struct command_line *line, struct store *store, const char *ca_path)
{
    char call[2 * CONFIG_TEXT_MAX];
    uint64_t accounts = 0;
    enum store_outcome outcome = account_count(store, &accounts);
    store_tick_end(store);
    if (!isatty(STDOUT_FILENO) && (outcome != STORE_OK || accounts > 0))
        return;
    snprintf(call, sizeof call, "%s%s%s", line->program, line->config ? " --config " : "",
             line->config ? line->config : "");
    printf("\nThis is kith, chat server of %s, with %llu accounts.\n\n", config.domain,
           (unsigned long long)accounts);
    printf("1. Add people, from another terminal (each asks for a password):\n");
    printf("       %s user add anna\n       %s user add ben\n", call, call);
    if (ca_path[0] != '\0')
        printf("2. Have their devices trust the certificate authority of this server:\n"
               "       %s\n   README.md says how, for each client.\n",
               ca_path);
    else
        printf("2. The certificate is the one you gave: %s\n", config.certificate);
    printf("3. In a client, log in as anna@%s with that password.\n"
           "   If it asks for a server: %s",
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
