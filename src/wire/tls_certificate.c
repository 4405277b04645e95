/* tls_certificate.c: a private CA and a leaf for those who have no certificate of a public one.
 * Owns nothing; writes four PEM files, each whole or not at all. Keys are P-256.
 * Specs: RFC 5280, RFC 6125; the leaf's life is the longest that Apple's systems accept. */
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "platform/platform.h"
#include "wire/digest.h"
#include "wire/tls_mbedtls.h"

#if defined(MBEDTLS_X509_CRT_WRITE_C) && defined(MBEDTLS_PEM_WRITE_C)

#define CA_DAYS 3650
#define LEAF_DAYS 825
/* A leaf of our own CA is made again when it has less left, or is for another domain. */
#define LEAF_DAYS_LEAST 30
/* No clock that works says less (2026-01-01): routers start in 1970, before they ask for the time.
 */
#define CLOCK_LEAST_SECONDS 1767225600
#define PEM_BYTES_MAX 4096
#define SERIAL_BYTES 16
#define NAME_BYTES_MAX 253
/* RFC 5280 A.1, ub-common-name */
#define COMMON_NAME_BYTES_MAX 64

/* Who signs, what is signed. */
struct issue {
    mbedtls_pk_context *subject_key;
    mbedtls_pk_context *issuer_key;
    char subject[96];
    const char *issuer;
    int64_t from_day;
    int64_t to_day;
};

struct authority {
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    char name[256];
};

/* What a rename has done is on the disk when its directory is. */
static bool directory_sync(const char *path, struct arena *arena, const char **why)
{
    char directory[512];
    const char *slash = strrchr(path, '/');
    (void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path + 1) : 1,
                   slash ? path : ".");
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: this file system has no such thing */
    bool synced = file >= 0 && (fsync(file) == 0 || errno == EINVAL);
    if (!synced)
        *why = tls_say(arena, "cannot sync %s: %s", directory, strerror(errno));
    if (file >= 0)
        (void)close(file); /* nothing was written through it */
    return synced;
}

static bool file_write(const char *path, mode_t mode, struct span text, struct arena *arena,
                       const char **why)
{
    char unfinished[512];
    int len = snprintf(unfinished, sizeof(unfinished), "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof(unfinished)) {
        *why = "the path of a certificate file is too long";
        return false;
    }
    (void)unlink(unfinished); /* left by a power cut, perhaps with another mode */
    int file = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    bool written = file >= 0 && write(file, text.bytes, text.len) == (ssize_t)text.len &&
                   fchmod(file, mode) == 0 && fsync(file) == 0;
    int error = errno;
    if (file >= 0 && close(file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && rename(unfinished, path) != 0) {
        written = false;
        error = errno;
    }
    if (!written)
        *why = tls_say(arena, "cannot write %s: %s", path, strerror(error));
    return written && directory_sync(path, arena, why);
}

static bool key_make(mbedtls_pk_context *key)
{
    return mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
           mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), tls_random, NULL) ==
               0;
}

static bool key_write(const char *path, mbedtls_pk_context *key, struct arena *arena,
                      const char **why)
{
    unsigned char pem[PEM_BYTES_MAX];
    bool written = mbedtls_pk_write_key_pem(key, pem, sizeof(pem)) == 0 &&
                   file_write(path, 0600, span_string((char *)pem), arena, why);
    secret_forget(pem, sizeof(pem));
    return written;
}

/* The key in the file; a new one if there is no file. Keys are on the disk before certificates and
 * are used again, so that a power cut never leaves a pair that does not match. */
static bool key_obtain(const char *path, mbedtls_pk_context *key, struct arena *arena,
                       const char **why)
{
    struct span pem;
    if (access(path, F_OK) != 0)
        return key_make(key) && key_write(path, key, arena, why);
    if (!tls_file_read(path, arena, &pem, why))
        return false;
    bool parsed = TLS_KEY_PARSE(key, (const unsigned char *)pem.bytes, pem.len) == 0;
    secret_forget((char *)pem.bytes, pem.len);
    if (!parsed)
        *why = tls_say(arena, "%s holds no private key that can be read; move it away", path);
    return parsed;
}

/* Gregorian date of a day since 1970, as X.509 writes it, at midnight. */
static void day_text(int64_t days, char text[15])
{
    int64_t since = days + 719468; /* from 1 March of the year 0 */
    int64_t era = since / 146097;  /* of 400 years */
    int64_t day = since % 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t rest = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * rest + 2) / 153;
    unsigned written_month = (unsigned)(month < 10 ? month + 3 : month - 9);
    unsigned written_year = (unsigned)(year + era * 400 + (written_month <= 2));
    unsigned written_day = (unsigned)(rest - (153 * month + 2) / 5 + 1);
    (void)snprintf(text, 15, "%04u%02u%02u000000", written_year % 10000, written_month % 100,
                   written_day % 100);
}

static int64_t today(uint64_t wall_us)
{
    uint64_t seconds = wall_us / 1000000;
    return (int64_t)((seconds < CLOCK_LEAST_SECONDS ? CLOCK_LEAST_SECONDS : seconds) / 86400);
}

static bool serial_set(mbedtls_x509write_cert *writer)
{
    unsigned char serial[SERIAL_BYTES];
    plat_random(serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* RFC 5280 4.1.2.2: positive */
#if MBEDTLS_VERSION_MAJOR < 3
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    bool set = mbedtls_mpi_read_binary(&number, serial, sizeof(serial)) == 0 &&
               mbedtls_x509write_crt_set_serial(writer, &number) == 0;
    mbedtls_mpi_free(&number);
    return set;
#else
    return mbedtls_x509write_crt_set_serial_raw(writer, serial, sizeof(serial)) == 0;
#endif
}

/* What both certificates have. */
static bool writer_begin(mbedtls_x509write_cert *writer, const struct issue *issue)
{
    char from[15];
    char to[15];
    day_text(issue->from_day, from);
    day_text(issue->to_day, to);
    mbedtls_x509write_crt_set_version(writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(writer, issue->subject_key);
    mbedtls_x509write_crt_set_issuer_key(writer, issue->issuer_key);
    return serial_set(writer) &&
           mbedtls_x509write_crt_set_subject_name(writer, issue->subject) == 0 &&
           mbedtls_x509write_crt_set_issuer_name(writer, issue->issuer) == 0 &&
           mbedtls_x509write_crt_set_validity(writer, from, to) == 0 &&
           mbedtls_x509write_crt_set_subject_key_identifier(writer) == 0 &&
           mbedtls_x509write_crt_set_authority_key_identifier(writer) == 0;
}

/* Signs and writes. */
static bool writer_end(mbedtls_x509write_cert *writer, const char *path, struct arena *arena,
                       const char **why)
{
    unsigned char pem[PEM_BYTES_MAX];
    return mbedtls_x509write_crt_pem(writer, pem, sizeof(pem), tls_random, NULL) == 0 &&
           file_write(path, 0644, span_string((char *)pem), arena, why);
}

/* Puts one GeneralName before *at (RFC 5280 4.2.1.6). */
static bool name_put(unsigned char **at, unsigned char *start, int kind, const void *bytes,
                     size_t len)
{
    return mbedtls_asn1_write_raw_buffer(at, start, bytes, len) >= 0 &&
           mbedtls_asn1_write_len(at, start, len) >= 0 &&
           mbedtls_asn1_write_tag(at, start,
                                  (unsigned char)(MBEDTLS_ASN1_CONTEXT_SPECIFIC | kind)) >= 0;
}

/* subjectAltName: the address, or the domain and everything one label below it. By hand, since
 * 2.28 has no function for it. */
static bool names_set(mbedtls_x509write_cert *writer, const char *domain)
{
    unsigned char names[2 * NAME_BYTES_MAX + 32];
    unsigned char *end = names + sizeof(names);
    unsigned char *at = end;
    uint8_t address[16];
    size_t address_len = tls_address(domain, address);
    bool put;
    if (address_len > 0) {
        put = name_put(&at, names, MBEDTLS_X509_SAN_IP_ADDRESS, address, address_len);
    } else {
        char below[NAME_BYTES_MAX + 3];
        int len = snprintf(below, sizeof(below), "*.%s", domain);
        must(len > 0 && (size_t)len < sizeof(below));
        put = name_put(&at, names, MBEDTLS_X509_SAN_DNS_NAME, below, (size_t)len) &&
              name_put(&at, names, MBEDTLS_X509_SAN_DNS_NAME, domain, (size_t)len - 2);
    }
    return put && mbedtls_asn1_write_len(&at, names, (size_t)(end - at)) >= 0 &&
           mbedtls_asn1_write_tag(&at, names, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) >=
               0 &&
           mbedtls_x509write_crt_set_extension(writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                               at, (size_t)(end - at)) == 0;
}

static bool leaf_make(struct authority *authority, const char *domain, const char *path,
                      const char *key_path, uint64_t wall_us, struct arena *arena, const char **why)
{
    static const unsigned char server_auth[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                                0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    const mbedtls_x509_time *end = &authority->certificate.valid_to;
    mbedtls_pk_context key;
    mbedtls_x509write_cert writer;
    struct issue issue = {&key, &authority->key, "", authority->name, today(wall_us) - 1, 0};

    issue.to_day = issue.from_day + LEAF_DAYS;
    if (issue.to_day > tls_days(end->year, end->mon, end->day))
        issue.to_day = tls_days(end->year, end->mon, end->day);
    if (issue.to_day <= today(wall_us)) {
        *why = "the private CA has expired; move its two files away to have a new one made";
        return false;
    }
    (void)snprintf(issue.subject, sizeof(issue.subject), "CN=%s",
                   strlen(domain) <= COMMON_NAME_BYTES_MAX ? domain : "kith");
    mbedtls_pk_init(&key);
    mbedtls_x509write_crt_init(&writer);
    bool made =
        key_obtain(key_path, &key, arena, why) && writer_begin(&writer, &issue) &&
        mbedtls_x509write_crt_set_basic_constraints(&writer, 0, -1) == 0 &&
        mbedtls_x509write_crt_set_key_usage(&writer, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
        mbedtls_x509write_crt_set_extension(&writer, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                            MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0,
                                            server_auth, sizeof(server_auth)) == 0 &&
        names_set(&writer, domain) && writer_end(&writer, path, arena, why);
    mbedtls_x509write_crt_free(&writer);
    mbedtls_pk_free(&key);
    return made;
}

static bool authority_make(const char *domain, const char *path, const char *key_path,
                           uint64_t wall_us, struct arena *arena, const char **why)
{
    mbedtls_pk_context key;
    mbedtls_x509write_cert writer;
    struct issue issue = {&key, &key, "", issue.subject, today(wall_us) - 1, 0};

    issue.to_day = issue.from_day + CA_DAYS;
    (void)snprintf(issue.subject, sizeof(issue.subject), "CN=kith CA of %.*s",
                   COMMON_NAME_BYTES_MAX - 11, domain);
    mbedtls_pk_init(&key);
    mbedtls_x509write_crt_init(&writer);
    bool made = key_obtain(key_path, &key, arena, why) && writer_begin(&writer, &issue) &&
                mbedtls_x509write_crt_set_basic_constraints(&writer, 1, 0) == 0 &&
                mbedtls_x509write_crt_set_key_usage(&writer, MBEDTLS_X509_KU_KEY_CERT_SIGN |
                                                                 MBEDTLS_X509_KU_CRL_SIGN) == 0 &&
                writer_end(&writer, path, arena, why);
    mbedtls_x509write_crt_free(&writer);
    mbedtls_pk_free(&key);
    return made;
}

static bool authority_read(struct authority *authority, const char *path, const char *key_path,
                           struct arena *arena, const char **why)
{
    struct span pem;
    if (!tls_file_read(path, arena, &pem, why) ||
        !key_obtain(key_path, &authority->key, arena, why))
        return false;
    if (mbedtls_x509_crt_parse(&authority->certificate, (const unsigned char *)pem.bytes,
                               pem.len) == 0 &&
        TLS_PAIR_CHECK(&authority->certificate.pk, &authority->key) == 0 &&
        mbedtls_x509_dn_gets(authority->name, sizeof(authority->name),
                             &authority->certificate.subject) > 0)
        return true;
    *why = tls_say(arena,
                   "%s and %s are no CA and its key; move them away to have new ones made, "
                   "which the clients must then be told to trust",
                   path, key_path);
    return false;
}

static bool file_present(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A certificate without its key is of no use, and only the person knows where the key is. */
static bool key_missing(const char *path, const char *key_path, struct arena *arena,
                        const char **why)
{
    if (!file_present(path) || file_present(key_path))
        return false;
    *why = tls_say(arena,
                   "%s is there and its key %s is not: bring the key, or move the "
                   "certificate away to have both made",
                   path, key_path);
    return true;
}

/* Whether the leaf in these files is of this CA, and ends soon or is for another domain. */
static bool leaf_is_due(const struct authority *authority, const char *domain, const char *path,
                        const char *key_path, uint64_t wall_us, struct arena *arena)
{
    const char *ignored;
    struct tls_identity *leaf = tls_identity_load(path, key_path, arena, &ignored);
    if (!leaf)
        return false; /* the person's own; loading it for use will say what is wrong */
    const mbedtls_x509_buf *issuer = &leaf->chain.issuer_raw;
    const mbedtls_x509_buf *subject = &authority->certificate.subject_raw;
    bool due = issuer->len == subject->len && memcmp(issuer->p, subject->p, issuer->len) == 0 &&
               (tls_identity_days_left(leaf, wall_us) < LEAF_DAYS_LEAST ||
                !tls_identity_covers(leaf, domain));
    tls_identity_drop(leaf);
    return due;
}

static bool domain_is_usable(const char *domain)
{
    size_t len = strlen(domain);
    if (len == 0 || len > NAME_BYTES_MAX)
        return false;
    /* Letters, digits, hyphen; colons and brackets for IPv6. Nothing that means something in a
     * name. */
    return strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_[]") ==
           len;
}

bool tls_identity_make(const char *domain, const char *ca_path, const char *ca_key_path,
                       const char *certificate_path, const char *key_path, uint64_t wall_us,
                       struct arena *arena, const char **why)
{
    struct authority authority;
    bool leaf_there = file_present(certificate_path);
    *why = "no memory to make a certificate";
    if (key_missing(certificate_path, key_path, arena, why))
        return false;
    if (leaf_there && (!file_present(ca_path) || !file_present(ca_key_path)))
        return true; /* from elsewhere, or the CA's key was put away */
    if (key_missing(ca_path, ca_key_path, arena, why))
        return false;
    if (!domain_is_usable(domain)) {
        *why = tls_say(arena,
                       "kith makes certificates for domains of ASCII letters only, not for %s: "
                       "bring one that is made for its xn-- form",
                       domain);
        return false;
    }
    if (!file_present(ca_path) &&
        !authority_make(domain, ca_path, ca_key_path, wall_us, arena, why))
        return false;
    mbedtls_x509_crt_init(&authority.certificate);
    mbedtls_pk_init(&authority.key);
    bool made = authority_read(&authority, ca_path, ca_key_path, arena, why);
    if (made && (!leaf_there ||
                 leaf_is_due(&authority, domain, certificate_path, key_path, wall_us, arena)))
        made = leaf_make(&authority, domain, certificate_path, key_path, wall_us, arena, why);
    mbedtls_x509_crt_free(&authority.certificate);
    mbedtls_pk_free(&authority.key);
    return made;
}

#else

bool tls_identity_make(const char *domain, const char *ca_path, const char *ca_key_path,
                       const char *certificate_path, const char *key_path, uint64_t wall_us,
                       struct arena *arena, const char **why)
{
    (void)ca_path, (void)ca_key_path, (void)wall_us;
    if (access(certificate_path, F_OK) == 0 && access(key_path, F_OK) == 0)
        return true;
    *why = tls_say(arena, "this mbedTLS cannot write certificates: bring one for %s as %s and %s",
                   domain, certificate_path, key_path);
    return false;
}

#endif
