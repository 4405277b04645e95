/* store_damage.h: what a reader of records says to damaged ones: cut at each length, and with each
 * of their bits changed. */
#ifndef KITH_STORE_DAMAGE_H
#define KITH_STORE_DAMAGE_H

#include <fcntl.h>

#include "store_test.h"

/* Reads the record; false: what it got is beyond what there can be. */
typedef bool damage_reader(struct store *store, enum store_outcome *outcome);

/* Keeps the log from standard error: damage is the point. */
static void quiet(bool on)
{
    static int spoken = -1;
    if (spoken < 0)
        spoken = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    CHECK(spoken >= 0 && nowhere >= 0 && dup2(on ? nowhere : spoken, STDERR_FILENO) >= 0);
    close(nowhere);
}

/* How many of the changed bits were seen. The record is then as it was. */
static size_t damage_try(struct store *store, enum store_table table, struct span key,
                         damage_reader *reader)
{
    static char bytes[65536];
    struct span record;
    enum store_outcome outcome = STORE_OK;
    size_t seen = 0, wrong = 0;
    CHECK(store_get(store, table, key, &record) == STORE_OK && record.len <= sizeof bytes);
    size_t len = record.len;
    memcpy(bytes, record.bytes, len);
    quiet(true);
    for (size_t cut = 0; cut < len; cut++) {
        wrong += store_put(store, table, key, span_of(bytes, cut), false) != STORE_OK;
        wrong += !reader(store, &outcome);
        wrong += outcome != STORE_FAILED && outcome != STORE_OK;
    }
    for (size_t at = 0; at < 8 * len; at++) {
        bytes[at / 8] = (char)(bytes[at / 8] ^ 1 << at % 8);
        wrong += store_put(store, table, key, span_of(bytes, len), false) != STORE_OK;
        wrong += !reader(store, &outcome);
        wrong += outcome != STORE_FAILED && outcome != STORE_OK;
        seen += outcome == STORE_FAILED;
        bytes[at / 8] = (char)(bytes[at / 8] ^ 1 << at % 8);
    }
    quiet(false);
    CHECK(wrong == 0);
    CHECK(store_put(store, table, key, span_of(bytes, len), false) == STORE_OK);
    CHECK(reader(store, &outcome) && outcome == STORE_OK);
    return seen;
}

#endif
