/* config.h: what kith.conf says, for everybody to read. Filled by src/config.c before anything
 * starts, constant afterwards (SIGHUP reloads the certificate files, not this). */
#ifndef KITH_CONFIG_H
#define KITH_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_LISTEN_MAX 8
#define CONFIG_TEXT_MAX 256
#define CONFIG_CONTACT_MAX 4

struct config_address {
    char address[64]; /* numeric, without brackets */
    uint16_t port;
};

enum registration { REGISTRATION_CLOSED, REGISTRATION_INVITE, REGISTRATION_OPEN };

struct config {
    char domain[CONFIG_TEXT_MAX]; /* prepared (jid_prepare_domain) */
    char data[CONFIG_TEXT_MAX];
    char certificate[CONFIG_TEXT_MAX]; /* "": made in data on first start */
    char key[CONFIG_TEXT_MAX];
    char control[CONFIG_TEXT_MAX]; /* "": data/control */
    char profile[CONFIG_TEXT_MAX]; /* a name in boards/ or a file */
    uint64_t memory;               /* bytes; 0: the profile's */
    struct config_address listen[CONFIG_LISTEN_MAX];
    unsigned listen_count;
    struct config_address listen_tls[CONFIG_LISTEN_MAX];
    unsigned listen_tls_count;
    char contact[CONFIG_CONTACT_MAX][CONFIG_TEXT_MAX]; /* URIs (XEP-0157) */
    unsigned contact_count;
    enum registration registration;
    bool sasl_plain;
    bool plaintext_on_loopback; /* allow_plaintext = loopback */
    bool rate_limits;
    uint32_t sasl_iterations;
};

extern struct config config;

#endif
