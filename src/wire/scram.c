/* scram.c: see scram.h. The grammar is RFC 5802 7. */
#include "wire/scram.h"

#include <stdio.h>

#include "base/must.h"
#include "wire/base64.h"
#include "wire/precis.h"

#define DOWNGRADE_NAMES_MAX 16

static char *append(char *at, struct span text)
{
    if (text.len > 0)
        memcpy(at, text.bytes, text.len);
    return at + text.len;
}

static bool letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Takes what stands before the next comma, and the comma. After the last there is no rest:
 * bytes == NULL. */
static bool field_take(struct span *rest, struct span *field)
{
    if (rest->bytes == NULL)
        return false;
    size_t comma = span_find(*rest, ',');
    *field = span_cut(*rest, 0, comma);
    *rest = comma < rest->len ? span_cut(*rest, comma + 1, rest->len) : SPAN_NONE;
    return true;
}

/* Takes the field called name, without its name. */
static bool attribute_take(struct span *rest, char name, struct span *value)
{
    struct span field;
    if (!field_take(rest, &field) || field.len < 2 || field.bytes[0] != name ||
        field.bytes[1] != '=')
        return false;
    *value = span_cut(field, 2, field.len);
    return true;
}

/* An attr-val that may be ignored. m is a demand that we do not know (RFC 5802 5.1), and p is
 * the end of a message, never its middle. */
static bool extension_valid(struct span field)
{
    return field.len >= 3 && letter(field.bytes[0]) && field.bytes[1] == '=' &&
           field.bytes[0] != 'm' && field.bytes[0] != 'p';
}

static bool nonce_valid(struct span nonce)
{
    for (size_t i = 0; i < nonce.len; i++) {
        if (nonce.bytes[i] < 0x21 || nonce.bytes[i] > 0x7E)
            return false;
    }
    return nonce.len > 0;
}

static bool binding_name_valid(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.bytes[i];
        if (!letter(byte) && !(byte >= '0' && byte <= '9') && byte != '.' && byte != '-')
            return false;
    }
    return name.len > 0;
}

/* UTF-8 without NUL (RFC 5802 7 value-char; commas separate, so they are not seen here). */
static bool message_valid(struct span message)
{
    return span_find(message, '\0') == message.len && precis_utf8_valid(message);
}

/* saslname: =2C is a comma and =3D an equals sign; any other = is wrong (SA-9). */
static bool name_unescape(struct span name, struct arena *arena, struct span *out)
{
    char *bytes = arena_take(arena, name.len);
    size_t len = 0;
    if (name.len == 0 || bytes == NULL)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        bytes[len] = name.bytes[i];
        if (name.bytes[i] == '=') {
            struct span escape = span_cut(name, i, i + 3);
            if (!span_is(escape, "=2C") && !span_is(escape, "=3D"))
                return false;
            bytes[len] = escape.bytes[1] == '2' ? ',' : '=';
            i += 2;
        }
        len++;
    }
    *out = span_of(bytes, len);
    return true;
}

static bool flag_read(struct span flag, struct scram_first *out)
{
    if (span_is(flag, "n")) {
        out->flag = SCRAM_FLAG_NONE;
    } else if (span_is(flag, "y")) {
        out->flag = SCRAM_FLAG_UNSEEN;
    } else if (span_starts(flag, "p=")) {
        out->flag = SCRAM_FLAG_BOUND;
        out->binding_name = span_cut(flag, 2, flag.len);
        return binding_name_valid(out->binding_name);
    } else {
        return false;
    }
    return true;
}

bool scram_first_read(struct span message, struct arena *arena, struct scram_first *out)
{
    struct span rest = message;
    struct span flag, authzid, name, extension;
    *out = (struct scram_first){.flag = SCRAM_FLAG_NONE};
    if (message.len == 0 || !message_valid(message) || !field_take(&rest, &flag) ||
        !flag_read(flag, out) || !field_take(&rest, &authzid) || rest.bytes == NULL)
        return false;
    if (authzid.len > 0 &&
        (!span_starts(authzid, "a=") ||
         !name_unescape(span_cut(authzid, 2, authzid.len), arena, &out->authzid)))
        return false;
    out->gs2_header = span_cut(message, 0, message.len - rest.len);
    out->bare = rest;
    /* m= would stand here, before the name; it is not n=, so it is refused too (SA-9). */
    if (!attribute_take(&rest, 'n', &name) || !name_unescape(name, arena, &out->username) ||
        !attribute_take(&rest, 'r', &out->nonce) || !nonce_valid(out->nonce))
        return false;
    while (field_take(&rest, &extension)) {
        if (!extension_valid(extension))
            return false;
    }
    return true;
}

struct span scram_challenge(const struct scram_first *first, const char *server_nonce,
                            struct span salt, uint32_t iterations, struct span downgrade_hash,
                            struct arena *arena)
{
    char number[sizeof(",i=4294967295")];
    int digits = snprintf(number, sizeof(number), ",i=%u", (unsigned)iterations);
    must(digits > 0 && (size_t)digits < sizeof(number) && iterations > 0);
    struct span nonce = span_string(server_nonce);
    size_t len = 2 + first->nonce.len + nonce.len + 3 + BASE64_BYTES(salt.len) + (size_t)digits +
                 (downgrade_hash.len > 0 ? 3 + downgrade_hash.len : 0);
    char *message = arena_take(arena, len);
    char *at = message;
    if (message == NULL)
        return SPAN_NONE;
    at = append(at, SPAN("r="));
    at = append(at, first->nonce);
    at = append(at, nonce);
    at = append(at, SPAN(",s="));
    at += base64_encode(salt, at);
    at = append(at, span_of(number, (size_t)digits));
    if (downgrade_hash.len > 0) { /* XEP-0474 6.1 */
        at = append(at, SPAN(",h="));
        at = append(at, downgrade_hash);
    }
    must((size_t)(at - message) == len);
    return span_of(message, len);
}

bool scram_final_read(struct span message, struct scram_final *out)
{
    struct span rest = message;
    struct span field;
    uint8_t proof[DIGEST_BYTES_MAX + 1]; /* as base64 rounds up */
    *out = (struct scram_final){.proof_len = 0};
    if (message.len == 0 || !message_valid(message) || !attribute_take(&rest, 'c', &out->binding) ||
        !attribute_take(&rest, 'r', &out->nonce) || !nonce_valid(out->nonce) ||
        !field_take(&rest, &field))
        return false;
    while (rest.bytes != NULL) {
        if (!extension_valid(field) || !field_take(&rest, &field))
            return false;
    }
    /* p= is the last one (SA-11). */
    if (!span_starts(field, "p="))
        return false;
    out->without_proof = span_cut(message, 0, message.len - field.len - 1);
    field = span_cut(field, 2, field.len);
    if (field.len > BASE64_BYTES(DIGEST_BYTES_MAX) ||
        !base64_decode(field, proof, &out->proof_len) || out->proof_len > sizeof(out->proof))
        return false;
    memcpy(out->proof, proof, out->proof_len);
    return true;
}

bool scram_binding_matches(const struct scram_final *final, struct span gs2_header,
                           struct span binding_data)
{
    size_t len = gs2_header.len + binding_data.len;
    if (final->binding.len != BASE64_BYTES(len))
        return false;
    for (size_t i = 0; i < len; i += 3) {
        char group[3], digits[4];
        size_t count = 0;
        for (; count < 3 && i + count < len; count++) {
            size_t at = i + count;
            group[count] = at < gs2_header.len ? gs2_header.bytes[at]
                                               : binding_data.bytes[at - gs2_header.len];
        }
        base64_encode(span_of(group, count), digits);
        if (memcmp(digits, final->binding.bytes + i / 3 * 4, 4) != 0)
            return false;
    }
    return true;
}

void scram_keys_of(enum digest digest, const uint8_t *salted_password, struct scram_keys *out)
{
    struct span salted = span_of((const char *)salted_password, digest_bytes(digest));
    uint8_t client_key[DIGEST_BYTES_MAX];
    *out = (struct scram_keys){.stored_key = {0}};
    digest_hmac(digest, salted, SPAN("Client Key"), client_key);
    digest_hash(digest, span_of((const char *)client_key, digest_bytes(digest)), out->stored_key);
    digest_hmac(digest, salted, SPAN("Server Key"), out->server_key);
    secret_forget(client_key, sizeof(client_key));
}

bool scram_verify(enum digest digest, const struct scram_keys *keys, struct span auth_message,
                  const struct scram_final *final, struct arena *arena, struct span *out)
{
    size_t len = digest_bytes(digest);
    struct span stored_key = span_of((const char *)keys->stored_key, len);
    struct span server_key = span_of((const char *)keys->server_key, len);
    uint8_t client_key[DIGEST_BYTES_MAX], hash[DIGEST_BYTES_MAX];
    if (final->proof_len != len)
        return false;
    digest_hmac(digest, stored_key, auth_message, client_key); /* ClientSignature */
    for (size_t i = 0; i < len; i++)
        client_key[i] ^= final->proof[i];
    digest_hash(digest, span_of((const char *)client_key, len), hash);
    secret_forget(client_key, sizeof(client_key));
    if (!span_equal_secret(span_of((const char *)hash, len), stored_key))
        return false;
    char *message = arena_take(arena, 2 + BASE64_BYTES(len));
    if (message == NULL)
        return false;
    digest_hmac(digest, server_key, auth_message, hash); /* ServerSignature */
    memcpy(message, "v=", 2);
    *out = span_of(message, 2 + base64_encode(span_of((const char *)hash, len), message + 2));
    return true;
}

/* Appends the names in the order of their bytes, with 0x1E between them. */
static char *names_add(const char *const *names, size_t count, char *at)
{
    const char *sorted[DOWNGRADE_NAMES_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t to = i;
        for (; to > 0 && strcmp(sorted[to - 1], names[i]) > 0; to--)
            sorted[to] = sorted[to - 1];
        sorted[to] = names[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *at++ = '\x1E';
        at = append(at, span_string(sorted[i]));
    }
    return at;
}

struct span scram_downgrade_hash(enum digest digest, const char *const *mechanisms,
                                 size_t mechanism_count, const char *const *bindings,
                                 size_t binding_count, struct arena *arena)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    size_t len = digest_bytes(digest);
    size_t size = 1;
    must(mechanism_count <= DOWNGRADE_NAMES_MAX && binding_count <= DOWNGRADE_NAMES_MAX);
    for (size_t i = 0; i < mechanism_count; i++)
        size += strlen(mechanisms[i]) + 1;
    for (size_t i = 0; i < binding_count; i++)
        size += strlen(bindings[i]) + 1;
    char *names = arena_take(arena, size);
    char *text = arena_take(arena, BASE64_BYTES(len));
    if (names == NULL || text == NULL)
        return SPAN_NONE;
    char *at = names_add(mechanisms, mechanism_count, names); /* XEP-0474 6.1 steps 2 to 4 */
    if (binding_count > 0) {
        *at++ = '\x1F';
        at = names_add(bindings, binding_count, at);
    }
    digest_hash(digest, span_of(names, (size_t)(at - names)), hash);
    return span_of(text, base64_encode(span_of((const char *)hash, len), text));
}
