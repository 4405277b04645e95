/* tls.c: one TLS connection as a server, on mbedTLS 2.28 or 3.6. Bytes come in by tls_feed and
 * leave through plat_send. Owns the library's context; the record buffers are the heap's slabs.
 * Limit: a write of tls_record_bytes(). Specs: RFC 5246, RFC 8446, RFC 7301, RFC 9266, RFC 5929. */
#include "wire/tls.h"

#include "base/heap.h"
#include "base/must.h"
#include "platform/platform.h"
#include "wire/tls_mbedtls.h"

#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#define TLS_PSA
#endif

#define RECORD_HEADER_BYTES 5
#define RECORD_HANDSHAKE 22
#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266 2 */
#define EXPORTER_BYTES 32

struct tls {
    mbedtls_ssl_context library;
    struct tls_identity *identity;
    struct span fed;
    int handle;
    bool established; /* the handshake is over */
    bool closed;      /* close_notify came: nothing to read any more, but to write */
    bool failed;
    bool answered; /* something has been sent */
    bool held;     /* plat_send(more) has been used since the last plat_push */
    bool cut;      /* the record that leaves has begun to leave */
    bool unsent;   /* the library waits for the socket */
    bool extended; /* extended master secret (RFC 7627) */
    bool full;     /* a Certificate was sent in the clear: TLS 1.2 without resumption */
    bool psk;      /* TLS 1.3 resumption */

    /* The record that comes in. */
    uint8_t header[RECORD_HEADER_BYTES];
    uint8_t header_len;
    uint16_t body_left;

    uint8_t exporter[EXPORTER_BYTES];
    bool exporter_known;
};

/* --- By version ------------------------------------------------------------------------------ */

/* Heap outside the slabs per connection, headers of base/heap.c included: what tests/unit/tls.c
 * prints and holds against these, with room for a key of RSA-4096. 3.6 takes a copy of what is
 * left of the outgoing buffer while it makes its TLS 1.3 key share. */
#if MBEDTLS_SSL_OUT_CONTENT_LEN <= 4096
#define SLABS 1
#define IDLE_HEAP_BYTES (5120 + 4800) /* with the outgoing buffer */
#define HANDSHAKE_HEAP_BYTES 15360
#elif MBEDTLS_VERSION_MAJOR < 3
#define SLABS 2
#define IDLE_HEAP_BYTES 3072
#define HANDSHAKE_HEAP_BYTES 14336
#else
#define SLABS 2
#define IDLE_HEAP_BYTES 8192
#define HANDSHAKE_HEAP_BYTES 24576
#endif

#if MBEDTLS_VERSION_MAJOR < 3 && defined(MBEDTLS_SSL_EXPORT_KEYS)

/* RFC 5705 4 without a context, as OpenSSL and GnuTLS do it in TLS 1.2. */
static int export_keep(void *identity, const unsigned char *master, const unsigned char *keys,
                       size_t mac_len, size_t key_len, size_t iv_len,
                       const unsigned char client_random[32], const unsigned char server_random[32],
                       mbedtls_tls_prf_types prf)
{
    struct tls *tls = ((struct tls_identity *)identity)->handshaking;
    uint8_t seed[64];
    (void)keys, (void)mac_len, (void)key_len, (void)iv_len;
    memcpy(seed, client_random, 32);
    memcpy(seed + 32, server_random, 32);
    tls->exporter_known = mbedtls_ssl_tls_prf(prf, master, 48, EXPORTER_LABEL, seed, sizeof(seed),
                                              tls->exporter, sizeof(tls->exporter)) == 0;
    return 0;
}

void tls_configure_export(mbedtls_ssl_config *settings, struct tls_identity *identity)
{
    mbedtls_ssl_conf_export_keys_ext_cb(settings, export_keep, identity);
}

static void export_value(struct tls *tls)
{
    (void)tls;
}

#else

void tls_configure_export(mbedtls_ssl_config *settings, struct tls_identity *identity)
{
    (void)settings, (void)identity;
}

static void export_value(struct tls *tls)
{
#ifdef MBEDTLS_SSL_KEYING_MATERIAL_EXPORT /* 3.6.4 and later */
    tls->exporter_known =
        mbedtls_ssl_export_keying_material(&tls->library, tls->exporter, sizeof(tls->exporter),
                                           EXPORTER_LABEL, strlen(EXPORTER_LABEL), NULL, 0, 0) == 0;
#else
    (void)tls;
#endif
}

#endif

#ifdef MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
/* PSA asks here; as the bundle is configured it has no source of its own. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *unused,
                                             uint8_t *out, size_t size, size_t *out_len)
{
    (void)unused;
    plat_random(out, size);
    *out_len = size;
    return PSA_SUCCESS;
}
#endif

bool tls_boot(void)
{
#ifdef MBEDTLS_VERSION_C
    /* struct tls has the layout of the headers. */
    if (mbedtls_version_get_number() >> 16 != MBEDTLS_VERSION_NUMBER >> 16)
        return false;
#endif
#ifdef TLS_PSA
    /* TLS 1.3 works on PSA whatever MBEDTLS_USE_PSA_CRYPTO says. */
    return psa_crypto_init() == PSA_SUCCESS;
#else
    return true;
#endif
}

/* --- What goes over the socket --------------------------------------------------------------- */

static unsigned number16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Looks for the two extensions in our ServerHello; bytes are its body (RFC 5246 7.4.1.3). */
static void hello_read(struct tls *tls, const uint8_t *bytes, size_t len)
{
    size_t at = 34; /* version, random */
    if (len < at + 1)
        return;
    at += 1 + (size_t)bytes[at] + 3 + 2; /* session id, suite, compression, size of extensions */
    while (at + 4 <= len) {
        unsigned extension = number16(bytes + at);
        if (extension == 23) /* RFC 7627 5.1 */
            tls->extended = true;
        if (extension == 41) /* RFC 8446 4.2.11 */
            tls->psk = true;
        at += 4 + number16(bytes + at + 2);
    }
}

/* mbedTLS has no question for the master secret's kind nor for resumption (their fields are
 * private); the first bytes of our own flight, still in the clear, tell. */
static void flight_read(struct tls *tls, const uint8_t *bytes, size_t len)
{
    const size_t message = RECORD_HEADER_BYTES;
    if (len < message + 4 || bytes[0] != RECORD_HANDSHAKE)
        return;
    if (bytes[message] == 2)
        hello_read(tls, bytes + message + 4, len - message - 4);
    if (bytes[message] == 11)
        tls->full = true;
}

/* The library sends its records here, and comes back with the rest of one that was cut. */
static int socket_send(void *context, const unsigned char *bytes, size_t len)
{
    struct tls *tls = context;
    bool more = !tls->established;
    if (more && !tls->cut)
        flight_read(tls, bytes, len);
    int sent = plat_send(tls->handle, bytes, len, more);
    tls->held |= more;
    tls->answered = true;
    tls->cut = sent == PLAT_AGAIN || (sent >= 0 && (size_t)sent < len);
    if (sent == PLAT_AGAIN)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    return sent < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : sent;
}

/* Counts where records begin and end, for tls_idle. */
static void record_follow(struct tls *tls, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t step = 1;
        if (tls->header_len < RECORD_HEADER_BYTES) {
            tls->header[tls->header_len++] = *bytes;
            if (tls->header_len == RECORD_HEADER_BYTES)
                tls->body_left = (uint16_t)number16(tls->header + 3);
        } else {
            step = len < tls->body_left ? len : tls->body_left;
            tls->body_left = (uint16_t)(tls->body_left - step);
        }
        if (tls->header_len == RECORD_HEADER_BYTES && tls->body_left == 0)
            tls->header_len = 0;
        bytes += step;
        len -= step;
    }
}

static int socket_receive(void *context, unsigned char *bytes, size_t len)
{
    struct tls *tls = context;
    if (tls->fed.len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (len > tls->fed.len)
        len = tls->fed.len;
    memcpy(bytes, tls->fed.bytes, len);
    tls->fed = span_cut(tls->fed, len, tls->fed.len);
    record_follow(tls, bytes, len);
    return (int)len;
}

static enum tls_outcome outcome(struct tls *tls, int result)
{
    if (tls->held)
        plat_push(tls->handle);
    tls->held = false;
    if (result >= 0)
        return TLS_OK;
    if (result == MBEDTLS_ERR_SSL_WANT_READ)
        return TLS_WANT_READ;
    if (result == MBEDTLS_ERR_SSL_WANT_WRITE) {
        tls->unsent = true;
        return TLS_WANT_WRITE;
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        tls->closed = true;
        return TLS_CLOSED;
    }
    tls->failed = true;
    return TLS_FAILED;
}

/* --- The connection -------------------------------------------------------------------------- */

size_t tls_bytes(void)
{
    return (sizeof(struct tls) + 15) & ~(size_t)15;
}

struct tls *tls_open(void *room, struct tls_identity *identity, int handle, uint32_t owner,
                     bool direct)
{
    struct tls *tls = room;
    must(owner > 0);
    memset(tls, 0, sizeof(*tls));
    tls->identity = identity;
    tls->handle = handle;
    mbedtls_ssl_init(&tls->library);

    heap_owner(owner);
    int result = mbedtls_ssl_setup(&tls->library, direct ? &identity->direct : &identity->starttls);
    heap_owner(0);
    if (result != 0) {
        mbedtls_ssl_free(&tls->library);
        return NULL;
    }
    mbedtls_ssl_set_bio(&tls->library, tls, socket_send, socket_receive, NULL);
    identity->holds++;
    return tls;
}

void tls_close(struct tls *tls)
{
    mbedtls_ssl_free(&tls->library);
    tls_identity_drop(tls->identity);
    memset(tls, 0, sizeof(*tls));
}

void tls_feed(struct tls *tls, struct span bytes)
{
    tls->fed = bytes;
}

size_t tls_unfed(const struct tls *tls)
{
    return tls->fed.len;
}

enum tls_outcome tls_handshake(struct tls *tls)
{
    if (tls->failed)
        return TLS_FAILED;
    tls->identity->handshaking = tls;
    tls->unsent = false; /* the library goes on where it was */
    int result = mbedtls_ssl_handshake(&tls->library);
    tls->identity->handshaking = NULL;
    tls->established = result == 0;
    /* RFC 8446 5: to a first record that is no ClientHello mbedTLS says nothing. */
    if (result < 0 && result != MBEDTLS_ERR_SSL_WANT_READ && result != MBEDTLS_ERR_SSL_WANT_WRITE &&
        !tls->answered)
        (void)mbedtls_ssl_send_alert_message(&tls->library, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             result == MBEDTLS_ERR_SSL_ALLOC_FAILED
                                                 ? MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR
                                                 : MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE);
    return outcome(tls, result);
}

enum tls_outcome tls_read(struct tls *tls, char *out, size_t size, size_t *out_len)
{
    *out_len = 0;
    if (tls->failed || tls->closed)
        return tls->failed ? TLS_FAILED : TLS_CLOSED;
    int result = mbedtls_ssl_read(&tls->library, (unsigned char *)out, size);
    if (result == 0)
        result = MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    if (result > 0)
        *out_len = (size_t)result;
    return outcome(tls, result);
}

bool tls_pending(const struct tls *tls)
{
    return !tls->failed && mbedtls_ssl_get_bytes_avail(&tls->library) > 0;
}

_Static_assert(TLS_WISE_BYTES <= 4096, "every build of the library takes that in one piece");

size_t tls_record_bytes(void)
{
#ifdef MBEDTLS_SSL_OUT_CONTENT_LEN
    return MBEDTLS_SSL_OUT_CONTENT_LEN;
#else
    return MBEDTLS_SSL_MAX_CONTENT_LEN;
#endif
}

enum tls_outcome tls_write(struct tls *tls, struct span bytes)
{
    must(!tls->unsent && bytes.len <= tls_record_bytes());
    if (tls->failed)
        return TLS_FAILED;
    while (bytes.len > 0) {
        int result =
            mbedtls_ssl_write(&tls->library, (const unsigned char *)bytes.bytes, bytes.len);
        if (result == MBEDTLS_ERR_SSL_WANT_WRITE &&
            (int)bytes.len > mbedtls_ssl_get_max_out_record_payload(&tls->library))
            /* A client that asked for small records (RFC 6066 4) and then does not read them:
             * the library has only the first of them, and nobody keeps the others. */
            result = MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        if (result < 0)
            return outcome(tls, result);
        bytes = span_cut(bytes, (size_t)result, bytes.len);
    }
    return TLS_OK;
}

enum tls_outcome tls_flush(struct tls *tls)
{
    if (tls->failed)
        return TLS_FAILED;
    if (!tls->unsent)
        return TLS_OK;
    /* With a record waiting, mbedtls_ssl_write only sends it and looks at nothing else. */
    tls->unsent = false;
    return outcome(tls, mbedtls_ssl_write(&tls->library, (const unsigned char *)"", 0));
}

void tls_say_goodbye(struct tls *tls)
{
    if (tls->failed || !tls->established || tls_flush(tls) != TLS_OK)
        return;
    (void)outcome(tls, mbedtls_ssl_close_notify(&tls->library));
}

bool tls_idle(const struct tls *tls)
{
    return tls->established && !tls->failed && !tls->unsent && tls->header_len == 0 &&
           mbedtls_ssl_check_pending(&tls->library) == 0;
}

/* --- What is known about it ------------------------------------------------------------------ */

static bool is_tls13(const struct tls *tls)
{
    return strcmp(mbedtls_ssl_get_version(&tls->library), "TLSv1.3") == 0;
}

size_t tls_channel_binding(struct tls *tls, enum tls_binding binding, uint8_t *out)
{
    if (!tls->established || tls->failed)
        return 0;
    if (binding == TLS_BINDING_END_POINT) {
        memcpy(out, tls->identity->end_point, tls->identity->end_point_len);
        return tls->identity->end_point_len;
    }
    /* RFC 9266 4.2: below 1.3 only with the extended master secret. */
    if (!is_tls13(tls) && !tls->extended)
        return 0;
    if (!tls->exporter_known)
        export_value(tls);
    if (!tls->exporter_known)
        return 0;
    memcpy(out, tls->exporter, sizeof(tls->exporter));
    return sizeof(tls->exporter);
}

const char *tls_version_name(const struct tls *tls)
{
    return mbedtls_ssl_get_version(&tls->library);
}

const char *tls_suite_name(const struct tls *tls)
{
    const char *name = mbedtls_ssl_get_ciphersuite(&tls->library);
    return name ? name : "none";
}

bool tls_resumed(const struct tls *tls)
{
    return tls->established && (is_tls13(tls) ? tls->psk : !tls->full);
}

const char *tls_library(void)
{
    return MBEDTLS_VERSION_STRING_FULL;
}

size_t tls_idle_heap_bytes(void)
{
    return IDLE_HEAP_BYTES;
}

unsigned tls_slabs(void)
{
    return SLABS;
}

size_t tls_handshake_heap_bytes(void)
{
    return HANDSHAKE_HEAP_BYTES;
}
