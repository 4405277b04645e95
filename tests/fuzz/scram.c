/* SCRAM messages from arbitrary bytes, as the first one and, after a good first one, as the last:
 * what is taken apart lies within the message, and an accepted binding is what it must be. */
#include "wire/scram.h"
#include "base/must.h"
#include "wire/base64.h"

static char memory[32768];

static void within(struct span part, struct span message)
{
    must(part.bytes >= message.bytes && part.bytes + part.len <= message.bytes + message.len);
}

static void first(struct span message)
{
    struct arena arena;
    struct scram_first read;
    arena_init(&arena, memory, sizeof(memory));
    if (!scram_first_read(message, &arena, &read))
        return;
    within(read.gs2_header, message);
    within(read.bare, message);
    within(read.nonce, message);
    must(read.gs2_header.len + read.bare.len == message.len);
    must(read.username.len > 0 && read.nonce.len > 0);
    must((read.flag == SCRAM_FLAG_BOUND) == (read.binding_name.len > 0));
    struct span challenge = scram_challenge(&read, "0123456789abcdefghijklmn", SPAN("salt"), 4096,
                                            SPAN("hash"), &arena);
    must(challenge.bytes == NULL || span_find(challenge, '\0') == challenge.len);
}

static void final(struct span message)
{
    static const struct scram_keys keys;
    static char decoded[65536];
    struct arena arena;
    struct scram_final read;
    struct span answer;
    size_t len;
    arena_init(&arena, memory, sizeof(memory));
    if (!scram_final_read(message, &read))
        return;
    within(read.binding, message);
    within(read.nonce, message);
    within(read.without_proof, message);
    must(read.proof_len <= DIGEST_BYTES_MAX);
    if (read.binding.len <= sizeof(decoded)) {
        bool strict = base64_decode(read.binding, decoded, &len);
        must(!strict || scram_binding_matches(&read, span_of(decoded, len), SPAN_NONE));
        must(!strict || scram_binding_matches(&read, span_of(decoded, len / 2),
                                              span_of(decoded + len / 2, len - len / 2)));
    }
    must(!scram_verify(DIGEST_SHA256, &keys, message, &read, &arena, &answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    first(span_of((const char *)data, size));
    final(span_of((const char *)data, size));
    return 0;
}
