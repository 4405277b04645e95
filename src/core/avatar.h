/* avatar.h: the hash of the account's photo in its presence (XEP-0153, XEP-0398 4). */
#ifndef KITH_AVATAR_H
#define KITH_AVATAR_H

#include "core/turn.h"

struct avatar {
    struct edits edits;
    struct gap gap;
};

/* What an available presence is changed by before it leaves; NULL: nothing. */
const struct edits *avatar_edits(const struct turn *turn, struct avatar *room);

#endif
