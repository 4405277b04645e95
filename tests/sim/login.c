/* login.c: see login.h. Salted passwords are kept between logins, since PBKDF2 is most of the time
 * a dialog takes. */
#include "login.h"

#include "house.h"
#include "wire/base64.h"
#include "wire/digest.h"

#include <stdio.h>
#include <string.h>

#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define SASL2 "urn:xmpp:sasl:2"
#define SALTED_KEPT 256

static struct salted {
    enum digest digest;
    char key[256]; /* password, salt, iterations */
    uint8_t bytes[DIGEST_BYTES_MAX];
} salted_kept[SALTED_KEPT];
static unsigned salted_next;
static unsigned nonce_count;

static const char *base64_of(const void *bytes, size_t len)
{
    char *out = memory_take(BASE64_BYTES(len) + 1);
    base64_encode(span_of(bytes, len), out);
    return out;
}

static const uint8_t *salted_password(enum digest digest, const char *password, const char *salt,
                                      unsigned iterations)
{
    char key[256];
    uint8_t raw[192];
    size_t raw_len;
    snprintf(key, sizeof(key), "%s\n%s\n%u", password, salt, iterations);
    for (unsigned i = 0; i < SALTED_KEPT; i++) {
        if (salted_kept[i].digest == digest && strcmp(salted_kept[i].key, key) == 0)
            return salted_kept[i].bytes;
    }
    if (strlen(salt) > 200 || !base64_decode(span_string(salt), raw, &raw_len))
        return NULL;
    struct derive derive;
    derive_begin(&derive, digest, span_string(password), span_of((char *)raw, raw_len), iterations);
    while (!derive_slice(&derive, 1000))
        ;
    struct salted *kept = &salted_kept[salted_next++ % SALTED_KEPT];
    kept->digest = digest;
    memcpy(kept->key, key, sizeof(key));
    memcpy(kept->bytes, derive.out, sizeof(kept->bytes));
    return kept->bytes;
}

/* The value of the attribute "x=" in a SCRAM message; NULL: none. */
static const char *scram_value(const char *message, char name)
{
    while (message && *message) {
        if (message[0] == name && message[1] == '=')
            return memory_string(message + 2, strcspn(message + 2, ","));
        message = strchr(message, ',');
        message = message ? message + 1 : NULL;
    }
    return NULL;
}

static const char *namespace_of(const struct login *login)
{
    return login->second ? SASL2 : SASL;
}

/* What the server proves at the end. The rest of a <success/> of the second profile stays unread,
 * as it is for the dialog to judge. */
static const char *login_verifier(struct client *client, struct tree *success)
{
    if (strcmp(success->namespace, SASL) == 0) {
        client_take(client);
        return tree_text(success);
    }
    struct tree **at = &success->child;
    while (*at && (!(*at)->name || strcmp((*at)->name, "additional-data") != 0))
        at = &(*at)->next;
    const char *text = *at ? tree_text(*at) : NULL;
    if (*at)
        *at = (*at)->next;
    return text;
}

/* Waits for the answer; sets *challenge, or returns an outcome. */
static const char *login_answer(struct client *client, struct login *login, const char **challenge)
{
    const char *complaint = house_settle(0, clients_listen);
    if (!complaint && !client_peek(client))
        complaint = house_settle(1000, clients_listen);
    if (complaint)
        return complaint;
    struct tree *tree = client_peek(client);
    *challenge = NULL;
    if (!tree)
        return "!no answer";
    if (strcmp(tree->name, "success") == 0 && strcmp(tree->namespace, namespace_of(login)) == 0) {
        login->verifier = login_verifier(client, tree);
        return "success";
    }
    client_take(client);
    if (strcmp(tree->name, "error") == 0 && tree->child && tree->child->name) {
        struct text outcome = {0};
        text_format(&outcome, "stream:%s", tree->child->name);
        return outcome.bytes;
    }
    if (strcmp(tree->namespace, namespace_of(login)) != 0)
        return "!an answer in another namespace than SASL's";
    if (strcmp(tree->name, "failure") == 0)
        return tree->child && tree->child->name && strcmp(tree->child->namespace, SASL) == 0
                   ? tree->child->name
                   : "!a failure without a condition";
    if (strcmp(tree->name, "challenge") != 0)
        return "!neither challenge, success nor failure";
    const char *text = tree_text(tree);
    char *decoded = memory_take(strlen(text) + 4);
    size_t len;
    if (!base64_decode(span_string(text), decoded, &len))
        return "!a challenge that is not strict base64";
    *challenge = decoded;
    return NULL;
}

static void login_respond(struct client *client, const struct login *login, const char *text)
{
    struct text out = {0};
    text_format(&out, "<response xmlns='%s'>", namespace_of(login));
    text_string(&out, text);
    text_string(&out, "</response>");
    client_say(client, out.bytes, out.len);
}

/* text NULL: no initial response. */
static void login_start(struct client *client, const struct login *login, const char *text)
{
    struct text out = {0};
    text_format(&out, "<%s xmlns='%s' mechanism='%s'>", login->second ? "authenticate" : "auth",
                namespace_of(login), login->mechanism);
    if (text && login->second)
        text_string(&out, "<initial-response>");
    text_string(&out, text ? text : "");
    if (text && login->second)
        text_string(&out, "</initial-response>");
    text_string(&out, login->asks ? login->asks : "");
    text_string(&out, login->second ? "</authenticate>" : "</auth>");
    client_say(client, out.bytes, out.len);
}

/* Sends the first message, after an empty challenge if the login wants to be asked. */
static const char *login_begin(struct client *client, struct login *login, const char *text)
{
    const char *challenge;
    if (!login->asked) {
        login_start(client, login, text);
        return NULL;
    }
    login_start(client, login, NULL);
    const char *outcome = login_answer(client, login, &challenge);
    if (outcome)
        return outcome;
    if (challenge[0])
        return "!the first challenge is not empty";
    login_respond(client, login, text);
    return NULL;
}

static const char *plain_try(struct client *client, struct login *login)
{
    struct text message = {0};
    const char *challenge;
    text_string(&message, login->authzid ? login->authzid : "");
    text_add(&message, "", 1);
    text_string(&message, login->username);
    text_add(&message, "", 1);
    text_string(&message, login->password);
    const char *outcome = login_begin(client, login, base64_of(message.bytes, message.len));
    if (!outcome)
        outcome = login_answer(client, login, &challenge);
    return outcome ? outcome : "!a challenge after the message";
}

/* One side's proof of a token without channel binding (draft-schmaus-kitten-sasl-ht-09 3). */
static const char *token_proof(const struct login *login, const char *who, uint8_t *proof)
{
    digest_hmac(DIGEST_SHA256, span_string(login->token), span_string(who), proof);
    return base64_of(proof, digest_bytes(DIGEST_SHA256));
}

static const char *token_try(struct client *client, struct login *login)
{
    struct text message = {0};
    uint8_t proof[DIGEST_BYTES_MAX];
    const char *challenge;
    token_proof(login, "Initiator", proof);
    if (login->tamper && strcmp(login->tamper, "proof") == 0)
        proof[0] ^= 1;
    text_string(&message, login->username);
    text_add(&message, "", 1);
    text_add(&message, proof, sizeof proof);
    const char *outcome = login_begin(client, login, base64_of(message.bytes, message.len));
    if (!outcome)
        outcome = login_answer(client, login, &challenge);
    if (!outcome)
        return "!a challenge after the message";
    if (strcmp(outcome, "success") == 0 &&
        (!login->verifier || strcmp(login->verifier, token_proof(login, "Responder", proof)) != 0))
        return "!success without the server's proof";
    return outcome;
}

/* Proof and expected server signature of the exchange; false: the salt is not base64. */
static bool scram_prove(enum digest digest, const struct login *login, const char *auth_message,
                        uint8_t *proof, uint8_t *signature)
{
    size_t size = digest_bytes(digest);
    uint8_t client_key[DIGEST_BYTES_MAX], stored_key[DIGEST_BYTES_MAX];
    uint8_t server_key[DIGEST_BYTES_MAX], client_signature[DIGEST_BYTES_MAX];
    unsigned iterations = 0;
    if (sscanf(login->iterations, "%u", &iterations) != 1 || iterations < 4096)
        return false; /* RFC 5802 5.1, 7677 4 */
    const uint8_t *salted = salted_password(digest, login->password, login->salt, iterations);
    if (!salted)
        return false;
    struct span key = span_of((const char *)salted, size);
    digest_hmac(digest, key, SPAN("Client Key"), client_key);
    digest_hash(digest, span_of((char *)client_key, size), stored_key);
    digest_hmac(digest, span_of((char *)stored_key, size), span_string(auth_message),
                client_signature);
    for (size_t i = 0; i < size; i++)
        proof[i] = client_key[i] ^ client_signature[i];
    digest_hmac(digest, key, SPAN("Server Key"), server_key);
    digest_hmac(digest, span_of((char *)server_key, size), span_string(auth_message), signature);
    return true;
}

static bool tampers(const struct login *login, const char *with)
{
    return login->tamper && strcmp(login->tamper, with) == 0;
}

/* client-final-message for this server-first; NULL: server-first is not usable. */
static const char *scram_final(enum digest digest, struct login *login, const char *gs2,
                               const char *bare, const char *server_first, uint8_t *signature)
{
    struct text without_proof = {0}, auth_message = {0}, out = {0};
    uint8_t proof[DIGEST_BYTES_MAX];
    const char *nonce = scram_value(server_first, 'r');
    login->salt = scram_value(server_first, 's');
    login->iterations = scram_value(server_first, 'i');
    if (!nonce || !login->salt || !login->iterations)
        return NULL;
    const char *extensions = strstr(server_first, login->iterations);
    login->extensions = extensions + strlen(login->iterations);
    const char *binding = tampers(login, "binding") ? "y,," : gs2;
    text_format(&without_proof, "c=%s,r=%s%s", base64_of(binding, strlen(binding)), nonce,
                tampers(login, "nonce") ? "x" : "");
    text_format(&auth_message, "%s,%s,%s", bare, server_first, without_proof.bytes);
    if (!scram_prove(digest, login, auth_message.bytes, proof, signature))
        return NULL;
    if (tampers(login, "proof"))
        proof[0] ^= 1;
    const char *proof_text = base64_of(proof, digest_bytes(digest));
    if (tampers(login, "order"))
        text_format(&out, "p=%s,%s", proof_text, without_proof.bytes);
    else if (tampers(login, "syntax"))
        text_format(&out, "%s,p=%.*s", without_proof.bytes, 6, proof_text);
    else
        text_format(&out, "%s,p=%s", without_proof.bytes, proof_text);
    return out.bytes;
}

static const char *scram_try(struct client *client, struct login *login, enum digest digest)
{
    struct text gs2 = {0}, bare = {0}, first = {0}, nonce = {0}, verifier = {0};
    uint8_t signature[DIGEST_BYTES_MAX];
    const char *challenge;
    text_format(&nonce, "client%unonce", ++nonce_count);
    text_format(&gs2, "%s,%s%s,", login->flag, login->authzid ? "a=" : "",
                login->authzid ? login->authzid : "");
    text_format(&bare, "%sn=%s,r=%s%s", login->first ? login->first : "", login->username,
                nonce.bytes, login->more ? login->more : "");
    text_format(&first, "%s%s", gs2.bytes, bare.bytes);
    const char *outcome = login_begin(client, login, base64_of(first.bytes, first.len));
    if (!outcome)
        outcome = login_answer(client, login, &challenge);
    if (outcome)
        return outcome;
    const char *whole_nonce = scram_value(challenge, 'r');
    if (!whole_nonce || strncmp(whole_nonce, nonce.bytes, nonce.len) != 0 ||
        strlen(whole_nonce) < nonce.len + 18 || strncmp(challenge, "r=", 2) != 0)
        return "!server-first without our nonce and 18 characters more (SA-9)";
    const char *final = scram_final(digest, login, gs2.bytes, bare.bytes, challenge, signature);
    if (!final)
        return "!server-first is not r=,s=,i= with at least 4096";
    login_respond(client, login,
                  tampers(login, "base64") ? "c=no*base64" : base64_of(final, strlen(final)));
    outcome = login_answer(client, login, &challenge);
    if (!outcome)
        return "!a challenge after client-final";
    if (strcmp(outcome, "success") != 0)
        return outcome;
    text_format(&verifier, "v=%s", base64_of(signature, digest_bytes(digest)));
    if (!login->verifier || strcmp(login->verifier, base64_of(verifier.bytes, verifier.len)) != 0)
        return "!success with a wrong server signature (SA-3)";
    return outcome;
}

const char *login_try(struct client *client, struct login *login)
{
    if (strcmp(login->mechanism, "PLAIN") == 0)
        return plain_try(client, login);
    if (strncmp(login->mechanism, "HT-", 3) == 0)
        return token_try(client, login);
    bool sha1 = strstr(login->mechanism, "SHA-1") != NULL;
    return scram_try(client, login, sha1 ? DIGEST_SHA1 : DIGEST_SHA256);
}
