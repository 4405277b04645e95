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

#define CONFIG_NAMES_MAX 1024

enum registration {
    REGISTRATION_CLOSED,
    REGISTRATION_INVITE,
    REGISTRATION_OPEN,
    REGISTRATION_REDIRECT,
};
enum verify { VERIFY_NONE, VERIFY_ADMIN, VERIFY_EMAIL, VERIFY_PHONE, VERIFY_EITHER };
enum next_stage { NEXT_STAGE_AUTO, NEXT_STAGE_RESULT, NEXT_STAGE_ERROR };

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
    char registration_url[CONFIG_TEXT_MAX]; /* https; "": none */
    enum verify verify;
    bool verify_strict;  /* stage 1 requires the addresses */
    bool verify_invited; /* who has an invitation is verified as well */
    char verify_command[CONFIG_TEXT_MAX];
    char captcha_question[CONFIG_TEXT_MAX]; /* "": none is asked */
    char captcha_answer[CONFIG_TEXT_MAX];
    enum next_stage next_stage;
    bool allow_no_username;
    uint32_t registrations_per_hour; /* of one network address */
    uint32_t password_length;        /* characters, at least */
    bool password_change;
    bool account_removal;
    uint32_t invites_per_account;
    uint64_t invite_lifetime; /* seconds */
    bool invite_mutual;       /* who opens an invitation agrees to be asked back (INV-13) */
    char reserved_names[CONFIG_NAMES_MAX]; /* with spaces between */
    char mix_domain[CONFIG_TEXT_MAX];      /* prepared; "mix." before the domain if none is set */
    bool channel_create_all;               /* channel_create = everyone */
    uint32_t channels;
    uint32_t participants_per_channel; /* at most plan.participants */
    bool archive;
    uint32_t archive_days;
    uint32_t offline_messages; /* 0, or more than that: plan.offline_messages */
    bool relaxed;              /* durability */
    bool sasl_plain;
    bool plaintext_on_loopback; /* allow_plaintext = loopback */
    bool rate_limits;
    uint32_t sasl_iterations;
    uint32_t resume_seconds; /* 0: nobody may */
};

extern struct config config;

#endif
