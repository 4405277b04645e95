/* access.c: see access.h. */
#include "core/access.h"

#include "store/accounts.h"
#include "store/rosters.h"

bool access_own(const struct turn *turn)
{
    return !jid_present(&turn->to) ||
           span_equal(jid_full(&turn->to), jid_bare(&turn->session->jid));
}

bool access_granted(const struct turn *turn)
{
    struct store *store = turn->server->store;
    struct account account;
    if (access_own(turn))
        return true;
    /* The roster of a deleted account may last a little longer than the account. */
    return account_get(store, jid_local(&turn->to), &account) == STORE_OK &&
           roster_hears(store, jid_local(&turn->to), jid_bare(&turn->session->jid));
}
