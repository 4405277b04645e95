/* vcard.c: see vcard.h. The photo's hash, by which others learn that there is a new one (XEP-0153),
 * is computed when the card is set; core/avatar.c puts it into presence. */
#include "features/vcard.h"

#include "core/access.h"
#include "core/output.h"
#include "store/accounts.h"
#include "store/vcards.h"
#include "wire/base64.h"
#include "wire/digest.h"
#include "wire/extract.h"
#include "wire/names.h"

/* What a change of a card may add to the store beside the card. */
#define RECORD_ROOM 4096

static void reply_store_error(struct turn *turn, enum store_outcome outcome)
{
    reply_error(turn,
                outcome == STORE_FULL ? ERROR_RESOURCE_CONSTRAINT : ERROR_INTERNAL_SERVER_ERROR);
}

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

/* Base64 is often sent in lines. bytes NULL: no memory, or not base64. */
static struct span photo_decode(struct span text, struct arena *arena)
{
    char *bytes = arena_take(arena, text.len);
    size_t len = 0;
    if (bytes == NULL)
        return SPAN_NONE;
    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t\r\n", text.bytes[i]) == NULL)
            bytes[len++] = text.bytes[i];
    struct span compact = span_of(bytes, len);
    return base64_decode(compact, bytes, &len) ? span_of(bytes, len) : SPAN_NONE;
}

/* XEP-0153 3.1. false: no memory. A photo that is no base64 is nobody's to hash. */
static bool photo_hash(struct turn *turn, struct vcard *vcard)
{
    struct arena *arena = &turn->server->arena;
    size_t mark = arena->used;
    const struct node *photo = stanza_child(turn->stanza, turn->child, NS_VCARD, "PHOTO");
    const struct node *binary =
        photo == NULL ? NULL : stanza_child(turn->stanza, photo, NS_VCARD, "BINVAL");
    if (binary == NULL)
        return true;
    struct span text = stanza_text(turn->stanza, binary, arena);
    if (text.bytes == NULL || text.len > arena->size - arena->used)
        return false;
    struct span image = photo_decode(text, arena);
    vcard->has_photo = image.len > 0;
    if (vcard->has_photo)
        digest_hash(DIGEST_SHA1, image, vcard->photo);
    arena_reset(arena, mark);
    return true;
}

void vcard_set_request(struct turn *turn)
{
    struct server *server = turn->server;
    struct vcard vcard = {.has_photo = false};
    if (!access_own(turn)) {
        reply_error(turn, ERROR_FORBIDDEN);
        return;
    }
    vcard.xml = stanza_extract(turn->stanza, turn->child, &server->arena);
    if (vcard.xml.len > plan.vcard_bytes) {
        reply_error(turn, ERROR_NOT_ACCEPTABLE);
        return;
    }
    if (vcard.xml.bytes == NULL || !photo_hash(turn, &vcard) ||
        !store_has_room(server->store, vcard.xml.len + RECORD_ROOM)) {
        reply_error(turn, ERROR_RESOURCE_CONSTRAINT);
        return;
    }
    enum store_outcome outcome =
        vcard_put(server->store, jid_local(&turn->session->jid), &vcard, &server->arena);
    if (outcome == STORE_OK)
        reply_result(turn, SPAN(""));
    else
        reply_store_error(turn, outcome);
}
