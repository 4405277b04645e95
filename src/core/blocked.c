/* blocked.c: see blocked.h. */
#include "core/blocked.h"

#include "store/blocklists.h"

bool blocked_by(struct server *server, const struct jid *account, const struct jid *other)
{
    const struct session *session = session_first(server, jid_bare(account));
    if (session != NULL && !session->blocking)
        return false;
    return account->local_len > 0 && span_is(jid_domain(account), config.domain) &&
           !span_equal(jid_bare(account), jid_bare(other)) &&
           blocklist_match(server->store, jid_local(account), other);
}

bool blocked_between(struct server *server, const struct jid *one, const struct jid *other)
{
    return blocked_by(server, one, other) || blocked_by(server, other, one);
}
