/* uri.h: xmpp: links (RFC 5122, XEP-0147; INV-1) and escaped localparts (XEP-0106). */
#ifndef KITH_URI_H
#define KITH_URI_H

#include "wire/build.h"

#define URI_BYTES_MAX 2048

/* What a link is for. */
struct uri_invitation {
    bool contact;       /* ?roster, else ?register */
    struct span local;  /* of the owner or of the account to be made; empty: only the domain */
    struct span domain; /* prepared */
    struct span token;
    struct span name;  /* a hint (0379 5.4); empty: none */
    bool may_register; /* ;ibr=y, only with contact */
};

/* INV-1: action, preauth, name, ibr. Percent-encodes as RFC 5122 2.2 and 5.1 have it. */
void uri_invitation(struct build *build, const struct uri_invitation *invitation);

/* MT-7: into a channel (XEP-0369), for who has the token. */
void uri_channel(struct build *build, struct span local, struct span domain, struct span token);

/* XEP-0106: juliet@capulett.com -> juliet\40capulett.com. false: the arena is full. */
bool uri_escape_local(struct span text, struct arena *arena, struct span *out);

#endif
