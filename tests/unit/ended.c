/* Tests of src/core/ended.c: what is remembered of streams that ended, whose, and of how many. */
#include "core/ended.h"

#include "test.h"

static struct server server;

/* The stream of an account whose id is made of `number`. */
static void stream(struct session *session, char *jid, uint32_t number)
{
    *session = (struct session){.management = {.resumable = true, .handled = number}};
    session->jid = (struct jid){.text = jid, .local_len = 6, .domain_len = 11};
    CHECK(snprintf(session->management.id, TOKEN_CHARS, "%025u", (unsigned)number) == 25);
    session->management.id[TOKEN_CHARS - 1] = 'x';
}

static bool known(char *jid, uint32_t number, uint32_t *h)
{
    struct session session;
    stream(&session, jid, number);
    return ended_find(&server, span_string(jid),
                      span_of(session.management.id, sizeof session.management.id), h);
}

static char juliet[] = "juliet@example.com";
static char mercut[] = "mercut@example.com";

static void test_whose(void)
{
    struct session session;
    uint32_t h = 0;
    CHECK(!known(juliet, 0, &h));
    stream(&session, juliet, 7);
    ended_remember(&server, &session);
    CHECK(known(juliet, 7, &h) && h == 7);
    CHECK(!known(mercut, 7, &h) && !known(juliet, 8, &h));
    CHECK(!ended_find(&server, span_string(juliet), SPAN(""), &h));
    CHECK(!ended_find(&server, span_string(juliet), SPAN("7"), &h));
}

static void test_limit(void)
{
    struct session session;
    uint32_t h;
    server = (struct server){0};
    for (uint32_t i = 0; i < ENDED_STREAMS + 2; i++) {
        stream(&session, juliet, i);
        ended_remember(&server, &session);
    }
    CHECK(!known(juliet, 0, &h) && !known(juliet, 1, &h));
    for (uint32_t i = 2; i < ENDED_STREAMS + 2; i++)
        CHECK(known(juliet, i, &h) && h == i);
}

int main(void)
{
    test_whose();
    test_limit();
    return test_end();
}
