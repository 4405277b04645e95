/* avatar.c: see avatar.h. */
#include "core/avatar.h"

#include "store/vcards.h"
#include "wire/avatar.h"
#include "wire/build.h"
#include "wire/names.h"

static struct span update_build(struct arena *arena, const struct vcard *vcard)
{
    char hash[AVATAR_HASH_CHARACTERS];
    struct build build;
    avatar_write(vcard->photo, hash);
    build_init(&build, arena, 128 + sizeof hash);
    build_str(&build, "<x xmlns='" NS_VCARD_UPDATE "'><photo>");
    if (vcard->has_photo)
        build_put(&build, span_of(hash, sizeof hash));
    build_str(&build, "</photo></x>");
    return build_span(&build);
}

const struct edits *avatar_edits(const struct turn *turn, struct avatar *room)
{
    const struct stanza *stanza = turn->stanza;
    const struct node *update = stanza_child(stanza, stanza_root(stanza), NS_VCARD_UPDATE, "x");
    struct vcard vcard;
    /* XEP-0398 4: what a client says of its photo stands, also that it has none; that it does not
     * know yet does not. */
    if (turn->kind != KIND_PRESENCE || turn->type.bytes != NULL ||
        (update != NULL && stanza_child(stanza, update, NS_VCARD_UPDATE, "photo") != NULL) ||
        vcard_get(turn->server->store, jid_local(&turn->session->jid), &vcard) != STORE_OK)
        return NULL;
    *room = (struct avatar){.edits = {.extra = update_build(&turn->server->arena, &vcard)}};
    if (room->edits.extra.bytes == NULL)
        return NULL;
    if (update != NULL) {
        room->gap = (struct gap){update->start, update->end};
        room->edits.gaps = &room->gap;
        room->edits.gap_count = 1;
    }
    return &room->edits;
}
