/* Tests of src/core/throttle.c: what is counted, for how long, and who is one network. */
#include "core/throttle.h"

#include <arpa/inet.h>

#include "test.h"

#define HOUR_MS 3600000u

static struct throttle throttle;

/* As plat_peer has it: IPv4 mapped into IPv6. */
static struct span network(const char *text, uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(address, mapped, sizeof mapped);
    CHECK(inet_pton(AF_INET, text, address + sizeof mapped) == 1 ||
          inet_pton(AF_INET6, text, address) == 1);
    return throttle_network(address);
}

static bool same_network(const char *a, const char *b)
{
    uint8_t one[16], other[16];
    return span_equal(network(a, one), network(b, other));
}

/* RL-1. */
static void test_network(void)
{
    CHECK(same_network("192.0.2.1", "192.0.2.1") && !same_network("192.0.2.1", "192.0.2.2"));
    CHECK(same_network("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    CHECK(!same_network("2001:db8:1:2::1", "2001:db8:1:3::1"));
    CHECK(!same_network("::1", "127.0.0.1") && same_network("::1", "::2"));
    CHECK(same_network("::ffff:192.0.2.1", "192.0.2.1"));
    CHECK(!same_network("::ffff:192.0.2.1", "::1"));
}

/* One /64 has one share, whatever addresses it makes up; its neighbour has another. */
static void test_network_counts(void)
{
    uint8_t address[16];
    char text[64];
    throttle_init(&throttle, 3, HOUR_MS / 3, 7);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "2001:db8::%x", i * 4099);
        CHECK(!throttle_full(&throttle, SPAN(""), network(text, address), 0));
        throttle_note(&throttle, SPAN(""), network(text, address), 0);
    }
    CHECK(throttle_full(&throttle, SPAN(""), network("2001:db8::beef", address), 0));
    CHECK(!throttle_full(&throttle, SPAN(""), network("2001:db8:0:1::beef", address), 0));
}

static void test_time(void)
{
    struct span who = SPAN("juliet");
    throttle_init(&throttle, 2, HOUR_MS / 2, 7);
    CHECK(throttle_seconds(&throttle, SPAN(""), who, 0) == 0);
    throttle_note(&throttle, SPAN(""), who, 0);
    throttle_note(&throttle, SPAN(""), who, 1000);
    CHECK(throttle_seconds(&throttle, SPAN(""), who, 1000) == 1799);
    CHECK(throttle_seconds(&throttle, SPAN(""), who, 1799999) == 1);
    CHECK(throttle_seconds(&throttle, SPAN(""), who, 1800000) == 0);
    CHECK(throttle_seconds(&throttle, SPAN("other"), who, 1000) == 0);
}

/* Names made up by the thousand do not drive out who is counted often. */
static void test_flood(void)
{
    char text[32];
    throttle_init(&throttle, 2, HOUR_MS, 7);
    throttle_note(&throttle, SPAN(""), SPAN("juliet"), 0);
    throttle_note(&throttle, SPAN(""), SPAN("juliet"), 0);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "guest%u", i);
        throttle_note(&throttle, SPAN(""), span_string(text), 1 + i);
    }
    CHECK(throttle_full(&throttle, SPAN(""), SPAN("juliet"), 6000));
}

int main(void)
{
    test_network();
    test_network_counts();
    test_time();
    test_flood();
    return test_end();
}
