/* house.h: one server in the test world, from an empty store to its end, as often as one likes.
 * The globals config and plan are set here to what dialogs take for granted (house.c). */
#ifndef KITH_SIM_HOUSE_H
#define KITH_SIM_HOUSE_H

#include "core/server.h"

#include <stdbool.h>
#include <stdint.h>

#define HOUSE_DOMAIN "example.com"
#define HOUSE_PORT 5222

/* Once a program: a directory of its own in memory if there is one, the heap, the TLS library. */
void house_boot(void);
void house_leave(void);

/* An empty store, the usual config and plan; changes by house_set before house_open. */
void house_begin(void);
/* A key of config or plan by its name in the struct; false: no such key or value. */
bool house_set(const char *key, const char *value);
/* The same for one of config that plan has too. */
bool house_configure(const char *key, const char *value);

/* false: why. The server of the last house_begin; again after house_close: with the same store. */
bool house_open(const char **why);
void house_close(void);
bool house_is_open(void);
struct server *house_server(void);

/* Adds an account with flags of store/accounts.h; the server must be open. */
bool house_account(const char *name, const char *password, unsigned flags);

/* Where the store is. */
const char *house_directory(void);

/* One tick; false: the server has stopped, and is closed. */
bool house_tick(void);

/* Ticks until nothing is left to do but to wait, at most `ms` of virtual time included; listen is
 * called after each tick. NULL, or a complaint. A server that stops is closed. */
const char *house_settle(uint64_t ms, void (*listen)(void));

/* With every client gone: whether all is given back; NULL or what is not. */
const char *house_leftovers(void);

/* Called around each tick (begins true, then false), for faults that only the server shall see. */
extern void (*house_tick_hook)(bool begins);

#endif
