/* crowd.h: as many clients as a plan has room for, each a link and the bytes that came over it.
 * For tests of limits; conversations are better told by client.h. They live until crowd_begin. */
#ifndef KITH_SIM_CROWD_H
#define KITH_SIM_CROWD_H

#include "memory.h"
#include "plan.h"

#include <stdbool.h>

#define CROWD 1024
#define CROWD_PASSWORD "pencil"

struct guest {
    int link;  /* -1: gone */
    bool deaf; /* does not read for now */
    struct text heard;
    char jid[96]; /* full, once bound */
};

/* Forgets everybody. The world and the house have begun anew. */
void crowd_begin(void);

/* A world of its own with an empty house by a board's profile, for as many sessions as its plan
 * has. false: said. */
bool crowd_house(const struct profile *profile);

/* A new guest on a connection of its own that has said its stream header; NULL: nobody listens. */
struct guest *guest_come(void);
/* Logs in with PLAIN and opens the next stream. false: refused; `heard` says how. */
bool guest_login(struct guest *guest, const char *account);
/* Asks for a resource. false: refused. */
bool guest_bind(struct guest *guest, const char *account, const char *resource);
/* All of the above; NULL: refused somewhere. */
struct guest *guest_enter(const char *account, const char *resource);
/* A reset. */
void guest_leave(struct guest *guest);

void guest_say(struct guest *guest, const char *words);
void guest_say_bytes(struct guest *guest, const char *bytes, size_t len);
/* How often these words came since guest_forget. */
unsigned guest_heard(const struct guest *guest, const char *words);
void guest_forget(struct guest *guest);
/* Whether the server has ended the stream, or closed its end of the connection. */
bool guest_ended(const struct guest *guest);

unsigned crowd_count(void);
struct guest *crowd_at(unsigned i);
/* Reads what has come, for all that are not deaf. */
void crowd_listen(void);
/* Forgets what all have heard. */
void crowd_forget(void);

#endif
