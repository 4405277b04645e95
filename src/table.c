/* table.c: what may be asked of the server, one row each (design, idea 5). Service discovery is
 * derived from it. */
#include "core/bind.h"
#include "features/disco.h"
#include "features/ping.h"
#include "features/version.h"
#include "wire/names.h"

#define USER (1 << PEER_USER)
#define BOUND (1 << PEER_BOUND)
#define ANYWHERE (TO_SELF | TO_DOMAIN | TO_DOMAIN_RESOURCE)
#define EVERYWHERE (ANNOUNCE_DOMAIN | ANNOUNCE_ACCOUNT)

const struct row table[] = {
    /* from         kind         to                   namespace       child       price announce
       handler */
    {USER | BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN, NS_BIND, "bind", 4, ANNOUNCE_NOWHERE,
     bind_request},
    {USER | BOUND, KIND_IQ_SET, TO_SELF | TO_DOMAIN, NS_SESSION, "session", 1, ANNOUNCE_NOWHERE,
     session_request},
    {USER | BOUND, KIND_IQ_GET, ANYWHERE, NS_DISCO_INFO, "query", 2, EVERYWHERE, disco_info},
    {USER | BOUND, KIND_IQ_GET, ANYWHERE, NS_DISCO_ITEMS, "query", 1, EVERYWHERE, disco_items},
    {USER | BOUND, KIND_IQ_GET, ANYWHERE, NS_PING, "ping", 1, EVERYWHERE, ping_request},
    {USER | BOUND, KIND_IQ_GET, TO_DOMAIN, NS_VERSION, "query", 1, ANNOUNCE_DOMAIN,
     version_request},
};

const size_t table_len = sizeof table / sizeof table[0];
