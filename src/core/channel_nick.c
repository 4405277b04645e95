/* channel_nick.c: what participants are called (MX-7, MX-11): see channel_join.h. */
#include "core/channel_join.h"
#include "wire/nickname.h"

#define NUMBERS_MAX 1024 /* more than a channel has participants */
#define DIGITS_MAX 4

_Static_assert(PARTICIPANT_NICK_BYTES_MAX <= NICKNAME_BYTES_MAX, "each of ours is one");

/* What is known of the nicks of the others when one is looked for. */
struct others {
    char base[NICKNAME_FOLDED_BYTES_MAX];
    size_t base_len;
    bool taken;                       /* somebody is called just so */
    uint8_t numbers[NUMBERS_MAX / 8]; /* those behind whose nick such a number stands */
};

static void others_note(struct others *others, struct span nick)
{
    char folded[NICKNAME_FOLDED_BYTES_MAX];
    uint64_t number;
    struct span text = span_of(folded, nickname_fold(nick, folded));
    if (!span_equal(span_cut(text, 0, others->base_len), span_of(others->base, others->base_len)))
        return;
    others->taken |= text.len == others->base_len;
    if (span_number(span_cut(text, others->base_len, text.len), NUMBERS_MAX - 1, &number))
        others->numbers[number / 8] |= (uint8_t)(1u << number % 8);
}

static enum store_outcome others_look(struct server *server, const struct channel_here *channel,
                                      const char *own_id, struct span base, struct others *others)
{
    struct participant participant;
    *others = (struct others){.taken = false};
    others->base_len = nickname_fold(base, others->base);
    enum store_outcome outcome =
        participant_next(server->store, channel->channel.id, NULL, &participant);
    while (outcome == STORE_OK) {
        if (memcmp(participant.id, own_id, PARTICIPANT_ID_CHARS) != 0)
            others_note(others, participant.nick);
        outcome =
            participant_next(server->store, channel->channel.id, participant.id, &participant);
    }
    return outcome == STORE_NONE ? STORE_OK : outcome;
}

/* The lowest number from 2 on that makes another nick of it. */
static bool number_add(struct server *server, const struct others *others, struct span base,
                       struct span *had)
{
    struct build build;
    unsigned number = 2;
    while (number < NUMBERS_MAX && (others->numbers[number / 8] & 1u << number % 8))
        number++;
    build_init(&build, &server->arena, base.len + DIGITS_MAX);
    build_put(&build, base);
    build_number(&build, number);
    *had = build_span(&build);
    return number < NUMBERS_MAX && !build.full;
}

/* Where a number must have room behind it. */
static bool base_prepare(struct server *server, struct span text, size_t most, struct span *out)
{
    return nickname_prepare(span_cut(text, 0, span_fit(text, most)), &server->arena, out) &&
           out->len <= most;
}

enum channel_outcome channel_nick_choose(struct server *server, const struct channel_here *channel,
                                         const struct channel_joining *joining, struct span *had)
{
    struct others others;
    bool needed = channel->channel.flags & CHANNEL_NICKS_NEEDED;
    bool asked = nickname_prepare(joining->nick, &server->arena, had) &&
                 had->len <= PARTICIPANT_NICK_BYTES_MAX;
    if (!asked && joining->nick.len == 0 && !joining->nick_any && !needed) {
        *had = SPAN("");
        return CHANNEL_DONE;
    }
    if (!asked && !joining->nick_any)
        return CHANNEL_NAME_BAD;
    if (!asked && !base_prepare(server, jid_local(&joining->who),
                                PARTICIPANT_NICK_BYTES_MAX - DIGITS_MAX, had))
        return CHANNEL_NAME_BAD;
    if (others_look(server, channel, joining->id, *had, &others) != STORE_OK)
        return CHANNEL_FAILED;
    if (!others.taken)
        return CHANNEL_DONE;
    if (!joining->nick_any)
        return CHANNEL_NAME_TAKEN;
    if (asked && had->len > PARTICIPANT_NICK_BYTES_MAX - DIGITS_MAX)
        return CHANNEL_NAME_TAKEN;
    return number_add(server, &others, *had, had) ? CHANNEL_DONE : CHANNEL_NO_ROOM;
}
