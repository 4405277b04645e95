/* registration_captcha.c: a question for strangers at the first stage (CAP-A; XEP-0158 4). Nothing
 * is kept for a form that was asked for: its challenge is a time and a number, signed. Those that
 * were answered are known from a ring in struct server. Limit: CAPTCHAS. */
#include "features/registration_parts.h"
#include "wire/base64.h"
#include "wire/digest.h"
#include "wire/precis.h"

#define CHALLENGE_SECONDS 900
#define NUMBER_BYTES 8
#define SIGNED_BYTES (2 * NUMBER_BYTES)
#define SIGNATURE_BYTES 16
#define CHALLENGE_BYTES (SIGNED_BYTES + SIGNATURE_BYTES)
#define CHALLENGE_CHARS BASE64_BYTES(CHALLENGE_BYTES)

bool captcha_asked(const struct session *session)
{
    return config.captcha_question[0] != '\0' && config.registration == REGISTRATION_OPEN &&
           !session->registering.invited;
}

/* --- challenges --- */

static void number_write(uint64_t number, uint8_t out[NUMBER_BYTES])
{
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        out[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t number_read(const uint8_t bytes[NUMBER_BYTES])
{
    uint64_t number = 0;
    for (unsigned i = 0; i < NUMBER_BYTES; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

/* With a key of its own: half of what the secret makes of any text is shown as the salt of an
 * account of that name (core/sasl.c). */
static void challenge_sign(const struct store *store, const uint8_t bytes[SIGNED_BYTES],
                           uint8_t out[DIGEST_BYTES_MAX])
{
    uint8_t key[DIGEST_BYTES_MAX];
    digest_hmac(DIGEST_SHA256, span_of((const char *)store_secret(store), 32), SPAN("captcha"),
                key);
    digest_hmac(DIGEST_SHA256, span_of((const char *)key, sizeof key),
                span_of((const char *)bytes, SIGNED_BYTES), out);
    secret_forget(key, sizeof key);
}

static void challenge_make(struct server *server, char out[CHALLENGE_CHARS])
{
    uint8_t bytes[CHALLENGE_BYTES], signature[DIGEST_BYTES_MAX];
    number_write(server->wall_us, bytes);
    plat_random(bytes + NUMBER_BYTES, NUMBER_BYTES);
    challenge_sign(server->store, bytes, signature);
    memcpy(bytes + SIGNED_BYTES, signature, SIGNATURE_BYTES);
    base64_encode(span_of((const char *)bytes, sizeof bytes), out);
}

/* The number of one that is ours and not too old. */
static bool challenge_read(struct server *server, struct span text, uint64_t *number)
{
    uint8_t bytes[CHALLENGE_CHARS], signature[DIGEST_BYTES_MAX];
    size_t len;
    if (text.len != CHALLENGE_CHARS || !base64_decode(text, bytes, &len) || len != CHALLENGE_BYTES)
        return false;
    challenge_sign(server->store, bytes, signature);
    if (!span_equal_secret(span_of((const char *)bytes + SIGNED_BYTES, SIGNATURE_BYTES),
                           span_of((const char *)signature, SIGNATURE_BYTES)))
        return false;
    uint64_t made_us = number_read(bytes);
    *number = number_read(bytes + NUMBER_BYTES);
    return made_us <= server->wall_us &&
           server->wall_us - made_us < (uint64_t)CHALLENGE_SECONDS * SECOND_US;
}

/* CAP-A: one answer to each. false: it had its answer. */
static bool challenge_use(struct server *server, uint64_t number)
{
    for (unsigned i = 0; i < CAPTCHAS; i++)
        if (server->captchas[i] == number)
            return false;
    server->captchas[server->captcha_next] = number;
    server->captcha_next = (server->captcha_next + 1) % CAPTCHAS;
    return true;
}

/* --- answers --- */

/* As it is compared: small letters, without white space at the ends. Empty: nothing that can be
 * compared. */
static struct span answer_fold(struct span text, char room[PRECIS_BYTES_MAX])
{
    struct precis_text points;
    size_t start = 0, end;
    if (!precis_read(text, &points) ||
        !precis_map(&points, PRECIS_MAP_WIDTH | PRECIS_MAP_LOWER | PRECIS_MAP_SPACES))
        return SPAN("");
    end = precis_write(&points, room);
    while (end > 0 && (unsigned char)room[end - 1] <= ' ')
        end--;
    while (start < end && (unsigned char)room[start] <= ' ')
        start++;
    return span_of(room + start, end - start);
}

static bool answer_fits(struct span typed)
{
    char given[PRECIS_BYTES_MAX], right[PRECIS_BYTES_MAX];
    struct span answer = answer_fold(typed, given);
    return answer.len > 0 &&
           span_equal(answer, answer_fold(span_string(config.captcha_answer), right));
}

/* --- for the first stage --- */

void captcha_fields(struct turn *turn, struct build *build, struct span sid, unsigned answers)
{
    char challenge[CHALLENGE_CHARS];
    challenge_make(turn->server, challenge);
    form_put(build, "hidden", FIELD_CHALLENGE, NULL, span_of(challenge, sizeof challenge), false);
    if (sid.bytes != NULL)
        form_put(build, "hidden", "sid", NULL, sid, false);
    form_open(build, "hidden", "answers", NULL, false);
    build_str(build, "<value>");
    build_number(build, answers);
    build_str(build, "</value>");
    form_shut(build);
}

bool captcha_solved(struct server *server, const struct answers *answers)
{
    uint64_t number;
    return challenge_read(server, answers->challenge, &number) && challenge_use(server, number) &&
           answer_fits(answers->captcha);
}
