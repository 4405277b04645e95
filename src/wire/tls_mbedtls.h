/* tls_mbedtls.h: what the tls*.c files share and nobody else sees.
 * The versions of the library differ here, in tls.c's "By version" part, and where tls_identity.c
 * and tls_certificate.c say #if. */
#ifndef KITH_TLS_MBEDTLS_H
#define KITH_TLS_MBEDTLS_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#if defined(MBEDTLS_SSL_TICKET_C) && defined(MBEDTLS_SSL_SESSION_TICKETS)
#include <mbedtls/ssl_ticket.h>
#define TLS_TICKETS
#endif

#include "wire/tls.h"

#if MBEDTLS_VERSION_MAJOR < 3
#define TLS_KEY_PARSE(key, bytes, len) mbedtls_pk_parse_key(key, bytes, len, NULL, 0)
#define TLS_PAIR_CHECK(public, private) mbedtls_pk_check_pair(public, private)
#else
#define TLS_KEY_PARSE(key, bytes, len)                                                             \
    mbedtls_pk_parse_key(key, bytes, len, NULL, 0, tls_random, NULL)
#define TLS_PAIR_CHECK(public, private) mbedtls_pk_check_pair(public, private, tls_random, NULL)
#endif

/* Largest hash of a certificate (SHA-512). */
#define TLS_END_POINT_BYTES_MAX 64

struct tls_identity {
    uint32_t holds; /* 0: the place is free */
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    mbedtls_ssl_config starttls;
    mbedtls_ssl_config direct; /* the same with ALPN */
#ifdef TLS_TICKETS
    mbedtls_ssl_ticket_context tickets;
#endif
    struct tls *handshaking; /* whose handshake is on the stack now */
    uint8_t end_point[TLS_END_POINT_BYTES_MAX];
    size_t end_point_len;
};

/* The library's source of random bytes: plat_random. */
int tls_random(void *unused, unsigned char *out, size_t len);

/* In tls.c: makes the library hand out what the exporter needs, where it has to be asked. */
void tls_configure_export(mbedtls_ssl_config *settings, struct tls_identity *identity);

/* In tls_identity.c: text made in arena, or a fixed one when the arena is full. */
__attribute__((format(printf, 2, 3))) const char *tls_say(struct arena *arena, const char *format,
                                                          ...);

/* A whole file with a zero byte behind it (in len, as mbedTLS wants PEM). */
bool tls_file_read(const char *path, struct arena *arena, struct span *out, const char **why);

/* Bytes of the IP address that domain is (brackets around IPv6 allowed): 4, 16, or 0 for a name. */
size_t tls_address(const char *domain, uint8_t address[16]);

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
int64_t tls_days(int year, int month, int day);

#endif
