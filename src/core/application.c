/* application.c: see application.h. */
#include "core/application.h"

#include "base/must.h"

struct application *application_take(struct turn *turn)
{
    struct session *session = turn->session;
    must(session->application == NULL && turn->id.len <= ID_BYTES_MAX);
    struct application *application = pool_take(&turn->server->applications);
    if (application == NULL)
        return NULL;
    memset(application, 0, sizeof *application);
    application->has_id = turn->id.bytes != NULL;
    application->id_len = (uint16_t)turn->id.len;
    if (turn->id.len > 0)
        memcpy(application->id, turn->id.bytes, turn->id.len);
    session->application = application;
    return application;
}

void application_return(struct server *server, struct session *session)
{
    struct application *application = session->application;
    if (application == NULL)
        return;
    derivation_end(server, &application->derivation);
    secret_forget(application, sizeof *application);
    pool_return(&server->applications, application);
    session->application = NULL;
}

void application_turn(struct server *server, struct session *session, struct turn *turn)
{
    const struct application *application = session->application;
    *turn = (struct turn){.server = server, .session = session};
    turn->kind = application->face == FACE_FLOW ? KIND_ELEMENT : KIND_IQ_SET;
    if (application->has_id)
        turn->id = span_of(application->id, application->id_len);
    turn->to = (struct jid){.text = config.domain, .domain_len = (uint16_t)strlen(config.domain)};
}
