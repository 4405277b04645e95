/* tls_identity.c: certificate, key and the settings made of them, one set per load, so that open
 * connections keep theirs over a reload. Owns the places for IDENTITIES sets and the ticket keys.
 * Specs: RFC 9325, RFC 6125 6.4 (names), RFC 5929 4.1 (end-point). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/oid.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "base/must.h"
#include "platform/platform.h"
#include "wire/digest.h"
#include "wire/tls_mbedtls.h"

/* The current one, and those that connections older than a reload still use. */
#define IDENTITIES 4
#define FILE_BYTES_MAX 65536
#define TICKET_SECONDS 86400
/* What a Certificate message has around the certificates, and around each one (RFC 8446 4.4.2). */
#define CERTIFICATE_MESSAGE_BYTES 8
#define CERTIFICATE_ENTRY_BYTES 5

static struct tls_identity identities[IDENTITIES];

/* AEAD with ephemeral keys only. In TLS 1.2 our order decides. In TLS 1.3 mbedTLS takes the
 * client's, therefore AES-256 is left out there: with AES instructions the two that are left cost
 * about the same, without them the usual order of clients then leads to ChaCha20. */
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
#define TLS13_AES MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#define TLS13_CHACHA MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#else
#define TLS13_AES
#define TLS13_CHACHA
#endif

static const int suites_aes_first[] = {
    TLS13_AES TLS13_CHACHA MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};

static const int suites_chacha_first[] = {
    TLS13_CHACHA TLS13_AES MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};

#if MBEDTLS_VERSION_MAJOR < 3
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
#else
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, 0};
#endif

static const char *protocols[] = {"xmpp-client", NULL};

int tls_random(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    plat_random(out, len);
    return 0;
}

const char *tls_say(struct arena *arena, const char *format, ...)
{
    char text[640];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    must(len >= 0);
    struct span kept = arena_copy(arena, span_of(text, strlen(text) + 1));
    return kept.bytes ? kept.bytes : "no memory to say what is wrong with the certificate";
}

bool tls_file_read(const char *path, struct arena *arena, struct span *out, const char **why)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        *why = tls_say(arena, "cannot read %s: %s", path, strerror(errno));
        if (file >= 0)
            (void)close(file);
        return false;
    }
    char *bytes = NULL;
    if (status.st_size > 0 && status.st_size < FILE_BYTES_MAX)
        bytes = arena_take(arena, (size_t)status.st_size + 1);
    ssize_t len = bytes ? read(file, bytes, (size_t)status.st_size) : 0;
    int error = errno;
    (void)close(file); /* only read */
    if (!bytes || len != status.st_size) {
        *why = tls_say(arena, "cannot read %s: %s", path,
                       !bytes ? "it is empty, or too large for a PEM file" : strerror(error));
        return false;
    }
    bytes[len] = '\0';
    *out = span_of(bytes, (size_t)len + 1);
    return true;
}

/* The order costs three times as much the wrong way round where AES is done in software. */
static bool aes_instructions(void)
{
#if defined(__x86_64__) && defined(MBEDTLS_AESNI_C)
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_AES) && (ecx & bit_PCLMUL);
#elif defined(__aarch64__) && defined(__linux__) && defined(MBEDTLS_AESCE_C)
    const unsigned long aes_and_pmull = 1UL << 3 | 1UL << 4; /* HWCAP_AES, HWCAP_PMULL */
    return (getauxval(AT_HWCAP) & aes_and_pmull) == aes_and_pmull;
#else
    return false;
#endif
}

static bool configure(struct tls_identity *identity, mbedtls_ssl_config *settings)
{
    if (mbedtls_ssl_config_defaults(settings, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return false;
    mbedtls_ssl_conf_rng(settings, tls_random, NULL);
    mbedtls_ssl_conf_ciphersuites(settings,
                                  aes_instructions() ? suites_aes_first : suites_chacha_first);
#if MBEDTLS_VERSION_MAJOR < 3
    mbedtls_ssl_conf_min_version(settings, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(settings, groups);
#else
    mbedtls_ssl_conf_min_tls_version(settings, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(settings, groups);
#endif
#ifdef MBEDTLS_SSL_RENEGOTIATION /* RFC 6120 5.3.5: we refuse it */
    mbedtls_ssl_conf_renegotiation(settings, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        settings, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
                      MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
#endif
#ifdef TLS_TICKETS
    mbedtls_ssl_conf_session_tickets_cb(settings, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &identity->tickets);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_new_session_tickets(settings, 1);
#endif
#endif
    tls_configure_export(settings, identity);
    return mbedtls_ssl_conf_own_cert(settings, &identity->chain, &identity->key) == 0;
}

/* Both settings, the ticket keys, and the end-point binding. */
static bool identity_set_up(struct tls_identity *identity)
{
    mbedtls_md_type_t md;
    mbedtls_pk_type_t pk;
#ifdef TLS_TICKETS
    /* Its keys live in memory only and change by themselves once in TICKET_SECONDS. */
    if (mbedtls_ssl_ticket_setup(&identity->tickets, tls_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                 TICKET_SECONDS) != 0)
        return false;
#endif
    if (!configure(identity, &identity->starttls) || !configure(identity, &identity->direct) ||
        mbedtls_ssl_conf_alpn_protocols(&identity->direct, protocols) != 0)
        return false;

    /* RFC 5929 4.1: the hash of the signature, SHA-256 in place of MD5 and SHA-1. Undefined for
     * signatures that name no hash, so there is no binding then. */
    const mbedtls_x509_crt *leaf = &identity->chain;
    if (mbedtls_oid_get_sig_alg(&leaf->sig_oid, &md, &pk) != 0 || md == MBEDTLS_MD_NONE)
        return true;
    if (md == MBEDTLS_MD_MD5 || md == MBEDTLS_MD_SHA1)
        md = MBEDTLS_MD_SHA256;
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(md);
    if (!info || mbedtls_md(info, leaf->raw.p, leaf->raw.len, identity->end_point) != 0)
        return false;
    identity->end_point_len = mbedtls_md_get_size(info);
    return true;
}

static bool identity_read(struct tls_identity *identity, const char *certificate_path,
                          const char *key_path, struct arena *arena, const char **why)
{
    struct span pem;
    if (!tls_file_read(certificate_path, arena, &pem, why))
        return false;
    if (mbedtls_x509_crt_parse(&identity->chain, (const unsigned char *)pem.bytes, pem.len) != 0) {
        *why =
            tls_say(arena, "%s is not a chain of PEM certificates, leaf first", certificate_path);
        return false;
    }
    if (!tls_file_read(key_path, arena, &pem, why))
        return false;
    bool locked = strstr(pem.bytes, "ENCRYPTED") != NULL; /* RFC 7468 11, RFC 1421 4.6.1.1 */
    bool parsed = TLS_KEY_PARSE(&identity->key, (const unsigned char *)pem.bytes, pem.len) == 0;
    secret_forget((char *)pem.bytes, pem.len);
    if (!parsed) {
        *why = tls_say(arena,
                       locked ? "the key in %s is locked with a password; take it off with "
                                "`openssl pkey -in OLD -out NEW`"
                              : "%s holds no private key (PEM, RSA or NIST curve) that can be read",
                       key_path);
        return false;
    }
    if (TLS_PAIR_CHECK(&identity->chain.pk, &identity->key) != 0) {
        *why = tls_say(arena,
                       "the key in %s does not belong to the first certificate in %s; "
                       "name the pair that was made together (leaf first in the chain)",
                       key_path, certificate_path);
        return false;
    }
    return true;
}

/* The library cannot split a Certificate message over records. */
static bool chain_fits(const struct tls_identity *identity, const char *certificate_path,
                       struct arena *arena, const char **why)
{
    size_t bytes = CERTIFICATE_MESSAGE_BYTES;
    const mbedtls_x509_crt *certificate = &identity->chain;
    for (; certificate; certificate = certificate->next)
        bytes += CERTIFICATE_ENTRY_BYTES + certificate->raw.len;
    if (bytes <= tls_record_bytes())
        return true;
    *why = tls_say(arena,
                   "the certificates in %s take %zu bytes, and only %zu fit; leave out the "
                   "root, or use an ECDSA certificate",
                   certificate_path, bytes, tls_record_bytes());
    return false;
}

static void identity_forget(struct tls_identity *identity)
{
    mbedtls_ssl_config_free(&identity->starttls);
    mbedtls_ssl_config_free(&identity->direct);
#ifdef TLS_TICKETS
    mbedtls_ssl_ticket_free(&identity->tickets);
#endif
    mbedtls_x509_crt_free(&identity->chain);
    mbedtls_pk_free(&identity->key);
    memset(identity, 0, sizeof(*identity));
}

struct tls_identity *tls_identity_load(const char *certificate_path, const char *key_path,
                                       struct arena *arena, const char **why)
{
    struct tls_identity *identity = identities;
    while (identity < identities + IDENTITIES && identity->holds > 0)
        identity++;
    if (identity == identities + IDENTITIES) {
        *why = "streams that are still open use too many older certificates; restart kith";
        return NULL;
    }
    mbedtls_x509_crt_init(&identity->chain);
    mbedtls_pk_init(&identity->key);
    mbedtls_ssl_config_init(&identity->starttls);
    mbedtls_ssl_config_init(&identity->direct);
#ifdef TLS_TICKETS
    mbedtls_ssl_ticket_init(&identity->tickets);
#endif
    *why = "no memory for the certificate and its settings";
    if (!identity_read(identity, certificate_path, key_path, arena, why) ||
        !chain_fits(identity, certificate_path, arena, why) || !identity_set_up(identity)) {
        identity_forget(identity);
        return NULL;
    }
    *why = NULL;
    identity->holds = 1;
    return identity;
}

void tls_identity_drop(struct tls_identity *identity)
{
    must(identity->holds > 0);
    if (--identity->holds == 0)
        identity_forget(identity);
}

/* RFC 6125 6.4.3: a star stands for exactly the first label. */
static bool name_covers(struct span name, struct span domain)
{
    if (name.len > 2 && name.bytes[0] == '*' && name.bytes[1] == '.') {
        size_t dot = span_find(domain, '.');
        if (dot == 0)
            return false;
        name = span_cut(name, 1, name.len);
        domain = span_cut(domain, dot, domain.len);
    }
    return name.len == domain.len && domain.len > 0 &&
           strncasecmp(name.bytes, domain.bytes, name.len) == 0;
}

size_t tls_address(const char *domain, uint8_t address[16])
{
    char inside[INET6_ADDRSTRLEN];
    size_t len = strlen(domain);
    if (inet_pton(AF_INET, domain, address) == 1)
        return 4;
    if (len > 2 && len - 2 < sizeof(inside) && domain[0] == '[' && domain[len - 1] == ']') {
        memcpy(inside, domain + 1, len - 2);
        inside[len - 2] = '\0';
        domain = inside;
    }
    return inet_pton(AF_INET6, domain, address) == 1 ? 16 : 0;
}

bool tls_identity_covers(const struct tls_identity *identity, const char *domain)
{
    uint8_t address[16];
    size_t address_len = tls_address(domain, address);

    const mbedtls_x509_sequence *name = &identity->chain.subject_alt_names;
    for (; name && name->buf.p; name = name->next) {
        struct span value = span_of((const char *)name->buf.p, name->buf.len);
        int kind = name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
        if (kind == MBEDTLS_X509_SAN_DNS_NAME && address_len == 0 &&
            name_covers(value, span_string(domain)))
            return true;
        if (kind == MBEDTLS_X509_SAN_IP_ADDRESS && address_len > 0 &&
            span_equal(value, span_of((const char *)address, address_len)))
            return true;
    }
    return false;
}

int64_t tls_days(int year, int month, int day)
{
    /* Years that begin in March have the leap day at their end. */
    int64_t from = month <= 2 ? (int64_t)year - 1 : year;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return from * 365 + from / 4 - from / 100 + from / 400 + day_of_year - 719468;
}

int tls_identity_days_left(const struct tls_identity *identity, uint64_t wall_us)
{
    const mbedtls_x509_time *end = &identity->chain.valid_to;
    int64_t seconds = tls_days(end->year, end->mon, end->day) * 86400 + end->hour * 3600 +
                      end->min * 60 + end->sec - (int64_t)(wall_us / 1000000);
    return (int)(seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400));
}
