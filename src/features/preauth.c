/* preauth.c: see preauth.h. */
#include "features/preauth.h"

#include "core/invitation.h"
#include "core/stream.h"

#define TOKEN_BYTES_MAX 128 /* INV-14 */

static void refuse(struct turn *turn)
{
    struct session *session = turn->session;
    const struct refusal refusal = {
        .error = ERROR_ITEM_NOT_FOUND,
        .text = SPAN("The provided token is invalid or expired"),
    };
    reply_refusal(turn, &refusal);
    if (++session->registering.bad_tokens >= PREAUTH_WRONG_MAX)
        stream_fail(turn->server, session, STREAM_POLICY_VIOLATION, "Too many wrong tokens.");
}

void preauth_request(struct turn *turn)
{
    struct server *server = turn->server;
    struct registering *registering = &turn->session->registering;
    struct span who = throttle_network(turn->session->address.address);
    struct span token = stanza_attribute(turn->stanza, turn->child, "token");
    struct invite invite;
    if (config.rate_limits &&
        throttle_full(&server->tokens, SPAN("preauth"), who, server->now_ms)) {
        refuse(turn); /* without a look */
        return;
    }
    /* 4.12: where registration is closed no token makes an account. */
    if (config.registration == REGISTRATION_CLOSED || token.len == 0 ||
        token.len > TOKEN_BYTES_MAX ||
        !invitation_opens(server->store, token, server->wall_us, &invite)) {
        if (config.rate_limits)
            throttle_note(&server->tokens, SPAN("preauth"), who, server->now_ms);
        refuse(turn);
        return;
    }
    registering->invited = true; /* INV-20: instead of one that came before */
    memcpy(registering->invite_hash, invite.hash, sizeof registering->invite_hash);
    reply_result(turn, SPAN(""));
}
