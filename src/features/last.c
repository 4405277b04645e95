/* last.c: see last.h. That somebody went is written at once, but not again within COARSE_US: a
 * client whose connection comes and goes does not wear the flash. */
#include "features/last.h"

#include "core/access.h"
#include "store/absences.h"
#include "store/accounts.h"
#include "wire/build.h"
#include "wire/names.h"

#define COARSE_US (60 * UINT64_C(1000000))
#define RECORD_ROOM 4096

static bool anybody_there(const struct server *server, struct span bare)
{
    struct session *at = session_first(server, bare);
    while (at != NULL && !at->announced)
        at = session_another(at);
    return at != NULL;
}

/* The session was there; is the account gone with it? What the store does not take is not kept. */
static void absence_note(struct server *server, const struct session *gone, struct span status)
{
    struct span local = jid_local(&gone->jid);
    struct absence before;
    struct account account;
    const struct absence now = {.since_us = server->wall_us, .status = status};
    if (anybody_there(server, jid_bare(&gone->jid)) ||
        account_get(server->store, local, &account) != STORE_OK ||
        !store_has_room(server->store, RECORD_ROOM))
        return;
    if (absence_get(server->store, local, &before) == STORE_OK &&
        now.since_us - before.since_us < COARSE_US && span_equal(before.status, status))
        return;
    (void)absence_put(server->store, local, &now);
}

void last_unavailable(struct turn *turn)
{
    const struct node *status =
        stanza_child(turn->stanza, stanza_root(turn->stanza), NS_CLIENT, "status");
    struct span text = SPAN("");
    if (status != NULL)
        text = stanza_text(turn->stanza, status, &turn->server->arena);
    absence_note(turn->server, turn->session, text);
}

void last_farewells(struct server *server)
{
    for (const struct session *at = server->farewells; at != NULL; at = at->next_farewell)
        if (at->announced)
            absence_note(server, at, SPAN(""));
}

static void last_reply(struct turn *turn, uint64_t seconds, struct span status)
{
    struct build build;
    build_init(&build, &turn->server->arena, 128 + BUILD_ESCAPED_MAX(status.len));
    build_str(&build, "<query xmlns='" NS_LAST "' seconds='");
    build_number(&build, seconds);
    build_str(&build, status.len > 0 ? "'>" : "'/>");
    if (status.len > 0) {
        build_text(&build, status);
        build_str(&build, "</query>");
    }
    reply_built(turn, &build);
}

static void last_of_account(struct turn *turn)
{
    struct server *server = turn->server;
    const struct jid *jid = jid_present(&turn->to) ? &turn->to : &turn->session->jid;
    struct absence absence;
    struct account account;
    if (!access_granted(turn)) {
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE); /* DL-2 */
        return;
    }
    if (anybody_there(server, jid_bare(jid))) {
        last_reply(turn, 0, SPAN(""));
        return;
    }
    enum store_outcome outcome = absence_get(server->store, jid_local(jid), &absence);
    if (outcome == STORE_NONE) { /* it never was there */
        outcome = account_get(server->store, jid_local(jid), &account);
        absence.since_us = account.made_us;
    }
    if (outcome != STORE_OK)
        reply_error(turn, ERROR_INTERNAL_SERVER_ERROR);
    else
        last_reply(turn,
                   server->wall_us > absence.since_us
                       ? (server->wall_us - absence.since_us) / 1000000
                       : 0, /* the clock was set back */
                   absence.status);
}

void last_request(struct turn *turn)
{
    if (jid_present(&turn->to) && turn->to.local_len == 0)
        last_reply(turn, (turn->server->now_ms - turn->server->started_ms) / 1000, SPAN(""));
    else
        last_of_account(turn);
}
