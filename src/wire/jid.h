/* jid.h: addresses (RFC 7622, requirements 1.3), always in prepared form, so that equal addresses
 * are equal bytes. */
#ifndef KITH_JID_H
#define KITH_JID_H

#include "base/arena.h"

#define JID_PART_BYTES_MAX 1023
#define JID_BYTES_MAX (3 * JID_PART_BYTES_MAX + 2)

/* text is "local@domain/resource" without the absent parts; it is borrowed (arena or longer). */
struct jid {
    const char *text;
    uint16_t local_len;    /* 0: no localpart */
    uint16_t domain_len;   /* 0: this jid is absent altogether */
    uint16_t resource_len; /* 0: a bare jid */
};

/* Parses and prepares. false: not an address, or the arena is full. The ASCII case copies only. */
bool jid_parse(struct span text, struct arena *arena, struct jid *out);

/* A jid of parts that are prepared already; text in the arena. false: arena full. */
bool jid_of(struct span local, struct span domain, struct span resource, struct arena *arena,
            struct jid *out);

/* Prepared parts alone; false: not allowed there, or arena full. RFC 8265 3.3 UsernameCaseMapped
 * with the exclusions of RFC 7622 3.3.1; RFC 8265 4.2 OpaqueString for resources; domains by
 * requirement ST-16. */
bool jid_prepare_local(struct span text, struct arena *arena, struct span *out);
bool jid_prepare_domain(struct span text, struct arena *arena, struct span *out);
bool jid_prepare_resource(struct span text, struct arena *arena, struct span *out);

/* For new accounts (ST-17): what jid_prepare_local accepts and Nodeprep leaves alone too. */
bool jid_prepare_new_local(struct span text, struct arena *arena, struct span *out);

/* Passwords: SASLprep (RFC 4013) as far as it agrees with OpaqueString: non-ASCII spaces become
 * U+0020, NFC, controls and compatibility characters (where NFKC differs) refused; false:
 * prohibited, empty, or arena full (SA-15). */
bool jid_prepare_password(struct span text, struct arena *arena, struct span *out);

static inline size_t jid_bare_len(const struct jid *jid)
{
    return (jid->local_len ? jid->local_len + 1u : 0u) + jid->domain_len;
}

/* Without its resource; the text is the same. */
static inline struct jid jid_to_bare(const struct jid *jid)
{
    struct jid bare = *jid;
    bare.resource_len = 0;
    return bare;
}

static inline struct span jid_bare(const struct jid *jid)
{
    return span_of(jid->text, jid_bare_len(jid));
}

static inline struct span jid_full(const struct jid *jid)
{
    return span_of(jid->text,
                   jid_bare_len(jid) + (jid->resource_len ? jid->resource_len + 1u : 0u));
}

static inline struct span jid_local(const struct jid *jid)
{
    return span_of(jid->text, jid->local_len);
}

static inline struct span jid_domain(const struct jid *jid)
{
    return span_of(jid->text + (jid->local_len ? jid->local_len + 1u : 0u), jid->domain_len);
}

static inline struct span jid_resource(const struct jid *jid)
{
    return jid->resource_len ? span_of(jid->text + jid_bare_len(jid) + 1, jid->resource_len)
                             : span_of(jid->text, 0);
}

static inline bool jid_present(const struct jid *jid)
{
    return jid->domain_len != 0;
}

#endif
