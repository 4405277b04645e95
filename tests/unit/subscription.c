/* subscription.c: the table of Appendix A against itself: two local users, every order of
 * everything that they can send. Whatever happens, both sides agree on what stands between them.
 * The cells one by one are played by tests/sim/subscriptions.c. */
#include "features/subscription_states.h"

#include "test.h"

#include <string.h>

#define APPROVED 16 /* beside the relation */
#define SIDES 32

static const enum event arrivals[] = {
    [OUT_SUBSCRIBE] = IN_SUBSCRIBE,
    [OUT_UNSUBSCRIBE] = IN_UNSUBSCRIBE,
    [OUT_SUBSCRIBED] = IN_SUBSCRIBED,
    [OUT_UNSUBSCRIBED] = IN_UNSUBSCRIBED,
};

static bool valid(unsigned relation)
{
    return !((relation & ROSTER_TO) && (relation & ROSTER_OUT)) &&
           !((relation & ROSTER_FROM) && (relation & ROSTER_IN));
}

static unsigned side_step(unsigned side, enum event event, unsigned *actions)
{
    if (event == IN_SUBSCRIBE && (side & APPROVED))
        event = IN_SUBSCRIBE_APPROVED;
    const struct cell *cell = &subscription_states[event][side & ~APPROVED];
    *actions = cell->actions;
    unsigned approved = (side & APPROVED) | (cell->actions & APPROVE ? APPROVED : 0);
    return cell->next | (cell->actions & REVOKE ? 0 : approved);
}

/* The first sends, the second receives and may answer. */
static void send(unsigned *first, unsigned *second, enum event event)
{
    unsigned actions, answer;
    *first = side_step(*first, event, &actions);
    if (!(actions & PASS))
        return;
    *second = side_step(*second, arrivals[event], &actions);
    CHECK(!(actions & ACCEPT) || !(actions & REFUSE));
    if (actions & (ACCEPT | REFUSE))
        *first = side_step(*first, actions & ACCEPT ? IN_SUBSCRIBED : IN_UNSUBSCRIBED, &answer);
    if (actions & (ACCEPT | REFUSE)) /* never answered again */
        CHECK(!(answer & (ACCEPT | REFUSE)));
}

static bool agree(unsigned a, unsigned b)
{
    return valid(a & ~APPROVED) && valid(b & ~APPROVED) && !(a & ROSTER_TO) == !(b & ROSTER_FROM) &&
           !(a & ROSTER_FROM) == !(b & ROSTER_TO) && !(a & ROSTER_OUT) == !(b & ROSTER_IN) &&
           !(a & ROSTER_IN) == !(b & ROSTER_OUT);
}

static void test_agreement(void)
{
    static bool seen[SIDES][SIDES];
    struct pair {
        unsigned a, b;
    } queue[SIDES * SIDES] = {{0, 0}};
    unsigned count = 1;
    seen[0][0] = true;
    for (unsigned at = 0; at < count; at++) {
        for (unsigned event = OUT_SUBSCRIBE; event <= OUT_UNSUBSCRIBED; event++) {
            for (unsigned who = 0; who < 2; who++) {
                struct pair next = queue[at];
                send(who ? &next.b : &next.a, who ? &next.a : &next.b, event);
                CHECK(agree(next.a, next.b));
                if (seen[next.a][next.b])
                    continue;
                seen[next.a][next.b] = true;
                queue[count++] = next;
            }
        }
    }
    CHECK(seen[BOTH][BOTH]);
    CHECK(seen[NONE_OUT_IN][NONE_OUT_IN]);
    CHECK(seen[TO | APPROVED][FROM]);
    CHECK(!seen[NONE_IN | APPROVED][NONE_OUT]); /* who has approved has nothing to answer */
}

static void test_cells(void)
{
    for (unsigned event = 0; event < EVENTS; event++) {
        for (unsigned relation = 0; relation < RELATIONS; relation++) {
            const struct cell *cell = &subscription_states[event][relation];
            bool in = event >= IN_SUBSCRIBE;
            if (!valid(relation)) {
                CHECK(cell->next == 0 && cell->actions == 0);
                continue;
            }
            CHECK(valid(cell->next));
            /* Only what the user does makes the contact see him; only what arrives is answered. */
            CHECK(!(cell->actions & SHOW) || (!in && (cell->next & ROSTER_FROM)));
            CHECK(!(cell->actions & (ACCEPT | REFUSE | KEEP)) || in);
            CHECK(!(cell->actions & KEEP) || (cell->next & ROSTER_IN));
            /* A.3.2: whoever had or asked for something is told that it is over. */
            CHECK(!(cell->actions & REFUSE) ==
                  !(event == IN_UNSUBSCRIBE && (relation & (ROSTER_FROM | ROSTER_IN))));
            /* Who was seen and is not any more has said so. */
            CHECK(!((relation & ROSTER_FROM) && !(cell->next & ROSTER_FROM)) ==
                  !(cell->actions & LEAVE));
            /* Nobody else decides who sees the user, except as approved. */
            CHECK(!in || event == IN_SUBSCRIBE_APPROVED || (relation & ROSTER_FROM) ||
                  !(cell->next & ROSTER_FROM));
        }
    }
}

int main(void)
{
    test_cells();
    test_agreement();
    return test_end();
}
