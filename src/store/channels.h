/* channels.h: channels of the MIX service (XEP-0369, XEP-0406) and whom they let in or keep out.
 * Key of a channel: localpart; all else that belongs to one is kept by its number, which is never
 * used again. Limits: config.channels; CHANNEL_* below. */
#ifndef KITH_CHANNELS_H
#define KITH_CHANNELS_H

#include "store/store.h"
#include "wire/jid_list.h"

#define CHANNEL_LOCAL_BYTES_MAX 127
#define CHANNEL_SECRET_BYTES 32
#define CHANNEL_TEXT_BYTES_MAX 1024   /* of a name, a description */
#define CHANNEL_PEOPLE_MAX 32         /* owners, administrators, contacts: of each */
#define CHANNEL_PEOPLE_BYTES_MAX 4096 /* of each */
#define CHANNEL_ENTRIES_MAX 1000      /* of each list */
/* What one change of a channel's record may add to the store. */
#define CHANNEL_CHANGE_BYTES (3 * CHANNEL_PEOPLE_BYTES_MAX + 2 * CHANNEL_TEXT_BYTES_MAX + 2048)

/* XEP-0369 4.7, XEP-0406 2; a channel has no others. */
enum channel_node {
    CHANNEL_MESSAGES,
    CHANNEL_PARTICIPANTS,
    CHANNEL_INFO,
    CHANNEL_ALLOWED,
    CHANNEL_BANNED,
    CHANNEL_CONFIG,
    CHANNEL_NODES
};

/* XEP-0406 2.1: strictly hierarchical; who has a right has the rights of those before too. */
enum channel_role {
    ROLE_ANYONE,
    ROLE_ALLOWED,
    ROLE_PARTICIPANT,
    ROLE_ADMIN,
    ROLE_OWNER,
    ROLE_NOBODY, /* as a right: nobody's */
};

enum channel_flag {
    CHANNEL_UNLISTED = 1,      /* made without a name (7.3.2) */
    CHANNEL_PRIVATE = 2,       /* the node `allowed` is there */
    CHANNEL_RETRACT_OWN = 4,   /* 'User Message Retraction' */
    CHANNEL_INVITE_ALL = 8,    /* 'Participation Addition by Invitation from Participant' */
    CHANNEL_NICKS_NEEDED = 16, /* 'Mandatory Nicks' */
    CHANNEL_ENDING = 32,       /* destroyed: there until all who were in it have left it */
};

struct channel {
    uint64_t id;
    uint8_t secret[CHANNEL_SECRET_BYTES]; /* ids of participants, stateless invitations */
    uint32_t revocations;                 /* of all invitations at once: part of their key */
    uint8_t flags;
    uint8_t subscribe[CHANNEL_NODES]; /* enum channel_role: who may subscribe to it and read it */
    uint8_t info_update;              /* who may publish info */
    uint8_t retract_any;              /* 'Administrator Message Retraction Rights' */
    uint64_t made_us;                 /* UTC */
    uint64_t info_us;                 /* last change */
    uint64_t config_us;
    struct span name; /* Name, Description: may be empty */
    struct span description;
    struct span contacts; /* bare jids (wire/jid_list.h); so are the next two */
    struct span owners;   /* at least one */
    struct span admins;
    struct span changed_by; /* bare jid; empty: nobody yet */
};

/* Spans are borrowed until the next write. */
enum store_outcome channel_get(struct store *store, struct span local, struct channel *out);
/* Replaces it; its spans may be borrowed from the store. STORE_FULL also when it is beyond the
 * limits above. */
enum store_outcome channel_put(struct store *store, struct span local,
                               const struct channel *channel);
/* The record only. What is kept by its id goes by channel_forget. */
enum store_outcome channel_delete(struct store *store, struct span local);
/* In order of names; after.bytes NULL: the first. `after` may be what *local holds.
 * Damaged ones are passed by. */
enum store_outcome channel_next(struct store *store, struct span after, struct span *local,
                                struct channel *out);
enum store_outcome channel_count(struct store *store, uint64_t *count);

/* The lists `allowed` and `banned`: bare jids and domains. */
enum channel_list { CHANNEL_LIST_ALLOWED, CHANNEL_LIST_BANNED };
/* STORE_OK also when it is on the list. STORE_FULL also when there are CHANNEL_ENTRIES_MAX, or the
 * jid is too long for a key. */
enum store_outcome channel_entry_put(struct store *store, uint64_t channel, enum channel_list list,
                                     struct span jid);
enum store_outcome channel_entry_delete(struct store *store, uint64_t channel,
                                        enum channel_list list, struct span jid);
enum store_outcome channel_entry_get(struct store *store, uint64_t channel, enum channel_list list,
                                     struct span jid);
/* In order; after.bytes NULL: the first. Damaged ones are passed by. */
enum store_outcome channel_entry_next(struct store *store, uint64_t channel, enum channel_list list,
                                      struct span after, struct span *jid);
enum store_outcome channel_entry_count(struct store *store, uint64_t channel,
                                       enum channel_list list, unsigned *count);

/* How many channels and entries of lists are damaged; the log tells of each. */
enum store_outcome channel_damage(struct store *store, uint64_t *damaged);

/* A destroyed channel's lists, participants and former participants go in steps of at most `most`
 * records; its archive stays for those who were there, until it is too old. channel_ended_put
 * remembers the id until nothing is left; channel_forget does a step. STORE_NONE: nothing is left
 * of any. */
enum store_outcome channel_ended_put(struct store *store, uint64_t channel);
enum store_outcome channel_forget(struct store *store, unsigned most);

#endif
