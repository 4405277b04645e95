/* registration_captcha.c: challenges of the question at registration: signed, good once, for 15
 * minutes; and which answers are right. CAP-A. */
#include "features/registration_parts.h"

#include "core/session.h"
#include "store_test.h"

#define NOW UINT64_C(1700000000000000)
#define LIFE_US UINT64_C(900000000)
#define CHALLENGE_BYTES 44

static struct server server;
static struct session session;
static char turn_bytes[32 << 10];

/* The hidden fields of a form that is asked for now. */
static struct span form_make(void)
{
    struct turn turn = {.server = &server, .session = &session};
    struct build build;
    arena_reset(&server.arena, 0);
    build_init(&build, &server.arena, 4096);
    captcha_fields(&turn, &build, SPAN("<&'>"), 3);
    CHECK(!build.full);
    return build_span(&build);
}

static struct span challenge_make(char out[CHALLENGE_BYTES])
{
    static const char start[] = "<field type='hidden' var='challenge'><value>";
    struct span form = form_make();
    CHECK(span_starts(form, start));
    struct span value = span_cut(form, sizeof start - 1, form.len);
    value = span_cut(value, 0, span_find(value, '<'));
    CHECK(value.len == CHALLENGE_BYTES);
    memcpy(out, value.bytes, CHALLENGE_BYTES);
    return span_of(out, CHALLENGE_BYTES);
}

static bool solves(struct span challenge, const char *answer)
{
    const struct answers answers = {.challenge = challenge, .captcha = span_string(answer)};
    return captcha_solved(&server, &answers);
}

static bool solves_new(const char *answer)
{
    char challenge[CHALLENGE_BYTES];
    return solves(challenge_make(challenge), answer);
}

static void test_fields(void)
{
    static const char end[] = "</value></field>"
                              "<field type='hidden' var='sid'><value>&lt;&amp;'&gt;</value></field>"
                              "<field type='hidden' var='answers'><value>3</value></field>";
    struct span form = form_make();
    CHECK(form.len > sizeof end && span_is(span_cut(form, form.len - strlen(end), form.len), end));
}

static void test_answers(void)
{
    snprintf(config.captcha_answer, sizeof config.captcha_answer, "Der K\xc3\x96NIG");
    CHECK(solves_new("Der K\xc3\x96NIG") && solves_new("der k\xc3\xb6nig"));
    CHECK(solves_new(" \t\nDER KO\xcc\x88NIG\xe3\x80\x80")); /* decomposed; U+3000 */
    CHECK(!solves_new("der koenig") && !solves_new("derk\xc3\xb6nig") && !solves_new("der"));
    CHECK(!solves_new("") && !solves_new("  ") && !solves_new("\xff"));
    const struct answers unsaid = {.challenge = SPAN_NONE, .captcha = SPAN_NONE};
    CHECK(!captcha_solved(&server, &unsaid));
    snprintf(config.captcha_answer, sizeof config.captcha_answer, "42");
    CHECK(solves_new("42") && solves_new("\xef\xbc\x94\xef\xbc\x92") && !solves_new("43"));
}

/* One answer each, right or wrong. */
static void test_once(void)
{
    char one[CHALLENGE_BYTES], other[CHALLENGE_BYTES];
    struct span first = challenge_make(one), second = challenge_make(other);
    CHECK(!span_equal(first, second));
    CHECK(solves(first, "42") && !solves(first, "42"));
    CHECK(!solves(second, "43") && !solves(second, "42"));
}

static void test_time(void)
{
    char early[CHALLENGE_BYTES], late[CHALLENGE_BYTES], future[CHALLENGE_BYTES];
    challenge_make(early);
    challenge_make(late);
    server.wall_us = NOW + LIFE_US - 1;
    CHECK(solves(span_of(early, sizeof early), "42"));
    server.wall_us = NOW + LIFE_US;
    CHECK(!solves(span_of(late, sizeof late), "42"));
    challenge_make(future);
    server.wall_us = NOW; /* the clock was set back */
    CHECK(!solves(span_of(future, sizeof future), "42"));
}

/* Not ours in any character. */
static void test_forged(void)
{
    char challenge[CHALLENGE_BYTES + 1], forged[CHALLENGE_BYTES];
    challenge_make(challenge);
    for (size_t i = 0; i < CHALLENGE_BYTES; i++) {
        memcpy(forged, challenge, sizeof forged);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        CHECK(!solves(span_of(forged, sizeof forged), "42"));
    }
    for (size_t len = 0; len < CHALLENGE_BYTES; len++)
        CHECK(!solves(span_of(challenge, len), "42"));
    challenge[CHALLENGE_BYTES] = '=';
    CHECK(!solves(span_of(challenge, CHALLENGE_BYTES + 1), "42"));
    CHECK(solves(span_of(challenge, CHALLENGE_BYTES), "42"));
}

/* What is remembered is bounded: of so many the first is forgotten, and the last is not. */
static void test_ring(void)
{
    char first[CHALLENGE_BYTES], last[CHALLENGE_BYTES];
    challenge_make(first);
    CHECK(solves(span_of(first, sizeof first), "42"));
    for (unsigned i = 1; i < CAPTCHAS; i++)
        CHECK(solves(challenge_make(last), "42"));
    CHECK(!solves(span_of(first, sizeof first), "42"));
    CHECK(solves_new("42"));
    CHECK(!solves(span_of(last, sizeof last), "42"));
    CHECK(solves(span_of(first, sizeof first), "42"));
}

static void test_asked(void)
{
    config.registration = REGISTRATION_OPEN;
    CHECK(!captcha_asked(&session));
    snprintf(config.captcha_question, sizeof config.captcha_question, "6 by 9?");
    CHECK(captcha_asked(&session));
    session.registering.invited = true;
    CHECK(!captcha_asked(&session));
    session.registering.invited = false;
    config.registration = REGISTRATION_INVITE;
    CHECK(!captcha_asked(&session));
}

int main(void)
{
    const char *why;
    if (!directory_make())
        return 1;
    server.store = open_store(MAP_USUAL, false, &why);
    server.wall_us = NOW;
    arena_init(&server.arena, turn_bytes, sizeof turn_bytes);
    if (server.store == NULL) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    test_fields();
    test_answers();
    test_once();
    test_time();
    test_forged();
    test_ring();
    test_asked();
    store_close(server.store);
    directory_remove();
    return test_end();
}
