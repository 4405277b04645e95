/* vcard.c: see vcard.h. The photo's hash, by which others learn that there is a new one (XEP-0153),
 * is computed when the card is set; core/avatar.c puts it into presence. */
#include "features/vcard.h"

#include "core/access.h"
#include "core/output.h"
#include "core/pep.h"
#include "store/accounts.h"
#include "store/vcards.h"
#include "wire/avatar.h"
#include "wire/build.h"
#include "wire/extract.h"
#include "wire/names.h"

/* What a change of a card may add to the store beside the card. */
#define RECORD_ROOM 4096

/* Without copying a long card in the arena. */
static void reply_card(struct turn *turn, struct span xml)
{
    struct server *server = turn->server;
    struct rope payload = {0};
    if (output_body(server, &payload, xml) && output_body(server, &payload, SPAN("</iq>")))
        reply_result_rope(turn, &payload);
    else
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
    rope_clear(&server->chunks, &payload);
}

void vcard_get_request(struct turn *turn)
{
    struct store *store = turn->server->store;
    const struct jid *jid = jid_present(&turn->to) ? &turn->to : &turn->session->jid;
    struct vcard vcard;
    struct account account;
    enum store_outcome outcome = vcard_get(store, jid_local(jid), &vcard);
    if (outcome == STORE_OK)
        outcome = account_get(store, jid_local(jid), &account);
    if (outcome == STORE_OK)
        reply_card(turn, vcard.xml);
    else if (outcome != STORE_NONE)
        reply_store_error(turn, outcome);
    else if (access_own(turn))
        reply_result(turn, SPAN("<vCard xmlns='" NS_VCARD "'/>"));
    else
        reply_error(turn, ERROR_SERVICE_UNAVAILABLE); /* DL-2: the same without account and card */
}

/* XEP-0153 3.1. The image in base64; bytes NULL: there is none, or what is no base64 is nobody's to
 * hash. false: no memory. */
static bool photo_read(struct turn *turn, struct vcard *vcard, struct span *image)
{
    struct arena *arena = &turn->server->arena;
    const struct node *photo = stanza_child(turn->stanza, turn->child, NS_VCARD, "PHOTO");
    const struct node *binary =
        photo == NULL ? NULL : stanza_child(turn->stanza, photo, NS_VCARD, "BINVAL");
    *image = SPAN_NONE;
    if (binary == NULL)
        return true;
    struct span text = stanza_text(turn->stanza, binary, arena);
    if (text.bytes == NULL || text.len > arena->size - arena->used)
        return false;
    vcard->has_photo = avatar_hash(text, arena, vcard->photo);
    if (vcard->has_photo)
        *image = text;
    return true;
}

/* --- XEP-0398 3.2: the photo is published too --- */

static enum pep_outcome publish(struct turn *turn, const char *name, struct span id,
                                struct span payload)
{
    struct server *server = turn->server;
    struct pep_node node;
    struct pep_item item = {.time_us = server->wall_us, .id = id, .payload = payload};
    enum store_outcome outcome = pep_node_get(server->store, jid_local(&turn->session->jid),
                                              span_string(name), &server->arena, &node);
    if (outcome == STORE_NONE) {
        node = (struct pep_node){.config = pep_default};
        node.config.model = PEP_OPEN; /* as the card is */
    } else if (outcome != STORE_OK) {
        return PEP_FAILED;
    }
    return pep_publish(server, &turn->session->jid, span_string(name), &node, &item);
}

static struct span data_build(struct arena *arena, struct span image)
{
    struct build build;
    build_init(&build, arena, 64 + image.len);
    build_str(&build, "<data xmlns='" NS_AVATAR_DATA "'>");
    build_put(&build, image);
    build_str(&build, "</data>");
    return build_span(&build);
}

static struct span metadata_build(struct turn *turn, struct span id, uint32_t bytes)
{
    struct arena *arena = &turn->server->arena;
    const struct node *photo = stanza_child(turn->stanza, turn->child, NS_VCARD, "PHOTO");
    const struct node *node =
        photo == NULL ? NULL : stanza_child(turn->stanza, photo, NS_VCARD, "TYPE");
    struct span type = node == NULL ? SPAN("") : stanza_text(turn->stanza, node, arena);
    struct build build;
    if (type.len == 0)
        type = SPAN("image/png"); /* XEP-0084 4.2: it must have one */
    build_init(&build, arena, 192 + BUILD_ESCAPED_MAX(type.len));
    build_str(&build, "<metadata xmlns='" NS_AVATAR_METADATA "'><info bytes='");
    build_number(&build, bytes);
    build_str(&build, "'");
    build_attr(&build, "id", id);
    build_attr(&build, "type", type);
    build_str(&build, "/></metadata>");
    return build_span(&build);
}

/* Where it does not fit in there, the card has its photo all the same. */
static void photo_publish(struct turn *turn, const struct vcard *vcard, struct span image)
{
    struct arena *arena = &turn->server->arena;
    size_t mark = arena->used;
    char id[AVATAR_HASH_CHARACTERS];
    struct span name = span_of(id, sizeof id);
    avatar_write(vcard->photo, id);
    struct span data = data_build(arena, image);
    struct span metadata = metadata_build(turn, name, avatar_bytes(image));
    if (data.bytes != NULL && metadata.bytes != NULL &&
        publish(turn, NS_AVATAR_DATA, name, data) == PEP_DONE)
        (void)publish(turn, NS_AVATAR_METADATA, name, metadata);
    arena_reset(arena, mark);
}

/* What the card was changed to, as far as others may have it from PEP. */
static void photo_changed(struct turn *turn, const struct vcard *old, const struct vcard *vcard,
                          struct span image)
{
    if (vcard->has_photo &&
        (!old->has_photo || memcmp(old->photo, vcard->photo, VCARD_HASH_BYTES) != 0))
        photo_publish(turn, vcard, image);
    else if (!vcard->has_photo && old->has_photo) /* XEP-0084 4.2.1: none any more */
        (void)publish(turn, NS_AVATAR_METADATA, SPAN("none"),
                      SPAN("<metadata xmlns='" NS_AVATAR_METADATA "'/>"));
}

void vcard_set_request(struct turn *turn)
{
    struct server *server = turn->server;
    struct vcard vcard = {.has_photo = false}, old;
    struct span image;
    if (!access_own(turn)) {
        reply_error(turn, ERROR_FORBIDDEN);
        return;
    }
    vcard.xml = stanza_extract(turn->stanza, turn->child, &server->arena);
    if (vcard.xml.len > plan.vcard_bytes) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE);
        return;
    }
    if (vcard.xml.bytes == NULL || !photo_read(turn, &vcard, &image) ||
        !store_has_room(server->store, vcard.xml.len + RECORD_ROOM)) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    struct span local = jid_local(&turn->session->jid);
    enum store_outcome outcome = vcard_get(server->store, local, &old);
    if (outcome == STORE_OK || outcome == STORE_NONE)
        outcome = vcard_put(server->store, local, &vcard, &server->arena);
    if (outcome != STORE_OK) {
        reply_store_error(turn, outcome);
        return;
    }
    photo_changed(turn, &old, &vcard, image);
    reply_result(turn, SPAN(""));
}
