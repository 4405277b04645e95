/* invitation.h: invitations made, checked and redeemed (requirements 5.3, 5.5, 5.6, MT-8). Shared
 * by the ad-hoc commands, the command line, registration and subscription. Owns nothing. */
#ifndef KITH_INVITATION_H
#define KITH_INVITATION_H

#include "core/server.h"
#include "store/invites.h"
#include "store/rosters.h"
#include "wire/build.h"
#include "wire/jid.h"
#include "wire/jid_list.h"
#include "wire/token.h"

#define INVITATION_ID_CHARS 8 /* hexadecimal: the beginning of the hash */
/* What a redemption may add to the store. */
#define INVITATION_REDEEM_BYTES (INVITE_CHANGE_BYTES + 2 * ROSTER_CHANGE_BYTES)

/* What is wished for; spans prepared. */
struct invitation_wish {
    uint8_t flags;        /* enum invite_flag */
    struct span owner;    /* localpart of who asks; empty: the command line without --contact */
    struct span username; /* to be reserved; empty: any */
    struct span note;
    struct span channels; /* to be let into: wire/jid_list.h; may be empty */
    uint16_t uses;        /* 0: one */
    uint64_t seconds; /* lifetime; 0: config.invite_lifetime; never longer than that unless admin */
    bool unlimited;   /* by an admin or the command line: no limits per owner */
};

enum invitation_outcome {
    INVITATION_MADE,
    INVITATION_NAME_TAKEN,
    INVITATION_TOO_MANY, /* of this owner, or altogether (INV-5) */
    INVITATION_NO_ROOM,  /* of the store */
    INVITATION_FAILED,
};

/* Writes a new one into the tick's transaction. *made borrows from the wish. */
enum invitation_outcome invitation_make(struct store *store, const struct invitation_wish *wish,
                                        uint64_t now_us, char token[TOKEN_CHARS],
                                        struct invite *made);
/* INV-5: whether the account has asked for too many of any kind within the hour; that it got one.
 */
bool invitation_throttled(struct server *server, struct span local);
void invitation_note(struct server *server, struct span local);
/* INV-1: the link that goes with it: to the owner (?roster) if it makes contacts and reserves no
 * name, else to the account to be made (?register). */
void invitation_link(struct build *build, const struct invite *invite, struct span token);
/* How the token in that link begins, to tell one from another in lists. Borrows from `out`. */
#define INVITATION_START_CHARS (1 + INVITE_START_CHARS)
struct span invitation_start(const struct invite *invite, char out[INVITATION_START_CHARS]);
void invitation_id(const struct invite *invite, char out[INVITATION_ID_CHARS]);
/* The one with that id, of that owner (bytes NULL: of anybody). STORE_EXISTS: several. */
enum store_outcome invitation_find(struct store *store, struct span id, struct span owner,
                                   struct invite *out);

/* Whether the token may make an account now (INV-18, INV-19); out may then be remembered by its
 * hash. */
bool invitation_opens(struct store *store, struct span token, uint64_t now_us, struct invite *out);

/* MT-3: whether the token lets `who` (bare jid) into that channel (bare jid) now. */
bool invitation_enters(struct store *store, struct span token, struct span channel, struct span who,
                       uint64_t now_us, struct invite *out);

/* Whether each of the two has the other in its roster or has room for it. */
bool invitation_fits(struct store *store, const struct jid *one, const struct jid *other);

/* In the registering transaction: one use, by the new account (bare jid); with INVITE_CONTACT and
 * an owner who still exists both get each other with subscription both, and the owner's resources
 * a push (INV-22); where a roster is full the account goes without. Time is not looked at (INV-19).
 * STORE_NONE: no use is left. STORE_FULL: no room for it all, nothing was written. */
enum store_outcome invitation_redeem_account(struct server *server,
                                             const uint8_t hash[INVITE_HASH_BYTES],
                                             const struct jid *newcomer, bool *is_admin);

/* 5.5 step 6: whether the token makes `who` a contact of `owner` now, who was not removed by the
 * owner after having used it (INV-16). */
bool invitation_befriends(struct store *store, struct span token, struct span owner,
                          struct span who, uint64_t now_us, struct invite *out);

#endif
