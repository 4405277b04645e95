/* Tests of src/plan.c: what fits into how much memory. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "platform/platform.h"
#include "test.h"
#include "tick.h"

static char why[PLAN_WHY_BYTES];

static uint64_t place_sum(enum duty_place place)
{
    struct duty duty;
    uint64_t sum = 0;
    for (unsigned n = 0; plan_duty(n, &duty); n++)
        if (duty.place == place)
            sum += duty.each * duty.count;
    return sum;
}

/* The regions are the sums of their duties, and all of it is within the memory. */
static void check_sums(void)
{
    struct duty duty, other;
    uint64_t heap = place_sum(DUTY_HEAP);
    CHECK(plan.heap_bytes >= heap && plan.heap_bytes < heap + 65536);
    CHECK(place_sum(DUTY_SLABS) == plan.slabs * heap_slab_bytes());
    CHECK(place_sum(DUTY_SERVER) == server_bytes());
    CHECK(plan.reserve_bytes == plan.heap_bytes + plan.slabs * heap_slab_bytes() + server_bytes());
    CHECK(plan_total() == plan.reserve_bytes + place_sum(DUTY_KERNEL) + place_sum(DUTY_PROGRAM));
    CHECK(plan_total() <= plan.memory_bytes);
    for (unsigned n = 0; plan_duty(n, &duty); n++) {
        CHECK(duty.name[0] != '\0' && duty.answer[0] != '\0' && duty.each * duty.count > 0);
        for (unsigned m = 0; m < n && plan_duty(m, &other); m++)
            CHECK(strcmp(duty.name, other.name) != 0);
    }
}

/* As many sessions as fit: a little more memory gives more, and what is left would not do. */
static void check_fit(const char *profile)
{
    uint32_t sessions = plan.sessions;
    uint64_t memory = plan.memory_bytes, total = plan_total();
    CHECK(plan_make(profile, total, why) && plan.sessions == sessions);
    CHECK(plan_make(profile, total - 1, why) && plan.sessions == sessions - 1);
    CHECK(plan_make(profile, memory + (1 << 20), why) && plan.sessions > sessions);
}

static void check_parser(void)
{
    struct xml_limits limits = plan_xml_limits();
    void *region = plat_reserve(plan.parser_bytes);
    CHECK(region != NULL && xml_open(region, plan.parser_bytes, &limits) != NULL);
}

static void test_profiles(void)
{
    static const struct {
        const char *name;
        uint64_t memory;
        uint32_t stanza_bytes;
        uint32_t sessions; /* at least */
    } promised[] = {
        {"router-8m", 8 << 20, 16384, 20},
        {"router-16m", 16 << 20, 32768, 80},
        {"sbc-64m", 64 << 20, 262144, 400},
    };
    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++) {
        CHECK(plan_make(promised[i].name, 0, why));
        CHECK(strcmp(plan.profile, promised[i].name) == 0);
        CHECK(plan.memory_bytes == promised[i].memory);
        CHECK(plan.stanza_bytes == promised[i].stanza_bytes);
        CHECK(plan.sessions >= promised[i].sessions);
        check_sums();
        check_parser();
        check_fit(promised[i].name);
    }
    for (size_t i = 0; profiles[i].name != NULL; i++)
        CHECK(plan_make(profiles[i].name, 0, why));
    CHECK(plan_make("sbc-64m", 128 << 20, why) && plan.sessions >= 1000);
    check_sums();
}

static void test_too_little(void)
{
    const char *advice;
    CHECK(!plan_make("sbc-64m", 4 << 20, why));
    CHECK(strstr(why, "needs") != NULL && strstr(why, "there are 4096 KB") != NULL);
    advice = strstr(why, "memory = ");
    CHECK(advice != NULL);
    if (advice == NULL)
        return;
    /* What the sentence advises works. */
    CHECK(plan_make("sbc-64m", strtoull(advice + 9, NULL, 10) << 20, why));
    CHECK(plan.sessions >= 4 && plan.handshakes <= plan.sessions);
    check_sums();
}

/* A profile of one's own: the text of router-8m with one line more, or with one changed. */
static bool make_file(const char *text, const char *more)
{
    char path[] = "/tmp/kith-profile-XXXXXX";
    int file = mkstemp(path);
    bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) &&
                   write(file, more, strlen(more)) == (ssize_t)strlen(more) && close(file) == 0;
    bool made = written && plan_make(path, 0, why);
    CHECK(written && unlink(path) == 0);
    return made;
}

/* text with the line `from` replaced by `to`. */
static void with_line(char *out, size_t size, const char *text, const char *from, const char *to)
{
    const char *line = strstr(text, from);
    CHECK(line != NULL);
    if (line != NULL)
        snprintf(out, size, "%.*s%s%s", (int)(line - text), text, to, line + strlen(from));
}

static void test_files(void)
{
    const struct profile *profile = profiles;
    char text[2048];
    while (strcmp(profile->name, "router-8m") != 0)
        profile++;
    CHECK(make_file(profile->text, "# nothing more\n"));
    CHECK(!make_file(profile->text, "colour = 1\n") && strstr(why, "`colour` is not a key"));
    CHECK(!make_file(profile->text, "nodes = 500\n") && strstr(why, "`nodes` is there twice"));
    CHECK(!make_file(profile->text, "nodes\n") && strstr(why, "expected `key = value`"));
    CHECK(!make_file("", "memory = 8M\n") && strstr(why, "is missing"));

    /* RFC 6120 13.12: no limit under 10,000 bytes. */
    with_line(text, sizeof text, profile->text, "stanza_bytes = 16K", "stanza_bytes = 9999");
    CHECK(!make_file(text, "") && strstr(why, "expected `stanza_bytes` from 10000"));
    with_line(text, sizeof text, profile->text, "stanza_bytes = 16K", "stanza_bytes = 200K");
    CHECK(!make_file(text, "") && strstr(why, "stanza_bytes <= output_bytes"));
    /* More than 32 bits could count. */
    with_line(text, sizeof text, profile->text, "chunks_shared = 64", "chunks_shared = 1000000");
    CHECK(!make_file(text, "") && strstr(why, "needs") && strstr(why, "there are 8192 KB"));
    CHECK(!plan_make("no-such-board", 0, why) && strstr(why, "expected router-8m"));
}

int main(void)
{
    test_profiles();
    test_too_little();
    test_files();
    return test_end();
}
