/* world.h: everything outside the process, made up: clocks, sockets, entropy, signals.
 * world.c is platform.h for the test programs; this is the side that the test holds.
 * A link is one TCP connection as its client sees it. Nothing here ever blocks.
 * Misuse by the server (a closed handle, a lost one, an endless wait) is a complaint. */
#ifndef KITH_SIM_WORLD_H
#define KITH_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Forgets everything and begins again. Random bytes and the order of events follow from seed. */
void world_begin(uint64_t seed);

/* One plat_recv brings at most `bytes`, and one piece between two plat_waits; 0: all there is. */
void world_cut(size_t bytes);
/* One plat_send takes at most `bytes` (0: all), and every `every`-th takes none (0: never). */
void world_pinch(size_t bytes, unsigned every);

/* A connection to a listening port; -1: nobody listens. address: 16 bytes, NULL: ::ffff:127.0.0.1
 */
int world_connect(uint16_t port, const uint8_t *address);
void world_say(int link, const void *bytes, size_t len);
/* Bytes from the server, at most size; 0: none now. */
size_t world_hear(int link, char *out, size_t size);
/* Half close: the client says no more but listens on. */
void world_finish(int link);
/* The client closes its socket: what the server sends from now on is answered by a reset. */
void world_leave(int link);
/* A reset: unread bytes are lost on both sides. */
void world_reset(int link);
/* Whether the server has closed its end and everything has been heard. */
bool world_closed(int link);
/* TCP segments the server's sends have made so far: plat_send(more) joins the next one. */
unsigned world_segments(int link);

/* Virtual time that plat_wait may let pass when there is nothing to do; 0: none (it says "rest").
 */
void world_allow(uint64_t ms);
uint64_t world_allowed(void);
/* Whether the last plat_wait had nothing to report and would have waited. */
bool world_rests(void);
uint64_t world_now_ms(void);
/* So much time passes though nobody waits: the server is held up. */
void world_pass(uint64_t ms);
/* plat_waits, sends and receives since world_begin, to see where a tick loops. */
uint64_t world_calls(void);

void world_signal(unsigned signals);

/* A random number below `bound` from the world's own seed, for tests that roll dice. */
uint32_t world_dice(uint32_t bound);

/* Handles the server holds now, and its first misuse in words (NULL: none so far). */
unsigned world_handles(void);
const char *world_complaint(void);

#endif
