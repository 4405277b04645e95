/* pep_avatar.c: an avatar that was published becomes the photo of the vCard (XEP-0398 3.1), where
 * everybody may read it (7: access model open). The other way is features/vcard.c's. */
#include "features/pep_parts.h"
#include "store/vcards.h"
#include "wire/avatar.h"
#include "wire/build.h"
#include "wire/names.h"

/* What a change of a card may add to the store beside the card. */
#define RECORD_ROOM 4096

/* An element that stands alone. NULL: it cannot be read. */
static const struct node *element_read(struct server *server, struct span xml,
                                       struct stanza *stanza)
{
    return xml_read(server->xml, XML_CONTENT_DEFAULT, xml, &server->arena, stanza) == XML_OK
               ? stanza_root(stanza)
               : NULL;
}

/* The photo as the card has it. bytes NULL: the image is not there, or not open to everybody. */
static struct span photo_build(struct pep_request *request, const struct stanza *metadata,
                               const struct node *info, struct vcard *vcard)
{
    struct server *server = request->turn->server;
    struct span local = jid_local(&request->owner), type = stanza_attribute(metadata, info, "type");
    struct pep_node node;
    struct pep_item item;
    struct stanza stanza;
    struct build build;
    if (pep_node_get(server->store, local, SPAN(NS_AVATAR_DATA), NULL, &node) != STORE_OK ||
        node.config.model != PEP_OPEN ||
        pep_item_find(server->store, local, &node, stanza_attribute(metadata, info, "id"), &item) !=
            STORE_OK)
        return SPAN_NONE;
    const struct node *data = element_read(server, item.payload, &stanza);
    struct span text = data == NULL ? SPAN_NONE : stanza_text(&stanza, data, &server->arena);
    if (text.bytes == NULL || !avatar_hash(text, &server->arena, vcard->photo) ||
        !avatar_is(vcard->photo, item.id)) /* XEP-0398 3.1 */
        return SPAN_NONE;
    build_init(&build, &server->arena, 128 + BUILD_ESCAPED_MAX(type.len) + text.len);
    build_str(&build, "<PHOTO xmlns='" NS_VCARD "'><TYPE>");
    build_text(&build, type);
    build_str(&build, "</TYPE><BINVAL>");
    build_put(&build, text); /* base64 needs no escapes */
    build_str(&build, "</BINVAL></PHOTO>");
    vcard->has_photo = true;
    return build_span(&build);
}

/* The card with this photo instead of the one before. bytes NULL: no memory. */
static struct span card_build(struct server *server, struct span card, struct span photo)
{
    struct stanza stanza;
    struct build build;
    const struct node *root = element_read(server, card, &stanza);
    if (root == NULL)
        return SPAN_NONE;
    const struct node *old = stanza_child(&stanza, root, NS_VCARD, "PHOTO");
    build_init(&build, &server->arena, card.len + photo.len + 64);
    if (old != NULL) {
        build_put(&build, span_cut(card, 0, old->start));
        build_put(&build, photo);
        build_put(&build, span_cut(card, old->end, card.len));
    } else if (root->inside < root->end) {
        build_put(&build, span_cut(card, 0, root->inside));
        build_put(&build, photo);
        build_put(&build, span_cut(card, root->inside, card.len));
    } else {
        build_str(&build, "<vCard xmlns='" NS_VCARD "'>");
        build_put(&build, photo);
        build_str(&build, "</vCard>");
    }
    return build_span(&build);
}

static void card_put(struct pep_request *request, struct span photo, struct vcard *vcard)
{
    struct server *server = request->turn->server;
    struct span local = jid_local(&request->owner);
    struct vcard old;
    enum store_outcome outcome = vcard_get(server->store, local, &old);
    if (outcome != STORE_OK && outcome != STORE_NONE)
        return;
    if (outcome == STORE_NONE && photo.len == 0)
        return;
    vcard->xml = card_build(
        server, outcome == STORE_OK ? old.xml : SPAN("<vCard xmlns='" NS_VCARD "'/>"), photo);
    if (vcard->xml.bytes != NULL && vcard->xml.len <= plan.vcard_bytes &&
        store_has_room(server->store, vcard->xml.len + RECORD_ROOM))
        (void)vcard_put(server->store, local, vcard, &server->arena); /* else the old photo stays */
}

void pep_avatar_published(struct pep_request *request, const struct pep_item *item)
{
    struct server *server = request->turn->server;
    struct stanza metadata;
    struct vcard vcard = {.has_photo = false};
    size_t mark = server->arena.used;
    struct span photo = SPAN("");
    const struct node *root = element_read(server, item->payload, &metadata);
    const struct node *info =
        root == NULL ? NULL : stanza_child(&metadata, root, NS_AVATAR_METADATA, "info");
    bool empty = info == NULL;
    /* One that points elsewhere is no image of ours. */
    while (info != NULL && stanza_attribute(&metadata, info, "url").bytes != NULL)
        info = stanza_next(&metadata, info, NS_AVATAR_METADATA, "info");
    if (info != NULL)
        photo = photo_build(request, &metadata, info, &vcard);
    if (root != NULL && photo.bytes != NULL && (info != NULL || empty))
        card_put(request, photo, &vcard);
    arena_reset(&server->arena, mark);
}
