/* ended.c: see ended.h. */
#include "core/ended.h"

#include "wire/digest.h"

#define KEY_BYTES_MAX (TOKEN_CHARS + 1 + SESSION_JID_BYTES)

_Static_assert(ENDED_HASH_BYTES <= DIGEST_BYTES_MAX, "a part of the hash");

/* Of both, so that an id is worth nothing to another account (SM-3). false: there can be no such
 * stream. */
static bool hash_of(struct span bare, struct span id, uint8_t out[DIGEST_BYTES_MAX])
{
    char key[KEY_BYTES_MAX];
    if (id.len != TOKEN_CHARS || bare.len > SESSION_JID_BYTES)
        return false;
    memcpy(key, id.bytes, id.len);
    key[id.len] = 0;
    memcpy(key + id.len + 1, bare.bytes, bare.len);
    digest_hash(DIGEST_SHA256, span_of(key, id.len + 1 + bare.len), out);
    return true;
}

void ended_remember(struct server *server, const struct session *session)
{
    const struct management *management = &session->management;
    uint8_t hash[DIGEST_BYTES_MAX];
    struct ended *ended = &server->ended[server->ended_count % ENDED_STREAMS];
    if (!hash_of(jid_bare(&session->jid), span_of(management->id, sizeof management->id), hash))
        return;
    memcpy(ended->hash, hash, ENDED_HASH_BYTES);
    ended->handled = management->handled;
    server->ended_count++;
}

bool ended_find(const struct server *server, struct span bare, struct span id, uint32_t *h)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    if (!hash_of(bare, id, hash))
        return false;
    for (unsigned i = 0; i < ENDED_STREAMS && i < server->ended_count; i++)
        if (memcmp(server->ended[i].hash, hash, ENDED_HASH_BYTES) == 0) {
            *h = server->ended[i].handled;
            return true;
        }
    return false;
}
